// One attempt to sign in: the window, the link, the ways it ends.

import type { SignInStarted } from '../src/generated/contract';
import { Popup } from '../src/popup';
import type { SignInStep, Strategy } from '../src/signinstep';
import { stepFor } from '../src/signinstep';
import { SignIn } from '../src/signin';
import { error, type Reply, ScriptedServer, trans, until } from './support/server';
import { FrozenClock } from './support/fakeenvironment';

const START = 'http://localhost:8888/base/jupyter-oidc/start/ticket';
const FLOW = 'flow-0123456789abcdef';
const STARTED = {
  flow: FLOW,
  provider: 'corp',
  strategy: 'server',
  start_url: '/base/jupyter-oidc/start/ticket',
  device: null,
  expires_in: 600
};
const progress = (state: string, problem: unknown = null): Reply => ({
  json: { flow: FLOW, provider: 'corp', state, error: problem, expires_in: 500 }
});

/** A browser window, as far as a sign-in touches it. */
class FakeWindow {
  readonly document = document.implementation.createHTMLDocument();
  closed = false;
  opener: unknown = window;
  readonly visited: string[] = [];
  readonly location = { replace: (address: string) => void this.visited.push(address) };

  close(): void {
    this.closed = true;
  }
}

/** A server on which a sign-in waits until the test lets it end. */
function waitingServer(started: object = STARTED): { server: ScriptedServer; end: (reply: Reply) => void } {
  let end: (reply: Reply) => void = () => undefined;
  const ended = new Promise<Reply>(resolve => {
    end = resolve;
  });
  const server = new ScriptedServer({
    'POST providers/corp/sign-in': { status: 201, json: started },
    [`GET providers/corp/sign-in/${FLOW}`]: () => ended,
    [`DELETE providers/corp/sign-in/${FLOW}`]: progress('cancelled')
  });
  return { server, end };
}

function attempt(server: ScriptedServer, popup: FakeWindow | null) {
  const open = jest.spyOn(window, 'open').mockReturnValue(popup as unknown as Window);
  const clock = new FrozenClock();
  return { signIn: new SignIn('corp', server.client, clock, trans), clock, open };
}

it('opens its window before anything is asked', () => {
  const { server } = waitingServer();
  const popup = new FakeWindow();
  const { open } = attempt(server, popup);
  expect(open).toHaveBeenCalledTimes(1);
  expect(server.asked).toEqual([]);
  expect(popup.document.body.textContent).toBe('Opening the sign-in page…');
});

it('sends the window on, cuts the tie to it, and believes the server that it is done', async () => {
  const { server, end } = waitingServer();
  const popup = new FakeWindow();
  const { signIn } = attempt(server, popup);
  const outcome = signIn.run();
  await until(() => popup.visited.length > 0);
  expect(popup.visited).toEqual([START]);
  expect(popup.opener).toBeNull();
  expect(signIn.step).toEqual({ kind: 'window' });
  end(progress('completed'));
  expect(await outcome).toBe(true);
  expect(server.count('DELETE', '')).toBe(0);
});

it('offers a link where the window was blocked, once', async () => {
  const { server, end } = waitingServer();
  const { signIn } = attempt(server, null);
  const outcome = signIn.run();
  await until(() => signIn.step.kind === 'link');
  expect(signIn.step).toEqual({ kind: 'link', address: START });
  signIn.linkFollowed();
  expect(signIn.step).toEqual({ kind: 'window' });
  end(progress('completed'));
  expect(await outcome).toBe(true);
});

it('asks for another account, by the password where the provider offers no choice', async () => {
  const { server, end } = waitingServer();
  const asked: unknown[] = [];
  server.answers['POST providers/corp/sign-in'] = ({ body }) => {
    asked.push(JSON.parse(body));
    return asked.length === 1 ? error('request_invalid', 400, false) : { status: 201, json: STARTED };
  };
  jest.spyOn(window, 'open').mockReturnValue(new FakeWindow() as unknown as Window);
  const options = { prompt: 'select_account', loginHint: 'ada@example.com' } as const;
  const outcome = new SignIn('corp', server.client, new FrozenClock(), trans, options).run();
  await until(() => asked.length === 2);
  end(progress('completed'));
  expect(await outcome).toBe(true);
  expect(asked).toEqual([
    { prompt: 'select_account', login_hint: 'ada@example.com' },
    { prompt: 'login', login_hint: 'ada@example.com' }
  ]);
});

it('begins anew with a link if that is wished', async () => {
  const { server } = waitingServer();
  const popup = new FakeWindow();
  const { signIn, open } = attempt(server, popup);
  const outcome = signIn.run();
  await until(() => popup.visited.length > 0);
  signIn.useLink();
  await until(() => signIn.step.kind === 'link');
  expect(server.count('POST', 'providers/corp/sign-in')).toBe(2);
  expect(server.count('DELETE', `providers/corp/sign-in/${FLOW}`)).toBe(1);
  expect(open).toHaveBeenCalledTimes(1);
  signIn.cancel();
  expect(await outcome).toBe(false);
});

it('can be cancelled, and the server is told', async () => {
  const { server } = waitingServer();
  const { signIn } = attempt(server, new FakeWindow());
  const outcome = signIn.run();
  await until(() => server.count('GET', 'providers/corp/sign-in') > 0);
  signIn.cancel();
  expect(await outcome).toBe(false);
  expect(server.count('DELETE', `providers/corp/sign-in/${FLOW}`)).toBe(1);
});

it('closes the window if it cannot begin', async () => {
  const server = new ScriptedServer({ 'POST providers/corp/sign-in': error('idp_unavailable') });
  const popup = new FakeWindow();
  const { signIn } = attempt(server, popup);
  await expect(signIn.run()).rejects.toMatchObject({ code: 'idp_unavailable' });
  expect(popup.closed).toBe(true);
});

it('closes the window and says so if the server names a way without what it needs', async () => {
  const { server } = waitingServer({ ...STARTED, strategy: 'device', start_url: null });
  const popup = new FakeWindow();
  const { signIn } = attempt(server, popup);
  await expect(signIn.run()).rejects.toMatchObject({
    message: 'The server wants to sign you in, in a way that this page does not know.',
    action: 'Reload the page; if that does not help, sign in from a notebook, with oidc.sign_in().'
  });
  expect(popup.closed).toBe(true);
  expect(server.count('DELETE', `providers/corp/sign-in/${FLOW}`)).toBe(1);
});

describe('the step of', () => {
  const address = 'https://id.example.com/device?user_code=WDJB-MJHT';
  const device = {
    user_code: 'WDJB-MJHT',
    verification_uri: address,
    verification_uri_complete: address
  };
  const steps = {
    server: { kind: 'window' },
    loopback: { kind: 'window' },
    device: { kind: 'code', address, code: 'WDJB-MJHT', filledIn: true },
    paste: { kind: 'paste', address: START }
  } satisfies Record<Strategy, SignInStep>;

  function stepOf(started: object): SignInStep {
    const { server } = waitingServer();
    jest.spyOn(window, 'open').mockReturnValue(new FakeWindow() as unknown as Window);
    const context = {
      started: { ...STARTED, ...started } as SignInStarted,
      popup: new Popup(''),
      client: server.client
    };
    return stepFor(context, trans);
  }

  it.each(Object.entries(steps))('%s is in the table', (strategy, expected) => {
    expect(stepOf({ strategy, device: strategy === 'device' ? device : null })).toEqual(expected);
  });

  it.each(['other', 'by-pigeon', 'constructor'])(
    '%s, of a newer server, is a sentence that says what to do',
    strategy => {
      expect(() => stepOf({ strategy })).toThrow(
        'The server wants to sign you in, in a way that this page does not know.'
      );
    }
  );
});

describe('by code', () => {
  const byCode = (complete: string | null, verification_uri = 'https://id.example.com/device'): object => ({
    ...STARTED,
    strategy: 'device',
    start_url: null,
    device: { user_code: 'WDJB-MJHT', verification_uri, verification_uri_complete: complete }
  });

  it('sends the window to the page that shows the code', async () => {
    const complete = 'https://id.example.com/device?user_code=WDJB-MJHT';
    const { server, end } = waitingServer(byCode(complete));
    const popup = new FakeWindow();
    const { signIn } = attempt(server, popup);
    const outcome = signIn.run();
    await until(() => signIn.step.kind === 'code');
    expect(signIn.step).toEqual({ kind: 'code', address: complete, code: 'WDJB-MJHT', filledIn: true });
    expect([popup.visited, popup.opener]).toEqual([[complete], null]);
    end(progress('completed'));
    expect(await outcome).toBe(true);
  });

  it('closes the window, which would hide the code, where the page asks for it', async () => {
    const { server, end } = waitingServer(byCode(null));
    const popup = new FakeWindow();
    const { signIn } = attempt(server, popup);
    const outcome = signIn.run();
    await until(() => signIn.step.kind === 'code');
    expect(signIn.step).toMatchObject({ address: 'https://id.example.com/device', filledIn: false });
    expect([popup.visited, popup.closed]).toEqual([[], true]);
    end(progress('completed'));
    expect(await outcome).toBe(true);
  });

  it('counts down how long the code is good', async () => {
    const { server, end } = waitingServer(byCode(null));
    const { signIn, clock } = attempt(server, new FakeWindow());
    const outcome = signIn.run();
    await until(() => signIn.step.kind === 'code');
    expect(signIn.secondsLeft()).toBe(600);
    clock.advance(590);
    expect(signIn.secondsLeft()).toBe(10);
    clock.advance(20);
    expect(signIn.secondsLeft()).toBe(0);
    end(progress('completed'));
    await outcome;
  });

  it.each(['javascript:alert(1)', 'http://id.example.com/device', '/device', 'data:text/html,x'])(
    'refuses to open %s',
    async address => {
      const { server } = waitingServer(byCode(null, address));
      const popup = new FakeWindow();
      const { signIn } = attempt(server, popup);
      await expect(signIn.run()).rejects.toMatchObject({ code: 'contract_broken' });
      expect([popup.visited, popup.closed]).toEqual([[], true]);
    }
  );
});

describe('by a pasted address', () => {
  const COMPLETE = `POST providers/corp/sign-in/${FLOW}/complete`;
  const begun = async () => {
    const started = waitingServer({ ...STARTED, strategy: 'paste' });
    const popup = new FakeWindow();
    const { signIn } = attempt(started.server, popup);
    const outcome = signIn.run();
    await until(() => signIn.step.kind === 'paste');
    return { ...started, popup, signIn, outcome };
  };

  it('opens a tab, whose address can be copied, and no window', async () => {
    const { signIn, popup, outcome } = await begun();
    expect(signIn.step).toEqual({ kind: 'paste', address: START } satisfies SignInStep);
    expect([popup.visited, popup.closed]).toEqual([[], true]);
    signIn.linkFollowed();
    expect(signIn.step).toEqual({ kind: 'paste', address: null });
    signIn.cancel();
    expect(await outcome).toBe(false);
  });

  it('hands in what was pasted', async () => {
    const { server, signIn, end, outcome } = await begun();
    server.answers[COMPLETE] = progress('completed');
    const handed = signIn.submitAddress('http://localhost:1/callback?code=c&state=s');
    expect(signIn.submitting).toBe(true);
    await signIn.submitAddress('a second time, by an impatient click');
    await handed;
    expect(signIn.submitting).toBe(false);
    const [asked, ...more] = server.asked.filter(({ path }) => path.endsWith('/complete'));
    expect(more).toEqual([]);
    expect(JSON.parse(asked!.body)).toEqual({ redirect_url: 'http://localhost:1/callback?code=c&state=s' });
    end(progress('completed'));
    expect(await outcome).toBe(true);
  });

  it('says what is wrong with an address, until the next is handed in', async () => {
    const { server, signIn, end, outcome } = await begun();
    server.answers[COMPLETE] = error('state_invalid', 400, false);
    await signIn.submitAddress('https://elsewhere.example/');
    expect(signIn.addressProblem).toMatchObject({ code: 'state_invalid', action: 'Do something.' });
    server.answers[COMPLETE] = progress('completed');
    const handed = signIn.submitAddress('http://localhost:1/callback?code=c&state=s');
    expect(signIn.addressProblem).toBeNull();
    await handed;
    end(progress('completed'));
    expect(await outcome).toBe(true);
  });
});

it.each([
  ['failed', { ...Object(error('sign_in_declined', 409, false)).json }, 'sign_in_declined'],
  ['expired', null, 'sign_in_cancelled']
])('that has %s rejects with words', async (state, problem, code) => {
  const { server, end } = waitingServer();
  const { signIn } = attempt(server, new FakeWindow());
  end(progress(state, problem));
  await expect(signIn.run()).rejects.toMatchObject({ code });
});

it('outlives a server that does not answer for a moment', async () => {
  const { server } = waitingServer();
  const replies: Reply[] = ['down', progress('completed')];
  server.answers[`GET providers/corp/sign-in/${FLOW}`] = () => replies.shift() ?? 'down';
  const { signIn } = attempt(server, new FakeWindow());
  expect(await signIn.run()).toBe(true);
});

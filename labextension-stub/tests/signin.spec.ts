// One attempt to sign in: the window, the link, the ways it ends.

import type { Invitation } from '../src/invitation';
import { SignIn } from '../src/signin';
import { error, type Reply, ScriptedServer, trans, until } from './support/server';
import { Frozen } from './support/stage';

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
class PopupWindow {
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
function waiting(started: object = STARTED): { server: ScriptedServer; end: (reply: Reply) => void } {
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

function attempt(server: ScriptedServer, popup: PopupWindow | null) {
  const open = jest.spyOn(window, 'open').mockReturnValue(popup as unknown as Window);
  const clock = new Frozen();
  return { signIn: new SignIn('corp', server.client, clock, trans), clock, open };
}

it('opens its window before anything is asked', () => {
  const { server } = waiting();
  const popup = new PopupWindow();
  const { open } = attempt(server, popup);
  expect(open).toHaveBeenCalledTimes(1);
  expect(server.asked).toEqual([]);
  expect(popup.document.body.textContent).toBe('Opening the sign-in page…');
});

it('sends the window on, cuts the tie to it, and believes the server that it is done', async () => {
  const { server, end } = waiting();
  const popup = new PopupWindow();
  const { signIn } = attempt(server, popup);
  const outcome = signIn.run();
  await until(() => popup.visited.length > 0);
  expect(popup.visited).toEqual([START]);
  expect(popup.opener).toBeNull();
  expect(signIn.invitation).toEqual({ kind: 'window' });
  end(progress('completed'));
  expect(await outcome).toBe(true);
  expect(server.count('DELETE', '')).toBe(0);
});

it('offers a link where the window was blocked, once', async () => {
  const { server, end } = waiting();
  const { signIn } = attempt(server, null);
  const outcome = signIn.run();
  await until(() => signIn.invitation.kind === 'link');
  expect(signIn.invitation).toEqual({ kind: 'link', address: START });
  signIn.followed();
  expect(signIn.invitation).toEqual({ kind: 'window' });
  end(progress('completed'));
  expect(await outcome).toBe(true);
});

it('begins anew with a link if that is wished', async () => {
  const { server } = waiting();
  const popup = new PopupWindow();
  const { signIn, open } = attempt(server, popup);
  const outcome = signIn.run();
  await until(() => popup.visited.length > 0);
  signIn.useLink();
  await until(() => signIn.invitation.kind === 'link');
  expect(server.count('POST', 'providers/corp/sign-in')).toBe(2);
  expect(server.count('DELETE', `providers/corp/sign-in/${FLOW}`)).toBe(1);
  expect(open).toHaveBeenCalledTimes(1);
  signIn.cancel();
  expect(await outcome).toBe(false);
});

it('can be cancelled, and the server is told', async () => {
  const { server } = waiting();
  const { signIn } = attempt(server, new PopupWindow());
  const outcome = signIn.run();
  await until(() => server.count('GET', 'providers/corp/sign-in') > 0);
  signIn.cancel();
  expect(await outcome).toBe(false);
  expect(server.count('DELETE', `providers/corp/sign-in/${FLOW}`)).toBe(1);
});

it('closes the window if it cannot begin', async () => {
  const server = new ScriptedServer({ 'POST providers/corp/sign-in': error('idp_unavailable') });
  const popup = new PopupWindow();
  const { signIn } = attempt(server, popup);
  await expect(signIn.run()).rejects.toMatchObject({ code: 'idp_unavailable' });
  expect(popup.closed).toBe(true);
});

it('closes the window and says so if the server names a way without what it needs', async () => {
  const { server } = waiting({ ...STARTED, strategy: 'device', start_url: null });
  const popup = new PopupWindow();
  const { signIn } = attempt(server, popup);
  await expect(signIn.run()).rejects.toMatchObject({
    message: 'The server wants to sign you in, in a way that this page does not know.'
  });
  expect(popup.closed).toBe(true);
  expect(server.count('DELETE', `providers/corp/sign-in/${FLOW}`)).toBe(1);
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
    const { server, end } = waiting(byCode(complete));
    const popup = new PopupWindow();
    const { signIn } = attempt(server, popup);
    const outcome = signIn.run();
    await until(() => signIn.invitation.kind === 'code');
    expect(signIn.invitation).toEqual({ kind: 'code', address: complete, code: 'WDJB-MJHT', filledIn: true });
    expect([popup.visited, popup.opener]).toEqual([[complete], null]);
    end(progress('completed'));
    expect(await outcome).toBe(true);
  });

  it('closes the window, which would hide the code, where the page asks for it', async () => {
    const { server, end } = waiting(byCode(null));
    const popup = new PopupWindow();
    const { signIn } = attempt(server, popup);
    const outcome = signIn.run();
    await until(() => signIn.invitation.kind === 'code');
    expect(signIn.invitation).toMatchObject({ address: 'https://id.example.com/device', filledIn: false });
    expect([popup.visited, popup.closed]).toEqual([[], true]);
    end(progress('completed'));
    expect(await outcome).toBe(true);
  });

  it('counts down how long the code is good', async () => {
    const { server, end } = waiting(byCode(null));
    const { signIn, clock } = attempt(server, new PopupWindow());
    const outcome = signIn.run();
    await until(() => signIn.invitation.kind === 'code');
    expect(signIn.secondsLeft()).toBe(600);
    clock.pass(590);
    expect(signIn.secondsLeft()).toBe(10);
    clock.pass(20);
    expect(signIn.secondsLeft()).toBe(0);
    end(progress('completed'));
    await outcome;
  });

  it.each(['javascript:alert(1)', 'http://id.example.com/device', '/device', 'data:text/html,x'])(
    'sends nobody to %s',
    async address => {
      const { server } = waiting(byCode(null, address));
      const popup = new PopupWindow();
      const { signIn } = attempt(server, popup);
      await expect(signIn.run()).rejects.toMatchObject({ code: 'contract_broken' });
      expect([popup.visited, popup.closed]).toEqual([[], true]);
    }
  );
});

describe('by a pasted address', () => {
  const COMPLETE = `POST providers/corp/sign-in/${FLOW}/complete`;
  const begun = async () => {
    const scene = waiting({ ...STARTED, strategy: 'paste' });
    const popup = new PopupWindow();
    const { signIn } = attempt(scene.server, popup);
    const outcome = signIn.run();
    await until(() => signIn.invitation.kind === 'paste');
    return { ...scene, popup, signIn, outcome };
  };

  it('opens a tab, whose address can be copied, and no window', async () => {
    const { signIn, popup, outcome } = await begun();
    expect(signIn.invitation).toEqual({ kind: 'paste', address: START } satisfies Invitation);
    expect([popup.visited, popup.closed]).toEqual([[], true]);
    signIn.followed();
    expect(signIn.invitation).toEqual({ kind: 'paste', address: null });
    signIn.cancel();
    expect(await outcome).toBe(false);
  });

  it('hands in what was pasted', async () => {
    const { server, signIn, end, outcome } = await begun();
    server.answers[COMPLETE] = progress('completed');
    const handed = signIn.handIn('http://localhost:1/callback?code=c&state=s');
    expect(signIn.judging).toBe(true);
    await signIn.handIn('a second time, by an impatient click');
    await handed;
    expect(signIn.judging).toBe(false);
    const [asked, ...more] = server.asked.filter(({ path }) => path.endsWith('/complete'));
    expect(more).toEqual([]);
    expect(JSON.parse(asked!.body)).toEqual({ redirect_url: 'http://localhost:1/callback?code=c&state=s' });
    end(progress('completed'));
    expect(await outcome).toBe(true);
  });

  it('says what is wrong with an address, until the next is handed in', async () => {
    const { server, signIn, end, outcome } = await begun();
    server.answers[COMPLETE] = error('state_invalid', 400, false);
    await signIn.handIn('https://elsewhere.example/');
    expect(signIn.refusal).toMatchObject({ code: 'state_invalid', action: 'Do something.' });
    server.answers[COMPLETE] = progress('completed');
    const handed = signIn.handIn('http://localhost:1/callback?code=c&state=s');
    expect(signIn.refusal).toBeNull();
    await handed;
    end(progress('completed'));
    expect(await outcome).toBe(true);
  });
});

it.each([
  ['failed', { ...Object(error('sign_in_declined', 409, false)).json }, 'sign_in_declined'],
  ['expired', null, 'sign_in_cancelled']
])('that has %s rejects with words', async (state, problem, code) => {
  const { server, end } = waiting();
  const { signIn } = attempt(server, new PopupWindow());
  end(progress(state, problem));
  await expect(signIn.run()).rejects.toMatchObject({ code });
});

it('outlives a server that does not answer for a moment', async () => {
  const { server } = waiting();
  const replies: Reply[] = ['down', progress('completed')];
  server.answers[`GET providers/corp/sign-in/${FLOW}`] = () => replies.shift() ?? 'down';
  const { signIn } = attempt(server, new PopupWindow());
  expect(await signIn.run()).toBe(true);
});

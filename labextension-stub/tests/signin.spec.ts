// One attempt to sign in: the window, the link, the ways it ends.

import { SignIn } from '../src/signin';
import { error, type Reply, ScriptedServer, trans, until } from './support/server';

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
  return { signIn: new SignIn('corp', server.client, trans), open };
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
  expect(popup.visited).toEqual(['http://localhost:8888/base/jupyter-oidc/start/ticket']);
  expect([popup.opener, signIn.link]).toEqual([null, null]);
  end(progress('completed'));
  expect(await outcome).toBe(true);
  expect(server.count('DELETE', '')).toBe(0);
});

it('offers a link where the window was blocked, once', async () => {
  const { server, end } = waiting();
  const { signIn } = attempt(server, null);
  const outcome = signIn.run();
  await until(() => signIn.link !== null);
  expect(signIn.link).toBe('http://localhost:8888/base/jupyter-oidc/start/ticket');
  signIn.followed();
  expect(signIn.link).toBeNull();
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
  await until(() => signIn.link !== null);
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

it('closes the window and says so if the server names a way that this page does not know', async () => {
  const device = {
    user_code: 'ABCD',
    verification_uri: 'https://id.example.com/device',
    verification_uri_complete: null
  };
  const { server } = waiting({ ...STARTED, strategy: 'device', start_url: null, device });
  const popup = new PopupWindow();
  const { signIn } = attempt(server, popup);
  await expect(signIn.run()).rejects.toMatchObject({
    message: 'The server wants to sign you in, in a way that this page does not know.'
  });
  expect(popup.closed).toBe(true);
  expect(server.count('DELETE', `providers/corp/sign-in/${FLOW}`)).toBe(1);
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

// The page follows the server by hints, with few requests, and together with the other tabs.

import { Tabs } from '../src/tabs';
import { error, settle, until } from './support/server';
import type { FakeEnvironment } from './support/fakeenvironment';
import { fakeEnvironment } from './support/fakeenvironment';
import { signedIn, signedOut } from './support/summaries';

let environment: FakeEnvironment;
afterEach(() => environment.close());

const reads = (): number => environment.server.count('GET', 'providers/corp/session');

function hide(hidden: boolean): void {
  jest.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
  jest.spyOn(document, 'visibilityState', 'get').mockReturnValue(hidden ? 'hidden' : 'visible');
  document.dispatchEvent(new Event('visibilitychange'));
}

it('reads again when an event says that something happened', async () => {
  environment = await fakeEnvironment(signedIn());
  await environment.change(signedOut({ sequence: 8 }));
  expect(environment.oidc.session('corp')?.summary?.state).toBe('signed-out');
});

it('believes nothing of an event but that it is time to ask', async () => {
  environment = await fakeEnvironment(signedIn());
  environment.emitEvent({ provider: 'corp', kind: 'ended', reason: 'forged', state: 'signed-out', sequence: 99 });
  await until(() => reads() === 2);
  await settle();
  expect(environment.oidc.session('corp')?.summary).toEqual(signedIn());
});

it('takes a storm of events as one', async () => {
  environment = await fakeEnvironment(signedIn());
  for (let count = 0; count < 50; count++) {
    environment.emitEvent({ provider: 'corp', kind: 'renewed' });
  }
  await settle(1_300);
  expect(reads()).toBeLessThanOrEqual(3);
});

it('does not care for events of others', async () => {
  environment = await fakeEnvironment(signedIn());
  environment.emitEvent({ provider: 'corp' }, 'https://events.jupyter.org/somebody/else/v1');
  await settle(700);
  expect(reads()).toBe(1);
});

it('asks only about the provider that an event names', async () => {
  environment = await fakeEnvironment(signedIn(), signedOut({ provider: 'partner' }));
  environment.emitEvent({ provider: 'partner', kind: 'signed-in' });
  await until(() => environment.server.count('GET', 'providers/partner/session') === 2);
  expect(reads()).toBe(1);
});

it('asks nothing while it is hidden, and catches up when it is shown', async () => {
  environment = await fakeEnvironment(signedIn());
  hide(true);
  environment.emitEvent({ provider: 'corp', kind: 'renewed' });
  await settle(700);
  expect(reads()).toBe(1);
  environment.serve(signedOut({ sequence: 8 }));
  hide(false);
  await environment.untilRead(signedOut({ sequence: 8 }));
  expect(reads()).toBe(2);
});

it('cancels the sign-ins of others at once, and says why it did not work', async () => {
  environment = await fakeEnvironment(signedOut({ state: 'signing-in', sign_in_under_way: true }));
  environment.server.answers['DELETE providers/corp/sign-in'] = error('overloaded');
  await environment.oidc.cancelSignIns('corp').catch(() => undefined);
  expect(environment.oidc.session('corp')?.failure?.code).toBe('overloaded');
  environment.server.answers['DELETE providers/corp/sign-in'] = { json: signedOut({ sequence: 8 }) };
  expect((await environment.oidc.cancelSignIns('corp')).state).toBe('signed-out');
  expect(environment.oidc.session('corp')?.summary?.sequence).toBe(8);
});

it('broadcasts to the other tabs after an action here, and reads again after their messages', async () => {
  environment = await fakeEnvironment(signedIn());
  const other = new Tabs(environment.server.client.baseUrl);
  const heard: string[] = [];
  other.received.connect((_, provider) => heard.push(provider));
  environment.server.answers['POST providers/corp/sign-out'] = {
    json: { local: 'done', revoked: 'done', end_session_url: null, end_session_address: null }
  };
  environment.serve(signedOut({ sequence: 8 }));
  await environment.oidc.signOut('corp');
  await until(() => heard.length === 1);
  expect(heard).toEqual(['corp']);

  environment.serve(signedIn({ sequence: 9 }));
  other.broadcast('corp');
  await environment.untilRead(signedIn({ sequence: 9 }));
  other.dispose();
});

it('does not hear the tabs of another server', async () => {
  environment = await fakeEnvironment(signedIn());
  const stranger = new Tabs('http://localhost:8888/other/');
  stranger.broadcast('corp');
  await settle(700);
  expect(reads()).toBe(1);
  stranger.dispose();
});

it('follows providers that come and go with the settings', async () => {
  environment = await fakeEnvironment(signedIn());
  const kept = environment.oidc.session('corp');
  environment.serve(signedOut({ provider: 'partner' }));
  environment.emitEvent({ provider: 'corp', kind: 'settings-changed' });
  await environment.untilRead(signedOut({ provider: 'partner' }));
  expect(environment.oidc.session('corp')).toBe(kept);
  environment.removeProvider('corp');
  environment.emitEvent({ provider: 'corp', kind: 'settings-changed' });
  await until(() => environment.oidc.sessions.length === 1);
  expect([kept?.isDisposed, environment.oidc.session('corp')]).toEqual([true, null]);
});

it('counts the time from the arrival of the summary, whatever the clocks say', async () => {
  environment = await fakeEnvironment(signedIn({ expires_in: 100, access_expires_at: '1999-01-01T00:00:00Z' }));
  expect(environment.oidc.session('corp')?.secondsLeft()).toBe(100);
  environment.clock.advance(30.5);
  expect(environment.oidc.session('corp')?.secondsLeft()).toBe(69);
  environment.clock.advance(1000);
  expect(environment.oidc.session('corp')?.secondsLeft()).toBe(0);
});

it('keeps the last summary when the server does not answer, and says that it is old', async () => {
  environment = await fakeEnvironment(signedIn());
  environment.server.answers['GET providers/corp/session'] = 'down';
  environment.oidc.session('corp')?.readAgain();
  await until(() => environment.oidc.session('corp')?.problem?.code === 'network');
  expect(environment.oidc.session('corp')?.summary).toEqual(signedIn());
});

it('refreshes when it is asked to, and shows why it did not work', async () => {
  environment = await fakeEnvironment(signedIn());
  environment.server.answers['POST providers/corp/refresh'] = { json: signedIn({ sequence: 8 }) };
  expect((await environment.oidc.refresh('corp')).sequence).toBe(8);
  environment.server.answers['POST providers/corp/refresh'] = error('idp_unavailable');
  await expect(environment.oidc.refresh('corp')).rejects.toMatchObject({ code: 'idp_unavailable' });
  expect(environment.oidc.session('corp')?.failure?.action).toBe('Do something.');
});

it('knows no provider that is not configured', async () => {
  environment = await fakeEnvironment(signedIn());
  await expect(environment.oidc.signIn('other')).rejects.toMatchObject({ code: 'unknown_provider' });
});

it('tells of a failed sign-in only with the session as it is afterwards', async () => {
  jest.spyOn(window, 'open').mockReturnValue(null);
  environment = await fakeEnvironment(signedOut({ state: 'signing-in', sequence: 8 }));
  const session = environment.oidc.session('corp');
  environment.server.answers['POST providers/corp/sign-in'] = () => {
    environment.serve(signedOut({ sequence: 9 }));
    return error('sign_in_declined', 409, false);
  };
  const states: unknown[] = [];
  session?.changed.connect(() => session.failure && states.push(session.summary?.state));
  await expect(session?.signIn()).rejects.toMatchObject({ code: 'sign_in_declined' });
  expect(states.length).toBeGreaterThan(0);
  expect(new Set(states)).toEqual(new Set(['signed-out']));
});

it('tells of a failed sign-in also where the session cannot be read any more', async () => {
  jest.spyOn(window, 'open').mockReturnValue(null);
  environment = await fakeEnvironment(signedOut());
  const session = environment.oidc.session('corp');
  environment.server.answers['POST providers/corp/sign-in'] = 'down';
  environment.server.answers['GET providers/corp/session'] = () => new Promise(() => undefined);
  await expect(session?.signIn()).rejects.toMatchObject({ code: 'network' });
  expect(session?.failure?.code).toBe('network');
});

it('tells nothing of a failed sign-in when another has begun meanwhile', async () => {
  environment = await fakeEnvironment(signedOut());
  jest.spyOn(window, 'open').mockReturnValue(null);
  const session = environment.oidc.session('corp');
  let answer: (reply: { json: unknown }) => void = () => undefined;
  environment.server.answers['POST providers/corp/sign-in'] = error('idp_unavailable');
  environment.server.answers['GET providers/corp/session'] = () => new Promise(resolve => (answer = resolve));
  const first = session?.signIn();
  await until(() => reads() === 2);
  environment.server.answers['POST providers/corp/sign-in'] = () => new Promise(() => undefined);
  const second = session?.signIn();
  answer({ json: signedOut() });
  await expect(first).rejects.toMatchObject({ code: 'idp_unavailable' });
  expect([session?.failure, session?.attempt]).toEqual([null, expect.anything()]);
  expect(second).toBeInstanceOf(Promise);
});

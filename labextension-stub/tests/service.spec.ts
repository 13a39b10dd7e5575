// How the page keeps up with the server: by hints, politely, and together with the other tabs.

import { Tabs } from '../src/tabs';
import { error, settle, until } from './support/server';
import type { Stage } from './support/stage';
import { staged } from './support/stage';
import { ada, nobody } from './support/summaries';

let stage: Stage;
afterEach(() => stage.close());

const reads = (): number => stage.server.count('GET', 'providers/corp/session');

function hide(hidden: boolean): void {
  jest.spyOn(document, 'hidden', 'get').mockReturnValue(hidden);
  jest.spyOn(document, 'visibilityState', 'get').mockReturnValue(hidden ? 'hidden' : 'visible');
  document.dispatchEvent(new Event('visibilitychange'));
}

it('reads again when an event says that something happened', async () => {
  stage = await staged(ada());
  await stage.happen(nobody({ sequence: 8 }));
  expect(stage.oidc.session('corp')?.summary?.state).toBe('signed-out');
});

it('believes nothing of an event but that it is time to ask', async () => {
  stage = await staged(ada());
  stage.event({ provider: 'corp', kind: 'ended', reason: 'forged', state: 'signed-out', sequence: 99 });
  await until(() => reads() === 2);
  await settle();
  expect(stage.oidc.session('corp')?.summary).toEqual(ada());
});

it('takes a storm of events as one', async () => {
  stage = await staged(ada());
  for (let count = 0; count < 50; count++) {
    stage.event({ provider: 'corp', kind: 'renewed' });
  }
  await settle(1_300);
  expect(reads()).toBeLessThanOrEqual(3);
});

it('does not care for events of others', async () => {
  stage = await staged(ada());
  stage.event({ provider: 'corp' }, 'https://events.jupyter.org/somebody/else/v1');
  await settle(700);
  expect(reads()).toBe(1);
});

it('asks only about the provider that an event names', async () => {
  stage = await staged(ada(), nobody({ provider: 'partner' }));
  stage.event({ provider: 'partner', kind: 'signed-in' });
  await until(() => stage.server.count('GET', 'providers/partner/session') === 2);
  expect(reads()).toBe(1);
});

it('asks nothing while it is hidden, and catches up when it is shown', async () => {
  stage = await staged(ada());
  hide(true);
  stage.event({ provider: 'corp', kind: 'renewed' });
  await settle(700);
  expect(reads()).toBe(1);
  stage.serve(nobody({ sequence: 8 }));
  hide(false);
  await stage.known(nobody({ sequence: 8 }));
  expect(reads()).toBe(2);
});

it('nudges the other tabs after what was done here, and heeds their nudges', async () => {
  stage = await staged(ada());
  const other = new Tabs(stage.server.client.baseUrl);
  const heard: string[] = [];
  other.nudged.connect((_, provider) => heard.push(provider));
  stage.server.answers['POST providers/corp/sign-out'] = {
    json: { local: 'done', revoked: 'done', end_session_url: null, end_session_address: null }
  };
  stage.serve(nobody({ sequence: 8 }));
  await stage.oidc.signOut('corp');
  await until(() => heard.length === 1);
  expect(heard).toEqual(['corp']);

  stage.serve(ada({ sequence: 9 }));
  other.nudge('corp');
  await stage.known(ada({ sequence: 9 }));
  other.dispose();
});

it('does not hear the tabs of another server', async () => {
  stage = await staged(ada());
  const stranger = new Tabs('http://localhost:8888/other/');
  stranger.nudge('corp');
  await settle(700);
  expect(reads()).toBe(1);
  stranger.dispose();
});

it('follows providers that come and go with the settings', async () => {
  stage = await staged(ada());
  const kept = stage.oidc.session('corp');
  stage.serve(nobody({ provider: 'partner' }));
  stage.event({ provider: 'corp', kind: 'settings-changed' });
  await stage.known(nobody({ provider: 'partner' }));
  expect(stage.oidc.session('corp')).toBe(kept);
  stage.drop('corp');
  stage.event({ provider: 'corp', kind: 'settings-changed' });
  await until(() => stage.oidc.sessions.length === 1);
  expect([kept?.isDisposed, stage.oidc.session('corp')]).toEqual([true, null]);
});

it('counts the time from the arrival of the summary, whatever the clocks say', async () => {
  stage = await staged(ada({ expires_in: 100, access_expires_at: '1999-01-01T00:00:00Z' }));
  expect(stage.oidc.session('corp')?.secondsLeft()).toBe(100);
  stage.clock.pass(30.5);
  expect(stage.oidc.session('corp')?.secondsLeft()).toBe(69);
  stage.clock.pass(1000);
  expect(stage.oidc.session('corp')?.secondsLeft()).toBe(0);
});

it('keeps the last summary when the server does not answer, and says that it is old', async () => {
  stage = await staged(ada());
  stage.server.answers['GET providers/corp/session'] = 'down';
  stage.oidc.session('corp')?.readAgain();
  await until(() => stage.oidc.session('corp')?.problem?.code === 'network');
  expect(stage.oidc.session('corp')?.summary).toEqual(ada());
});

it('refreshes when it is asked to, and shows why it did not work', async () => {
  stage = await staged(ada());
  stage.server.answers['POST providers/corp/refresh'] = { json: ada({ sequence: 8 }) };
  expect((await stage.oidc.refresh('corp')).sequence).toBe(8);
  stage.server.answers['POST providers/corp/refresh'] = error('idp_unavailable');
  await expect(stage.oidc.refresh('corp')).rejects.toMatchObject({ code: 'idp_unavailable' });
  expect(stage.oidc.session('corp')?.failure?.action).toBe('Do something.');
});

it('knows no provider that is not configured', async () => {
  stage = await staged(ada());
  await expect(stage.oidc.signIn('other')).rejects.toMatchObject({ code: 'unknown_provider' });
});

it('tells of a failed sign-in only with the session as it is afterwards', async () => {
  jest.spyOn(window, 'open').mockReturnValue(null);
  stage = await staged(nobody({ state: 'signing-in', sequence: 8 }));
  const session = stage.oidc.session('corp');
  stage.server.answers['POST providers/corp/sign-in'] = () => {
    stage.serve(nobody({ sequence: 9 }));
    return error('sign_in_declined', 409, false);
  };
  const told: unknown[] = [];
  session?.changed.connect(() => session.failure && told.push(session.summary?.state));
  await expect(session?.signIn()).rejects.toMatchObject({ code: 'sign_in_declined' });
  expect(told.length).toBeGreaterThan(0);
  expect(new Set(told)).toEqual(new Set(['signed-out']));
});

it('tells of a failed sign-in also where the session cannot be read any more', async () => {
  jest.spyOn(window, 'open').mockReturnValue(null);
  stage = await staged(nobody());
  const session = stage.oidc.session('corp');
  stage.server.answers['POST providers/corp/sign-in'] = 'down';
  stage.server.answers['GET providers/corp/session'] = () => new Promise(() => undefined);
  await expect(session?.signIn()).rejects.toMatchObject({ code: 'network' });
  expect(session?.failure?.code).toBe('network');
});

it('tells nothing of a failed sign-in when another has begun meanwhile', async () => {
  stage = await staged(nobody());
  jest.spyOn(window, 'open').mockReturnValue(null);
  const session = stage.oidc.session('corp');
  let answer: (reply: { json: unknown }) => void = () => undefined;
  stage.server.answers['POST providers/corp/sign-in'] = error('idp_unavailable');
  stage.server.answers['GET providers/corp/session'] = () => new Promise(resolve => (answer = resolve));
  const first = session?.signIn();
  await until(() => reads() === 2);
  stage.server.answers['POST providers/corp/sign-in'] = () => new Promise(() => undefined);
  const second = session?.signIn();
  answer({ json: nobody() });
  await expect(first).rejects.toMatchObject({ code: 'idp_unavailable' });
  expect([session?.failure, session?.attempt]).toEqual([null, expect.anything()]);
  expect(second).toBeInstanceOf(Promise);
});

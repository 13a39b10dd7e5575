// Notices: one for each episode, gone when it is over, never twice because the page was hidden.

import { Notification } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import type { SessionSummary } from '../src/generated/contract';
import { Notices } from '../src/notices';
import type { IChoices, Preferences } from '../src/preferences';
import type { FakeEnvironment } from './support/fakeenvironment';
import { fakeEnvironment } from './support/fakeenvironment';
import { signedIn, signedOut } from './support/summaries';

const trans = nullTranslator.load('jupyter_oidc');
const UNREACHABLE = { state: 'refresh-failed', reason: 'idp_unavailable', expires_in: 100 } as const;

/** Preferences that a test changes. */
class FakePreferences {
  choices: IChoices = { status: 'auto', notices: true, defaultProvider: '' };
  readonly changed = new Signal<FakePreferences, void>(this);

  showNotices(notices: boolean): void {
    this.choices = { ...this.choices, notices };
    this.changed.emit();
  }
}

let environment: FakeEnvironment;
let preferences: FakePreferences;
const signInRequests: string[] = [];

const shown = (): readonly Notification.INotification[] => Notification.manager.notifications;
const messages = (): string[] => shown().map(({ message }) => message);

async function begin(summary: SessionSummary): Promise<void> {
  preferences = new FakePreferences();
  environment = await fakeEnvironment(summary);
  const actions = { signIn: (provider: string) => void signInRequests.push(provider), show: () => undefined };
  new Notices(environment.oidc, environment.clock, preferences as unknown as Preferences, actions, trans);
  environment.clock.advance(0);
}

afterEach(() => {
  environment.close();
  Notification.dismiss();
});

it('nothing is said while all is well', async () => {
  await begin(signedIn());
  environment.clock.advance(3_000);
  expect(messages()).toEqual([]);
});

it('the end of a session that cannot be renewed is announced, once, and taken back after a new sign-in', async () => {
  await begin(signedIn({ refreshable: false }));
  environment.clock.advance(3_100);
  expect(messages()).toEqual(['Your session at corp ends soon. Sign in again now, and nothing is interrupted.']);
  environment.clock.advance(60);
  environment.clock.advance(60);
  expect(messages()).toHaveLength(1);
  await environment.change(signedIn({ refreshable: false, sequence: 8, expires_in: 3_600 }));
  expect(messages()).toEqual([]);
});

it('an unreachable provider is told once, however often it is tried, and taken back when it is there again', async () => {
  await begin(signedIn());
  await environment.change(signedIn({ ...UNREACHABLE, sequence: 8 }));
  expect(messages()).toEqual(['corp: The provider cannot be reached. It is tried again by itself.']);
  for (const sequence of [9, 10, 11]) {
    await environment.change(signedIn({ ...UNREACHABLE, sequence }));
    document.dispatchEvent(new Event('visibilitychange'));
  }
  expect(messages()).toHaveLength(1);
  await environment.change(signedIn({ sequence: 12 }));
  expect(messages()).toEqual([]);
});

it('a dismissed notice stays away until the next episode', async () => {
  await begin(signedIn());
  await environment.change(signedIn({ ...UNREACHABLE, sequence: 8 }));
  Notification.dismiss(shown()[0]!.id);
  await environment.change(signedIn({ ...UNREACHABLE, sequence: 9 }));
  expect(messages()).toEqual([]);
  await environment.change(signedIn({ sequence: 10 }));
  await environment.change(signedIn({ ...UNREACHABLE, sequence: 11 }));
  expect(messages()).toHaveLength(1);
});

it('a session that has ended is told with one button to sign in again', async () => {
  await begin(signedIn());
  await environment.change(
    signedOut({ state: 'signed-out-expired', reason: 'session_ended_by_provider', sequence: 8 })
  );
  expect(messages()).toEqual(['Your session at corp has ended. The provider ended it.']);
  const actions = shown()[0]!.options.actions ?? [];
  expect(actions.map(({ label }) => label)).toEqual(['Sign in again']);
  actions[0]!.callback(new MouseEvent('click'));
  expect(signInRequests.splice(0)).toEqual(['corp']);
});

it('a session that had ended before this page was opened is no news', async () => {
  await begin(signedOut({ state: 'signed-out-expired', reason: 'session_ended_by_provider' }));
  expect(messages()).toEqual([]);
});

it('a sign-out is no end to tell of', async () => {
  await begin(signedIn());
  await environment.change(signedOut({ sequence: 8 }));
  expect(messages()).toEqual([]);
});

it('notices can be switched off and on while they show', async () => {
  await begin(signedIn({ ...UNREACHABLE }));
  expect(messages()).toHaveLength(1);
  preferences.showNotices(false);
  expect(messages()).toEqual([]);
  preferences.showNotices(true);
  expect(messages()).toHaveLength(1);
});

it('every notice fits where JupyterLab shows it', async () => {
  await begin(signedIn({ ...UNREACHABLE, expires_in: 0, reason: 'provider_configuration' }));
  expect(messages()[0]!.length).toBeLessThanOrEqual(140);
});

it('a server of another version is told once', async () => {
  await begin(signedIn());
  environment.server.contract = 2;
  await environment.change(signedIn({ sequence: 8 }));
  environment.clock.advance(60);
  await environment.change(signedIn({ sequence: 9 }));
  const told = messages().filter(message => message.startsWith('This page is older'));
  expect(told).toHaveLength(1);
});

it('nobody who wants no notices is told of a version', async () => {
  await begin(signedIn());
  preferences.showNotices(false);
  environment.server.contract = 2;
  await environment.change(signedIn({ sequence: 8 }));
  expect(messages()).toEqual([]);
});

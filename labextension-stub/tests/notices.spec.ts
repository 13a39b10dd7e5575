// Notices: one for each episode, gone when it is over, never twice because somebody looked away.

import { Notification } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import type { SessionSummary } from '../src/generated/contract';
import { Notices } from '../src/notices';
import type { IChoices, Preferences } from '../src/preferences';
import type { Stage } from './support/stage';
import { staged } from './support/stage';
import { ada, nobody } from './support/summaries';

const trans = nullTranslator.load('jupyter_oidc');
const AWAY = { state: 'refresh-failed', reason: 'idp_unavailable', expires_in: 100 } as const;

/** Preferences that a test changes. */
class Chosen {
  choices: IChoices = { status: 'auto', notices: true, defaultProvider: '' };
  readonly changed = new Signal<Chosen, void>(this);

  choose(notices: boolean): void {
    this.choices = { ...this.choices, notices };
    this.changed.emit();
  }
}

let stage: Stage;
let chosen: Chosen;
const signedIn: string[] = [];

const shown = (): readonly Notification.INotification[] => Notification.manager.notifications;
const messages = (): string[] => shown().map(({ message }) => message);

async function begin(summary: SessionSummary): Promise<void> {
  chosen = new Chosen();
  stage = await staged(summary);
  const replies = { signIn: (provider: string) => void signedIn.push(provider), show: () => undefined };
  new Notices(stage.oidc, stage.clock, chosen as unknown as Preferences, replies, trans);
  stage.clock.pass(0);
}

afterEach(() => {
  stage.close();
  Notification.dismiss();
});

it('nothing is said while all is well', async () => {
  await begin(ada());
  stage.clock.pass(3_000);
  expect(messages()).toEqual([]);
});

it('the end of a session that cannot be renewed is announced, once, and taken back after a new sign-in', async () => {
  await begin(ada({ refreshable: false }));
  stage.clock.pass(3_100);
  expect(messages()).toEqual(['Your session at corp ends soon. Sign in again now, and nothing is interrupted.']);
  stage.clock.pass(60);
  stage.clock.pass(60);
  expect(messages()).toHaveLength(1);
  await stage.happen(ada({ refreshable: false, sequence: 8, expires_in: 3_600 }));
  expect(messages()).toEqual([]);
});

it('an unreachable provider is told once, however often it is tried, and taken back when it is there again', async () => {
  await begin(ada());
  await stage.happen(ada({ ...AWAY, sequence: 8 }));
  expect(messages()).toEqual(['corp: The provider cannot be reached. It is tried again by itself.']);
  for (const sequence of [9, 10, 11]) {
    await stage.happen(ada({ ...AWAY, sequence }));
    document.dispatchEvent(new Event('visibilitychange'));
  }
  expect(messages()).toHaveLength(1);
  await stage.happen(ada({ sequence: 12 }));
  expect(messages()).toEqual([]);
});

it('a dismissed notice stays away until the next episode', async () => {
  await begin(ada());
  await stage.happen(ada({ ...AWAY, sequence: 8 }));
  Notification.dismiss(shown()[0]!.id);
  await stage.happen(ada({ ...AWAY, sequence: 9 }));
  expect(messages()).toEqual([]);
  await stage.happen(ada({ sequence: 10 }));
  await stage.happen(ada({ ...AWAY, sequence: 11 }));
  expect(messages()).toHaveLength(1);
});

it('a session that has ended is told with one button to sign in again', async () => {
  await begin(ada());
  await stage.happen(nobody({ state: 'signed-out-expired', reason: 'session_ended_by_provider', sequence: 8 }));
  expect(messages()).toEqual(['Your session at corp has ended. The provider ended it.']);
  const actions = shown()[0]!.options.actions ?? [];
  expect(actions.map(({ label }) => label)).toEqual(['Sign in again']);
  actions[0]!.callback(new MouseEvent('click'));
  expect(signedIn.splice(0)).toEqual(['corp']);
});

it('a session that had ended before this page was opened is no news', async () => {
  await begin(nobody({ state: 'signed-out-expired', reason: 'session_ended_by_provider' }));
  expect(messages()).toEqual([]);
});

it('a sign-out is no end to tell of', async () => {
  await begin(ada());
  await stage.happen(nobody({ sequence: 8 }));
  expect(messages()).toEqual([]);
});

it('notices can be switched off and on while they show', async () => {
  await begin(ada({ ...AWAY }));
  expect(messages()).toHaveLength(1);
  chosen.choose(false);
  expect(messages()).toEqual([]);
  chosen.choose(true);
  expect(messages()).toHaveLength(1);
});

it('every notice fits where JupyterLab shows it', async () => {
  await begin(ada({ ...AWAY, expires_in: 0, reason: 'provider_configuration' }));
  expect(messages()[0]!.length).toBeLessThanOrEqual(140);
});

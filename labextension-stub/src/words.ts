// How a session is put into words; the one place that the status item, the menu and the dialogs read from.

import type { TranslationBundle } from '@jupyterlab/translation';

import type { SessionSummary } from './generated/contract';
import type { ISession } from './tokens';

export interface IWords {
  /** A few words for the status bar. */
  readonly short: string;
  /** A sentence that says what this means and what a click does. */
  readonly long: string;
  /** A class of colour: whether the user need not, may or should do something. */
  readonly mood: 'calm' | 'busy' | 'warning' | 'off';
}

/** The person as the provider names them. */
export function personOf(user: NonNullable<SessionSummary['user']>): string {
  return user.name ?? user.username ?? user.email ?? user.sub;
}

export function wordsFor(session: ISession, several: boolean, trans: TranslationBundle): IWords {
  const { summary, problem, provider } = session;
  if (!summary) {
    return problem
      ? { short: trans.__('Sign-in unavailable'), long: `${problem.message} ${problem.action}`, mood: 'off' }
      : { short: trans.__('Sign-in…'), long: trans.__('Reading the session at %1.', provider), mood: 'busy' };
  }
  const person = summary.user ? personOf(summary.user) : '';
  switch (summary.state) {
    case 'signed-out':
      return {
        short: several ? trans.__('Sign in at %1', provider) : trans.__('Sign in'),
        long: trans.__('You are not signed in at %1. Click to sign in.', provider),
        mood: 'calm'
      };
    case 'signing-in':
      return {
        short: trans.__('Signing in…'),
        long: trans.__('A sign-in at %1 is under way in another window. Click to begin again.', provider),
        mood: 'busy'
      };
    case 'active':
      return {
        short: person,
        long: trans.__('Signed in at %1 as %2. Click for details.', provider, person),
        mood: 'calm'
      };
    case 'refresh-failed':
      return {
        short: trans.__('%1 (provider unreachable)', person),
        long: trans.__('%1 cannot be reached; it is tried again by itself. Click for details.', provider),
        mood: 'warning'
      };
    case 'signed-out-expired':
      return {
        short: several ? trans.__('Sign in again at %1', provider) : trans.__('Sign in again'),
        long: trans.__('Your session at %1 has ended. Click to sign in again.', provider),
        mood: 'warning'
      };
  }
}

/** Whether a sign-in is the thing to do. */
export function mayEnter(session: ISession): boolean {
  const state = session.summary?.state;
  return state === 'signed-out' || state === 'signed-out-expired' || state === 'signing-in';
}

/** Whether there is a session to sign out of. */
export function mayLeave(session: ISession): boolean {
  const state = session.summary?.state;
  return state === 'active' || state === 'refresh-failed';
}

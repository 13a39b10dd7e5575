// How a session is put into words: headline, reason, next step, tone, buttons and the time that is left.
//
// The status item, the panel and the notices all read from here, so they cannot disagree. Values in, values out:
// this module knows neither the page nor the network nor the time of day. The sentences are those of the kernel's
// display too, and a test holds the two together.

import type { TranslationBundle } from '@jupyterlab/translation';

import { duration } from './duration';
import type { SessionSummary } from './generated/contract';
import type { Invitation } from './invitation';
import { reasonFor } from './reasons';
import type { IProblem } from './tokens';

/** Whether the user need not, might or should do something; or nobody knows. */
export type Tone = 'calm' | 'busy' | 'attention' | 'trouble' | 'off';

/** What a button does. */
export type Act = 'sign-in' | 'sign-out' | 'refresh' | 'use-link' | 'cancel' | 'retry';

/** Everything that the words depend on. */
export interface IScene {
  readonly provider: string;
  readonly summary: SessionSummary | null;
  /** Seconds until the access token ends, by now; `null` if unknown. */
  readonly left: number | null;
  /** Why `summary` is missing or old. */
  readonly problem: IProblem | null;
  /** What this page's own sign-in invites to, if one is under way. */
  readonly attempt: Invitation | null;
}

export interface IWords {
  /** The state in a few words, as the kernel says it too. */
  readonly headline: string;
  /** The name of the person; empty if nobody is signed in. */
  readonly person: string;
  /** What happened, as a sentence; `null` while all is well. */
  readonly reason: string | null;
  /** What to do or to expect next, as a sentence; `null` if there is nothing. */
  readonly next: string | null;
  /** How long the session lasts, as a sentence; `null` if there is none. */
  readonly lasts: string | null;
  readonly tone: Tone;
  /** In order; the first is the one to press. */
  readonly acts: readonly Act[];
  /** A few words for the status bar; with the time that is left only when it matters. */
  readonly short: string;
  /** The same as sentences, for screen readers and tooltips; begins with `short`. */
  readonly long: string;
  /** Whether the session ends before long and cannot be renewed. */
  readonly endsSoon: boolean;
}

/** The person as the provider names them. */
export function personOf(user: NonNullable<SessionSummary['user']>): string {
  return user.name ?? user.username ?? user.email ?? user.sub;
}

/** Whether a session exists, so that there is something to sign out of. */
export function isSignedIn(summary: SessionSummary | null): boolean {
  return summary?.state === 'active' || summary?.state === 'refresh-failed';
}

/** Whether a call made now is expected to work, as far as the session goes. */
export function callsWork(summary: SessionSummary | null, left: number | null): boolean {
  return isSignedIn(summary) && (left !== 0 || (summary?.state === 'active' && summary.refreshable));
}

export function wordsFor(scene: IScene, several: boolean, trans: TranslationBundle): IWords {
  const words = Private.words(scene, several, trans);
  const sentences = [
    trans.__('%1 at %2.', words.headline, scene.provider),
    words.reason,
    words.tone === 'calm' ? null : words.next
  ];
  const said = sentences.filter(sentence => sentence !== null).join(' ');
  return { ...words, long: trans.__('%1. %2 Opens the sign-in panel.', words.short, said) };
}

/** A sentence about where the session is kept, and what that means. */
export function storageWords(storage: SessionSummary['storage'], trans: TranslationBundle): string {
  switch (storage) {
    case 'keyring':
      return trans.__('In the keyring of the system; it outlives the Jupyter server.');
    case 'encrypted-file':
      return trans.__('In an encrypted file; it outlives the Jupyter server.');
    case 'memory':
      return trans.__('In memory only; it is gone when the Jupyter server stops.');
    case 'unsaved':
      return trans.__('In memory, because it could not be stored; that is tried again.');
  }
}

/** A sentence about who else is on this server; `null` if nobody is. */
export function sharingWords(sharing: SessionSummary['sharing'], trans: TranslationBundle): string | null {
  switch (sharing) {
    case 'none':
      return null;
    case 'own-kernels':
      return trans.__('This server is shared: kernels that others start or use cannot call APIs as you.');
    case 'all-kernels':
      return trans.__('This server is shared: kernels that others start or use call APIs as you, too.');
  }
}

/** What the person is entitled to, in words; nothing is claimed to be missing where not everything was listed. */
export function entitlementWords(
  { entitlements, entitlements_more: more, entitlements_known: known }: SessionSummary,
  trans: TranslationBundle
): string {
  const listed = entitlements.join(', ');
  if (!known) {
    const unknown = trans.__('unknown: the provider did not list them');
    return listed ? trans.__('%1, and others: %2', listed, unknown) : unknown;
  }
  return more > 0 ? trans.__('%1, and %2 more', listed, more) : listed || trans.__('none');
}

namespace Private {
  const SOONEST = 60; // seconds before the end that are soon for any session
  const LATEST = 600; // seconds before the end that are soon for the longest one
  const SHARE = 0.2; // of its lifetime, in between

  type Part = Omit<IWords, 'long'>;

  export function words(scene: IScene, several: boolean, trans: TranslationBundle): Part {
    const { summary, problem, provider } = scene;
    if (!summary) {
      return problem ? unavailable(problem, '', trans) : reading(trans);
    }
    const state = withWaiting(ofState(scene, summary, several, trans), summary, trans);
    if (scene.attempt) {
      return underWay(scene.attempt, state, provider, trans);
    }
    return problem ? { ...unavailable(problem, state.person, trans), headline: trans.__('Not up to date') } : state;
  }

  function reading(trans: TranslationBundle): Part {
    return {
      ...nothing,
      headline: trans.__('Reading the session'),
      tone: 'busy',
      short: trans.__('Sign-in…')
    };
  }

  function unavailable(problem: IProblem, person: string, trans: TranslationBundle): Part {
    return {
      ...nothing,
      headline: trans.__('Sign-in unavailable'),
      person,
      reason: problem.message,
      next: problem.action,
      tone: 'off',
      acts: ['retry'],
      short: trans.__('Sign-in unavailable')
    };
  }

  function underWay(invitation: Invitation, state: Part, provider: string, trans: TranslationBundle): Part {
    return {
      ...state,
      headline: trans.__('Signing in'),
      ...steps(invitation, provider, trans),
      tone: 'busy',
      short: trans.__('Signing in…')
    };
  }

  function steps(
    invitation: Invitation,
    provider: string,
    trans: TranslationBundle
  ): Pick<Part, 'reason' | 'next' | 'acts'> {
    switch (invitation.kind) {
      case 'window':
        return {
          reason: trans.__('Signing in at %1: finish it in the other window.', provider),
          next: null,
          acts: ['use-link', 'cancel']
        };
      case 'link':
        return {
          reason: trans.__('Signing in at %1: open the sign-in page with this link.', provider),
          next: trans.__('It opens in a new tab, and this page stays as it is.'),
          acts: ['cancel']
        };
      case 'code':
        return {
          reason: invitation.filledIn
            ? trans.__('Signing in at %1: check that the sign-in page shows this code.', provider)
            : trans.__('Signing in at %1: enter this code on the sign-in page.', provider),
          next: null,
          acts: ['cancel']
        };
      case 'paste':
        return {
          reason: trans.__('Signing in at %1: paste the address at which the browser ends.', provider),
          next: null,
          acts: invitation.address === null ? ['use-link', 'cancel'] : ['cancel']
        };
    }
  }

  function ofState(scene: IScene, summary: SessionSummary, several: boolean, trans: TranslationBundle): Part {
    const { provider } = scene;
    const reason = summary.reason === null ? null : reasonFor(summary.reason, trans);
    switch (summary.state) {
      case 'signed-out':
        return {
          ...nothing,
          headline: trans.__('Not signed in'),
          reason: reason?.why ?? null,
          next: trans.__('Sign in to call APIs from notebooks and pages.'),
          tone: reason ? 'attention' : 'calm',
          acts: ['sign-in'],
          short: several ? trans.__('Sign in at %1', provider) : trans.__('Sign in')
        };
      case 'signing-in':
        return {
          ...nothing,
          headline: trans.__('Signing in'),
          reason: trans.__('A sign-in is under way in another window.'),
          next: trans.__('Finish it there, or begin again here.'),
          tone: 'busy',
          acts: ['sign-in'],
          short: trans.__('Signing in…')
        };
      case 'active':
        return active(scene, summary, trans);
      case 'refresh-failed':
        return delayed(scene, summary, trans);
      case 'signed-out-expired':
        return {
          ...nothing,
          headline: trans.__('The session has ended'),
          reason: reason?.why ?? null,
          next: trans.__('Sign in again to carry on; your notebooks and kernels stay as they are.'),
          tone: 'trouble',
          acts: ['sign-in'],
          short: several ? trans.__('Sign in again at %1', provider) : trans.__('Sign in again')
        };
    }
  }

  /** The same words, with what to do about settings that wait for the next sign-in. */
  function withWaiting(part: Part, summary: SessionSummary, trans: TranslationBundle): Part {
    if (!summary.settings_pending || summary.state === 'signing-in') {
      return part;
    }
    const waits = trans.__('Settings have changed; they take effect when you sign in again.');
    return {
      ...part,
      next: part.next ? trans.__('%1 %2', part.next, waits) : waits,
      tone: part.tone === 'calm' ? 'attention' : part.tone,
      acts: ['sign-in', ...part.acts.filter(act => act === 'sign-out')]
    };
  }

  function active({ left }: IScene, summary: SessionSummary, trans: TranslationBundle): Part {
    const person = summary.user ? personOf(summary.user) : trans.__('Signed in');
    const endsSoon = !summary.refreshable && left !== null && left <= soon(summary);
    const reason = summary.reason === null ? null : reasonFor(summary.reason, trans);
    const unsaved = summary.storage === 'unsaved';
    return {
      ...nothing,
      headline: trans.__('Signed in'),
      person,
      reason: reason?.why ?? (unsaved ? trans.__('The session could not be stored.') : null),
      next: endsSoon ? trans.__('Sign in again now, and nothing is interrupted.') : (reason?.next ?? null),
      lasts: lasting(left, summary.refreshable, trans),
      tone: endsSoon || unsaved ? 'attention' : 'calm',
      acts: summary.refreshable ? ['refresh', 'sign-out'] : endsSoon ? ['sign-in', 'sign-out'] : ['sign-out'],
      short: endsSoon ? trans.__('%1 · %2 left', person, duration(left, trans)) : person,
      endsSoon
    };
  }

  function delayed({ left }: IScene, summary: SessionSummary, trans: TranslationBundle): Part {
    const person = summary.user ? personOf(summary.user) : trans.__('Signed in');
    const away = summary.reason === null || summary.reason === 'idp_unavailable';
    const { why, next } = reasonFor(summary.reason ?? 'idp_unavailable', trans);
    const meanwhile =
      left === 0
        ? trans.__('Calls do not work until it is renewed, which is tried again by itself.')
        : trans.__('Calls still work; it is tried again by itself.');
    const short = away ? trans.__('%1 · provider unreachable', person) : trans.__('%1 · not renewed', person);
    return {
      ...nothing,
      headline: away ? trans.__('Signed in, provider unreachable') : trans.__('Signed in, renewal fails'),
      person,
      reason: why,
      next: next ? trans.__('%1 %2', meanwhile, next) : meanwhile,
      lasts:
        left === null
          ? null
          : left === 0
            ? trans.__('Its time ran out.')
            : trans.__('Calls work for another %1.', duration(left, trans)),
      tone: left === 0 ? 'trouble' : 'attention',
      acts: ['refresh', 'sign-out'],
      short: left === null || left === 0 ? short : trans.__('%1, %2 left', short, duration(left, trans))
    };
  }

  function lasting(left: number | null, refreshable: boolean, trans: TranslationBundle): string {
    if (left === null) {
      return trans.__('The provider does not say how long it lasts.');
    }
    if (refreshable) {
      return left === 0
        ? trans.__('Renewed by itself when it is needed.')
        : trans.__('Renewed by itself, within %1.', duration(left, trans));
    }
    return left === 0
      ? trans.__('Its time ran out, and it cannot be renewed.')
      : trans.__('Ends in %1, and cannot be renewed.', duration(left, trans));
  }

  /** Seconds before its end at which a session is said to end soon: a fifth of its lifetime, within reason. */
  function soon({ signed_in_at, access_expires_at }: SessionSummary): number {
    const lifetime = (Date.parse(access_expires_at ?? '') - Date.parse(signed_in_at ?? '')) / 1000;
    return Math.min(LATEST, Math.max(SOONEST, Number.isFinite(lifetime) ? lifetime * SHARE : LATEST));
  }

  const nothing: Part = {
    headline: '',
    person: '',
    reason: null,
    next: null,
    lasts: null,
    tone: 'calm',
    acts: [],
    short: '',
    endsSoon: false
  };
}

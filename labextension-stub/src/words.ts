// How a session is put into words: headline, reason, next step, tone, buttons and the time that is left.
//
// The status item, the panel and the notices all read from here, so they cannot disagree. Values in, values out:
// this module knows neither the page nor the network nor the time of day. The sentences are those of the kernel's
// display too, and a test holds the two together.

import type { TranslationBundle } from '@jupyterlab/translation';

import { duration } from './duration';
import type { SessionSummary } from './generated/contract';
import type { SignInStep } from './signinstep';
import { reasonFor } from './reasons';
import { wordIn } from './reader';
import type { IProblem } from './tokens';

/** How urgently the user should act: not at all (`calm`), not yet (`busy`), soon or now; `off` if the state is unknown. */
export type Tone = 'calm' | 'busy' | 'attention' | 'trouble' | 'off';

/** The id of an action that a button of the card starts. */
export type ActionId = 'sign-in' | 'sign-out' | 'refresh' | 'another-account' | 'use-link' | 'cancel' | 'retry';

/** The values that `wordsFor` puts into words. */
export interface ISessionView {
  readonly provider: string;
  readonly summary: SessionSummary | null;
  /** Seconds until the access token ends, by now; `null` if unknown. */
  readonly left: number | null;
  /** Why `summary` is missing or old. */
  readonly problem: IProblem | null;
  /** The current step of this page's own sign-in, if one is under way. */
  readonly step: SignInStep | null;
}

export interface IWords {
  /** The state in a few words, as the kernel says it too. */
  readonly headline: string;
  /** The display name of the user; empty if no session exists. */
  readonly person: string;
  /** What happened, as a sentence; `null` while all is well. */
  readonly reason: string | null;
  /** What to do or to expect next, as a sentence; `null` if there is nothing. */
  readonly next: string | null;
  /** How long the session lasts, as a sentence; `null` if there is none. */
  readonly lasts: string | null;
  readonly tone: Tone;
  /** The buttons in order; the first is the recommended one. */
  readonly actions: readonly ActionId[];
  /** A few words for the status bar; with the time that is left only when it matters. */
  readonly short: string;
  /** The same as sentences, for screen readers and tooltips; begins with `short`. */
  readonly long: string;
  /** Whether the session ends before long and cannot be renewed. */
  readonly endsSoon: boolean;
}

/** The display name of `user`: name, else username, email or subject. */
export function displayNameOf(user: NonNullable<SessionSummary['user']>): string {
  return user.name ?? user.username ?? user.email ?? user.sub;
}

/** Whether a session exists, so that there is something to sign out of; in a state that is not known here, if it has a user. */
export function isSignedIn(summary: SessionSummary | null): boolean {
  const state = summary?.state;
  return state === 'active' || state === 'refresh-failed' || (state === 'other' && summary?.user !== null);
}

/** A sentence about a word of a newer server; one of an older server that has none is `null`. */
export function unknownWords(word: string | null, trans: TranslationBundle): string {
  return word === null ? trans.__('The server does not say more.') : trans.__('The server calls it "%1".', word);
}

/** Whether a call made now is expected to work, as far as the session goes. */
export function callsWork(summary: SessionSummary | null, left: number | null): boolean {
  return isSignedIn(summary) && (left !== 0 || (summary?.state === 'active' && summary.refreshable));
}

export function wordsFor(view: ISessionView, several: boolean, trans: TranslationBundle): IWords {
  const words = Private.words(view, several, trans);
  const sentences = [
    trans.__('%1 at %2.', words.headline, view.provider),
    words.reason,
    words.tone === 'calm' ? null : words.next
  ];
  const said = sentences.filter(sentence => sentence !== null).join(' ');
  return { ...words, long: trans.__('%1. %2 Opens the sign-in panel.', words.short, said) };
}

/** A sentence about where the session is kept, and what that means. */
export function storageWords(summary: SessionSummary, trans: TranslationBundle): string {
  switch (summary.storage) {
    case 'keyring':
      return trans.__('In the keyring of the system; it outlives the Jupyter server.');
    case 'encrypted-file':
      return trans.__('In an encrypted file; it outlives the Jupyter server.');
    case 'memory':
      return trans.__('In memory only; it is gone when the Jupyter server stops.');
    case 'database':
      return trans.__('In the database of the broker; it outlives the Jupyter server.');
    case 'unsaved':
      return trans.__('In memory, because it could not be stored; that is tried again.');
    case 'other':
      return unknownWords(wordIn(summary, 'storage'), trans);
  }
}

/** A sentence about the other users of this server; `null` if it is not shared. */
export function sharingWords(sharing: SessionSummary['sharing'], trans: TranslationBundle): string | null {
  switch (sharing) {
    case 'none':
      return null;
    case 'own-kernels':
      return trans.__('This server is shared: kernels that others start or use cannot call APIs as you.');
    case 'all-kernels':
      return trans.__('This server is shared: kernels that others start or use call APIs as you, too.');
    case 'other':
      return trans.__('This server may be shared: whose kernels call APIs as you is not known here.');
  }
}

/** List the entitlements of the user; say so if the provider did not list all of them. */
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
  const MIN_SOON_SECONDS = 60; // for the shortest session
  const MAX_SOON_SECONDS = 600; // for the longest session
  const SOON_LIFETIME_SHARE = 0.2; // of the lifetime, in between

  type Part = Omit<IWords, 'long'>;

  export function words(view: ISessionView, several: boolean, trans: TranslationBundle): Part {
    const { summary, problem, provider } = view;
    if (!summary) {
      return problem ? unavailable(problem, '', trans) : reading(trans);
    }
    const state = withSignInUnderWay(
      withPendingSettings(ofState(view, summary, several, trans), summary, trans),
      summary,
      trans
    );
    if (view.step) {
      return signingIn(view.step, state, provider, trans);
    }
    return problem ? { ...unavailable(problem, state.person, trans), headline: trans.__('Not up to date') } : state;
  }

  function reading(trans: TranslationBundle): Part {
    return {
      ...blank,
      headline: trans.__('Reading the session'),
      tone: 'busy',
      short: trans.__('Sign-in…')
    };
  }

  function unavailable(problem: IProblem, person: string, trans: TranslationBundle): Part {
    return {
      ...blank,
      headline: trans.__('Sign-in unavailable'),
      person,
      reason: problem.message,
      next: problem.action,
      tone: 'off',
      actions: ['retry'],
      short: trans.__('Sign-in unavailable')
    };
  }

  function signingIn(step: SignInStep, state: Part, provider: string, trans: TranslationBundle): Part {
    return {
      ...state,
      headline: trans.__('Signing in'),
      ...steps(step, provider, trans),
      tone: 'busy',
      short: trans.__('Signing in…')
    };
  }

  function steps(
    step: SignInStep,
    provider: string,
    trans: TranslationBundle
  ): Pick<Part, 'reason' | 'next' | 'actions'> {
    switch (step.kind) {
      case 'window':
        return {
          reason: trans.__('Signing in at %1: finish it in the other window.', provider),
          next: null,
          actions: ['use-link', 'cancel']
        };
      case 'link':
        return {
          reason: trans.__('Signing in at %1: open the sign-in page with this link.', provider),
          next: trans.__('It opens in a new tab, and this page stays as it is.'),
          actions: ['cancel']
        };
      case 'code':
        return {
          reason: step.filledIn
            ? trans.__('Signing in at %1: check that the sign-in page shows this code.', provider)
            : trans.__('Signing in at %1: enter this code on the sign-in page.', provider),
          next: null,
          actions: ['cancel']
        };
      case 'paste':
        return {
          reason: trans.__('Signing in at %1: paste the address at which the browser ends.', provider),
          next: null,
          actions: step.address === null ? ['use-link', 'cancel'] : ['cancel']
        };
    }
  }

  function ofState(view: ISessionView, summary: SessionSummary, several: boolean, trans: TranslationBundle): Part {
    const { provider } = view;
    const reason = summary.reason === null ? null : reasonFor(summary.reason, trans);
    switch (summary.state) {
      case 'signed-out':
        return {
          ...blank,
          headline: trans.__('Not signed in'),
          reason: reason?.why ?? null,
          next: trans.__('Sign in to call APIs from notebooks and pages.'),
          tone: reason ? 'attention' : 'calm',
          actions: ['sign-in', 'another-account'],
          short: several ? trans.__('Sign in at %1', provider) : trans.__('Sign in')
        };
      case 'signing-in':
        return {
          ...blank,
          headline: trans.__('Signing in'),
          reason: trans.__('A sign-in is under way in another window, a notebook or a terminal.'),
          next: trans.__('Finish it there, or begin again here.'),
          tone: 'busy',
          actions: summary.sign_in_under_way ? ['sign-in', 'cancel'] : ['sign-in'],
          short: trans.__('Signing in…')
        };
      case 'active':
        return active(view, summary, trans);
      case 'refresh-failed':
        return refreshFailed(view, summary, trans);
      case 'signed-out-expired':
        return {
          ...blank,
          headline: trans.__('The session has ended'),
          reason: reason?.why ?? null,
          next: trans.__('Sign in again to carry on; your notebooks and kernels stay as they are.'),
          tone: 'trouble',
          actions: ['sign-in', 'another-account'],
          short: several ? trans.__('Sign in again at %1', provider) : trans.__('Sign in again')
        };
      case 'other':
        return unknownState(summary, reason?.why ?? null, trans);
    }
  }

  /** The words for a state of a newer server: what can be done goes on. */
  function unknownState(summary: SessionSummary, why: string | null, trans: TranslationBundle): Part {
    const person = summary.user ? displayNameOf(summary.user) : '';
    return {
      ...blank,
      headline: trans.__('State not known'),
      person,
      reason: why ?? unknownWords(wordIn(summary, 'state'), trans),
      next: trans.__('Calls may work; sign in again if they do not.'),
      tone: 'attention',
      actions: isSignedIn(summary) ? ['sign-in', 'sign-out', 'another-account'] : ['sign-in', 'another-account'],
      short: person || trans.__('State not known')
    };
  }

  /** Add the hint to sign in again if the session runs with older settings. */
  function withPendingSettings(part: Part, summary: SessionSummary, trans: TranslationBundle): Part {
    if (!summary.settings_pending || summary.state === 'signing-in') {
      return part;
    }
    const pending = trans.__('Settings have changed; they take effect when you sign in again.');
    return {
      ...part,
      next: part.next ? trans.__('%1 %2', part.next, pending) : pending,
      tone: part.tone === 'calm' ? 'attention' : part.tone,
      actions: ['sign-in', ...part.actions.filter(action => action === 'sign-out' || action === 'another-account')]
    };
  }

  /** Add that a sign-in is under way beside a session, and that it can be cancelled. */
  function withSignInUnderWay(part: Part, summary: SessionSummary, trans: TranslationBundle): Part {
    if (!summary.sign_in_under_way || !isSignedIn(summary)) {
      return part;
    }
    const underWay = trans.__('Another sign-in is under way in another window, a notebook or a terminal.');
    return {
      ...part,
      next: part.next ? trans.__('%1 %2', part.next, underWay) : underWay,
      actions: [...part.actions.filter(action => action !== 'another-account'), 'cancel']
    };
  }

  function active({ left }: ISessionView, summary: SessionSummary, trans: TranslationBundle): Part {
    const person = summary.user ? displayNameOf(summary.user) : trans.__('Signed in');
    const endsSoon = !summary.refreshable && left !== null && left <= soonSeconds(summary);
    const reason = summary.reason === null ? null : reasonFor(summary.reason, trans);
    const unsaved = summary.storage === 'unsaved';
    return {
      ...blank,
      headline: trans.__('Signed in'),
      person,
      reason: reason?.why ?? (unsaved ? trans.__('The session could not be stored.') : null),
      next: endsSoon ? trans.__('Sign in again now, and nothing is interrupted.') : (reason?.next ?? null),
      lasts: lifetimeText(left, summary.refreshable, trans),
      tone: endsSoon || unsaved ? 'attention' : 'calm',
      actions: [
        ...(summary.refreshable ? (['refresh'] as const) : endsSoon ? (['sign-in'] as const) : []),
        'sign-out',
        'another-account'
      ],
      short: endsSoon ? trans.__('%1 · %2 left', person, duration(left, trans)) : person,
      endsSoon
    };
  }

  function refreshFailed({ left }: ISessionView, summary: SessionSummary, trans: TranslationBundle): Part {
    const person = summary.user ? displayNameOf(summary.user) : trans.__('Signed in');
    const away = summary.reason === null || summary.reason === 'idp_unavailable';
    const { why, next } = reasonFor(summary.reason ?? 'idp_unavailable', trans);
    const meanwhile =
      left === 0
        ? trans.__('Calls do not work until it is renewed, which is tried again by itself.')
        : trans.__('Calls still work; it is tried again by itself.');
    const short = away ? trans.__('%1 · provider unreachable', person) : trans.__('%1 · not renewed', person);
    return {
      ...blank,
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
      actions: ['refresh', 'sign-out', 'another-account'],
      short: left === null || left === 0 ? short : trans.__('%1, %2 left', short, duration(left, trans))
    };
  }

  function lifetimeText(left: number | null, refreshable: boolean, trans: TranslationBundle): string {
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
  function soonSeconds({ signed_in_at, access_expires_at }: SessionSummary): number {
    const lifetime = (Date.parse(access_expires_at ?? '') - Date.parse(signed_in_at ?? '')) / 1000;
    return Math.min(
      MAX_SOON_SECONDS,
      Math.max(MIN_SOON_SECONDS, Number.isFinite(lifetime) ? lifetime * SOON_LIFETIME_SHARE : MAX_SOON_SECONDS)
    );
  }

  const blank: Part = {
    headline: '',
    person: '',
    reason: null,
    next: null,
    lasts: null,
    tone: 'calm',
    actions: [],
    short: '',
    endsSoon: false
  };
}

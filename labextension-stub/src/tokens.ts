// The service that other extensions may ask for. Nothing here runs when it is imported.

import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

import type { SessionSummary, SignOutResult } from './generated/contract';

/** What went wrong, in words for a person: the server's error contract, or one of our own making. */
export interface IProblem {
  /** A code of the contract, or `network`, `unavailable` or `contract_broken`. */
  readonly code: string;
  readonly message: string;
  /** What to do next. */
  readonly action: string;
  readonly retryable: boolean;
}

/** The session at one provider, kept up to date. */
export interface ISession extends IDisposable {
  readonly provider: string;
  /** The newest summary; `null` until the first one has arrived. */
  readonly summary: SessionSummary | null;
  /** Why there is no newer summary; `null` if the last reading went well. */
  readonly problem: IProblem | null;
  /** Emitted whenever `summary` or `problem` has changed. */
  readonly changed: ISignal<ISession, void>;
  /** Seconds until the access token expires, counted down here; `null` if unknown. */
  secondsLeft(): number | null;
  /** Read the summary again soon. */
  refresh(): void;
}

/** Sign-in for notebooks and extensions. No member of it ever holds a token. */
export interface IOidc {
  /** Resolved once the providers are known, or it is known why they are not. */
  readonly ready: Promise<void>;
  /** One session for each configured provider, in the order of the settings. */
  readonly sessions: readonly ISession[];
  /** Why there are no sessions; `null` if all is well. */
  readonly problem: IProblem | null;
  /** Emitted when `sessions` or `problem` has changed, and when any session has. */
  readonly changed: ISignal<IOidc, void>;
  /**
   * Sign in at a provider. Call it inside the click: it opens a window at once.
   * Resolves to the summary, or to `null` if the user cancelled; rejects with an `IProblem`.
   */
  signIn(provider: string): Promise<SessionSummary | null>;
  /** Sign out here and at the provider. Rejects with an `IProblem`. */
  signOut(provider: string): Promise<SignOutResult>;
}

export const IOidc = new Token<IOidc>(
  '@jupyter-oidc/labextension:IOidc',
  'Sign-in at OpenID Connect providers: the sessions, sign-in and sign-out.'
);

// The service that other extensions may ask for. Nothing here runs when it is imported.

import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

import type { SessionSummary, SignOutResult } from './generated/contract';

/** A failure, described for the user: the server's error contract, or one of our own making. */
export interface IProblem {
  /** A code of the contract, or `network`, `unavailable`, `contract_broken` or `unexpected`. */
  readonly code: string;
  readonly message: string;
  /** What to do next. */
  readonly action: string;
  readonly retryable: boolean;
}

/** How a sign-in asks the person, where that is not left to the provider. */
export interface ISignInOptions {
  /** `select_account` lets the person choose another account, `login` asks for the password in any case. */
  readonly prompt?: 'login' | 'consent' | 'select_account';
  /** Who is going to sign in, as a hint for the provider's page. */
  readonly loginHint?: string;
}

/** The session at one provider, kept up to date. */
export interface ISession {
  readonly provider: string;
  /** The newest summary; `null` until the first one has arrived. */
  readonly summary: SessionSummary | null;
  /** Why there is no newer summary; `null` if the last reading went well. */
  readonly problem: IProblem | null;
  /** Emitted whenever the summary, the problem or what is under way has changed. */
  readonly changed: ISignal<ISession, void>;
  /** Seconds until the access token ends, counted down here; `null` if unknown. */
  secondsLeft(): number | null;
  /** Ask the server for the summary again soon. */
  readAgain(): void;
}

/** The provider, entitlements and API that a command needs. */
export interface IRequirement {
  /** Name of the provider in the settings. */
  readonly provider: string;
  /** Entitlements that are all needed. */
  readonly entitlements?: readonly string[];
  /** Name of an API of this provider; what its settings require is needed too. */
  readonly api?: string;
}

/**
 * Whether a requirement is met, for commands and buttons.
 * This only spares people clicks that would fail: the server, and the API behind it, decide.
 */
export interface IGate extends IDisposable {
  /** Whether a session exists, calls are expected to work, and nothing required is missing. */
  readonly isEnabled: () => boolean;
  /** `false` only if the user is signed in and lacks something; a user who is signed out may yet hold it. */
  readonly isVisible: () => boolean;
  /** Why it is not enabled, as a sentence; `null` if it is. */
  readonly reason: () => string | null;
  /** Emitted when one of the answers has changed. */
  readonly changed: ISignal<IGate, void>;
}

/** Sign-in for notebooks, extensions and widgets. No member of it ever holds a token. */
export interface IOidc {
  /** Resolved once the providers are known, or it is known why they are not. */
  readonly ready: Promise<void>;
  /** One session for each configured provider, in the order of the settings. */
  readonly sessions: readonly ISession[];
  /** Why there are no sessions; `null` if all is well. */
  readonly problem: IProblem | null;
  /** Emitted when `sessions` or `problem` has changed, and when any session has. */
  readonly changed: ISignal<IOidc, void>;
  /** The session at `provider`; `null` if no such provider is configured. */
  session(provider: string): ISession | null;
  /**
   * Sign in at a provider. Call it inside the click: it opens a window at once.
   * Resolves to the summary, or to `null` if the user cancelled; rejects with an `IProblem`.
   */
  signIn(provider: string, options?: ISignInOptions): Promise<SessionSummary | null>;
  /** Cancel every sign-in at a provider that waits for the person, begun by a page, a cell or a terminal. Rejects with an `IProblem`. */
  cancelSignIns(provider: string): Promise<SessionSummary>;
  /** Sign out here and at the provider. Rejects with an `IProblem`. */
  signOut(provider: string): Promise<SignOutResult>;
  /** Renew the access token now. Rejects with an `IProblem`. */
  refresh(provider: string): Promise<SessionSummary>;
  /**
   * Call an API of the settings through the server's proxy, as `fetch` would; the server adds the token.
   * `path` lies below the API's base URL (`items?open=1`).
   * Resolves to the API's reply, whatever its status; rejects with an `IProblem` if the call did not get that far.
   */
  fetch(api: string, path: string, init?: RequestInit): Promise<Response>;
  /** A gate for `requirement`, kept up to date. Throws nothing: an unknown provider is a closed gate. */
  requires(requirement: IRequirement): IGate;
}

export const IOidc = new Token<IOidc>(
  '@jupyter-oidc/labextension:IOidc',
  'Sign-in at OpenID Connect providers: the sessions, sign-in, sign-out, calls to APIs, and gates for commands.'
);

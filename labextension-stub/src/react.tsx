// React parts for other extensions: a hook that follows a session, and a component that shows what needs one.
//
// They take the service as an argument and hold nothing themselves, so a bundle of another extension may contain its
// own copy of this file: the sessions are those of the one service.

import * as React from 'react';

import type { SessionSummary, SignOutResult } from './generated/contract';
import type { IOidc, IProblem, IRequirement, ISession } from './tokens';
import { callsWork, isSignedIn } from './words';

/** The session at one provider, as one rendering sees it. */
export interface ISessionState {
  /** The name of the provider; `null` if none is configured, or not known yet. */
  readonly provider: string | null;
  /** The session that this was read from; `null` if there is no such provider. */
  readonly session: ISession | null;
  readonly summary: SessionSummary | null;
  /** Why there is no newer summary, or why there are no sessions at all; `null` if all is well. */
  readonly problem: IProblem | null;
  /** `true` until the first summary, or the reason for its absence, has arrived. */
  readonly isLoading: boolean;
  readonly isSignedIn: boolean;
  /** Whether a call made now is expected to carry a token. */
  readonly callsWork: boolean;
  /** Sign in. Call it inside the click: it opens a window at once. Rejects with an `IProblem`. */
  readonly signIn: () => Promise<SessionSummary | null>;
  /** Sign out here and at the provider. Rejects with an `IProblem`. */
  readonly signOut: () => Promise<SignOutResult>;
}

/**
 * Follow the session at `provider`, or at the first provider of the settings.
 * The component is rendered again whenever the session has changed.
 */
export function useSession(oidc: IOidc, provider?: string): ISessionState {
  const version = useVersion(oidc);
  const isReady = useReady(oidc);
  return React.useMemo(() => {
    const session = provider === undefined ? (oidc.sessions[0] ?? null) : oidc.session(provider);
    const name = session?.provider ?? provider ?? null;
    const summary = session?.summary ?? null;
    const problem = session?.problem ?? oidc.problem;
    const named = (): string => {
      if (session === null) {
        throw noProvider(provider);
      }
      return session.provider;
    };
    return {
      provider: name,
      session,
      summary,
      problem,
      isLoading: problem === null && (session ? summary === null : !isReady),
      isSignedIn: isSignedIn(summary),
      callsWork: callsWork(summary, session?.secondsLeft() ?? null),
      signIn: async () => oidc.signIn(named()),
      signOut: async () => oidc.signOut(named())
    };
  }, [oidc, provider, version, isReady]);
}

export interface ISignedInProps extends Partial<IRequirement> {
  readonly oidc: IOidc;
  /** Rendered where the requirement is met. */
  readonly children?: React.ReactNode;
  /** Rendered in place of the sentence and the button, where it is not met. */
  readonly fallback?: React.ReactNode;
  /** The text of the button, in the language of your extension. */
  readonly label?: string;
}

/**
 * Show `children` to a user who is signed in and meets the requirement; to others why not, with a button where a
 * sign-in can help.
 * This only spares people calls that would fail: the server, and the API behind it, decide.
 */
export function SignedIn(props: ISignedInProps): React.ReactElement | null {
  const { oidc, api, children, entitlements, fallback, label = 'Sign in' } = props;
  const state = useSession(oidc, props.provider);
  const [failure, setFailure] = React.useState<IProblem | null>(null);
  if (state.isLoading) {
    return null;
  }
  const requirement = {
    provider: state.provider ?? '',
    ...(api === undefined ? {} : { api }),
    ...(entitlements === undefined ? {} : { entitlements })
  };
  const reason = state.session && reasonNow(oidc, requirement);
  if (state.session && reason === null) {
    return <>{children}</>;
  }
  if (fallback !== undefined) {
    return <>{fallback}</>;
  }
  const problem = failure ?? state.problem ?? (state.session ? null : noProvider(props.provider));
  const signIn = (): void => {
    setFailure(null);
    state.signIn().catch((error: IProblem) => setFailure(error));
  };
  return (
    <div className="jp-oidc-signed-in">
      <p aria-live="polite">{problem ? `${problem.message} ${problem.action}` : reason}</p>
      {state.session && !state.callsWork && (
        <button type="button" className="jp-mod-styled jp-mod-accept" onClick={signIn}>
          {label}
        </button>
      )}
    </div>
  );
}

/** Why the requirement is not met; `null` if it is. */
function reasonNow(oidc: IOidc, requirement: IRequirement): string | null {
  const gate = oidc.requires(requirement);
  try {
    return gate.reason();
  } finally {
    gate.dispose();
  }
}

/** A number that grows with each change of the service, so that React sees one. */
function useVersion(oidc: IOidc): number {
  const version = React.useRef(0);
  const subscribe = React.useCallback(
    (told: () => void) => {
      const tell = (): void => {
        version.current += 1;
        told();
      };
      oidc.changed.connect(tell);
      return () => {
        oidc.changed.disconnect(tell);
      };
    },
    [oidc]
  );
  return React.useSyncExternalStore(subscribe, () => version.current);
}

function useReady(oidc: IOidc): boolean {
  const [isReady, setReady] = React.useState(false);
  React.useEffect(() => {
    let isMounted = true;
    void oidc.ready.then(() => isMounted && setReady(true));
    return () => {
      isMounted = false;
    };
  }, [oidc]);
  return isReady;
}

function noProvider(provider: string | undefined): IProblem {
  return {
    code: 'unknown_provider',
    message: provider === undefined ? 'No provider is configured.' : `No provider called ${provider} is configured.`,
    action: 'Ask your administrator to configure one.',
    retryable: false
  };
}

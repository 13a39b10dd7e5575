// The commands: sign in, sign out, refresh, show the panel, and the example cells.

import { Clipboard, Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { Apis } from './apis';
import type { DiagnosticsModel } from './diagnostics';
import type { Examples } from './example';
import { exampleFor } from './example';
import type { Preferences } from './preferences';
import { asProblem } from './problem';
import type { Oidc } from './service';
import type { Session } from './session';
import type { ISignInOptions } from './tokens';
import { isSignedIn, displayNameOf } from './words';

const NOTICE_DURATION_MS = 4_000;
const NOTICE_WITH_LINK_DURATION_MS = 55_000; // the page behind the link can be opened for a minute

export namespace CommandIDs {
  export const signIn = 'jupyter-oidc:sign-in';
  export const useAnotherAccount = 'jupyter-oidc:use-another-account';
  export const signOut = 'jupyter-oidc:sign-out';
  export const refresh = 'jupyter-oidc:refresh';
  export const showSession = 'jupyter-oidc:show-session';
  export const examine = 'jupyter-oidc:examine';
  export const copyExample = 'jupyter-oidc:copy-example';
  export const insertExample = 'jupyter-oidc:insert-example';
}

/** The panel, as far as commands need it: they show it, and notify only where it is hidden. */
export interface IPanelHandle {
  /** Whether the panel is visible. */
  readonly isVisible: boolean;
  /** Show the panel. */
  reveal(): void;
}

export interface ICommandDependencies {
  readonly oidc: Oidc;
  readonly apis: Apis;
  readonly diagnostics: DiagnosticsModel;
  readonly examples: Examples;
  readonly preferences: Preferences;
  readonly panel: IPanelHandle;
  readonly trans: TranslationBundle;
}

type Args = Readonly<Record<string, unknown>>;

/** Add the commands. Those about a session take an optional `{provider}`, those about an API a `{api}`. */
export function addCommands(registry: CommandRegistry, dependencies: ICommandDependencies): void {
  const { oidc, apis, diagnostics, examples, preferences, panel, trans } = dependencies;
  const args = {
    type: 'object' as const,
    properties: {
      provider: { type: 'string' as const, description: trans.__('Name of the provider in the settings') }
    }
  };
  const apiArgs = {
    type: 'object' as const,
    properties: { api: { type: 'string' as const, description: trans.__('Name of the API in the settings') } },
    required: ['api']
  };

  /** The session for a command: the named one, the default one, or the only candidate. */
  const sessionFor = ({ provider }: Args, isCandidate: (session: Session) => boolean): Session | null => {
    if (typeof provider === 'string') {
      return oidc.session(provider);
    }
    const candidates = oidc.sessions.filter(isCandidate);
    const preferred = candidates.find(session => session.provider === preferences.choices.defaultProvider);
    return preferred ?? (candidates.length === 1 ? candidates[0]! : null);
  };
  const canSignIn = (session: Session): boolean => session.summary !== null && !isSignedIn(session.summary);
  const canSignOut = (session: Session): boolean => isSignedIn(session.summary);
  const canRefresh = (session: Session): boolean => canSignOut(session) && session.summary?.refreshable === true;

  const add = (
    id: string,
    labels: { label: string; labelAt: (provider: string) => string; caption: string },
    isCandidate: (session: Session) => boolean,
    run: (session: Session) => Promise<void>
  ): void => {
    registry.addCommand(id, {
      label: ({ provider }) => (typeof provider === 'string' ? labels.labelAt(provider) : labels.label),
      caption: labels.caption,
      describedBy: { args },
      isEnabled: ({ provider }) =>
        typeof provider === 'string' ? oidc.session(provider) !== null : oidc.sessions.some(isCandidate),
      execute: async given => {
        const session = sessionFor(given as Args, isCandidate);
        if (!session) {
          panel.reveal(); // several fit, and each card has its own button
          return;
        }
        try {
          await run(session);
        } catch (error) {
          const { message } = asProblem(error, trans);
          if (!panel.isVisible) {
            Notification.error(trans.__('%1: %2', session.provider, message), {
              autoClose: false,
              actions: [{ label: trans.__('Show details'), callback: () => panel.reveal() }]
            });
          }
        }
      }
    });
  };

  const signIn = async (session: Session, options: ISignInOptions): Promise<void> => {
    const outcome = oidc.signIn(session.provider, options); // opens its window before anything is awaited
    panel.reveal();
    const summary = await outcome;
    if (summary?.user) {
      Notification.success(trans.__('Signed in at %1 as %2.', session.provider, displayNameOf(summary.user)), {
        autoClose: NOTICE_DURATION_MS
      });
    }
  };

  add(
    CommandIDs.signIn,
    {
      label: trans.__('Sign In'),
      labelAt: provider => trans.__('Sign In at %1', provider),
      caption: trans.__('Sign in at an identity provider, in a window of its own')
    },
    canSignIn,
    session => signIn(session, {})
  );

  add(
    CommandIDs.useAnotherAccount,
    {
      label: trans.__('Use Another Account'),
      labelAt: provider => trans.__('Use Another Account at %1', provider),
      caption: trans.__('Choose another account at an identity provider, in a window of its own')
    },
    session => session.summary !== null,
    session => signIn(session, { prompt: 'select_account' })
  );

  add(
    CommandIDs.signOut,
    {
      label: trans.__('Sign Out'),
      labelAt: provider => trans.__('Sign Out at %1', provider),
      caption: trans.__('Forget the session here and revoke it at the provider')
    },
    canSignOut,
    async session => {
      const { revoked, end_session_url } = await oidc.signOut(session.provider);
      const done =
        revoked === 'failed'
          ? trans.__('Signed out here. %1 could not be told; its session ends by itself.', session.provider)
          : trans.__('Signed out at %1.', session.provider);
      const text = end_session_url
        ? trans.__(
            '%1 The provider may still know this browser: on a computer that you share, sign out there too, or the next person can sign in as you without a password.',
            done
          )
        : done;
      const actions = end_session_url
        ? [
            {
              label: trans.__('Sign out at the provider'),
              caption: trans.__('Opens the sign-out page of the provider in a new tab'),
              callback: () => void window.open(end_session_url, '_blank', 'noopener,noreferrer')
            }
          ]
        : [];
      const show = revoked === 'failed' ? Notification.warning : Notification.success;
      show(text, { actions, autoClose: actions.length ? NOTICE_WITH_LINK_DURATION_MS : NOTICE_DURATION_MS });
    }
  );

  add(
    CommandIDs.refresh,
    {
      label: trans.__('Refresh Session'),
      labelAt: provider => trans.__('Refresh Session at %1', provider),
      caption: trans.__('Renew the access to the APIs now')
    },
    canRefresh,
    async session => {
      await oidc.refresh(session.provider);
    }
  );

  registry.addCommand(CommandIDs.showSession, {
    label: trans.__('Show Session'),
    caption: trans.__('Who is signed in, until when, and which APIs are open'),
    describedBy: { args },
    execute: () => panel.reveal()
  });

  registry.addCommand(CommandIDs.examine, {
    label: trans.__('Check the Set-up'),
    caption: trans.__('Examine providers, keys, network, storage and APIs, and say who can fix what'),
    isEnabled: () => oidc.sessions.length > 0,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: async () => {
      panel.reveal();
      await diagnostics.run();
    }
  });

  const apiOf = ({ api }: Args): string | null =>
    typeof api === 'string' && oidc.sessions.some(({ summary }) => summary?.apis.some(({ name }) => name === api))
      ? api
      : null;
  const codeFor = (api: string): string => exampleFor(api, apis.find(api));

  registry.addCommand(CommandIDs.copyExample, {
    label: ({ api }) => trans.__('Copy Example Cell for %1', api),
    caption: trans.__('Copy a cell that calls this API'),
    describedBy: { args: apiArgs },
    isEnabled: given => apiOf(given as Args) !== null,
    execute: given => {
      const api = apiOf(given as Args);
      if (api !== null) {
        Clipboard.copyToSystem(codeFor(api));
      }
    }
  });

  registry.addCommand(CommandIDs.insertExample, {
    label: ({ api }) => trans.__('Insert Example Cell for %1', api),
    caption: trans.__('Insert a cell that calls this API below the active one'),
    describedBy: { args: apiArgs },
    isEnabled: given => {
      const api = apiOf(given as Args);
      return api !== null && examples.obstacle(apis.find(api)) === null;
    },
    execute: async given => {
      const api = apiOf(given as Args);
      if (api !== null) {
        await examples.insert(codeFor(api));
      }
    }
  });

  oidc.changed.connect(() => Object.values(CommandIDs).forEach(id => registry.notifyCommandChanged(id)));
}

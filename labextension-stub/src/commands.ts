// The commands: sign in, sign out, show the session.

import { InputDialog, Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { showProblem, showSession } from './panel';
import type { IOidc, ISession } from './tokens';
import { mayEnter, mayLeave, personOf } from './words';

export namespace CommandIDs {
  export const signIn = 'jupyter-oidc:sign-in';
  export const signOut = 'jupyter-oidc:sign-out';
  export const showSession = 'jupyter-oidc:show-session';
}

/** Add the commands to `registry`. Each takes an optional `{provider}`; without it, the user chooses if need be. */
export function addCommands(registry: CommandRegistry, oidc: IOidc, trans: TranslationBundle): void {
  const args = {
    type: 'object' as const,
    properties: {
      provider: { type: 'string' as const, description: trans.__('Name of the provider in the settings') }
    }
  };
  const named = (provider: unknown, fits: (session: ISession) => boolean): readonly ISession[] =>
    oidc.sessions.filter(session => (provider === undefined ? fits(session) : session.provider === provider));

  const choose = async (title: string, sessions: readonly ISession[]): Promise<ISession | undefined> => {
    if (sessions.length < 2) {
      return sessions[0];
    }
    const items = sessions.map(session => session.provider);
    const { value } = await InputDialog.getItem({ title, items, label: trans.__('Provider') });
    return sessions.find(session => session.provider === value);
  };

  const signIn = async (session: ISession | undefined): Promise<void> => {
    if (!session) {
      return explain();
    }
    try {
      const summary = await oidc.signIn(session.provider); // opens its window before anything is awaited
      if (summary?.user) {
        Notification.success(trans.__('Signed in at %1 as %2.', session.provider, personOf(summary.user)), {
          autoClose: 4000
        });
      }
    } catch (problem) {
      await showProblem(trans.__('Sign-in at %1 did not work', session.provider), problem, trans);
    }
  };

  const signOut = async (session: ISession | undefined): Promise<void> => {
    if (!session) {
      return explain();
    }
    try {
      const { revoked, end_session_url } = await oidc.signOut(session.provider);
      const text =
        revoked === 'failed'
          ? trans.__('Signed out here. %1 could not be told; its session ends by itself.', session.provider)
          : trans.__('Signed out at %1.', session.provider);
      const actions = end_session_url
        ? [
            {
              label: trans.__('Also sign this browser out'),
              caption: trans.__('Opens the provider in a new tab'),
              callback: () => void window.open(end_session_url, '_blank', 'noopener,noreferrer')
            }
          ]
        : [];
      const show = revoked === 'failed' ? Notification.warning : Notification.success;
      show(text, { actions, autoClose: actions.length ? 15_000 : 4000 });
    } catch (problem) {
      await showProblem(trans.__('Sign-out at %1 did not work', session.provider), problem, trans);
    }
  };

  /** Nothing to act on: say why. */
  const explain = async (): Promise<void> => {
    if (oidc.problem) {
      await showProblem(trans.__('Sign-in is unavailable'), oidc.problem, trans);
    } else if (oidc.sessions.length === 0) {
      Notification.info(trans.__('No provider is configured. Ask your administrator to set JupyterOIDC.providers.'));
    }
  };

  registry.addCommand(CommandIDs.signIn, {
    label: ({ provider }) => (provider === undefined ? trans.__('Sign In') : trans.__('Sign In at %1', provider)),
    caption: trans.__('Sign in at an identity provider, in a window of its own'),
    describedBy: { args },
    isEnabled: ({ provider }) => oidc.problem !== null || named(provider, mayEnter).length > 0,
    execute: ({ provider }) => {
      const sessions = named(provider, mayEnter);
      // With one candidate there is no question, so the window opens inside the click.
      return sessions.length < 2 ? signIn(sessions[0]) : choose(trans.__('Sign in'), sessions).then(s => s && signIn(s));
    }
  });

  registry.addCommand(CommandIDs.signOut, {
    label: ({ provider }) => (provider === undefined ? trans.__('Sign Out') : trans.__('Sign Out at %1', provider)),
    caption: trans.__('Forget the session here and revoke it at the provider'),
    describedBy: { args },
    isEnabled: ({ provider }) => named(provider, mayLeave).length > 0,
    execute: async ({ provider }) => {
      const sessions = named(provider, mayLeave);
      const session = await choose(trans.__('Sign out'), sessions);
      if (session || sessions.length === 0) {
        await signOut(session);
      }
    }
  });

  registry.addCommand(CommandIDs.showSession, {
    label: trans.__('Show Session'),
    caption: trans.__('Who is signed in, until when, and which APIs are open'),
    describedBy: { args },
    execute: async ({ provider }) => {
      const sessions = named(provider, () => true);
      const session = await choose(trans.__('Show session'), sessions);
      if (session && (await showSession(session, trans))) {
        await (mayLeave(session) ? signOut(session) : signIn(session));
      } else if (sessions.length === 0) {
        await explain();
      }
    }
  });

  oidc.changed.connect(() => registry.notifyCommandChanged());
}

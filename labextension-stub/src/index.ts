// The plugins: the service, the panel with its commands, the status, the notices, the silent sign-in, the cards in
// notebooks. Each can be switched off by itself.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { Clipboard, ICommandPalette } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';

import { Apis } from './apis';
import { DiagnosticsModel } from './diagnostics';
import { OidcClient } from './client';
import { Clock } from './clock';
import { addCommands, CommandIDs } from './commands';
import { Examples } from './example';
import { Notices } from './notices';
import { Operations } from './operations';
import type { ISessionActions } from './panel/card';
import { SignInPanel } from './panel/panel';
import { IOidcParts } from './parts';
import { Preferences } from './preferences';
import { Oidc } from './service';
import { rendererFactory } from './sessioncard';
import { SilentSignIn, currentTab } from './silentsignin';
import { StatusItem } from './status';
import { Tabs } from './tabs';
import { IOidc } from './tokens';
import { WorkerGrants } from './workergrants';

export type { SessionSummary, SignOutResult } from './generated/contract';
export { ContractError, Problem } from './problem';
export { IOidc } from './tokens';
export type { IGate, IProblem, IRequirement, ISession, ISignInOptions } from './tokens';

const ID = '@jupyter-oidc/labextension';
const DOMAIN = 'jupyter_oidc';

const core: JupyterFrontEndPlugin<IOidcParts> = {
  id: `${ID}:core`,
  description: 'Creates the objects that the other plugins share.',
  autoStart: true,
  provides: IOidcParts,
  optional: [ISettingRegistry, ITranslator],
  activate: (app: JupyterFrontEnd, registry: ISettingRegistry | null, translator: ITranslator | null) => {
    const { languageCode } = translator ?? nullTranslator;
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const { serverSettings, events } = app.serviceManager;
    const client = new OidcClient(serverSettings, trans, languageCode);
    const clock = new Clock();
    const tabs = new Tabs(client.baseUrl);
    const oidc = new Oidc({ client, clock, tabs, events: events.stream, trans });
    const apis = new Apis(oidc, client);
    return {
      oidc,
      clock,
      silentSignIn: new SilentSignIn(client, currentTab()),
      trans,
      apis,
      operations: new Operations(client, apis, trans),
      workerGrants: new WorkerGrants(oidc, client, trans),
      diagnostics: new DiagnosticsModel(client, trans),
      examples: new Examples(app.shell, app.commands, trans),
      preferences: new Preferences(registry, `${ID}:panel`)
    };
  }
};

const service: JupyterFrontEndPlugin<IOidc> = {
  id: `${ID}:service`,
  description: 'Provides the sessions at OpenID Connect providers, for other extensions.',
  autoStart: true,
  provides: IOidc,
  requires: [IOidcParts],
  activate: (_: JupyterFrontEnd, { oidc }: IOidcParts) => oidc
};

const panel: JupyterFrontEndPlugin<void> = {
  id: `${ID}:panel`,
  description: 'Adds the sign-in panel and its commands.',
  autoStart: true,
  requires: [IOidcParts],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    parts: IOidcParts,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ) => {
    const { oidc, trans } = parts;
    const widget = new SignInPanel({
      ...parts,
      actions: {
        ...sessionActions(app, oidc),
        examine: () => void app.commands.execute(CommandIDs.examine)
      }
    });
    app.shell.add(widget, 'left', { rank: 850, type: 'Sign-in' });
    restorer?.add(widget, widget.id);
    app.shell.currentChanged?.connect(() => widget.update());
    app.commands.commandChanged.connect((_, { id }) => {
      if (widget.isVisible && (id === undefined || id.startsWith('notebook:insert-cell'))) {
        widget.update();
      }
    });

    addCommands(app.commands, {
      ...parts,
      panel: {
        get isVisible() {
          return widget.isVisible;
        },
        // NOTE: Notebook 7.2 hides a panel that is activated while it is shown.
        reveal: () => (widget.isVisible ? widget.activate() : app.shell.activateById(widget.id))
      }
    });
    const category = trans.__('Identity');
    const { signIn, useAnotherAccount, signOut, refresh, showSession, examine } = CommandIDs;
    for (const command of [signIn, useAnotherAccount, signOut, refresh, showSession, examine]) {
      palette?.addItem({ command, category });
    }
  }
};

const status: JupyterFrontEndPlugin<void> = {
  id: `${ID}:status`,
  description: 'Shows who is signed in, in the status bar or the top bar.',
  autoStart: true,
  requires: [IOidcParts],
  optional: [IStatusBar],
  activate: (app: JupyterFrontEnd, { oidc, clock, preferences, trans }: IOidcParts, bar: IStatusBar | null) => {
    const open = (): void => runCommand(app, CommandIDs.showSession);
    let shownAt = '';
    let disposables: readonly IDisposable[] = [];
    const show = (): void => {
      const chosen = preferences.choices.status;
      const next = chosen === 'hidden' ? chosen : bar && chosen !== 'top-bar' ? 'status-bar' : 'top-bar';
      if (next === shownAt) {
        return;
      }
      shownAt = next;
      disposables.forEach(one => one.dispose());
      disposables = [];
      if (shownAt !== 'hidden') {
        const item = new StatusItem(oidc, clock, preferences, open, trans);
        disposables = [item];
        if (bar && shownAt === 'status-bar') {
          disposables = [bar.registerStatusItem(status.id, { item, align: 'right', rank: 50 }), item];
        } else {
          app.shell.add(item, 'top', { rank: 900 });
        }
      }
    };
    preferences.changed.connect(show);
    show();
  }
};

const notices: JupyterFrontEndPlugin<void> = {
  id: `${ID}:notices`,
  description: 'Tells of sessions that end and providers that are out of reach, in the notification centre.',
  autoStart: true,
  requires: [IOidcParts],
  activate: (app: JupyterFrontEnd, { oidc, clock, preferences, trans }: IOidcParts) => {
    const actions = {
      signIn: (provider: string) => runCommand(app, CommandIDs.signIn, { provider }),
      show: () => runCommand(app, CommandIDs.showSession)
    };
    new Notices(oidc, clock, preferences, actions, trans);
  }
};

const silentSignIn: JupyterFrontEndPlugin<void> = {
  id: `${ID}:silent`,
  description: 'Signs in without asking when a page opens, where the settings say so.',
  autoStart: true,
  requires: [IOidcParts],
  activate: async (_: JupyterFrontEnd, { oidc, silentSignIn }: IOidcParts) => {
    if (PageConfig.getOption('oidcSilentSignIn') === 'true') {
      silentSignIn.retryAfterSession(oidc);
      await silentSignIn.attempt(); // JupyterLab shows itself when its plugins are there
    }
  }
};

const cards: JupyterFrontEndPlugin<void> = {
  id: `${ID}:cards`,
  description: 'Draws the sessions that cells return as cards that follow them.',
  autoStart: true,
  requires: [IOidcParts, IRenderMimeRegistry],
  activate: (app: JupyterFrontEnd, { oidc, clock, trans }: IOidcParts, registry: IRenderMimeRegistry) => {
    const { commands } = app;
    const showPanel = (): void => runCommand(app, CommandIDs.showSession);
    registry.addFactory(
      rendererFactory({
        oidc,
        clock,
        actions: sessionActions(app, oidc),
        showPanel: () => (commands.hasCommand(CommandIDs.showSession) ? showPanel : null),
        copy: text => Clipboard.copyToSystem(text),
        trans
      })
    );
  }
};

/** The actions of a session's buttons: the commands of the panel; a sign-in does without, if that is switched off. */
function sessionActions(app: JupyterFrontEnd, oidc: Oidc): ISessionActions {
  const runAt = (id: string) => (provider: string) => runCommand(app, id, { provider });
  const shown = (): undefined => undefined; // the card shows the failure
  return {
    signIn: provider => {
      if (app.commands.hasCommand(CommandIDs.signIn)) {
        runCommand(app, CommandIDs.signIn, { provider });
      } else {
        void oidc.signIn(provider).catch(shown);
      }
    },
    useAnotherAccount: runAt(CommandIDs.useAnotherAccount),
    cancelSignIns: provider => void oidc.cancelSignIns(provider).catch(shown),
    signOut: runAt(CommandIDs.signOut),
    refresh: runAt(CommandIDs.refresh),
    retry: () => oidc.retry()
  };
}

/** Execute a command of the panel, unless the panel plugin is disabled. */
function runCommand(app: JupyterFrontEnd, id: string, args: { provider?: string } = {}): void {
  if (app.commands.hasCommand(id)) {
    void app.commands.execute(id, args);
  }
}

export default [core, service, panel, status, notices, silentSignIn, cards];

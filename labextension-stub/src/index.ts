// The plugins: the service, the commands, the status item. Each can be switched off by itself.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { OidcClient } from './client';
import { addCommands, CommandIDs } from './commands';
import { Oidc } from './service';
import { StatusItem } from './status';
import { IOidc } from './tokens';

export { IOidc } from './tokens';
export type { IProblem, ISession } from './tokens';

const DOMAIN = 'jupyter_oidc';

const service: JupyterFrontEndPlugin<IOidc> = {
  id: '@jupyter-oidc/labextension:service',
  description: 'Provides the sessions at OpenID Connect providers.',
  autoStart: true,
  provides: IOidc,
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const client = new OidcClient(app.serviceManager.serverSettings, trans);
    return new Oidc(client, trans, app.serviceManager.events.stream);
  }
};

const commands: JupyterFrontEndPlugin<void> = {
  id: '@jupyter-oidc/labextension:commands',
  description: 'Adds the commands to sign in, sign out and show the session.',
  autoStart: true,
  requires: [IOidc],
  optional: [ICommandPalette, ITranslator],
  activate: (app: JupyterFrontEnd, oidc: IOidc, palette: ICommandPalette | null, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    addCommands(app.commands, oidc, trans);
    const category = trans.__('Identity');
    for (const command of [CommandIDs.signIn, CommandIDs.signOut, CommandIDs.showSession]) {
      palette?.addItem({ command, category });
    }
    tellOfEndings(oidc, provider => {
      Notification.warning(trans.__('Your session at %1 has ended.', provider), {
        autoClose: false,
        actions: [
          {
            label: trans.__('Sign in again'),
            displayType: 'accent',
            callback: () => void app.commands.execute(CommandIDs.signIn, { provider })
          }
        ]
      });
    });
  }
};

const status: JupyterFrontEndPlugin<void> = {
  id: '@jupyter-oidc/labextension:status',
  description: 'Shows in the status bar who is signed in.',
  autoStart: true,
  requires: [IOidc],
  optional: [IStatusBar, ITranslator],
  activate: (app: JupyterFrontEnd, oidc: IOidc, bar: IStatusBar | null, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    bar?.registerStatusItem(status.id, {
      item: new StatusItem(oidc, app.commands, trans),
      align: 'right',
      rank: 50
    });
  }
};

/** Call `tell` once for each session that the provider ends while this page is open. */
function tellOfEndings(oidc: IOidc, tell: (provider: string) => void): void {
  const states = new Map<string, string>();
  oidc.changed.connect(() => {
    for (const { provider, summary } of oidc.sessions) {
      const before = states.get(provider);
      if (summary && summary.state !== before) {
        states.set(provider, summary.state);
        if (before !== undefined && summary.state === 'signed-out-expired') {
          tell(provider);
        }
      }
    }
  });
}

export default [service, commands, status];

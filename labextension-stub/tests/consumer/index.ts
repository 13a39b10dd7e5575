// A third-party extension for the type checker: it imports the package by its name, and none of its modules.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { ContractError, IOidc } from '@jupyter-oidc/labextension';
import type { IGate, IProblem, ISession, SessionSummary } from '@jupyter-oidc/labextension';
import { SignedIn, useSession } from '@jupyter-oidc/labextension/react';
import type { ISessionState, ISignedInProps } from '@jupyter-oidc/labextension/react';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'example:orders',
  autoStart: true,
  requires: [IOidc],
  activate: (app: JupyterFrontEnd, oidc: IOidc) => {
    const gate: IGate = oidc.requires({ provider: 'corp', api: 'orders', entitlements: ['orders.write'] });
    app.commands.addCommand('example:submit', {
      label: 'Submit the order',
      isEnabled: gate.isEnabled,
      isVisible: gate.isVisible,
      execute: async () => {
        try {
          const reply: Response = await oidc.fetch('orders', 'items', { method: 'POST', body: '{}' });
          return await reply.json();
        } catch (error) {
          const { message, action } = error as IProblem;
          return error instanceof ContractError ? 'broken' : `${message} ${action}`;
        }
      }
    });
    gate.changed.connect(() => app.commands.notifyCommandChanged('example:submit'));
    const session: ISession | null = oidc.session('corp');
    session?.changed.connect(({ summary }) => {
      const state: SessionSummary['state'] | undefined = summary?.state;
      console.log(state);
    });
  }
};

/** The React parts, as an extension types them. */
export const parts: {
  readonly follow: (oidc: IOidc, provider?: string) => ISessionState;
  readonly show: (props: ISignedInProps) => unknown;
} = { follow: useSession, show: SignedIn };

export default plugin;

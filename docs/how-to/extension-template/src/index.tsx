// A JupyterLab extension with one command, which shows what the API "orders" answers to the signed-in person.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, ReactWidget } from '@jupyterlab/apputils';
import { IOidc } from '@jupyter-oidc/labextension';
import type { IProblem } from '@jupyter-oidc/labextension';
import { SignedIn } from '@jupyter-oidc/labextension/react';
import * as React from 'react';

const API = 'orders';
const PATH = 'orders';
const COMMAND = 'orders-panel:open';

/** What the API answers, or why it does not. */
function Orders({ oidc }: { oidc: IOidc }): React.ReactElement {
  const [text, setText] = React.useState('Reading…');
  React.useEffect(() => {
    const stop = new AbortController();
    const read = async (): Promise<void> => {
      try {
        const reply = await oidc.fetch(API, PATH, { signal: stop.signal });
        setText(reply.ok ? JSON.stringify(await reply.json(), null, 2) : `The API answered ${reply.status}.`);
      } catch (error) {
        if (!stop.signal.aborted) {
          const { message, action } = error as IProblem;
          setText(`${message} ${action}`);
        }
      }
    };
    void read();
    return () => stop.abort();
  }, [oidc]);
  return <pre>{text}</pre>;
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'orders-panel:plugin',
  description: 'Shows the orders of the signed-in person.',
  autoStart: true,
  requires: [IOidc],
  optional: [ICommandPalette],
  activate: (app: JupyterFrontEnd, oidc: IOidc, palette: ICommandPalette | null) => {
    app.commands.addCommand(COMMAND, {
      label: 'Show My Orders',
      execute: () => {
        const content = ReactWidget.create(
          <SignedIn oidc={oidc} api={API}>
            <Orders oidc={oidc} />
          </SignedIn>
        );
        content.addClass('orders-panel');
        const widget = new MainAreaWidget({ content });
        widget.title.label = 'Orders';
        app.shell.add(widget, 'main');
      }
    });
    palette?.addItem({ command: COMMAND, category: 'Orders' });
  }
};

export default plugin;

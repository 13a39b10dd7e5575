// An example cell that calls an API with the kernel helper, for the current notebook.

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { DocumentWidget } from '@jupyterlab/docregistry';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { Api } from './apis';

// JupyterLab's own commands, so that the notebook itself is not a dependency of this extension.
const INSERT_BELOW_COMMAND = 'notebook:insert-cell-below';
const TO_CODE_COMMAND = 'notebook:change-cell-to-code';
const REPLACE_SELECTION_COMMAND = 'notebook:replace-selection';

/** The source of the cell for an API, with the example of its settings where they name one. */
export function exampleFor(
  api: string,
  { methods, example }: Partial<Pick<Api, 'methods' | 'example'>> = {}
): string {
  return cellWith(api, methods ?? ['GET'], example ?? null);
}

function cellWith(api: string, methods: readonly string[], example: string | null): string {
  const method = methods.includes('GET') || methods.length === 0 ? 'GET' : methods[0];
  const path = method === 'GET' && example !== null ? JSON.stringify(example) : '""';
  const call = method === 'GET' ? `get(${path})` : `request("${method}", "")`;
  return [
    'import jupyter_oidc as oidc',
    '',
    `reply = oidc.api("${api}").${call}${path === '""' ? "  # a path below the API's address" : ''}`,
    'reply.raise_for_status()',
    'reply.text'
  ].join('\n');
}

/** Inserts example cells into the current notebook. */
export class Examples {
  constructor(
    private readonly shell: JupyterFrontEnd.IShell,
    private readonly commands: CommandRegistry,
    private readonly trans: TranslationBundle
  ) {}

  /** Insert a cell below the active one of the current notebook; only where `obstacle` is `null`. */
  async insert(code: string): Promise<void> {
    await this.commands.execute(INSERT_BELOW_COMMAND);
    await this.commands.execute(TO_CODE_COMMAND);
    await new Promise(resolve => requestAnimationFrame(resolve)); // the new cell gets its editor when it is drawn
    await this.commands.execute(REPLACE_SELECTION_COMMAND, { text: code });
  }

  /** Why a cell cannot be inserted now, as a sentence; `null` if it can. */
  obstacle(api?: Api): string | null {
    if (api && !api.callers.includes('kernel')) {
      return this.trans.__('The settings open %1 to pages only, not to notebooks.', api.name);
    }
    if (!this.commands.hasCommand(INSERT_BELOW_COMMAND) || !this.commands.isEnabled(INSERT_BELOW_COMMAND)) {
      return this.trans.__('Open a notebook to insert an example cell.');
    }
    const current = this.shell.currentWidget;
    const language = current instanceof DocumentWidget ? current.context.model.defaultKernelLanguage : '';
    return language && !language.toLowerCase().includes('python')
      ? this.trans.__('The example is Python, and this notebook is not.')
      : null;
  }
}

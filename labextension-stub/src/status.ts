// The status item: one button for each provider, which says who is signed in and does the next sensible thing.

import type { TranslationBundle } from '@jupyterlab/translation';
import { userIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';

import { CommandIDs } from './commands';
import type { IOidc } from './tokens';
import { mayEnter, wordsFor } from './words';

export class StatusItem extends Widget {
  constructor(
    private readonly oidc: IOidc,
    private readonly commands: CommandRegistry,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-oidc-status');
    this.node.setAttribute('role', 'group');
    this.node.setAttribute('aria-label', trans.__('Sign-in'));
    oidc.changed.connect(this.render, this);
    this.render();
  }

  private render(): void {
    const { sessions, problem } = this.oidc;
    const items = sessions.map(session => {
      const words = wordsFor(session, sessions.length > 1, this.trans);
      const id = mayEnter(session) ? CommandIDs.signIn : CommandIDs.showSession;
      return { ...words, click: () => this.run(id, session.provider) };
    });
    if (problem) {
      const long = `${problem.message} ${problem.action}`;
      const short = this.trans.__('Sign-in unavailable');
      items.push({ short, long, mood: 'off', click: () => this.run(CommandIDs.showSession) });
    }
    const focused = [...this.node.children].findIndex(node => node === document.activeElement);
    this.node.replaceChildren(...items.map(item => Private.button(item)));
    (this.node.children[focused] as HTMLElement | undefined)?.focus();
  }

  private run(id: string, provider?: string): void {
    void this.commands.execute(id, provider === undefined ? {} : { provider });
  }
}

namespace Private {
  export function button(item: { short: string; long: string; mood: string; click: () => void }): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'jp-oidc-status-item';
    button.dataset.mood = item.mood;
    button.title = item.long;
    button.setAttribute('aria-label', item.long);
    button.addEventListener('click', item.click);
    userIcon.element({ container: button, tag: 'span', elementPosition: 'center', height: '14px', width: '14px' });
    const text = document.createElement('span');
    text.textContent = item.short;
    text.setAttribute('aria-live', 'polite');
    button.appendChild(text);
    return button;
  }
}

// A sign-in in a window of its own: opened inside the click, sent to the provider afterwards.
//
// How it ended is asked of the server, never read from the window: the provider's pages may cut the tie to it.

import { Dialog, Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import type { OidcClient } from './client';
import { Problem } from './client';
import type { SignInProgress } from './generated/contract';

const WAIT = 10; // seconds that the server may hold one question
const SIZE = 'popup,width=520,height=720';

/** What the user asked for while the sign-in was under way. */
type Wish = 'cancel' | 'link';

/** One attempt to sign in at a provider. */
export class SignInWindow {
  /** Opens the window at once, so construct it inside the click. */
  constructor(
    private readonly provider: string,
    private readonly client: OidcClient,
    private readonly trans: TranslationBundle
  ) {
    this.popup = window.open('', '', SIZE);
    if (this.popup) {
      Private.fill(this.popup.document, trans.__('Opening the sign-in page…'));
    }
  }

  /** Walk through the sign-in. Resolves to whether the user is signed in; rejects with a `Problem`. */
  async run(): Promise<boolean> {
    const note = this.announce();
    try {
      for (;;) {
        const wished = new Promise<Wish>(resolve => {
          this.wish = resolve;
        });
        const started = await this.client.beginSignIn(this.provider);
        this.show(this.client.startAddress(started));
        const end = await this.watch(started.flow, wished);
        if (end === 'completed') {
          return true;
        }
        // The server forgets an attempt after ten minutes by itself; telling it now is only tidier.
        void this.client.cancelSignIn(this.provider, started.flow).catch(() => undefined);
        if (end === 'cancel') {
          return false;
        }
        this.close(); // the link begins anew, since the start of an attempt works once
      }
    } finally {
      this.close();
      Notification.dismiss(note);
    }
  }

  cancel(): void {
    this.wish('cancel');
  }

  private async watch(flow: string, wished: Promise<Wish>): Promise<Wish | 'completed'> {
    for (;;) {
      const news = await Promise.race([this.client.progress(this.provider, flow, WAIT), wished]);
      if (typeof news === 'string') {
        return news;
      }
      switch (news.state) {
        case 'waiting':
          break;
        case 'completed':
          return 'completed';
        case 'cancelled':
          return 'cancel';
        case 'failed':
        case 'expired':
          throw this.failure(news.error);
      }
    }
  }

  private show(address: string): void {
    if (this.popup && !this.popup.closed) {
      this.popup.opener = null; // from here on neither side has a hold on the other
      this.popup.location.replace(address);
      this.popup = null;
    } else {
      void this.offer(address);
    }
  }

  /** Say that a sign-in is under way, with the two things a user may want to do about it. */
  private announce(): string {
    const text = this.trans.__('Signing in at %1: finish it in the other window.', this.provider);
    return Notification.emit(text, 'in-progress', {
      autoClose: false,
      actions: [
        {
          label: this.trans.__('Use a link'),
          callback: event => {
            event.preventDefault(); // the notification stays
            this.wish('link');
          }
        },
        { label: this.trans.__('Cancel'), callback: () => this.cancel() }
      ]
    });
  }

  /** Show a plain link, for browsers that block windows. */
  private async offer(address: string): Promise<void> {
    const dialog = new Dialog({
      title: this.trans.__('Sign in at %1', this.provider),
      body: Private.linkTo(
        address,
        this.trans.__('Your sign-in page opens in a new tab. Come back here when you are done.'),
        this.trans.__('Open the sign-in page'),
        () => dialog.reject()
      ),
      buttons: [Dialog.cancelButton({ label: this.trans.__('Close') })]
    });
    this.link = dialog;
    await dialog.launch();
  }

  private close(): void {
    this.popup?.close();
    this.popup = null;
    this.link?.dispose();
    this.link = null;
  }

  private failure(error: SignInProgress['error']): Problem {
    return error
      ? new Problem(error.code, error.message, error.action, error.retryable)
      : new Problem(
          'sign_in_cancelled',
          this.trans.__('The sign-in was not finished in time.'),
          this.trans.__('Sign in again.'),
          true
        );
  }

  private popup: Window | null;
  private link: Dialog<unknown> | null = null;
  private wish: (wish: Wish) => void = () => undefined;
}

namespace Private {
  export function fill(document: Document, text: string): void {
    document.title = text;
    document.body.style.cssText = 'font: 16px system-ui, sans-serif; display: grid; place-items: center; height: 90vh';
    document.body.textContent = text;
  }

  export function linkTo(address: string, text: string, label: string, clicked: () => void): Widget {
    const node = document.createElement('div');
    node.appendChild(document.createElement('p')).textContent = text;
    const link = node.appendChild(document.createElement('a'));
    link.href = address;
    link.target = '_blank';
    link.rel = 'noopener noreferrer';
    link.textContent = label;
    link.className = 'jp-oidc-link';
    link.addEventListener('click', () => window.setTimeout(clicked)); // it works once
    return new Widget({ node });
  }
}

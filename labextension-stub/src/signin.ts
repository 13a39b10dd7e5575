// One attempt to sign in at a provider, from the click to the end.
//
// How it ended is asked of the server, never read from a window: the provider's pages may cut the tie to it.

import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { OidcClient } from './client';
import type { SignInStarted } from './generated/contract';
import { Popup } from './popup';
import { asProblem, Problem } from './problem';
import type { ISignInSurface } from './surface';
import { surfaceFor } from './surface';

const WAIT = 10; // seconds that the server may hold one question
const PAUSE = 2_000; // milliseconds before a question is asked again that got no answer

/** What the person asked for while the sign-in was under way. */
type Wish = 'cancel' | 'use-link';

export class SignIn {
  /** Opens the window at once, so construct it inside the click. */
  constructor(
    private readonly provider: string,
    private readonly client: OidcClient,
    private readonly trans: TranslationBundle
  ) {
    this.popup = new Popup(trans.__('Opening the sign-in page…'));
  }

  /** Emitted when `link` has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The address to offer as a link; `null` while a window shows the page. */
  get link(): string | null {
    return this.surface?.link ?? null;
  }

  /** Walk through the sign-in. Resolves to whether the person is signed in; rejects with a `Problem`. */
  async run(): Promise<boolean> {
    try {
      for (;;) {
        const wished = new Promise<Wish>(resolve => {
          this.wish = resolve;
        });
        if (this.cancelled) {
          return false;
        }
        const started = await this.client.beginSignIn(this.provider);
        const end = await this.put(started, wished);
        if (end === 'completed') {
          return true;
        }
        await this.forget(started);
        this.surface?.close();
        if (end === 'cancel') {
          return false;
        }
        this.popup = new Popup('', false); // the link begins anew, since the start of an attempt works once
      }
    } finally {
      this.surface?.close();
      this.popup.close();
      Signal.clearData(this);
    }
  }

  cancel(): void {
    this.cancelled = true;
    this.wish('cancel');
  }

  /** Give up the window and offer a link instead. */
  useLink(): void {
    this.wish('use-link');
  }

  /** The link was clicked: from now on the page is in another tab. */
  followed(): void {
    this.surface?.followed();
    this._changed.emit();
  }

  /** Put what has begun before the person, and wait for the end. */
  private async put(started: SignInStarted, wished: Promise<Wish>): Promise<Wish | 'completed'> {
    try {
      this.surface = surfaceFor({ started, popup: this.popup, client: this.client }, this.trans);
    } catch (error) {
      await this.forget(started);
      throw error;
    }
    this._changed.emit();
    return this.watch(started, wished);
  }

  /** Tell the server, which forgets an attempt by itself after ten minutes, that nobody waits for this one. */
  private async forget({ flow }: SignInStarted): Promise<void> {
    await this.client.cancelSignIn(this.provider, flow).catch(() => undefined);
  }

  private async watch(started: SignInStarted, wished: Promise<Wish>): Promise<Wish | 'completed'> {
    let misses = Math.ceil((started.expires_in * 1000) / PAUSE); // so that a dead server ends it, too
    for (;;) {
      const news = await Promise.race([this.ask(started.flow), wished]);
      if (typeof news === 'string') {
        return news;
      }
      if (news instanceof Problem) {
        if (!news.retryable || misses-- <= 0) {
          throw news;
        }
        await Promise.race([new Promise(resolve => setTimeout(resolve, PAUSE)), wished]);
        continue;
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
          throw news.error ? Problem.of(news.error) : this.late();
      }
    }
  }

  private async ask(flow: string): Promise<Awaited<ReturnType<OidcClient['progress']>> | Problem> {
    try {
      return await this.client.progress(this.provider, flow, WAIT);
    } catch (error) {
      return asProblem(error, this.trans);
    }
  }

  private late(): Problem {
    return new Problem(
      'sign_in_cancelled',
      this.trans.__('The sign-in was not finished in time.'),
      this.trans.__('Sign in again.'),
      true
    );
  }

  private popup: Popup;
  private surface: ISignInSurface | null = null;
  private cancelled = false;
  private wish: (wish: Wish) => void = () => undefined;
  private readonly _changed = new Signal<this, void>(this);
}

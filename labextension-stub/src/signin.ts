// One attempt to sign in at a provider, from the click to the end.
//
// How it ended is asked of the server, never read from a window: the provider's pages may cut the tie to it.

import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { OidcClient } from './client';
import type { IClock } from './clock';
import type { SignInStarted } from './generated/contract';
import type { Invitation } from './invitation';
import { followed, invitationTo } from './invitation';
import { Popup } from './popup';
import { asProblem, Problem } from './problem';
import type { IProblem } from './tokens';

const WAIT = 10; // seconds that the server may hold one question
const PAUSE = 2_000; // milliseconds before a question is asked again that got no answer

/** What the person asked for while the sign-in was under way. */
type Wish = 'cancel' | 'use-link';

export class SignIn {
  /** Opens the window at once, so construct it inside the click. */
  constructor(
    private readonly provider: string,
    private readonly client: OidcClient,
    private readonly clock: IClock,
    private readonly trans: TranslationBundle
  ) {
    this.popup = new Popup(trans.__('Opening the sign-in page…'));
  }

  /** Emitted when something about it has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What the person is invited to do. */
  get invitation(): Invitation {
    return this._invitation;
  }

  /** Whether an address that was handed in is being judged. */
  get judging(): boolean {
    return this._judging;
  }

  /** Why the address that was handed in last is not the one; `null` if none was, or it was. */
  get refusal(): IProblem | null {
    return this._refusal;
  }

  /** Seconds until the invitation runs out. */
  secondsLeft(): number {
    return Math.max(0, Math.floor((this.endsAt - this.clock.now()) / 1000));
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
        if (end === 'cancel') {
          return false;
        }
        this.popup = new Popup('', false); // the link begins anew, since the start of an attempt works once
      }
    } finally {
      this.popup.close();
      Signal.clearData(this);
    }
  }

  cancel(): void {
    this.cancelled = true;
    this.wish('cancel');
  }

  /** Begin anew, with a link instead of a window. */
  useLink(): void {
    this.wish('use-link');
  }

  /** The link was clicked: from now on the page is in another tab. */
  followed(): void {
    this.invite(followed(this._invitation));
  }

  /** Hand in the address at which the provider left the browser. `refusal` says if it is not the one. */
  async handIn(address: string): Promise<void> {
    if (this._judging || !this.flow) {
      return;
    }
    this._judging = true;
    this.invite(this._invitation);
    try {
      await this.client.completeSignIn(this.provider, this.flow, address);
    } catch (error) {
      this._refusal = asProblem(error, this.trans);
    } finally {
      this._judging = false;
      this._changed.emit();
    }
  }

  /** Put what has begun before the person, and wait for the end. */
  private async put(started: SignInStarted, wished: Promise<Wish>): Promise<Wish | 'completed'> {
    this.flow = started.flow;
    this.endsAt = this.clock.now() + started.expires_in * 1000;
    try {
      this.invite(invitationTo({ started, popup: this.popup, client: this.client }, this.trans));
    } catch (error) {
      await this.forget(started);
      throw error;
    }
    return this.watch(started, wished);
  }

  private invite(invitation: Invitation): void {
    this._invitation = invitation;
    this._refusal = null;
    this._changed.emit();
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
  private flow = '';
  private endsAt = 0; // by our clock, in milliseconds
  private _invitation: Invitation = { kind: 'window' };
  private _judging = false;
  private _refusal: IProblem | null = null;
  private cancelled = false;
  private wish: (wish: Wish) => void = () => undefined;
  private readonly _changed = new Signal<this, void>(this);
}

// One attempt to sign in at a provider, from the click to the end.
//
// How it ended is asked of the server, never read from a window: the provider's pages may cut the tie to it.

import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { OidcClient } from './client';
import type { IClock } from './clock';
import type { SignInStarted } from './generated/contract';
import type { SignInStep } from './signinstep';
import { afterLinkFollowed, stepFor } from './signinstep';
import { Popup } from './popup';
import { asProblem, Problem } from './problem';
import type { IProblem, ISignInOptions } from './tokens';

const PROGRESS_WAIT_SECONDS = 10; // the server may hold one progress request this long
const RETRY_DELAY_MS = 2_000; // before a failed progress request is repeated

/** A request of the user that interrupts the sign-in. */
type Interruption = 'cancel' | 'use-link';

export class SignIn {
  /** Opens the window at once, so construct it inside the click. */
  constructor(
    private readonly provider: string,
    private readonly client: OidcClient,
    private readonly clock: IClock,
    private readonly trans: TranslationBundle,
    private readonly options: ISignInOptions = {}
  ) {
    this.popup = new Popup(trans.__('Opening the sign-in page…'));
  }

  /** Emitted when something about it has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The step that the user takes next. */
  get step(): SignInStep {
    return this._step;
  }

  /** Whether the server checks a submitted address right now. */
  get submitting(): boolean {
    return this._submitting;
  }

  /** Why the server refused the last submitted address; `null` if it did not. */
  get addressProblem(): IProblem | null {
    return this._addressProblem;
  }

  /** Seconds until the sign-in expires. */
  secondsLeft(): number {
    return Math.max(0, Math.floor((this.expiresAt - this.clock.now()) / 1000));
  }

  /** Walk through the sign-in. Resolves to whether the person is signed in; rejects with a `Problem`. */
  async run(): Promise<boolean> {
    try {
      for (;;) {
        const interrupted = new Promise<Interruption>(resolve => {
          this.interrupt = resolve;
        });
        if (this.cancelled) {
          return false;
        }
        const started = await this.begin();
        const end = await this.showAndWatch(started, interrupted);
        if (end === 'completed') {
          return true;
        }
        await this.cancelAtServer(started);
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
    this.interrupt('cancel');
  }

  /** Begin anew, with a link instead of a window. */
  useLink(): void {
    this.interrupt('use-link');
  }

  /** The link was clicked: from now on the page is in another tab. */
  linkFollowed(): void {
    this.setStep(afterLinkFollowed(this._step));
  }

  /** Submit the address at which the provider left the browser. `addressProblem` says why it was refused. */
  async submitAddress(address: string): Promise<void> {
    if (this._submitting || !this.flow) {
      return;
    }
    this._submitting = true;
    this.setStep(this._step);
    try {
      await this.client.completeSignIn(this.provider, this.flow, address);
    } catch (error) {
      this._addressProblem = asProblem(error, this.trans);
    } finally {
      this._submitting = false;
      this._changed.emit();
    }
  }

  /** Begin at the server; a provider that offers no choice of accounts is asked for the password of any. */
  private async begin(): Promise<SignInStarted> {
    try {
      return await this.client.beginSignIn(this.provider, this.options);
    } catch (error) {
      if (this.options.prompt !== 'select_account' || asProblem(error, this.trans).code !== 'request_invalid') {
        throw error;
      }
      return this.client.beginSignIn(this.provider, { ...this.options, prompt: 'login' });
    }
  }

  /** Show the step of `started`, and wait for the end. */
  private async showAndWatch(
    started: SignInStarted,
    interrupted: Promise<Interruption>
  ): Promise<Interruption | 'completed'> {
    this.flow = started.flow;
    this.expiresAt = this.clock.now() + started.expires_in * 1000;
    try {
      this.setStep(stepFor({ started, popup: this.popup, client: this.client }, this.trans));
    } catch (error) {
      await this.cancelAtServer(started);
      throw error;
    }
    return this.pollUntilEnd(started, interrupted);
  }

  private setStep(step: SignInStep): void {
    this._step = step;
    this._addressProblem = null;
    this._changed.emit();
  }

  /** Cancel this attempt at the server, which otherwise drops it after ten minutes. */
  private async cancelAtServer({ flow }: SignInStarted): Promise<void> {
    await this.client.cancelSignIn(this.provider, flow).catch(() => undefined);
  }

  private async pollUntilEnd(
    started: SignInStarted,
    interrupted: Promise<Interruption>
  ): Promise<Interruption | 'completed'> {
    let retriesLeft = Math.ceil((started.expires_in * 1000) / RETRY_DELAY_MS); // so that a dead server ends it, too
    for (;;) {
      const progress = await Promise.race([this.readProgress(started.flow), interrupted]);
      if (typeof progress === 'string') {
        return progress;
      }
      if (progress instanceof Problem) {
        if (!progress.retryable || retriesLeft-- <= 0) {
          throw progress;
        }
        await Promise.race([new Promise(resolve => setTimeout(resolve, RETRY_DELAY_MS)), interrupted]);
        continue;
      }
      switch (progress.state) {
        case 'waiting':
          break;
        case 'completed':
          return 'completed';
        case 'cancelled':
          return 'cancel';
        case 'other': // a state of a newer server, which goes on until it says why it does not
          if (!progress.error && progress.expires_in > 0) {
            await Promise.race([new Promise(resolve => setTimeout(resolve, RETRY_DELAY_MS)), interrupted]);
            break; // the server did not hold the answer back
          }
          throw progress.error ? Problem.of(progress.error) : this.expiredProblem();
        case 'failed':
        case 'expired':
          throw progress.error ? Problem.of(progress.error) : this.expiredProblem();
      }
    }
  }

  private async readProgress(flow: string): Promise<Awaited<ReturnType<OidcClient['progress']>> | Problem> {
    try {
      return await this.client.progress(this.provider, flow, PROGRESS_WAIT_SECONDS);
    } catch (error) {
      return asProblem(error, this.trans);
    }
  }

  private expiredProblem(): Problem {
    return new Problem(
      'sign_in_cancelled',
      this.trans.__('The sign-in was not finished in time.'),
      this.trans.__('Sign in again.'),
      true
    );
  }

  private popup: Popup;
  private flow = '';
  private expiresAt = 0; // by our clock, in milliseconds
  private _step: SignInStep = { kind: 'window' };
  private _submitting = false;
  private _addressProblem: IProblem | null = null;
  private cancelled = false;
  private interrupt: (interruption: Interruption) => void = () => undefined;
  private readonly _changed = new Signal<this, void>(this);
}

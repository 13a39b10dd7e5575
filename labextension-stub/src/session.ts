// One session, followed: read at the start, on every hint, when the page is shown again, and now and then.
//
// The server's events and the other tabs say *that* something changed and are believed no further. A page that is
// hidden asks nothing and catches up when it is shown. No request is held open for this: a browser has six
// connections per host, and notebooks need them.

import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { Poll, Throttler } from '@lumino/polling';
import { Signal } from '@lumino/signaling';

import type { OidcClient } from './client';
import type { IClock } from './clock';
import type { SessionSummary, SignOutResult } from './generated/contract';
import type { Problem } from './problem';
import { asProblem } from './problem';
import { SignIn } from './signin';
import type { IProblem, ISession, ISignInOptions } from './tokens';
import type { ISessionView } from './words';

const POLL_INTERVAL_MS = 30_000; // between readings without a hint
const MAX_POLL_INTERVAL_MS = 300_000; // after failures
const CATCH_UP_TIMEOUT_MS = 2_000; // the end of a sign-in waits this long for a reading
const MIN_READ_INTERVAL_MS = 500; // hints that come faster than this are one hint

/** A request of the user to the server. */
type Request = 'refresh' | 'sign-out' | 'cancel';

export class Session implements ISession, IDisposable {
  constructor(
    readonly provider: string,
    private readonly client: OidcClient,
    private readonly clock: IClock,
    private readonly trans: TranslationBundle
  ) {
    this.poll = new Poll({
      factory: () => this.read(),
      frequency: { interval: POLL_INTERVAL_MS, backoff: true, max: MAX_POLL_INTERVAL_MS },
      standby: 'when-hidden',
      linger: 0,
      name: `jupyter-oidc:session:${provider}`
    });
    this.readThrottler = new Throttler(() => this.poll.refresh(), { limit: MIN_READ_INTERVAL_MS, edge: 'trailing' });
    document.addEventListener('visibilitychange', this.onVisibilityChange);
  }

  get summary(): SessionSummary | null {
    return this._summary;
  }

  get problem(): IProblem | null {
    return this._problem;
  }

  /** Why the last request of the user failed; `null` after one that succeeded. */
  get failure(): IProblem | null {
    return this._failure;
  }

  /** This page's own sign-in, while it is under way. */
  get attempt(): SignIn | null {
    return this._attempt;
  }

  /** The request to the server that is under way. */
  get busy(): Request | null {
    return this._busy;
  }

  get changed(): Signal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this.poll.isDisposed;
  }

  /** The values that `wordsFor` puts into words. */
  get view(): ISessionView {
    return {
      provider: this.provider,
      summary: this._summary,
      left: this.secondsLeft(),
      problem: this._problem,
      step: this._attempt?.step ?? null
    };
  }

  secondsLeft(): number | null {
    // NOTE: counted from the arrival of the reply, because this machine's clock may differ from the server's.
    const left = this._summary?.expires_in ?? null;
    return left === null ? null : Math.max(0, Math.floor(left - (this.clock.now() - this.readAt) / 1000));
  }

  readAgain(): void {
    if (!this.isDisposed) {
      void this.readThrottler.invoke();
    }
  }

  /** Sign in; opens its window before anything is awaited. */
  async signIn(options: ISignInOptions = {}): Promise<SessionSummary | null> {
    const attempt = new SignIn(this.provider, this.client, this.clock, this.trans, options);
    this._attempt?.cancel();
    this._attempt = attempt;
    attempt.changed.connect(() => this._changed.emit());
    this.setFailure(null);
    try {
      if (!(await attempt.run())) {
        await this.catchUp();
        return null;
      }
      const summary = await this.client.session(this.provider);
      this.accept(summary);
      return summary;
    } catch (error) {
      await this.catchUp();
      throw this._attempt === attempt ? this.fail(error) : asProblem(error, this.trans); // another may have begun
    } finally {
      if (this._attempt === attempt) {
        this._attempt = null;
      }
      this._changed.emit();
      this.readAgain();
    }
  }

  signOut(): Promise<SignOutResult> {
    this._attempt?.cancel();
    return this.withBusy('sign-out', () => this.client.signOut(this.provider));
  }

  /** Cancel the sign-ins under way, whatever began them. */
  cancelSignIns(): Promise<SessionSummary> {
    return this.withBusy('cancel', async () => {
      const summary = await this.client.cancelSignIns(this.provider);
      this.accept(summary);
      return summary;
    });
  }

  refresh(): Promise<SessionSummary> {
    return this.withBusy('refresh', async () => {
      const summary = await this.client.refresh(this.provider);
      this.accept(summary);
      return summary;
    });
  }

  /** Set or clear the failure of the last request of the user. */
  setFailure(failure: IProblem | null): void {
    this._failure = failure;
    this._changed.emit();
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._attempt?.cancel();
    document.removeEventListener('visibilitychange', this.onVisibilityChange);
    this.readThrottler.dispose();
    this.poll.dispose();
    Signal.clearData(this);
  }

  private async withBusy<T>(busy: Request, ask: () => Promise<T>): Promise<T> {
    this._busy = busy;
    this.setFailure(null);
    try {
      return await ask();
    } catch (error) {
      throw this.fail(error);
    } finally {
      this._busy = null;
      this._changed.emit();
      this.readAgain();
    }
  }

  private fail(error: unknown): Problem {
    const problem = asProblem(error, this.trans);
    this.setFailure(problem);
    return problem;
  }

  /** Read the summary, at most `CATCH_UP_TIMEOUT_MS` long, so that it no longer says `signing-in` when this sign-in is over. */
  private async catchUp(): Promise<void> {
    const read = this.client.session(this.provider).then(
      summary => this.accept(summary),
      () => undefined // the poll tells of it
    );
    await Promise.race([read, new Promise(resolve => setTimeout(resolve, CATCH_UP_TIMEOUT_MS))]);
  }

  private async read(): Promise<void> {
    try {
      this.accept(await this.client.session(this.provider));
    } catch (error) {
      const problem = asProblem(error, this.trans);
      const same = problem.code === this._problem?.code;
      this._problem = problem;
      if (!same && !this.isDisposed) {
        this._changed.emit();
      }
      throw error;
    }
  }

  private accept(summary: SessionSummary): void {
    const before = this._summary;
    const same = summary.sequence === before?.sequence && summary.state === before.state && !this._problem;
    this._summary = summary;
    this._problem = null;
    this.readAt = this.clock.now();
    if (!same && !this.isDisposed) {
      if (summary.state === 'active' && before?.state !== 'active') {
        this._failure = null;
      }
      this._changed.emit();
    }
  }

  private readonly onVisibilityChange = (): void => {
    if (!document.hidden) {
      this.readAgain();
    }
  };

  private readonly poll: Poll<void>;
  private readonly readThrottler: Throttler;
  private readonly _changed = new Signal<this, void>(this);
  private readAt = 0;
  private _summary: SessionSummary | null = null;
  private _problem: IProblem | null = null;
  private _failure: IProblem | null = null;
  private _attempt: SignIn | null = null;
  private _busy: Request | null = null;
}

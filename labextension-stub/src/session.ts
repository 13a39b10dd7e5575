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
import type { IProblem, ISession } from './tokens';
import type { IScene } from './words';

const EVERY = 30_000; // milliseconds between readings without a hint
const SELDOM = 300_000; // the longest pause after failures
const PATIENCE = 2_000; // milliseconds that the end of a sign-in waits for a reading
const SHORTEST = 500; // hints that come faster than this are one hint

export class Session implements ISession, IDisposable {
  constructor(
    readonly provider: string,
    private readonly client: OidcClient,
    private readonly clock: IClock,
    private readonly trans: TranslationBundle
  ) {
    this.poll = new Poll({
      factory: () => this.read(),
      frequency: { interval: EVERY, backoff: true, max: SELDOM },
      standby: 'when-hidden',
      linger: 0,
      name: `jupyter-oidc:session:${provider}`
    });
    this.hints = new Throttler(() => this.poll.refresh(), { limit: SHORTEST, edge: 'trailing' });
    document.addEventListener('visibilitychange', this.onShown);
  }

  get summary(): SessionSummary | null {
    return this._summary;
  }

  get problem(): IProblem | null {
    return this._problem;
  }

  /** Why the last thing that the person asked for did not work; `null` after one that did. */
  get failure(): IProblem | null {
    return this._failure;
  }

  /** This page's own sign-in, while it is under way. */
  get attempt(): SignIn | null {
    return this._attempt;
  }

  /** What the server is being asked to do right now. */
  get busy(): 'refresh' | 'sign-out' | null {
    return this._busy;
  }

  get changed(): Signal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this.poll.isDisposed;
  }

  /** What the words are made of. */
  get scene(): IScene {
    return {
      provider: this.provider,
      summary: this._summary,
      left: this.secondsLeft(),
      problem: this._problem,
      attempt: this._attempt?.invitation ?? null
    };
  }

  secondsLeft(): number | null {
    // NOTE: counted from the arrival of the reply, because this machine's clock may differ from the server's.
    const left = this._summary?.expires_in ?? null;
    return left === null ? null : Math.max(0, Math.floor(left - (this.clock.now() - this.readAt) / 1000));
  }

  readAgain(): void {
    if (!this.isDisposed) {
      void this.hints.invoke();
    }
  }

  /** Sign in; opens its window before anything is awaited. */
  async signIn(): Promise<SessionSummary | null> {
    const attempt = new SignIn(this.provider, this.client, this.clock, this.trans);
    this._attempt?.cancel();
    this._attempt = attempt;
    attempt.changed.connect(() => this._changed.emit());
    this.settle(null);
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
    return this.act('sign-out', () => this.client.signOut(this.provider));
  }

  refresh(): Promise<SessionSummary> {
    return this.act('refresh', async () => {
      const summary = await this.client.refresh(this.provider);
      this.accept(summary);
      return summary;
    });
  }

  /** Forget why the last thing did not work. */
  settle(failure: IProblem | null): void {
    this._failure = failure;
    this._changed.emit();
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._attempt?.cancel();
    document.removeEventListener('visibilitychange', this.onShown);
    this.hints.dispose();
    this.poll.dispose();
    Signal.clearData(this);
  }

  private async act<T>(busy: 'refresh' | 'sign-out', ask: () => Promise<T>): Promise<T> {
    this._busy = busy;
    this.settle(null);
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
    this.settle(problem);
    return problem;
  }

  /** Read what became of the session, so that no sign-in is under way in words when this one is over; not for long. */
  private async catchUp(): Promise<void> {
    const read = this.client.session(this.provider).then(
      summary => this.accept(summary),
      () => undefined // the poll tells of it
    );
    await Promise.race([read, new Promise(resolve => setTimeout(resolve, PATIENCE))]);
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

  private readonly onShown = (): void => {
    if (!document.hidden) {
      this.readAgain();
    }
  };

  private readonly poll: Poll<void>;
  private readonly hints: Throttler;
  private readonly _changed = new Signal<this, void>(this);
  private readAt = 0;
  private _summary: SessionSummary | null = null;
  private _problem: IProblem | null = null;
  private _failure: IProblem | null = null;
  private _attempt: SignIn | null = null;
  private _busy: 'refresh' | 'sign-out' | null = null;
}

// One session, followed: read at the start, on every hint, when the page is shown again, and now and then.
//
// The server's events say *that* something changed and are believed no further, since any authenticated client
// can emit one. No request is held open for this: a browser has six connections per host, and notebooks need them.

import { Poll, Throttler } from '@lumino/polling';
import { Signal } from '@lumino/signaling';

import type { OidcClient } from './client';
import { Problem } from './client';
import type { SessionSummary } from './generated/contract';
import type { IProblem, ISession } from './tokens';

const EVERY = 30_000; // milliseconds between readings without a hint
const SELDOM = 300_000; // the longest pause after failures
const SHORTEST = 500; // hints that come faster than this are one hint

export class Session implements ISession {
  constructor(
    readonly provider: string,
    private readonly client: OidcClient
  ) {
    this.poll = new Poll({
      factory: () => this.read(),
      frequency: { interval: EVERY, backoff: true, max: SELDOM },
      standby: 'when-hidden',
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

  get changed(): Signal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this.poll.isDisposed;
  }

  secondsLeft(): number | null {
    const end = this._summary?.access_expires_at;
    return end ? Math.max(0, Math.round((Date.parse(end) - Date.now()) / 1000)) : null;
  }

  refresh(): void {
    if (!this.isDisposed) {
      void this.hints.invoke();
    }
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    document.removeEventListener('visibilitychange', this.onShown);
    this.hints.dispose();
    this.poll.dispose();
    Signal.clearData(this);
  }

  private async read(): Promise<void> {
    try {
      const summary = await this.client.session(this.provider);
      this.keep(summary, null);
    } catch (error) {
      this.keep(this._summary, error as Problem);
      throw error;
    }
  }

  private keep(summary: SessionSummary | null, problem: IProblem | null): void {
    const same = summary?.sequence === this._summary?.sequence && problem?.code === this._problem?.code;
    this._summary = summary;
    this._problem = problem;
    if (!same && !this.isDisposed) {
      this._changed.emit();
    }
  }

  private readonly onShown = (): void => {
    if (!document.hidden) {
      this.refresh();
    }
  };

  private readonly poll: Poll<void>;
  private readonly hints: Throttler;
  private readonly _changed = new Signal<this, void>(this);
  private _summary: SessionSummary | null = null;
  private _problem: IProblem | null = null;
}

// The service behind the IOidc token: the configured providers, their sessions, and the operations on them.

import type { Event } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { PromiseDelegate } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { Signal } from '@lumino/signaling';

import type { OidcClient } from './client';
import type { IClock } from './clock';
import { versionWords } from './contractversion';
import { Gate } from './gate';
import type { SessionSummary, SignOutResult } from './generated/contract';
import { asProblem, Problem } from './problem';
import { Session } from './session';
import type { Tabs } from './tabs';
import type { IGate, IOidc, IProblem, IRequirement, ISignInOptions } from './tokens';

const EVENT_SCHEMA = 'https://events.jupyter.org/jupyter_oidc/session/v1';
const MIN_RETRY_INTERVAL_MS = 5_000; // between failed readings of the providers
const MAX_RETRY_INTERVAL_MS = 300_000;

/** The dependencies of `Oidc`. */
export interface IOidcOptions {
  readonly client: OidcClient;
  readonly clock: IClock;
  readonly tabs: Tabs;
  readonly events: Event.Stream;
  readonly trans: TranslationBundle;
}

export class Oidc implements IOidc, IDisposable {
  constructor(private readonly options: IOidcOptions) {
    this.poll = new Poll({
      factory: () => this.load(),
      frequency: { interval: MIN_RETRY_INTERVAL_MS, backoff: true, max: MAX_RETRY_INTERVAL_MS },
      standby: 'when-hidden',
      linger: 0,
      name: 'jupyter-oidc:providers'
    });
    options.events.connect((_, { schema_id, provider, kind }) => {
      if (schema_id === EVENT_SCHEMA) {
        this.onHint(provider, kind);
      }
    });
    options.client.contractVersionChanged.connect(() => this._changed.emit());
    options.tabs.received.connect((_, provider) => this.onHint(provider));
  }

  get ready(): Promise<void> {
    return this._ready.promise;
  }

  /** Whether the providers, or why there are none, are known. */
  get isReady(): boolean {
    return this._isReady;
  }

  get sessions(): readonly Session[] {
    return this._sessions;
  }

  get problem(): IProblem | null {
    return this._problem;
  }

  /** The sentence about a server of another version of the contract; `null` if it is the same, or not known yet. */
  get versionNotice(): string | null {
    return versionWords(this.options.client.contractVersion, this.options.trans);
  }

  get changed(): Signal<this, void> {
    return this._changed;
  }

  session(provider: string): Session | null {
    return this._sessions.find(session => session.provider === provider) ?? null;
  }

  async signIn(provider: string, options: ISignInOptions = {}): Promise<SessionSummary | null> {
    // NOTE: nothing is awaited before the window is open, since browsers block windows that no click opened.
    return this.broadcastAfter(provider, this.requireSession(provider).signIn(options));
  }

  async cancelSignIns(provider: string): Promise<SessionSummary> {
    return this.broadcastAfter(provider, this.requireSession(provider).cancelSignIns());
  }

  async signOut(provider: string): Promise<SignOutResult> {
    return this.broadcastAfter(provider, this.requireSession(provider).signOut());
  }

  async refresh(provider: string): Promise<SessionSummary> {
    return this.broadcastAfter(provider, this.requireSession(provider).refresh());
  }

  fetch(api: string, path: string, init?: RequestInit): Promise<Response> {
    return this.options.client.call(api, path, init);
  }

  requires(requirement: IRequirement): IGate {
    return new Gate(this, requirement, this.options.trans);
  }

  get isDisposed(): boolean {
    return this.poll.isDisposed;
  }

  dispose(): void {
    this.poll.dispose();
    this.setProviders([]);
    Signal.clearData(this);
  }

  /** Ask for everything again. */
  retry(): void {
    void this.poll.refresh();
    this._sessions.forEach(session => session.readAgain());
  }

  private requireSession(provider: string): Session {
    const session = this.session(provider);
    if (!session) {
      const { trans } = this.options;
      throw new Problem(
        'unknown_provider',
        trans.__('No provider of this name is configured.'),
        trans.__('Check the name against the list of providers.'),
        false
      );
    }
    return session;
  }

  private async broadcastAfter<T>(provider: string, outcome: Promise<T>): Promise<T> {
    try {
      return await outcome;
    } finally {
      this.options.tabs.broadcast(provider);
    }
  }

  /** Read again after an event of the server or a message of another tab. */
  private onHint(provider: unknown, kind?: unknown): void {
    if (kind === 'settings-changed') {
      void this.poll.refresh();
    }
    const session = typeof provider === 'string' ? this.session(provider) : null;
    (session ? [session] : this._sessions).forEach(one => one.readAgain());
  }

  /** Read the providers; the poll repeats a transient failure, any other waits for a hint or for `retry`. */
  private async load(): Promise<void> {
    try {
      const { providers } = await this.options.client.providers();
      this.setProviders(providers.map(({ name }) => name));
      this._problem = null;
    } catch (error) {
      this._problem = asProblem(error, this.options.trans);
      if (this._problem.retryable) {
        throw error;
      }
      this.setProviders([]);
    } finally {
      this._isReady = true;
      this._ready.resolve();
      this._changed.emit();
    }
    void this.poll.stop();
  }

  /** Keep the sessions that are still configured, begin new ones, end the others. */
  private setProviders(names: readonly string[]): void {
    const { client, clock, trans } = this.options;
    const before = this._sessions;
    this._sessions = names.map(name => {
      const existing = before.find(session => session.provider === name);
      if (existing) {
        return existing;
      }
      const session = new Session(name, client, clock, trans);
      session.changed.connect(() => this._changed.emit());
      return session;
    });
    before.filter(session => !this._sessions.includes(session)).forEach(session => session.dispose());
  }

  private readonly poll: Poll<void>;
  private readonly _ready = new PromiseDelegate<void>();
  private readonly _changed = new Signal<this, void>(this);
  private _isReady = false;
  private _sessions: readonly Session[] = [];
  private _problem: IProblem | null = null;
}

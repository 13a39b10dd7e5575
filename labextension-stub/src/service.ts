// The service behind the IOidc token: which providers there are, their sessions, and what can be done with them.

import type { Event } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { PromiseDelegate } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { Signal } from '@lumino/signaling';

import type { OidcClient } from './client';
import type { IClock } from './clock';
import { Gate } from './gate';
import type { SessionSummary, SignOutResult } from './generated/contract';
import { asProblem, Problem } from './problem';
import { Session } from './session';
import type { Tabs } from './tabs';
import type { IGate, IOidc, IProblem, IRequirement } from './tokens';

const EVENTS = 'https://events.jupyter.org/jupyter_oidc/session/v1';

/** What the service is made of. */
export interface IParts {
  readonly client: OidcClient;
  readonly clock: IClock;
  readonly tabs: Tabs;
  readonly events: Event.Stream;
  readonly trans: TranslationBundle;
}

export class Oidc implements IOidc, IDisposable {
  constructor(private readonly parts: IParts) {
    this.poll = new Poll({
      factory: () => this.load(),
      frequency: { interval: 5_000, backoff: true, max: 300_000 },
      standby: 'when-hidden',
      linger: 0,
      name: 'jupyter-oidc:providers'
    });
    parts.events.connect((_, { schema_id, provider, kind }) => {
      if (schema_id === EVENTS) {
        this.hint(provider, kind);
      }
    });
    parts.tabs.nudged.connect((_, provider) => this.hint(provider));
  }

  get ready(): Promise<void> {
    return this.known.promise;
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

  get changed(): Signal<this, void> {
    return this._changed;
  }

  session(provider: string): Session | null {
    return this._sessions.find(session => session.provider === provider) ?? null;
  }

  async signIn(provider: string): Promise<SessionSummary | null> {
    // NOTE: nothing is awaited before the window is open, since browsers block windows that no click opened.
    return this.tellOthers(provider, this.existing(provider).signIn());
  }

  async signOut(provider: string): Promise<SignOutResult> {
    return this.tellOthers(provider, this.existing(provider).signOut());
  }

  async refresh(provider: string): Promise<SessionSummary> {
    return this.tellOthers(provider, this.existing(provider).refresh());
  }

  fetch(api: string, path: string, init?: RequestInit): Promise<Response> {
    return this.parts.client.call(api, path, init);
  }

  requires(requirement: IRequirement): IGate {
    return new Gate(this, requirement, this.parts.trans);
  }

  get isDisposed(): boolean {
    return this.poll.isDisposed;
  }

  dispose(): void {
    this.poll.dispose();
    this.take([]);
    Signal.clearData(this);
  }

  /** Ask for everything again. */
  retry(): void {
    void this.poll.refresh();
    this._sessions.forEach(session => session.readAgain());
  }

  private existing(provider: string): Session {
    const session = this.session(provider);
    if (!session) {
      const { trans } = this.parts;
      throw new Problem(
        'unknown_provider',
        trans.__('No provider of this name is configured.'),
        trans.__('Check the name against the list of providers.'),
        false
      );
    }
    return session;
  }

  private async tellOthers<T>(provider: string, outcome: Promise<T>): Promise<T> {
    try {
      return await outcome;
    } finally {
      this.parts.tabs.nudge(provider);
    }
  }

  /** Somebody says that something happened: ask the server. */
  private hint(provider: unknown, kind?: unknown): void {
    if (kind === 'settings-changed') {
      void this.poll.refresh();
    }
    const session = typeof provider === 'string' ? this.session(provider) : null;
    (session ? [session] : this._sessions).forEach(one => one.readAgain());
  }

  /** Learn the providers; weather is tried again, everything else waits for a hint or for a person. */
  private async load(): Promise<void> {
    try {
      const { providers } = await this.parts.client.providers();
      this.take(providers.map(({ name }) => name));
      this._problem = null;
    } catch (error) {
      this._problem = asProblem(error, this.parts.trans);
      if (this._problem.retryable) {
        throw error;
      }
      this.take([]);
    } finally {
      this._isReady = true;
      this.known.resolve();
      this._changed.emit();
    }
    void this.poll.stop();
  }

  /** Keep the sessions that are still configured, begin new ones, end the others. */
  private take(names: readonly string[]): void {
    const { client, clock, trans } = this.parts;
    const before = this._sessions;
    this._sessions = names.map(name => {
      const kept = before.find(session => session.provider === name);
      if (kept) {
        return kept;
      }
      const session = new Session(name, client, clock, trans);
      session.changed.connect(() => this._changed.emit());
      return session;
    });
    before.filter(session => !this._sessions.includes(session)).forEach(session => session.dispose());
  }

  private readonly poll: Poll<void>;
  private readonly known = new PromiseDelegate<void>();
  private readonly _changed = new Signal<this, void>(this);
  private _isReady = false;
  private _sessions: readonly Session[] = [];
  private _problem: IProblem | null = null;
}

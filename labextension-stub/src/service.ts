// The service behind the IOidc token: which providers there are, their sessions, sign-in and sign-out.

import type { Event } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { PromiseDelegate } from '@lumino/coreutils';
import { Poll } from '@lumino/polling';
import { Signal } from '@lumino/signaling';

import type { OidcClient } from './client';
import { Problem } from './client';
import type { SessionSummary, SignOutResult } from './generated/contract';
import { SignInWindow } from './popup';
import { Session } from './session';
import type { IOidc, IProblem } from './tokens';

const EVENTS = 'https://events.jupyter.org/jupyter_oidc/session/v1';

export class Oidc implements IOidc {
  constructor(
    private readonly client: OidcClient,
    private readonly trans: TranslationBundle,
    events: Event.Stream
  ) {
    this.poll = new Poll({
      factory: () => this.load(),
      frequency: { interval: 5_000, backoff: true, max: 300_000 },
      name: 'jupyter-oidc:providers'
    });
    events.connect((_, event) => {
      if (event.schema_id === EVENTS) {
        this._sessions.forEach(session => session.refresh());
      }
    });
  }

  get ready(): Promise<void> {
    return this.known.promise;
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

  async signIn(provider: string): Promise<SessionSummary | null> {
    const attempt = new SignInWindow(provider, this.client, this.trans); // before anything is awaited
    this.attempts.get(provider)?.cancel();
    this.attempts.set(provider, attempt);
    try {
      return (await attempt.run()) ? await this.client.session(provider) : null;
    } finally {
      if (this.attempts.get(provider) === attempt) {
        this.attempts.delete(provider);
      }
      this.session(provider)?.refresh();
    }
  }

  async signOut(provider: string): Promise<SignOutResult> {
    try {
      return await this.client.signOut(provider);
    } finally {
      this.session(provider)?.refresh();
    }
  }

  session(provider: string): Session | undefined {
    return this._sessions.find(session => session.provider === provider);
  }

  /** Learn the providers; only weather is tried again, since settings change with a restart of the server. */
  private async load(): Promise<void> {
    try {
      const { providers } = await this.client.providers();
      this._sessions = providers.map(({ name }) => new Session(name, this.client));
      this._sessions.forEach(session => session.changed.connect(() => this._changed.emit()));
      this._problem = null;
    } catch (error) {
      this._problem = error as Problem;
      if (this._problem.retryable) {
        throw error;
      }
    } finally {
      this.known.resolve();
      this._changed.emit();
    }
    void this.poll.stop();
  }

  private readonly poll: Poll<void>;
  private readonly known = new PromiseDelegate<void>();
  private readonly attempts = new Map<string, SignInWindow>();
  private readonly _changed = new Signal<this, void>(this);
  private _sessions: readonly Session[] = [];
  private _problem: IProblem | null = null;
}

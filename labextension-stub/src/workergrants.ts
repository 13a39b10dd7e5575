// The grants for workers that live: read while the panel is visible, and when a session changes. A page makes none.

import type { TranslationBundle } from '@jupyterlab/translation';
import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { OidcClient } from './client';
import type { Grants } from './generated/contract';
import { asProblem } from './problem';
import type { IOidc, IProblem } from './tokens';
import { isSignedIn } from './words';

export type WorkerGrant = Grants['grants'][number];

const READ_INTERVAL_MS = 10_000;
const FIRST_VERSION = 1; // of a contract with grants for workers

export class WorkerGrants {
  constructor(
    private readonly oidc: IOidc,
    private readonly client: OidcClient,
    private readonly trans: TranslationBundle
  ) {
    this.poll = new Poll({
      auto: false,
      factory: () => this.read(),
      frequency: { interval: READ_INTERVAL_MS, backoff: true, max: 12 * READ_INTERVAL_MS },
      standby: 'when-hidden',
      name: 'jupyter-oidc:worker-grants'
    });
    oidc.changed.connect(this.follow, this);
  }

  /** Emitted when `living` or `problem` changes. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The grants that live, the oldest first; empty until they were read. */
  get living(): readonly WorkerGrant[] {
    return this._living;
  }

  /** Why a grant was not revoked; `null` if all went well. */
  get problem(): IProblem | null {
    return this._problem;
  }

  /** Start or stop reading them. */
  watch(watched: boolean): void {
    this.watched = watched;
    this.follow();
  }

  /** End a grant at once, for every worker; resolves to whether that was done. */
  async revoke({ id }: WorkerGrant): Promise<boolean> {
    try {
      this.set((await this.client.revokeGrant(id)).grants, null);
    } catch (error) {
      this.set(this._living, asProblem(error, this.trans));
    }
    return this._problem === null;
  }

  /** Read at once where a session has changed, then again and again; an older server has no grants. */
  private follow(): void {
    const { sessions } = this.oidc;
    const signedIn = sessions.some(({ summary }) => isSignedIn(summary));
    const reads = this.watched && signedIn && (this.client.contractVersion ?? 0) >= FIRST_VERSION;
    const key = reads ? sessions.map(({ provider, summary }) => `${provider} ${summary?.sequence}`).join() : '';
    if (key !== this.lastKey) {
      this.lastKey = key;
      void (reads ? this.poll.refresh() : this.poll.stop());
    }
    if (!signedIn && this._living.length > 0) {
      this.set([], null);
    }
  }

  private async read(): Promise<void> {
    const { grants } = await this.client.grants();
    this.set(grants, this._problem);
  }

  private set(living: readonly WorkerGrant[], problem: IProblem | null): void {
    this._living = living;
    this._problem = problem;
    this._changed.emit();
  }

  private readonly poll: Poll;
  private readonly _changed = new Signal<this, void>(this);
  private watched = false;
  private lastKey = '';
  private _living: readonly WorkerGrant[] = [];
  private _problem: IProblem | null = null;
}

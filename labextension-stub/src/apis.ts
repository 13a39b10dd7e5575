// What the proxy opens: methods, callers and readiness. Read while the panel is looked at, and not otherwise.

import type { TranslationBundle } from '@jupyterlab/translation';
import { Throttler } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { OidcClient } from './client';
import type { ApiList } from './generated/contract';
import { asProblem } from './problem';
import type { IOidc, IProblem } from './tokens';

export type Api = ApiList['apis'][number];

const SHORTEST = 300; // milliseconds between two readings

export class Apis {
  constructor(
    private readonly oidc: IOidc,
    private readonly client: OidcClient,
    private readonly trans: TranslationBundle
  ) {
    this.reading = new Throttler(() => this.read(), { limit: SHORTEST, edge: 'trailing' });
    oidc.changed.connect(this.review, this);
  }

  /** Emitted when something about an API has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Why the list is missing or old. */
  get problem(): IProblem | null {
    return this._problem;
  }

  /** What is known about the API `name`; `undefined` until it was read. */
  find(name: string): Api | undefined {
    return this.list.find(api => api.name === name);
  }

  /** Follow the APIs from now on, or leave them alone. */
  watch(wanted: boolean): void {
    this.wanted = wanted;
    this.review();
  }

  private review(): void {
    const key = this.oidc.sessions
      .map(({ provider, summary }) => `${provider} ${summary?.state} ${summary?.sequence}`)
      .join();
    if (this.wanted && key !== this.key) {
      this.key = key;
      void this.reading.invoke();
    }
  }

  private async read(): Promise<void> {
    try {
      this.list = (await this.client.apis()).apis;
      this._problem = null;
    } catch (error) {
      this._problem = asProblem(error, this.trans);
    }
    this._changed.emit();
  }

  private readonly reading: Throttler;
  private readonly _changed = new Signal<this, void>(this);
  private wanted = false;
  private key = '';
  private list: readonly Api[] = [];
  private _problem: IProblem | null = null;
}

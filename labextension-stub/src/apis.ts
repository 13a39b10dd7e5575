// The APIs of the proxy: methods, callers and readiness. They are read while the panel is visible, and not otherwise.

import { Throttler } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { OidcClient } from './client';
import type { ApiList } from './generated/contract';
import type { IOidc } from './tokens';

export type Api = ApiList['apis'][number];

const MIN_READ_INTERVAL_MS = 300;

export class Apis {
  constructor(
    private readonly oidc: IOidc,
    private readonly client: OidcClient
  ) {
    this.readThrottler = new Throttler(() => this.read(), { limit: MIN_READ_INTERVAL_MS, edge: 'trailing' });
    oidc.changed.connect(this.readIfChanged, this);
  }

  /** Emitted when something about an API has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The API `name`; `undefined` until it was read. */
  find(name: string): Api | undefined {
    return this.list.find(api => api.name === name);
  }

  /** The APIs in the order of the settings; empty until they were read. */
  get all(): readonly Api[] {
    return this.list;
  }

  /** Start or stop reading the APIs. */
  watch(watched: boolean): void {
    this.watched = watched;
    this.readIfChanged();
  }

  private readIfChanged(): void {
    const key = this.oidc.sessions
      .map(({ provider, summary }) => `${provider} ${summary?.state} ${summary?.sequence}`)
      .join();
    if (this.watched && key !== this.lastKey) {
      this.lastKey = key;
      void this.readThrottler.invoke();
    }
  }

  private async read(): Promise<void> {
    try {
      this.list = (await this.client.apis()).apis;
    } catch {
      // the older list stays, and a change of a session reads again
    }
    this._changed.emit();
  }

  private readonly readThrottler: Throttler;
  private readonly _changed = new Signal<this, void>(this);
  private watched = false;
  private lastKey = '';
  private list: readonly Api[] = [];
}

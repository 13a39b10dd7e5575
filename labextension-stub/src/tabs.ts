// A nudge to the other tabs of this server: "something happened at this provider; ask the server".
//
// Nothing is believed that arrives here but the name of a provider, so a forged nudge costs one question.

import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

export class Tabs implements IDisposable {
  /** `baseUrl` keeps the tabs of two servers on one host apart. */
  constructor(baseUrl: string) {
    // NOTE: without a channel, events and the next reading tell a little later.
    this.channel =
      typeof BroadcastChannel === 'undefined'
        ? null
        : new BroadcastChannel(`jupyter-oidc:${new URL(baseUrl, window.location.href).pathname}`);
    this.channel?.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (typeof data === 'string') {
        this._nudged.emit(data);
      }
    });
  }

  /** Emitted with the name of the provider that another tab mentions. */
  get nudged(): ISignal<this, string> {
    return this._nudged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  nudge(provider: string): void {
    if (!this._isDisposed) {
      this.channel?.postMessage(provider);
    }
  }

  dispose(): void {
    this._isDisposed = true;
    this.channel?.close();
    Signal.clearData(this);
  }

  private readonly channel: BroadcastChannel | null;
  private readonly _nudged = new Signal<this, string>(this);
  private _isDisposed = false;
}

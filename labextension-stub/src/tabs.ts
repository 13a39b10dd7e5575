// Broadcasts the name of a provider to the other tabs of this server, which then read its session again.
//
// A message carries only the name of a provider, so a forged one costs one request.

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
        this._received.emit(data);
      }
    });
  }

  /** Emitted with the name of the provider that another tab has broadcast. */
  get received(): ISignal<this, string> {
    return this._received;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  broadcast(provider: string): void {
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
  private readonly _received = new Signal<this, string>(this);
  private _isDisposed = false;
}

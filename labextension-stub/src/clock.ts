// The time of day, and a periodic tick that redraws remaining times. It stops while the page is hidden.

import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

const TICK_INTERVAL_MS = 5_000; // short enough, since times are shown in minutes

export interface IClock {
  /** Milliseconds since 1970. */
  now(): number;
  readonly ticked: ISignal<IClock, void>;
}

export class Clock implements IClock, IDisposable {
  constructor() {
    this.poll = new Poll({
      factory: async () => this._ticked.emit(),
      frequency: { interval: TICK_INTERVAL_MS, backoff: false },
      standby: 'when-hidden',
      linger: 0,
      name: 'jupyter-oidc:clock'
    });
  }

  now(): number {
    return Date.now();
  }

  get ticked(): ISignal<this, void> {
    return this._ticked;
  }

  get isDisposed(): boolean {
    return this.poll.isDisposed;
  }

  dispose(): void {
    this.poll.dispose();
    Signal.clearData(this);
  }

  private readonly poll: Poll<void>;
  private readonly _ticked = new Signal<this, void>(this);
}

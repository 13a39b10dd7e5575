// The time of day, and a tick now and then for what changes by itself. It stands still while nobody looks.

import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

const EVERY = 5_000; // milliseconds; what is shown is rounded to minutes

export interface IClock {
  /** Milliseconds since 1970. */
  now(): number;
  readonly ticked: ISignal<IClock, void>;
}

export class Clock implements IClock, IDisposable {
  constructor() {
    this.poll = new Poll({
      factory: async () => this._ticked.emit(),
      frequency: { interval: EVERY, backoff: false },
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

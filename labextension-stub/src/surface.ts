// How a sign-in that has begun is put before the person. The server's reply names the strategy; this picks the surface.
//
// A strategy without an entry in the table cannot be shown, and the sign-in ends with a sentence that says so.

import type { TranslationBundle } from '@jupyterlab/translation';

import type { OidcClient } from './client';
import type { SignInStarted } from './generated/contract';
import type { Popup } from './popup';
import { Problem } from './problem';

export interface ISignInSurface {
  /** The address to offer as a link in the page; `null` if nothing is to be clicked here. */
  readonly link: string | null;
  /** The link was followed, so it does not work again. */
  followed(): void;
  /** Take everything away again. */
  close(): void;
}

/** What a surface is made of. `popup` was opened inside the click, and may have been blocked. */
export interface IStage {
  readonly started: SignInStarted;
  readonly popup: Popup;
  readonly client: OidcClient;
}

/** The surface for what has begun; throws a `Problem` if there is none. */
export function surfaceFor(stage: IStage, trans: TranslationBundle): ISignInSurface {
  const make = Private.surfaces[stage.started.strategy];
  if (!make) {
    throw new Problem(
      'request_invalid',
      trans.__('The server wants to sign you in, in a way that this page does not know.'),
      trans.__('Sign in from a notebook instead, with oidc.sign_in().'),
      false
    );
  }
  return make(stage);
}

/** The provider's page in the window that is open already, or behind a link if it is not. */
class WindowSurface implements ISignInSurface {
  constructor(stage: IStage) {
    this.popup = stage.popup;
    const address = stage.client.startAddress(stage.started);
    this._link = this.popup.go(address) ? null : address;
  }

  get link(): string | null {
    return this._link;
  }

  followed(): void {
    this._link = null;
  }

  close(): void {
    this.popup.close();
    this._link = null;
  }

  private readonly popup: Popup;
  private _link: string | null;
}

namespace Private {
  const inWindow = (stage: IStage): ISignInSurface => new WindowSurface(stage);

  export const surfaces: Readonly<Partial<Record<SignInStarted['strategy'], (stage: IStage) => ISignInSurface>>> = {
    server: inWindow,
    loopback: inWindow
  };
}

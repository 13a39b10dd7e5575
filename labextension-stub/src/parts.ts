// What our own plugins share beyond IOidc. Not for other extensions: nothing here is promised to stay.

import { Token } from '@lumino/coreutils';

import type { ICommandParts } from './commands';
import type { IClock } from './clock';
import type { Silent } from './silent';

export interface IOidcParts extends Omit<ICommandParts, 'panel'> {
  readonly clock: IClock;
  readonly silent: Silent;
}

export const IOidcParts = new Token<IOidcParts>('@jupyter-oidc/labextension:IOidcParts', 'The inside of the sign-in.');

// The objects that our own plugins share beyond IOidc. Not for other extensions: nothing here is promised to stay.

import { Token } from '@lumino/coreutils';

import type { ICommandDependencies } from './commands';
import type { IClock } from './clock';
import type { Operations } from './operations';
import type { SilentSignIn } from './silentsignin';
import type { WorkerGrants } from './workergrants';

export interface IOidcParts extends Omit<ICommandDependencies, 'panel'> {
  readonly clock: IClock;
  readonly operations: Operations;
  readonly silentSignIn: SilentSignIn;
  readonly workerGrants: WorkerGrants;
}

export const IOidcParts = new Token<IOidcParts>(
  '@jupyter-oidc/labextension:IOidcParts',
  'The shared objects of the sign-in plugins.'
);

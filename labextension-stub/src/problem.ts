// Failures that can be shown to a person. Everything that the service rejects with is one of these.

import type { TranslationBundle } from '@jupyterlab/translation';

import type { OidcError } from './generated/contract';
import { OTHER, wordIn } from './reader';
import type { IProblem } from './tokens';

/** A failure, described for the user. */
export class Problem extends Error implements IProblem {
  constructor(
    readonly code: string,
    message: string,
    readonly action: string,
    readonly retryable: boolean
  ) {
    super(message);
    this.name = 'Problem';
  }

  /** Convert an error reply, with the server's own words; a code that this page does not know is kept. */
  static of(error: Pick<OidcError, 'code' | 'message' | 'action' | 'retryable' | 'unknown_words'>): Problem {
    return new Problem(wordIn(error, 'code') ?? OTHER, error.message, error.action, error.retryable);
  }
}

/** A reply that does not match its contract; nothing of it was used. */
export class ContractError extends Problem {
  constructor(trans: TranslationBundle) {
    super(
      'contract_broken',
      trans.__('The server answered something that this page does not understand.'),
      trans.__('Reload this page; if that does not help, the versions of jupyter_oidc differ.'),
      false
    );
    this.name = 'ContractError';
  }
}

/** Convert a thrown value to a `Problem`. */
export function asProblem(thrown: unknown, trans: TranslationBundle): Problem {
  return thrown instanceof Problem
    ? thrown
    : new Problem(
        'unexpected',
        trans.__('Something unexpected happened.'),
        trans.__('Try again; if it stays, reload this page.'),
        false
      );
}

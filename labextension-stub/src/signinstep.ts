// The step that the user takes once a sign-in has begun. The server's reply names the strategy; a table picks the step.
//
// Steps are values, which the panel draws and `words` describes. The compiler demands an entry in the table for every
// strategy of the contract. One of a newer server has none, and the sign-in ends with a sentence that says what to do.
// Notebook cells and the terminal have the same table, in `jupyter_oidc/kernel/sign_in_step.py`.

import type { TranslationBundle } from '@jupyterlab/translation';

import type { OidcClient } from './client';
import type { SignInStarted } from './generated/contract';
import type { Popup } from './popup';
import { Problem } from './problem';

/** The strategies of the contract that this page knows; `other` stands for one of a newer server. */
export type Strategy = Exclude<SignInStarted['strategy'], 'other'>;

export type SignInStep =
  /** The provider's page is in a window or a tab of its own. */
  | { readonly kind: 'window' }
  /** The provider's page is behind `address`, which works once. */
  | { readonly kind: 'link'; readonly address: string }
  /** Any browser anywhere opens `address`, as often as it likes; the page asks for `code` or, `filledIn`, shows it. */
  | { readonly kind: 'code'; readonly address: string; readonly code: string; readonly filledIn: boolean }
  /** The page is behind `address`, which works once and is `null` afterwards; where it ends is copied by hand. */
  | { readonly kind: 'paste'; readonly address: string | null };

/** The arguments of a step factory. `popup` was opened inside the click, and may have been blocked. */
export interface IStepContext {
  readonly started: SignInStarted;
  readonly popup: Popup;
  readonly client: OidcClient;
}

function isKnown(strategy: string): strategy is Strategy {
  return Object.hasOwn(Private.factories, strategy);
}

/** The step for the strategy of `context.started`; throws a `Problem` if there is none. */
export function stepFor(context: IStepContext, trans: TranslationBundle): SignInStep {
  const { strategy } = context.started;
  const step = isKnown(strategy) ? Private.factories[strategy](context) : null;
  if (!step) {
    throw new Problem(
      'request_invalid',
      trans.__('The server wants to sign you in, in a way that this page does not know.'),
      trans.__('Reload the page; if that does not help, sign in from a notebook, with oidc.sign_in().'),
      false
    );
  }
  return step;
}

/** The step that remains once the link of `step` was clicked. */
export function afterLinkFollowed(step: SignInStep): SignInStep {
  switch (step.kind) {
    case 'link':
      return { kind: 'window' };
    case 'paste':
      return { kind: 'paste', address: null };
    default:
      return step;
  }
}

namespace Private {
  /** Returns the step, or `null` if the reply lacks a part that the strategy needs. */
  export type StepFactory = (context: IStepContext) => SignInStep | null;

  const inWindow: StepFactory = ({ started, popup, client }) => {
    const address = client.startAddress(started);
    return popup.navigate(address) ? { kind: 'window' } : { kind: 'link', address };
  };

  // NOTE: a tab and not the window, whose address is cut short by browsers and cannot be copied in some.
  const byPaste: StepFactory = ({ started, popup, client }) => {
    popup.close();
    return { kind: 'paste', address: client.startAddress(started) };
  };

  const byCode: StepFactory = ({ started, popup, client }) => {
    if (!started.device) {
      return null;
    }
    const { user_code, verification_uri, verification_uri_complete } = started.device;
    const filledIn = verification_uri_complete !== null;
    const address = client.providerAddress(verification_uri_complete ?? verification_uri);
    if (filledIn) {
      popup.navigate(address);
    } else {
      popup.close(); // it would hide the code that the page asks for
    }
    return { kind: 'code', address, code: user_code, filledIn };
  };

  export const factories = {
    server: inWindow,
    loopback: inWindow,
    device: byCode,
    paste: byPaste
  } as const satisfies Record<Strategy, StepFactory>;
}

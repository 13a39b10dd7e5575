// What a person is invited to do once a sign-in has begun. The server's reply names the strategy; the table picks.
//
// Values, so that the panel can draw them and the words can speak of them. A strategy without an entry in the table
// cannot be shown, and the sign-in ends with a sentence that says so.

import type { TranslationBundle } from '@jupyterlab/translation';

import type { OidcClient } from './client';
import type { SignInStarted } from './generated/contract';
import type { Popup } from './popup';
import { Problem } from './problem';

export type Invitation =
  /** The provider's page is in a window or a tab of its own. */
  | { readonly kind: 'window' }
  /** The provider's page is behind `address`, which works once. */
  | { readonly kind: 'link'; readonly address: string }
  /** Any browser anywhere opens `address`, as often as it likes; the page asks for `code` or, `filledIn`, shows it. */
  | { readonly kind: 'code'; readonly address: string; readonly code: string; readonly filledIn: boolean }
  /** The page is behind `address`, which works once and is `null` afterwards; where it ends is copied by hand. */
  | { readonly kind: 'paste'; readonly address: string | null };

/** What an invitation is made of. `popup` was opened inside the click, and may have been blocked. */
export interface IStage {
  readonly started: SignInStarted;
  readonly popup: Popup;
  readonly client: OidcClient;
}

/** The invitation to what has begun; throws a `Problem` if there is none. */
export function invitationTo(stage: IStage, trans: TranslationBundle): Invitation {
  const make = Private.invitations[stage.started.strategy];
  const invitation = make?.(stage);
  if (!invitation) {
    throw new Problem(
      'request_invalid',
      trans.__('The server wants to sign you in, in a way that this page does not know.'),
      trans.__('Sign in from a notebook instead, with oidc.sign_in().'),
      false
    );
  }
  return invitation;
}

/** What is left of `invitation` once its link was followed. */
export function followed(invitation: Invitation): Invitation {
  switch (invitation.kind) {
    case 'link':
      return { kind: 'window' };
    case 'paste':
      return { kind: 'paste', address: null };
    default:
      return invitation;
  }
}

namespace Private {
  type Make = (stage: IStage) => Invitation | null;

  const inWindow: Make = ({ started, popup, client }) => {
    const address = client.startAddress(started);
    return popup.go(address) ? { kind: 'window' } : { kind: 'link', address };
  };

  // NOTE: a tab and not the window, whose address is cut short by browsers and cannot be copied in some.
  const byPaste: Make = ({ started, popup, client }) => {
    popup.close();
    return { kind: 'paste', address: client.startAddress(started) };
  };

  const byCode: Make = ({ started, popup, client }) => {
    if (!started.device) {
      return null;
    }
    const { user_code, verification_uri, verification_uri_complete } = started.device;
    const filledIn = verification_uri_complete !== null;
    const address = client.providerAddress(verification_uri_complete ?? verification_uri);
    if (filledIn) {
      popup.go(address);
    } else {
      popup.close(); // it would hide the code that the page asks for
    }
    return { kind: 'code', address, code: user_code, filledIn };
  };

  export const invitations: Readonly<Record<SignInStarted['strategy'], Make>> = {
    server: inWindow,
    loopback: inWindow,
    device: byCode,
    paste: byPaste
  };
}

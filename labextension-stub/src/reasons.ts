// Maps a reason code of the contract to a sentence for the user. Notebook cells say the same.

import type { TranslationBundle } from '@jupyterlab/translation';

export interface IReason {
  /** The cause, as a sentence. */
  readonly why: string;
  /** The next action, if it differs from the one of the state. */
  readonly next?: string;
}

/** The sentence for `code`; a code that this version does not know becomes a sentence about nothing in particular. */
export function reasonFor(code: string, trans: TranslationBundle): IReason {
  return Private.known(trans)[code] ?? { why: trans.__('The server gives a reason that is not known here.') };
}

namespace Private {
  export function known(trans: TranslationBundle): Readonly<Record<string, IReason | undefined>> {
    const ask = trans.__('Ask your administrator to check the settings of this provider.');
    const unlock = trans.__('Unlock the keyring of your system; until then a session is kept in memory.');
    const folder = trans.__('Run "jupyter oidc doctor" where the Jupyter server runs: it names the folder.');
    return {
      // What ended a session.
      session_ended_by_provider: { why: trans.__('The provider ended it.') },
      interaction_required: { why: trans.__('The provider wants to hear from you again.') },
      consent_required: { why: trans.__('The provider wants you to consent again.') },
      login_required: { why: trans.__('The provider wants you to log in again.') },
      rotation_lost: {
        why: trans.__('A renewal was interrupted, and the provider does not accept what was kept from before.')
      },
      successor_unreadable: { why: trans.__('The provider renewed it with a token that cannot be read.') },
      identity_changed: { why: trans.__('The provider answered about another person, so the session was closed.') },
      id_token_rejected: { why: trans.__('The provider renewed it with an ID token that did not pass a check.') },
      userinfo_rejected: { why: trans.__('What the provider told about you at a renewal did not pass a check.') },
      signed_in_elsewhere: {
        why: trans.__('Somebody else has signed in on another Jupyter server that shares this storage.')
      },
      not_refreshable: { why: trans.__('Its time ran out, and the provider does not let it be renewed.') },
      signed_out_at_provider: { why: trans.__('You were signed out at the provider.') },
      signed_out_elsewhere: { why: trans.__('You signed out on another Jupyter server that shares this storage.') },

      // What delays a renewal.
      idp_unavailable: { why: trans.__('The provider cannot be reached.') },
      token_response_invalid: { why: trans.__('The provider gives an answer that cannot be used.') },
      discovery_failed: {
        why: trans.__('The description that the provider gives of itself cannot be used.'),
        next: ask
      },
      issuer_mismatch: { why: trans.__('The provider is not the one in the settings: its name differs.'), next: ask },
      tls_untrusted: {
        why: trans.__('The certificate of the provider is not trusted on the Jupyter server.'),
        next: trans.__('Ask your administrator to add the certificate authority to the trust store.')
      },
      egress_proxy_auth: {
        why: trans.__('The proxy on the way to the provider wants a login that the Jupyter server does not have.'),
        next: trans.__('Ask your administrator to give the Jupyter server access through the proxy.')
      },
      configuration_invalid: {
        why: trans.__('A file or secret that the settings name is gone.'),
        next: trans.__('Ask your administrator to put it back.')
      },
      clock_skew: {
        why: trans.__('The clocks of the Jupyter server and of the provider differ too much.'),
        next: trans.__('Ask your administrator to set the clock of the Jupyter server.')
      },
      storage_unavailable: {
        why: trans.__('The place where the session is stored cannot be used.'),
        next: trans.__(
          'Unlock the keyring of your system, or run "jupyter oidc doctor" where the Jupyter server runs: it names the folder.'
        )
      },
      provider_configuration: { why: trans.__('The provider refuses this Jupyter server as it is set up.'), next: ask },
      provider_error: { why: trans.__('The provider reports an error of its own.') },
      internal_error: {
        why: trans.__('Something went wrong in the Jupyter server itself.'),
        next: trans.__('Ask your administrator; the log of the Jupyter server says where.')
      },
      renewal_refused: {
        why: trans.__('The provider refuses to renew it.'),
        next: trans.__('Sign in again if this goes on.')
      },

      // What keeps a session from being stored or found again.
      keyring_locked: { why: trans.__('The keyring of the system is locked.'), next: unlock },
      keyring_timeout: { why: trans.__('The keyring of the system does not answer.'), next: unlock },
      keyring_stuck: { why: trans.__('The keyring of the system does not answer.'), next: unlock },
      keyring_failed: { why: trans.__('The keyring of the system reports an error.'), next: unlock },
      keyring_unsafe: { why: trans.__('The keyring of the system would not keep a session safe, so it is not used.') },
      storage_corrupt: { why: trans.__('What was stored of the last session is damaged.') },
      storage_key: { why: trans.__('The key of the session file does not fit.'), next: folder },
      storage_unsafe: { why: trans.__('Others could read the session file, so it is not used.'), next: folder },
      storage_read_only: { why: trans.__('The session file cannot be written.'), next: folder },
      storage_no_home: { why: trans.__('There is no folder for the session file.'), next: folder },
      storage_full: { why: trans.__('The disk is full, so the session cannot be stored.'), next: folder },
      storage_failed: { why: trans.__('The session file cannot be read or written.'), next: folder }
    };
  }
}

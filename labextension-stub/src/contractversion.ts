// The number of the contract that every reply of the server carries, and what another number means to this page.

import type { TranslationBundle } from '@jupyterlab/translation';

export const CONTRACT_VERSION = 1; // that this page reads, as in `jupyter_oidc/contract/version.py`
export const CONTRACT_HEADER = 'X-OIDC-Contract';

const UNNUMBERED_VERSION = 0; // of a server that sends no number: 0.1.0

/** The number in a header; 0 if it is missing or no number. */
export function versionIn(header: string | null): number {
  return header !== null && /^[0-9]{1,9}$/.test(header) ? Number(header) : UNNUMBERED_VERSION;
}

/** The sentence about a server whose contract is newer or older than this page's; `null` if they are the same. */
export function versionWords(version: number | null, trans: TranslationBundle): string | null {
  if (version === null || version === CONTRACT_VERSION) {
    return null;
  }
  return version > CONTRACT_VERSION
    ? trans.__(
        'This page is older than the jupyter_oidc of the Jupyter server, and does not understand what is new there. Reload the page.'
      )
    : trans.__(
        'The jupyter_oidc of the Jupyter server is older than this page, and what is new here does not work there. Restart the server.'
      );
}

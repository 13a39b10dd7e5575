// One API: whether it may be called now, what is missing, and a cell to begin with.

import type { TranslationBundle } from '@jupyterlab/translation';
import { addBelowIcon, copyIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { SessionSummary } from '../generated/contract';
import { wordIn } from '../reader';
import type { Tone } from '../words';
import { ToneIcon } from './toneicon';

export interface IApiRowProps {
  readonly access: SessionSummary['apis'][number];
  /** Why no cell can be inserted; `null` if one can. */
  readonly obstacle: string | null;
  readonly copy: () => void;
  readonly insert: () => void;
  readonly trans: TranslationBundle;
}

/** The server's word for whether the API may be called now, translated, and as a tone. */
export function readiness(
  access: SessionSummary['apis'][number],
  trans: TranslationBundle
): { readonly text: string; readonly tone: Tone; readonly empty?: boolean } {
  const { readiness: word, missing } = access;
  switch (word) {
    case 'ready':
      return { text: trans.__('Ready'), tone: 'calm' };
    case 'sign_in_needed':
      return { text: trans.__('Sign in first'), tone: 'calm', empty: true };
    case 'expired':
      return { text: trans.__('Sign in again first'), tone: 'trouble', empty: true };
    case 'renewal_delayed':
      return { text: trans.__('Waits for the provider'), tone: 'off' };
    case 'refused':
      return { text: trans.__('The provider gives no token for it'), tone: 'trouble' };
    case 'missing_entitlement':
      return { text: trans.__('Missing: %1', missing.join(', ')), tone: 'attention' };
    case 'unreachable':
      return { text: trans.__('The last call could not reach it'), tone: 'off' };
    case 'other':
      return {
        text: trans.__('Whether a call works is not known here') + inBrackets(wordIn(access, 'readiness')),
        tone: 'off'
      };
  }
}

function inBrackets(word: string | null): string {
  return word === null ? '' : ` (${word})`;
}

export function ApiRow(props: IApiRowProps): React.ReactElement {
  const { access, obstacle, copy, insert, trans } = props;
  const { text, tone, empty } = readiness(access, trans);
  const copyName = trans.__('Copy example cell for %1', access.name);
  const insertName = trans.__('Insert example cell for %1', access.name);
  return (
    <li className="jp-oidc-api">
      <ToneIcon tone={tone} empty={empty ?? false} />
      <div className="jp-oidc-api-text">
        <div className="jp-oidc-api-name">{access.name}</div>
        <div className="jp-oidc-muted">{text}</div>
      </div>
      <button type="button" className="jp-oidc-icon-button" aria-label={copyName} title={copyName} onClick={copy}>
        <copyIcon.react tag="span" width="16px" height="16px" />
      </button>
      <button
        type="button"
        className="jp-oidc-icon-button"
        aria-label={obstacle ? `${insertName}. ${obstacle}` : insertName}
        aria-disabled={obstacle !== null}
        title={obstacle ?? insertName}
        onClick={() => obstacle === null && insert()}
      >
        <addBelowIcon.react tag="span" width="16px" height="16px" />
      </button>
    </li>
  );
}

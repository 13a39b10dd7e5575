// One API: whether it may be called now, what is missing, and a cell to begin with.

import type { TranslationBundle } from '@jupyterlab/translation';
import { addBelowIcon, copyIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { Api } from '../apis';
import type { SessionSummary } from '../generated/contract';
import type { Tone } from '../words';
import { ToneIcon } from './toneicon';

export interface IApiRowProps {
  readonly access: SessionSummary['apis'][number];
  /** What the server says about this API; `undefined` until it was read. */
  readonly api: Api | undefined;
  readonly signedIn: boolean;
  readonly works: boolean;
  /** Why no cell can be inserted; `null` if one can. */
  readonly obstacle: string | null;
  readonly copy: () => void;
  readonly insert: () => void;
  readonly trans: TranslationBundle;
}

/** Whether the API may be called now, in words and as a tone. */
export function readiness(
  { access, api, signedIn, works }: Pick<IApiRowProps, 'access' | 'api' | 'signedIn' | 'works'>,
  trans: TranslationBundle
): { readonly text: string; readonly tone: Tone; readonly empty?: boolean } {
  if (!signedIn) {
    return { text: trans.__('Sign in first'), tone: 'calm', empty: true };
  }
  if (!access.allowed) {
    return { text: trans.__('Missing: %1', access.missing.join(', ')), tone: 'attention' };
  }
  if (!works) {
    return { text: trans.__('Waits for the provider'), tone: 'off' };
  }
  return {
    text: api?.ready === false ? trans.__('Ready; the first call asks for a token') : trans.__('Ready'),
    tone: 'calm'
  };
}

export function ApiRow(props: IApiRowProps): React.ReactElement {
  const { access, obstacle, copy, insert, trans } = props;
  const { text, tone, empty } = readiness(props, trans);
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

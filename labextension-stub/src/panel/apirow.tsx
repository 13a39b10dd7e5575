// One API: what it is, whether it may be called now, what is missing, a cell to begin with, and its operations.

import type { TranslationBundle } from '@jupyterlab/translation';
import { addBelowIcon, copyIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { Api } from '../apis';
import type { SessionSummary } from '../generated/contract';
import { wordIn } from '../reader';
import type { Tone } from '../words';
import { IconButton } from './iconbutton';
import type { IOperationParts } from './operationsearch';
import { ApiOperations } from './operationsearch';
import { ToneIcon } from './toneicon';

export interface IApiRowProps {
  readonly access: SessionSummary['apis'][number];
  /** What the settings say of it; `undefined` until it was read. */
  readonly api: Api | undefined;
  readonly parts: IOperationParts;
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

/** The title of an API: how people know it, else its name. */
export function titleOf(name: string, api: Api | undefined): string {
  return api?.title ?? name;
}

export function ApiRow(props: IApiRowProps): React.ReactElement {
  const { access, api, obstacle, copy, insert, parts, trans } = props;
  const { name } = access;
  const { text, tone, empty } = readiness(access, trans);
  const title = titleOf(name, api);
  const copyName = trans.__('Copy example cell for %1', name);
  const insertName = trans.__('Insert example cell for %1', name);
  const docs = api?.docs_url?.startsWith('https://') ? api.docs_url : null;
  return (
    <li className="jp-oidc-api">
      <div className="jp-oidc-api-head">
        <ToneIcon tone={tone} empty={empty ?? false} />
        <div className="jp-oidc-api-text">
          <div className="jp-oidc-api-name">{title}</div>
          <div className="jp-oidc-muted">
            {title !== name && (
              <>
                <code className="jp-oidc-path">{name}</code>
                {' · '}
              </>
            )}
            {text}
          </div>
        </div>
        <IconButton name={copyName} icon={copyIcon} click={copy} />
        <IconButton name={insertName} icon={addBelowIcon} obstacle={obstacle} click={insert} />
      </div>
      {(api?.description || docs || api?.has_operations) && (
        <div className="jp-oidc-api-more">
          {api?.description && <p>{api.description}</p>}
          {docs && (
            <a className="jp-oidc-link" href={docs} target="_blank" rel="noopener noreferrer">
              {trans.__('Documentation')}
              <span className="jp-oidc-unseen"> {trans.__('of %1, in a new tab', title)}</span>
            </a>
          )}
          {api?.has_operations && (
            <ApiOperations {...parts} api={{ name, title, state: parts.operations.of(name), obstacle }} />
          )}
        </div>
      )}
    </li>
  );
}

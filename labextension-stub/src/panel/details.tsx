// The folded part of a card: issuer, storage, scopes, entitlements, and the codes that an administrator wants.

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { SessionSummary } from '../generated/contract';
import { entitlementWords, isSignedIn, storageWords } from '../words';

export function Details(props: {
  readonly summary: SessionSummary;
  readonly trans: TranslationBundle;
}): React.ReactElement {
  const { summary, trans } = props;
  return (
    <details className="jp-oidc-details">
      <summary>{trans.__('Details')}</summary>
      <dl>
        {rows(summary, trans).map(([label, text]) => (
          <React.Fragment key={label}>
            <dt>{label}</dt>
            <dd>{text}</dd>
          </React.Fragment>
        ))}
      </dl>
    </details>
  );
}

function rows(summary: SessionSummary, trans: TranslationBundle): readonly (readonly [string, string])[] {
  const none = trans.__('none');
  const list = (words: readonly string[]): string => words.join(', ') || none;
  const when = (text: string | null): string => (text === null ? none : new Date(text).toLocaleString());
  const always: [string, string][] = [[trans.__('Issuer'), summary.issuer]];
  if (summary.reason !== null) {
    always.push([trans.__('Reason code'), summary.reason]);
  }
  if (!isSignedIn(summary)) {
    return always;
  }
  if (summary.retry_at !== null) {
    always.push([trans.__('Next attempt'), when(summary.retry_at)]);
  }
  return [
    ...always,
    [trans.__('Signed in'), when(summary.signed_in_at)],
    [trans.__('Kept'), storageWords(summary, trans)],
    [trans.__('Scopes'), list(summary.scopes)],
    [trans.__('Entitlements'), entitlementWords(summary, trans)]
  ];
}

// A card whose content is on its way, in the shape that it will have.

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

export function Skeleton(props: { readonly title?: string; readonly trans: TranslationBundle }): React.ReactElement {
  return (
    <section className="jp-oidc-card" aria-busy="true" aria-label={props.trans.__('Reading the session')}>
      {props.title && (
        <header className="jp-oidc-card-head">
          <h3>{props.title}</h3>
        </header>
      )}
      <div className="jp-oidc-person" aria-hidden="true">
        <span className="jp-oidc-skeleton jp-oidc-skeleton-round" />
        <div className="jp-oidc-names">
          <span className="jp-oidc-skeleton" />
          <span className="jp-oidc-skeleton jp-oidc-skeleton-short" />
        </div>
      </div>
      <span className="jp-oidc-skeleton" aria-hidden="true" />
      <span className="jp-oidc-skeleton jp-oidc-skeleton-short" aria-hidden="true" />
    </section>
  );
}

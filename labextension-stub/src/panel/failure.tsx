// Shows a problem: its message, the next action and, where that helps, a button to try again.

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IProblem } from '../tokens';
import { ToneIcon } from './toneicon';

export interface IFailureProps {
  readonly problem: IProblem;
  readonly id?: string;
  readonly again?: { readonly click: () => void; readonly trans: TranslationBundle };
}

export function Failure({ problem, id, again }: IFailureProps): React.ReactElement {
  return (
    <div id={id} className="jp-oidc-failure" role="alert">
      <ToneIcon tone="trouble" />
      <div>
        <p className="jp-oidc-reason">{problem.message}</p>
        <p>{problem.action}</p>
        {again && (
          <button type="button" className="jp-oidc-text-button" onClick={again.click}>
            {again.trans.__('Try again')}
          </button>
        )}
      </div>
    </div>
  );
}

// Shows a problem: its message and the next action.

import * as React from 'react';

import type { IProblem } from '../tokens';
import { ToneIcon } from './toneicon';

export function Failure({ problem, id }: { readonly problem: IProblem; readonly id?: string }): React.ReactElement {
  return (
    <div id={id} className="jp-oidc-failure" role="alert">
      <ToneIcon tone="trouble" />
      <div>
        <p className="jp-oidc-reason">{problem.message}</p>
        <p>{problem.action}</p>
      </div>
    </div>
  );
}

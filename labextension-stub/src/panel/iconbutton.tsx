// A button that shows an icon: its name is its tooltip, and an obstacle keeps it from doing anything.

import type { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

export interface IIconButtonProps {
  readonly name: string;
  readonly icon: LabIcon;
  /** Why a click does nothing; `null` if it does. */
  readonly obstacle?: string | null;
  readonly click: () => void;
}

export function IconButton({ name, icon: Icon, obstacle = null, click }: IIconButtonProps): React.ReactElement {
  return (
    <button
      type="button"
      className="jp-oidc-icon-button"
      aria-label={obstacle ? `${name}. ${obstacle}` : name}
      aria-disabled={obstacle !== null}
      title={obstacle ?? name}
      onClick={() => obstacle === null && click()}
    >
      <Icon.react tag="span" width="16px" height="16px" />
    </button>
  );
}

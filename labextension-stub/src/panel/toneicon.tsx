// An icon for each tone, of a shape of its own: no meaning depends on colour alone.

import {
  checkIcon,
  circleEmptyIcon,
  ellipsesIcon,
  errorIcon,
  LabIcon,
  offlineBoltIcon,
  userIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import type { Tone } from '../words';

const attentionIcon = new LabIcon({
  name: 'jupyter-oidc:attention',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path class="jp-icon3" fill="#616161" ' +
    'd="M12 3 1.5 21h21L12 3zm0 4 7 12H5l7-12zm-1 4v4h2v-4h-2zm0 5v2h2v-2h-2z"/></svg>'
});

const ICONS: Readonly<Record<Tone, LabIcon>> = {
  calm: checkIcon,
  busy: ellipsesIcon,
  attention: attentionIcon,
  trouble: errorIcon,
  off: offlineBoltIcon
};

export interface IToneIconProps {
  readonly tone: Tone;
  /** Show a person instead of a tick while all is well. */
  readonly quiet?: boolean;
  /** Show an empty circle instead of a tick, while no session exists. */
  readonly empty?: boolean;
}

export function ToneIcon({ tone, quiet, empty }: IToneIconProps): React.ReactElement {
  const Icon = tone === 'calm' ? (quiet ? userIcon : empty ? circleEmptyIcon : checkIcon) : ICONS[tone];
  return (
    <span className="jp-oidc-tone" data-tone={tone} aria-hidden="true">
      <Icon.react tag="span" width="16px" height="16px" />
    </span>
  );
}

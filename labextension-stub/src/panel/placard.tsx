// What stands in the panel where there is no card: a headline, what it means, what to do.

import * as React from 'react';

import type { Tone } from '../words';
import { ToneIcon } from './toneicon';

export interface IPlacardProps {
  readonly tone: Tone;
  readonly title: string;
  readonly lines: readonly string[];
  /** Something to copy, such as a line of settings. */
  readonly code?: string;
  readonly children?: React.ReactNode;
}

export function Placard({ tone, title, lines, code, children }: IPlacardProps): React.ReactElement {
  return (
    <section className="jp-oidc-placard" data-tone={tone} role={tone === 'trouble' ? 'alert' : undefined}>
      <ToneIcon tone={tone} empty />
      <h3>{title}</h3>
      {lines.map(line => (
        <p key={line}>{line}</p>
      ))}
      {code && <pre>{code}</pre>}
      {children}
    </section>
  );
}

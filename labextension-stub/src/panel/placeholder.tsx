// Stands in the panel instead of a card: a headline, an explanation, the next action.

import * as React from 'react';

import type { Tone } from '../words';
import { ToneIcon } from './toneicon';

export interface IPlaceholderProps {
  readonly tone: Tone;
  readonly title: string;
  readonly lines: readonly string[];
  /** Something to copy, such as a line of settings. */
  readonly code?: string;
  readonly children?: React.ReactNode;
}

export function Placeholder({ tone, title, lines, code, children }: IPlaceholderProps): React.ReactElement {
  return (
    <section className="jp-oidc-placeholder" data-tone={tone} role={tone === 'trouble' ? 'alert' : undefined}>
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

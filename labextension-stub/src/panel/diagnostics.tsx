// The diagnostics at the foot of the panel: a button and the report. Checks that are ok are folded away.

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Check, DiagnosticsModel } from '../diagnostics';
import { reportText, responsibleParty, failedChecksFirst } from '../diagnostics';
import type { Diagnostics } from '../generated/contract';
import type { Tone } from '../words';
import { ButtonRow } from './buttonrow';
import type { IPanelActions } from './card';
import { Failure } from './failure';
import { ToneIcon } from './toneicon';

const TONES: Readonly<Record<Check['status'], Tone>> = {
  ok: 'calm',
  warning: 'attention',
  problem: 'trouble',
  unknown: 'off',
  other: 'off'
};

export interface IDiagnosticsSectionProps {
  readonly diagnostics: DiagnosticsModel;
  readonly actions: Pick<IPanelActions, 'examine' | 'copy'>;
  readonly trans: TranslationBundle;
}

export function DiagnosticsSection({ diagnostics, actions, trans }: IDiagnosticsSectionProps): React.ReactElement {
  const { busy, problem, report } = diagnostics;
  const again = report !== null || problem !== null;
  const label = busy ? trans.__('Checking…') : again ? trans.__('Check again') : trans.__('Check the set-up');
  return (
    <section className="jp-oidc-diagnostics" aria-label={trans.__('Set-up')} aria-busy={busy}>
      <div className="jp-oidc-findings" aria-live="polite">
        {problem ? <Failure problem={problem} /> : report && <Findings report={report} trans={trans} />}
      </div>
      <ButtonRow
        buttons={[
          {
            id: 'examine',
            label,
            name: busy ? label : trans.__('%1: providers, keys, network, storage and APIs', label),
            click: () => actions.examine(),
            disabled: busy
          },
          ...(busy
            ? [
                {
                  id: 'cancel',
                  label: trans.__('Cancel'),
                  name: trans.__('Cancel the check of the set-up'),
                  click: () => diagnostics.cancel()
                }
              ]
            : []),
          ...(report
            ? [
                {
                  id: 'copy',
                  label: trans.__('Copy report'),
                  name: trans.__('Copy report; it holds no secret and can be shown to anybody'),
                  click: () => actions.copy(reportText(report, trans), trans.__('Copied the report.'))
                }
              ]
            : [])
        ]}
      />
    </section>
  );
}

function Findings({ report, trans }: { report: Diagnostics; trans: TranslationBundle }): React.ReactElement {
  const fine = report.checks.filter(({ status }) => status === 'ok');
  const others = failedChecksFirst(report);
  const headline = report.ok
    ? others.length === 0
      ? trans.__('The set-up is fine.')
      : trans.__('The set-up works; something is worth a thought.')
    : trans.__('Something in the set-up is broken.');
  return (
    <>
      <h3>{headline}</h3>
      <Checks checks={others} trans={trans} />
      {fine.length > 0 && (
        <details className="jp-oidc-details">
          <summary>{trans._n('%1 check is fine', '%1 checks are fine', fine.length, fine.length)}</summary>
          <Checks checks={fine} trans={trans} />
        </details>
      )}
    </>
  );
}

function Checks({ checks, trans }: { checks: readonly Check[]; trans: TranslationBundle }): React.ReactElement {
  return (
    <ul className="jp-oidc-checks">
      {checks.map(check => (
        <li key={`${check.provider ?? ''} ${check.name}`}>
          <ToneIcon tone={TONES[check.status]} />
          <div>
            <p className="jp-oidc-reason">{check.provider ? `${check.provider}: ${check.name}` : check.name}</p>
            <p>{check.message}</p>
            {check.action && (
              <p className="jp-oidc-muted">{trans.__('%1: %2', responsibleParty(check, trans) ?? '', check.action)}</p>
            )}
          </div>
        </li>
      ))}
    </ul>
  );
}

// The diagnostics of the set-up, which the server runs on request; the same checks as `jupyter oidc doctor`.

import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { OidcClient } from './client';
import type { Diagnostics } from './generated/contract';
import { asProblem } from './problem';
import type { IProblem } from './tokens';

export type Check = Diagnostics['checks'][number];

export class DiagnosticsModel {
  constructor(
    private readonly client: OidcClient,
    private readonly trans: TranslationBundle
  ) {}

  /** Emitted when `busy`, `report` or `problem` changes. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get busy(): boolean {
    return this._busy;
  }

  /** The newest report; `null` before the first. */
  get report(): Diagnostics | null {
    return this._report;
  }

  /** Why there is no newer report; `null` if all went well. */
  get problem(): IProblem | null {
    return this._problem;
  }

  /** Request a report; a call while one is under way returns at once. */
  async run(): Promise<void> {
    if (this._busy) {
      return;
    }
    this._busy = true;
    this._changed.emit();
    const aborted = (this.underWay = new AbortController());
    try {
      this._report = await this.client.diagnostics(aborted.signal);
      this._problem = null;
    } catch (error) {
      if (!aborted.signal.aborted) {
        this._problem = asProblem(error, this.trans);
      }
    } finally {
      this._busy = false;
      this._changed.emit();
    }
  }

  /** Stop waiting for the report that is under way; the older one stays. */
  cancel(): void {
    this.underWay?.abort();
  }

  private readonly _changed = new Signal<this, void>(this);
  private underWay: AbortController | null = null;
  private _busy = false;
  private _report: Diagnostics | null = null;
  private _problem: IProblem | null = null;
}

/** The checks that are not ok, worst first, each status in the order of the report. */
export function failedChecksFirst({ checks }: Diagnostics): readonly Check[] {
  const order: readonly Check['status'][] = ['problem', 'warning', 'unknown', 'other'];
  return order.flatMap(status => checks.filter(check => check.status === status));
}

/** The party that has to act on a check, in the words of `jupyter oidc doctor`; `null` if none has to. */
export function responsibleParty({ who }: Check, trans: TranslationBundle): string | null {
  switch (who) {
    case 'user':
      return trans.__('You');
    case 'administrator':
      return trans.__('Administrator of this Jupyter server');
    case 'provider':
      return trans.__('Administrator of the provider');
    case 'other':
    case null:
      return null;
  }
}

/** Format the report as lines of text. It holds no secret and names no person. */
export function reportText({ checks }: Diagnostics, trans: TranslationBundle): string {
  const marks: Readonly<Record<Check['status'], string>> = {
    ok: 'ok',
    warning: 'WARN',
    problem: 'FAIL',
    unknown: '????',
    other: '????'
  };
  return checks
    .flatMap(check => {
      const who = responsibleParty(check, trans);
      const line = `${marks[check.status].padEnd(4)} ${check.provider ?? '-'} ${check.name}: ${check.message}`;
      return check.action ? [line, `     ${who ?? marks.unknown}: ${check.action}`] : [line];
    })
    .join('\n');
}

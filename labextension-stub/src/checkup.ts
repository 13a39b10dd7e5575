// The set-up, examined by the server when somebody asks for it; the same checks as `jupyter oidc doctor`.

import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { OidcClient } from './client';
import type { Diagnostics } from './generated/contract';
import { asProblem } from './problem';
import type { IProblem } from './tokens';

export type Check = Diagnostics['checks'][number];

export class Checkup {
  constructor(
    private readonly client: OidcClient,
    private readonly trans: TranslationBundle
  ) {}

  /** Emitted when a report is asked for and when it has come. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get busy(): boolean {
    return this._busy;
  }

  /** The newest report; `null` until one was asked for. */
  get report(): Diagnostics | null {
    return this._report;
  }

  /** Why there is no newer report; `null` if all went well. */
  get problem(): IProblem | null {
    return this._problem;
  }

  /** Examine the set-up; what is asked for meanwhile gets the same report. */
  async run(): Promise<void> {
    if (this._busy) {
      return;
    }
    this._busy = true;
    this._changed.emit();
    try {
      this._report = await this.client.diagnostics();
      this._problem = null;
    } catch (error) {
      this._problem = asProblem(error, this.trans);
    } finally {
      this._busy = false;
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private _busy = false;
  private _report: Diagnostics | null = null;
  private _problem: IProblem | null = null;
}

/** The checks that somebody should read, worst first, each kind in the order of the report. */
export function worthReading({ checks }: Diagnostics): readonly Check[] {
  const order: readonly Check['status'][] = ['problem', 'warning', 'unknown'];
  return order.flatMap(status => checks.filter(check => check.status === status));
}

/** Who does something about a check, as the command says it too; `null` if nobody has to. */
export function whoActs({ who }: Check, trans: TranslationBundle): string | null {
  switch (who) {
    case 'user':
      return trans.__('You');
    case 'administrator':
      return trans.__('Administrator of this Jupyter server');
    case 'provider':
      return trans.__('Administrator of the provider');
    case null:
      return null;
  }
}

/** The report as lines to send to somebody. It holds no secret and names no person. */
export function asText({ checks }: Diagnostics, trans: TranslationBundle): string {
  const marks: Readonly<Record<Check['status'], string>> = { ok: 'ok', warning: 'WARN', problem: 'FAIL', unknown: '????' };
  return checks
    .flatMap(check => {
      const who = whoActs(check, trans);
      const line = `${marks[check.status].padEnd(4)} ${check.provider ?? '-'} ${check.name}: ${check.message}`;
      return check.action ? [line, `     ${who ?? marks.unknown}: ${check.action}`] : [line];
    })
    .join('\n');
}

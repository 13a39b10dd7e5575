// What there is to know about a session, as a dialog; and how a problem is shown.

import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { Problem } from './client';
import type { ISession } from './tokens';
import { mayLeave, personOf, wordsFor } from './words';

/** Show the session. Resolves to whether the user chose to sign out (or, if signed out, to sign in). */
export async function showSession(session: ISession, trans: TranslationBundle): Promise<boolean> {
  const leaving = mayLeave(session);
  const act = leaving
    ? Dialog.warnButton({ label: trans.__('Sign out') })
    : Dialog.okButton({ label: trans.__('Sign in') });
  const result = await showDialog({
    title: trans.__('Session at %1', session.provider),
    body: Private.table(Private.rows(session, trans)),
    buttons: [Dialog.cancelButton({ label: trans.__('Close') }), act],
    defaultButton: 0
  });
  return result.button.accept;
}

/** Show `problem`: what happened, and what to do next. */
export async function showProblem(title: string, problem: unknown, trans: TranslationBundle): Promise<void> {
  const lines =
    problem instanceof Problem
      ? [problem.message, problem.action]
      : [trans.__('Something unexpected happened.'), trans.__('Try again; if it stays, reload this page.')];
  await showDialog({
    title,
    body: Private.paragraphs(lines),
    buttons: [Dialog.okButton({ label: trans.__('Close') })]
  });
}

namespace Private {
  type Row = readonly [label: string, text: string];

  export function rows(session: ISession, trans: TranslationBundle): Row[] {
    const { summary } = session;
    if (!summary) {
      return [[trans.__('State'), wordsFor(session, false, trans).long]];
    }
    const { user } = summary;
    const left = session.secondsLeft();
    const rows: Row[] = [
      [trans.__('Person'), user ? personOf(user) : '–'],
      [trans.__('E-mail'), user?.email ?? '–'],
      [trans.__('Provider'), summary.issuer],
      [trans.__('State'), summary.reason ? `${summary.state} (${summary.reason})` : summary.state],
      [trans.__('Renewed in'), renewal(left, summary.refreshable, trans)],
      [trans.__('Entitlements'), summary.entitlements.join(', ') || '–'],
      [trans.__('Kept in'), summary.storage]
    ];
    for (const api of summary.apis) {
      const text = api.allowed ? trans.__('open to you') : trans.__('missing: %1', api.missing.join(', '));
      rows.push([trans.__('API %1', api.name), text]);
    }
    return rows;
  }

  function renewal(left: number | null, refreshable: boolean, trans: TranslationBundle): string {
    if (left === null) {
      return '–';
    }
    return refreshable
      ? trans.__('at most %1 s, by itself', left)
      : trans.__('it ends in %1 s; then sign in again', left);
  }

  export function table(rows: readonly Row[]): Widget {
    const list = document.createElement('dl');
    list.className = 'jp-oidc-details';
    for (const [label, text] of rows) {
      list.appendChild(document.createElement('dt')).textContent = label;
      list.appendChild(document.createElement('dd')).textContent = text;
    }
    return new Widget({ node: list });
  }

  export function paragraphs(lines: readonly string[]): Widget {
    const node = document.createElement('div');
    for (const line of lines) {
      node.appendChild(document.createElement('p')).textContent = line;
    }
    return new Widget({ node });
  }
}

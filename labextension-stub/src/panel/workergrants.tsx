// The grants for workers, below the cards: what each opens, since when, until when, and a button that ends it.

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { WorkerGrant, WorkerGrants } from '../workergrants';
import { ButtonRow } from './buttonrow';
import { Failure } from './failure';

export interface IWorkerGrantsSectionProps {
  readonly grants: WorkerGrants;
  /** Called with the words for the user when a grant has been revoked, whose button is gone then. */
  readonly revoked: (announcement: string) => void;
  readonly trans: TranslationBundle;
}

/** The section, where there is a grant or a grant could not be revoked. */
export function WorkerGrantsSection({
  grants,
  revoked,
  trans
}: IWorkerGrantsSectionProps): React.ReactElement | null {
  const { living, problem } = grants;
  if (living.length === 0 && !problem) {
    return null;
  }
  const revoke = async (grant: WorkerGrant): Promise<void> => {
    if (await grants.revoke(grant)) {
      revoked(trans.__('Revoked the grant %1.', nameOf(grant, trans)));
    }
  };
  return (
    <section className="jp-oidc-grants" aria-label={trans.__('Grants for workers')}>
      <h3>{trans.__('Grants for workers')}</h3>
      {problem && <Failure problem={problem} />}
      <ul>
        {living.map(grant => (
          <li key={grant.id}>
            <strong>{nameOf(grant, trans)}</strong>
            <span>{`${grant.apis.join(', ')}: ${grant.methods.join(', ')}`}</span>
            <small>
              {trans.__('Since %1, until %2', time(grant.began_at), time(grant.ends_at))}
              {' · '}
              {grant.last_used_at === null
                ? trans.__('Not used yet')
                : trans.__('Last used %1', time(grant.last_used_at))}
            </small>
            <small>
              {grant.outlives_kernel
                ? trans.__('Made by %1, and outlives it', makerOf(grant))
                : trans.__('Made by %1, and ends with it', makerOf(grant))}
            </small>
            <ButtonRow
              buttons={[
                {
                  id: 'revoke',
                  label: trans.__('Revoke'),
                  name: trans.__('Revoke the grant %1: its workers can call no more', nameOf(grant, trans)),
                  click: () => void revoke(grant)
                }
              ]}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

function nameOf({ id, name }: WorkerGrant, trans: TranslationBundle): string {
  return name || trans.__('without a name (%1)', id.slice(-6));
}

/** The kernel or command that has made it, with so much of its id as a kernel has in JupyterLab's own lists. */
function makerOf({ maker }: WorkerGrant): string {
  return maker.replace(/^(\w+):([\w-]{8}).*$/, '$1 $2');
}

/** The time of day; with the day, if that is another one. */
function time(utc: string): string {
  const at = new Date(utc);
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday
    ? at.toLocaleTimeString([], { timeStyle: 'short' })
    : at.toLocaleString([], { dateStyle: 'short', timeStyle: 'short' });
}

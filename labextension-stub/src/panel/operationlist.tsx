// A list of operations that can be long: it draws the first fifty of what fits the search, and more on request.

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IFoundOperation, IOperationsState } from '../operations';
import { search } from '../operations';
import { Failure } from './failure';
import type { IOperationActions } from './operationrow';
import { OperationRow } from './operationrow';

const ROWS_AT_ONCE = 50;

/** An API of which operations are shown. */
export interface IListedApi {
  readonly name: string;
  readonly title: string;
  readonly state: IOperationsState;
  /** Why no cell can be inserted for it; `null` if one can. */
  readonly obstacle: string | null;
}

export interface IOperationListProps {
  /** One API, or all of them for a search. */
  readonly apis: readonly IListedApi[];
  /** The element of a heading, by what is around the list. */
  readonly heading: 'h3' | 'h5';
  readonly query: string;
  readonly actions: IOperationActions;
  readonly load: (api: string) => void;
  readonly cancel: (api: string) => void;
  readonly trans: TranslationBundle;
}

export function OperationList(props: IOperationListProps): React.ReactElement {
  const { apis, heading: Heading, actions, load, cancel, trans } = props;
  const query = React.useDeferredValue(props.query); // a key shows at once, and the rows follow in small steps
  const [limit, setLimit] = React.useState(ROWS_AT_ONCE);
  React.useEffect(() => setLimit(ROWS_AT_ONCE), [query]);
  const lists = apis.map(({ state }) => state.operations);
  const found = lists.flatMap(list => search(list, query));
  const total = lists.reduce((sum, list) => sum + list.length, 0);
  const shown = found.slice(0, limit);
  const several = apis.length > 1;
  const isRead = apis.some(({ state }) => state.document !== null);
  return (
    <div className="jp-oidc-operations">
      {apis
        .filter(({ state }) => state.busy || state.problem)
        .map(({ name, title, state }) =>
          state.problem ? (
            <Failure key={name} problem={state.problem} again={{ click: () => load(name), trans }} />
          ) : (
            <div key={name} className="jp-oidc-waiting" aria-busy="true">
              <span>{trans.__('Reading the operations of %1…', title)}</span>
              <button
                type="button"
                className="jp-oidc-text-button"
                aria-label={trans.__('Cancel reading the operations of %1', title)}
                onClick={() => cancel(name)}
              >
                {trans.__('Cancel')}
              </button>
            </div>
          )
        )}
      {isRead && (
        <p className="jp-oidc-hint" aria-live="polite">
          {found.length === 0
            ? trans.__('No operation fits.')
            : found.length < total
              ? trans.__('%1 of %2 operations', found.length, total)
              : trans._n('%1 operation', '%1 operations', total, total)}
        </p>
      )}
      {groups(shown).map(group => (
        <React.Fragment key={`${group.api} ${group.tag}`}>
          {(several || group.tag !== '' || shown.some(({ tag }) => tag !== '')) && (
            <Heading>{headingOf(group, several ? titleOf(apis, group.api) : null, trans)}</Heading>
          )}
          <ul>
            {group.members.map(member => (
              <OperationRow
                key={`${member.operation.method} ${member.operation.path}`}
                found={member}
                obstacle={apis.find(({ name }) => name === member.api)?.obstacle ?? null}
                actions={actions}
                trans={trans}
              />
            ))}
          </ul>
        </React.Fragment>
      ))}
      {shown.length < found.length && (
        <button
          type="button"
          className="jp-oidc-text-button"
          aria-label={trans.__('Show more operations: %1 of %2 are shown', shown.length, found.length)}
          onClick={() => setLimit(limit + ROWS_AT_ONCE)}
        >
          {trans.__('Show more')}
        </button>
      )}
    </div>
  );
}

interface IGroup {
  readonly api: string;
  readonly tag: string;
  readonly members: readonly IFoundOperation[];
}

/** Neighbours of one API and tag, together. */
function groups(shown: readonly IFoundOperation[]): readonly IGroup[] {
  const made: { api: string; tag: string; members: IFoundOperation[] }[] = [];
  for (const found of shown) {
    const last = made[made.length - 1];
    if (last && last.api === found.api && last.tag === found.tag) {
      last.members.push(found);
    } else {
      made.push({ api: found.api, tag: found.tag, members: [found] });
    }
  }
  return made;
}

function headingOf({ tag }: IGroup, title: string | null, trans: TranslationBundle): string {
  const name = tag || trans.__('Other operations');
  return title === null ? name : tag ? trans.__('%1: %2', title, tag) : title;
}

function titleOf(apis: readonly IListedApi[], api: string): string {
  return apis.find(({ name }) => name === api)?.title ?? api;
}

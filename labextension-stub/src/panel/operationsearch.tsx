// The field that searches in operations: of one API below its row, or of all APIs at the top of the panel.

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Operations } from '../operations';
import type { IListedApi } from './operationlist';
import { OperationList } from './operationlist';
import type { IOperationActions } from './operationrow';

/** What both searches need. */
export interface IOperationParts {
  readonly operations: Operations;
  readonly actions: IOperationActions;
  readonly trans: TranslationBundle;
}

export interface IApiOperationsProps extends IOperationParts {
  readonly api: IListedApi;
}

/** The disclosure *Operations* of an API; its document is read when it is opened for the first time. */
export function ApiOperations({ api, operations, actions, trans }: IApiOperationsProps): React.ReactElement {
  const [open, setOpen] = React.useState(false);
  const [query, setQuery] = React.useState('');
  const { name, title, state } = api;
  const isKnown = state.busy || state.document !== null || state.problem !== null;
  React.useEffect(() => {
    if (open && !isKnown) {
      void operations.load(name);
    }
  }, [open, isKnown, name, operations]);
  const read = state.document;
  return (
    <details className="jp-oidc-details" open={open} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        {trans.__('Operations')}
        <span className="jp-oidc-unseen"> {trans.__('of %1', title)}</span>
      </summary>
      {open && (
        <>
          {read && (
            <SearchField
              label={trans.__('Find an operation of %1', title)}
              placeholder={trans.__('Filter operations')}
              query={query}
              change={setQuery}
            />
          )}
          <OperationList
            apis={[api]}
            heading="h5"
            query={query}
            actions={actions}
            load={one => void operations.load(one)}
            cancel={one => {
              setOpen(false);
              operations.cancel(one);
            }}
            trans={trans}
          />
          {read && read.operations_more > 0 && (
            <p className="jp-oidc-hint">
              {trans._n(
                'The document has %1 more operation, which is not shown.',
                'The document has %1 more operations, which are not shown.',
                read.operations_more,
                read.operations_more
              )}
            </p>
          )}
          {read && (
            <p className="jp-oidc-hint">
              {trans.__('From the document %1 %2, OpenAPI %3.', read.document.title, read.document.version, read.document.openapi)}
            </p>
          )}
          {read && read.problems.length > 0 && (
            <details className="jp-oidc-details">
              <summary>{trans.__('What is wrong in the document (%1)', read.problems.length)}</summary>
              <ul className="jp-oidc-problems">
                {read.problems.map(({ where, message }, index) => (
                  <li key={index}>
                    <code>{where}</code>
                    <p>{message}</p>
                  </li>
                ))}
              </ul>
            </details>
          )}
        </>
      )}
    </details>
  );
}

export interface IFindOperationProps extends IOperationParts {
  /** The APIs that have operations. */
  readonly apis: readonly IListedApi[];
}

/** One search over all APIs; their documents are read when something is typed. */
export function FindOperation({ apis, operations, actions, trans }: IFindOperationProps): React.ReactElement {
  const [query, setQuery] = React.useState('');
  const [cancelled, setCancelled] = React.useState<readonly string[]>([]);
  const isSearching = query.trim() !== '';
  const unread = apis
    .filter(({ name, state }) => !state.busy && !state.document && !state.problem && !cancelled.includes(name))
    .map(({ name }) => name);
  React.useEffect(() => {
    if (isSearching) {
      unread.forEach(name => void operations.load(name));
    }
  }, [isSearching, unread.join(), operations]);
  return (
    <div className="jp-oidc-find" role="search" aria-label={trans.__('Operations of all APIs')}>
      <SearchField
        label={trans.__('Find an operation')}
        placeholder={trans.__('Find an operation')}
        query={query}
        change={text => {
          setQuery(text);
          if (text.trim() === '') {
            setCancelled([]);
          }
        }}
      />
      {isSearching && (
        <OperationList
          apis={apis}
          heading="h3"
          query={query}
          actions={actions}
          load={one => void operations.load(one)}
          cancel={one => {
            setCancelled([...cancelled, one]);
            operations.cancel(one);
          }}
          trans={trans}
        />
      )}
    </div>
  );
}

interface ISearchFieldProps {
  readonly label: string;
  readonly placeholder: string;
  readonly query: string;
  readonly change: (text: string) => void;
}

function SearchField({ label, placeholder, query, change }: ISearchFieldProps): React.ReactElement {
  return (
    <input
      type="search"
      className="jp-mod-styled jp-oidc-search"
      aria-label={label}
      placeholder={placeholder}
      autoComplete="off"
      spellCheck={false}
      value={query}
      onChange={event => change(event.target.value)}
    />
  );
}

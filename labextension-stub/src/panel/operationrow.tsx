// One operation of an API: what it does, what it takes, a cell and a command that call it.

import type { TranslationBundle } from '@jupyterlab/translation';
import { addBelowIcon, terminalIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IFoundOperation, Operation } from '../operations';
import { obstacleText } from '../operations';
import { asProblem } from '../problem';
import { wordIn } from '../reader';
import type { IProblem } from '../tokens';
import { Failure } from './failure';
import { IconButton } from './iconbutton';

/** What the buttons of an operation do. */
export interface IOperationActions {
  insert(found: IFoundOperation): Promise<void>;
  copyCurl(found: IFoundOperation): Promise<void>;
}

export interface IOperationRowProps {
  readonly found: IFoundOperation;
  /** Why no cell can be inserted for any operation of this API; `null` if one can. */
  readonly obstacle: string | null;
  readonly actions: IOperationActions;
  readonly trans: TranslationBundle;
}

/** Drawn again only if its own operation or obstacle has changed, not with every key that is typed. */
export const OperationRow = React.memo(function OperationRow(props: IOperationRowProps): React.ReactElement {
  const { found, obstacle, actions, trans } = props;
  const { operation } = found;
  const { method, path, summary, deprecated } = operation;
  const [failed, setFailed] = React.useState<{ problem: IProblem; again: () => void } | null>(null);
  const busy = React.useRef(false);
  const closed = obstacleText(operation, trans);
  const cellObstacle = operation.obstacle === 'caller' ? obstacle : (closed ?? obstacle);
  const run = async (act: (found: IFoundOperation) => Promise<void>): Promise<void> => {
    if (busy.current) {
      return;
    }
    busy.current = true;
    try {
      await act(found);
      setFailed(null);
    } catch (error) {
      setFailed({ problem: asProblem(error, trans), again: () => void run(act) });
    } finally {
      busy.current = false;
    }
  };
  return (
    <li className="jp-oidc-operation">
      <div className="jp-oidc-operation-head">
        <div className="jp-oidc-operation-text">
          <span className="jp-oidc-method" data-method={method}>
            {method}
          </span>{' '}
          <code className="jp-oidc-path">{breakable(path)}</code>
          {deprecated && <span className="jp-oidc-deprecated">{trans.__('Deprecated')}</span>}
        </div>
        <IconButton
          name={trans.__('Insert cell for %1 %2', method, path)}
          obstacle={cellObstacle}
          icon={addBelowIcon}
          click={() => void run(actions.insert)}
        />
        <IconButton
          name={trans.__('Copy curl for %1 %2', method, path)}
          obstacle={closed}
          icon={terminalIcon}
          click={() => void run(actions.copyCurl)}
        />
      </div>
      {summary && <p>{summary}</p>}
      {closed && <p className="jp-oidc-hint">{closed}</p>}
      {failed && <Failure problem={failed.problem} again={{ click: failed.again, trans }} />}
      <Parameters operation={operation} trans={trans} />
    </li>
  );
});

/** `path` that may be broken before each slash, and not within a name if that can be helped. */
function breakable(path: string): React.ReactNode {
  return path.split(/(?=\/)/).map((part, index) => (
    <React.Fragment key={index}>
      {index > 0 && <wbr />}
      {part}
    </React.Fragment>
  ));
}

/** The folded part: description, parameters and body; nothing where the document says nothing. */
function Parameters({
  operation,
  trans
}: {
  readonly operation: Operation;
  readonly trans: TranslationBundle;
}): React.ReactElement | null {
  const { description, parameters, body, method, path } = operation;
  const [open, setOpen] = React.useState(false);
  const count = parameters.length + (body ? 1 : 0);
  if (count === 0 && !description) {
    return null;
  }
  const places: Readonly<Record<Operation['parameters'][number]['in'], string>> = {
    path: trans.__('in the path'),
    query: trans.__('in the query'),
    header: trans.__('as a header'),
    cookie: trans.__('as a cookie'),
    other: ''
  };
  return (
    <details className="jp-oidc-details" onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        {count === 0 ? trans.__('Description') : trans._n('%1 parameter', '%1 parameters', count, count)}
        <span className="jp-oidc-unseen"> {trans.__('of %1 %2', method, path)}</span>
      </summary>
      {open && description && <p className="jp-oidc-description">{description}</p>}
      {open && count > 0 && (
        <dl>
          {parameters.map(parameter => (
            <React.Fragment key={`${parameter.in} ${parameter.name}`}>
              <dt>
                <code>{parameter.name}</code>{' '}
                {[
                  parameter.type,
                  parameter.in === 'other' ? wordIn(parameter, 'in') : places[parameter.in],
                  parameter.required ? trans.__('required') : null
                ]
                  .filter(Boolean)
                  .join(', ')}
              </dt>
              <dd>{parameter.description}</dd>
            </React.Fragment>
          ))}
          {body && (
            <>
              <dt>
                {trans.__('Body')} {[body.media_type, body.required ? trans.__('required') : null].filter(Boolean).join(', ')}
              </dt>
              <dd />
            </>
          )}
        </dl>
      )}
    </details>
  );
}

// One provider: person, state, reason, what to do, how long it lasts, where it is kept, and the APIs behind it.

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Apis } from '../apis';
import type { Examples } from '../example';
import { exampleFor } from '../example';
import type { Operations } from '../operations';
import type { Session } from '../session';
import type { ActionId } from '../words';
import { isSignedIn, sharingWords, storageWords, wordsFor } from '../words';
import type { IButton } from './buttonrow';
import { ButtonRow } from './buttonrow';
import { ApiRow } from './apirow';
import { Details } from './details';
import { Failure } from './failure';
import type { IOperationActions } from './operationrow';
import { Person } from './person';
import { Skeleton } from './skeleton';
import { Steps } from './steps';
import { ToneIcon } from './toneicon';

/** The actions that the buttons of a session start. */
export interface ISessionActions {
  signIn(provider: string): void;
  /** Sign in with the choice of another account. */
  useAnotherAccount(provider: string): void;
  /** Cancel the sign-ins at a provider that other pages, cells or terminals began. */
  cancelSignIns(provider: string): void;
  signOut(provider: string): void;
  refresh(provider: string): void;
  retry(): void;
}

/** The actions that the buttons of the panel start. */
export interface IPanelActions extends ISessionActions {
  /** Request a diagnostics report. */
  examine(): void;
  /** Copy a text and announce it. */
  copy(text: string, announcement: string): void;
  /** Announce a small success in the live region of the panel. */
  announce(text: string): void;
}

export interface ICardProps {
  readonly session: Session;
  readonly apis: Apis;
  readonly examples: Examples;
  readonly operations: Operations;
  readonly operationActions: IOperationActions;
  readonly actions: IPanelActions;
  readonly trans: TranslationBundle;
}

export function Card(props: ICardProps): React.ReactElement {
  const { session, apis, examples, operations, operationActions, actions, trans } = props;
  const { provider, summary, failure, attempt } = session;
  const words = wordsFor(session.view, false, trans);
  const title = `jp-oidc-title-${provider}`;
  if (!summary && !session.problem) {
    return <Skeleton title={provider} trans={trans} />;
  }
  const signedIn = isSignedIn(summary);
  const unsavedOrInMemory = signedIn && summary !== null && ['memory', 'unsaved', 'other'].includes(summary.storage);
  const shared = summary && sharingWords(summary.sharing, trans);
  const obstacle = examples.obstacle();
  return (
    <section className="jp-oidc-card" aria-labelledby={title} data-tone={words.tone} data-provider={provider}>
      <header className="jp-oidc-card-head">
        <h3 id={title}>{provider}</h3>
        <span className="jp-oidc-state" data-tone={words.tone}>
          <ToneIcon tone={words.tone} empty={!signedIn} />
          {words.headline}
        </span>
      </header>
      {summary?.user && <Person user={summary.user} />}
      <div className="jp-oidc-messages" aria-live="polite">
        {words.reason && <p className="jp-oidc-reason">{words.reason}</p>}
        {words.next && <p>{words.next}</p>}
      </div>
      {failure && <Failure problem={failure} />}
      {attempt && <Steps attempt={attempt} provider={provider} copy={actions.copy} trans={trans} />}
      {words.lasts && <p className="jp-oidc-muted">{words.lasts}</p>}
      {unsavedOrInMemory && <p className="jp-oidc-muted">{storageWords(summary, trans)}</p>}
      {shared && <p className="jp-oidc-muted">{shared}</p>}
      {summary && signedIn && summary.missing_scopes.length > 0 && (
        <p className="jp-oidc-muted">
          {trans._n(
            'The provider did not grant the scope %2.',
            'The provider did not grant the scopes %2.',
            summary.missing_scopes.length,
            summary.missing_scopes.join(', ')
          )}
        </p>
      )}
      <ButtonRow
        buttons={words.actions.map((action, index) => buttonFor(action, index === 0, { session, actions, trans }))}
      />
      {summary && summary.apis.length > 0 && (
        <>
          <h4>{trans.__('APIs')}</h4>
          <ul className="jp-oidc-apis">
            {summary.apis.map(access => {
              const api = apis.find(access.name);
              const code = exampleFor(access.name, api);
              return (
                <ApiRow
                  key={access.name}
                  access={access}
                  api={api}
                  parts={{ operations, actions: operationActions, trans }}
                  obstacle={examples.obstacle(api)}
                  copy={() => actions.copy(code, trans.__('Copied the example for %1.', access.name))}
                  insert={() => {
                    void examples
                      .insert(code)
                      .then(() => actions.announce(trans.__('Inserted the example for %1.', access.name)));
                  }}
                  trans={trans}
                />
              );
            })}
          </ul>
          {obstacle && <p className="jp-oidc-hint">{obstacle}</p>}
          {summary.apis.some(({ allowed }) => !allowed) && signedIn && (
            <p className="jp-oidc-hint">
              {trans.__('What is missing is what the settings ask for. The server and the API decide.')}
            </p>
          )}
        </>
      )}
      {summary && <Details summary={summary} trans={trans} />}
    </section>
  );
}

/** The session that a button acts on, and what it starts. */
export interface IButtonContext {
  readonly session: Session;
  readonly actions: ISessionActions;
  readonly trans: TranslationBundle;
}

/** The button for `action`; the `first` of a row is the recommended one. */
export function buttonFor(action: ActionId, first: boolean, { session, actions, trans }: IButtonContext): IButton {
  const { provider, busy } = session;
  const accept = first ? { kind: 'accept' as const } : {};
  switch (action) {
    case 'sign-in': {
      const again = session.summary?.state === 'signed-out-expired' || isSignedIn(session.summary);
      return {
        id: action,
        label: again ? trans.__('Sign in again') : trans.__('Sign in'),
        name: again ? trans.__('Sign in again at %1', provider) : trans.__('Sign in at %1', provider),
        click: () => actions.signIn(provider),
        ...accept
      };
    }
    case 'sign-out':
      return {
        id: action,
        label: busy === 'sign-out' ? trans.__('Signing out…') : trans.__('Sign out'),
        name: trans.__('Sign out at %1', provider),
        click: () => actions.signOut(provider),
        disabled: busy !== null
      };
    case 'refresh':
      return {
        id: action,
        label: busy === 'refresh' ? trans.__('Refreshing…') : trans.__('Refresh now'),
        name: trans.__('Refresh now at %1', provider),
        click: () => actions.refresh(provider),
        disabled: busy !== null
      };
    case 'use-link':
      return {
        id: action,
        label: trans.__('Use a link'),
        name: trans.__('Use a link to sign in at %1', provider),
        click: () => session.attempt?.useLink()
      };
    case 'cancel':
      return {
        id: action,
        label: trans.__('Cancel'),
        name: trans.__('Cancel the sign-in at %1', provider),
        click: () => (session.attempt ? session.attempt.cancel() : actions.cancelSignIns(provider)),
        disabled: busy === 'cancel'
      };
    case 'another-account':
      return {
        id: action,
        label: trans.__('Use another account'),
        name: trans.__('Use another account at %1', provider),
        click: () => actions.useAnotherAccount(provider),
        kind: 'quiet'
      };
    case 'retry':
      return {
        id: action,
        label: trans.__('Retry'),
        name: trans.__('Retry reading the session at %1', provider),
        click: () => actions.retry(),
        ...accept
      };
  }
}

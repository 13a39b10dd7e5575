// One provider: person, state, reason, what to do, how long it lasts, where it is kept, and the APIs behind it.

import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Apis } from '../apis';
import type { Examples } from '../example';
import { exampleFor } from '../example';
import type { Session } from '../session';
import type { Act } from '../words';
import { isSignedIn, sharingWords, storageWords, wordsFor } from '../words';
import type { IAction } from './actions';
import { Actions } from './actions';
import { ApiRow } from './apirow';
import { Details } from './details';
import { Failure } from './failure';
import { Person } from './person';
import { Skeleton } from './skeleton';
import { Steps } from './steps';
import { ToneIcon } from './toneicon';

/** What the buttons of a card do. */
export interface IDeeds {
  signIn(provider: string): void;
  signOut(provider: string): void;
  refresh(provider: string): void;
  retry(): void;
  /** Have the server examine the set-up. */
  examine(): void;
  /** Copy a text and tell that it was done. */
  copy(text: string, told: string): void;
  /** Tell that something small was done, without moving anything. */
  tell(text: string): void;
}

export interface ICardProps {
  readonly session: Session;
  readonly apis: Apis;
  readonly examples: Examples;
  readonly deeds: IDeeds;
  readonly trans: TranslationBundle;
}

export function Card({ session, apis, examples, deeds, trans }: ICardProps): React.ReactElement {
  const { provider, summary, failure, attempt, busy } = session;
  const words = wordsFor(session.scene, false, trans);
  const title = `jp-oidc-title-${provider}`;
  if (!summary && !session.problem) {
    return <Skeleton title={provider} trans={trans} />;
  }
  const signedIn = isSignedIn(summary);
  const kept = signedIn && summary !== null && (summary.storage === 'memory' || summary.storage === 'unsaved');
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
      <div className="jp-oidc-news" aria-live="polite">
        {words.reason && <p className="jp-oidc-reason">{words.reason}</p>}
        {words.next && <p>{words.next}</p>}
      </div>
      {failure && <Failure problem={failure} />}
      {attempt && <Steps attempt={attempt} provider={provider} copy={deeds.copy} trans={trans} />}
      {words.lasts && <p className="jp-oidc-muted">{words.lasts}</p>}
      {kept && <p className="jp-oidc-muted">{storageWords(summary.storage, trans)}</p>}
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
      <Actions actions={words.acts.map((act, index) => actionFor(act, index === 0, { session, deeds, trans, busy }))} />
      {summary && summary.apis.length > 0 && (
        <>
          <h4>{trans.__('APIs')}</h4>
          <ul className="jp-oidc-apis">
            {summary.apis.map(access => {
              const api = apis.find(access.name);
              const code = exampleFor(access.name, api?.methods);
              return (
                <ApiRow
                  key={access.name}
                  access={access}
                  obstacle={examples.obstacle(api)}
                  copy={() => deeds.copy(code, trans.__('Copied the example for %1.', access.name))}
                  insert={() => {
                    void examples
                      .insert(code)
                      .then(() => deeds.tell(trans.__('Inserted the example for %1.', access.name)));
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

interface IActContext {
  readonly session: Session;
  readonly deeds: IDeeds;
  readonly trans: TranslationBundle;
  readonly busy: Session['busy'];
}

function actionFor(act: Act, first: boolean, { session, deeds, trans, busy }: IActContext): IAction {
  const { provider } = session;
  const accept = first ? { kind: 'accept' as const } : {};
  switch (act) {
    case 'sign-in': {
      const again = session.summary?.state === 'signed-out-expired' || isSignedIn(session.summary);
      return {
        id: act,
        label: again ? trans.__('Sign in again') : trans.__('Sign in'),
        name: again ? trans.__('Sign in again at %1', provider) : trans.__('Sign in at %1', provider),
        click: () => deeds.signIn(provider),
        ...accept
      };
    }
    case 'sign-out':
      return {
        id: act,
        label: busy === 'sign-out' ? trans.__('Signing out…') : trans.__('Sign out'),
        name: trans.__('Sign out at %1', provider),
        click: () => deeds.signOut(provider),
        disabled: busy !== null
      };
    case 'refresh':
      return {
        id: act,
        label: busy === 'refresh' ? trans.__('Refreshing…') : trans.__('Refresh now'),
        name: trans.__('Refresh now at %1', provider),
        click: () => deeds.refresh(provider),
        disabled: busy !== null
      };
    case 'use-link':
      return {
        id: act,
        label: trans.__('Use a link'),
        name: trans.__('Use a link to sign in at %1', provider),
        click: () => session.attempt?.useLink()
      };
    case 'cancel':
      return {
        id: act,
        label: trans.__('Cancel'),
        name: trans.__('Cancel the sign-in at %1', provider),
        click: () => session.attempt?.cancel()
      };
    case 'retry':
      return {
        id: act,
        label: trans.__('Retry'),
        name: trans.__('Retry reading the session at %1', provider),
        click: () => deeds.retry(),
        ...accept
      };
  }
}

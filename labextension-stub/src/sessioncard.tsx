// The card of a session in a notebook, as it is now; and *Cancel* below the invitation that a cell shows.
//
// A saved notebook may come from a stranger. Its data name a provider of the settings and nothing else that counts:
// no text of them is taken for HTML, no address in them is opened, and nothing is done before a click.

import type { IRenderMime } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IClock } from './clock';
import { readiness } from './panel/apirow';
import { ButtonRow } from './panel/buttonrow';
import type { ISessionActions } from './panel/card';
import { buttonFor } from './panel/card';
import { Person } from './panel/person';
import { Skeleton } from './panel/skeleton';
import { Steps } from './panel/steps';
import { ToneIcon } from './panel/toneicon';
import type { Oidc } from './service';
import type { Session } from './session';
import type { ActionId } from './words';
import { isSignedIn, wordsFor } from './words';

/** The media type of a card. */
export const SESSION_TYPE = 'application/vnd.jupyter-oidc.session.v1+json';

/** The media type of the button that cancels a sign-in under way. */
export const SIGN_IN_TYPE = 'application/vnd.jupyter-oidc.sign-in.v1+json';

const MAX_PROVIDER_LENGTH = 200; // characters; a longer name is in no settings

const RANK = 40; // before HTML, which has 50

/** The actions that a card in a notebook offers; the panel has the others. */
const OFFERED: readonly ActionId[] = ['sign-in', 'use-link', 'cancel', 'retry'];

/** What a card needs; `showPanel` is `null` where the panel is switched off. */
export interface ISessionCardParts {
  readonly oidc: Oidc;
  readonly clock: IClock;
  readonly actions: ISessionActions;
  readonly showPanel: () => (() => void) | null;
  readonly copy: (text: string) => void;
  readonly trans: TranslationBundle;
}

/** The data of a card in a notebook. */
export interface ICardData {
  readonly provider: string;
  /** The number of the state that the cell has seen. */
  readonly sequence: number;
}

/** Read the data of a card; `null` if they are no such data. Members that are not known are ignored. */
export function readCardData(data: unknown): ICardData | null {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    return null;
  }
  const { provider, sequence } = data as Readonly<Record<string, unknown>>;
  if (typeof provider !== 'string' || provider === '' || provider.length > MAX_PROVIDER_LENGTH) {
    return null;
  }
  return { provider, sequence: typeof sequence === 'number' && Number.isSafeInteger(sequence) ? sequence : 0 };
}

/** The factory that JupyterLab asks for renderers of our media types. */
export function rendererFactory(parts: ISessionCardParts): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [SESSION_TYPE, SIGN_IN_TYPE],
    defaultRank: RANK,
    createRenderer: ({ mimeType }) => new SessionOutput(parts, mimeType)
  };
}

export class SessionOutput extends ReactWidget implements IRenderMime.IRenderer {
  constructor(
    private readonly parts: ISessionCardParts,
    private readonly mimeType: string
  ) {
    super();
    this.addClass('jp-oidc-output');
    parts.oidc.changed.connect(this.update, this);
    parts.clock.ticked.connect(this.update, this);
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const { oidc } = this.parts;
    this.data = readCardData(model.data[this.mimeType]);
    const session = this.data && oidc.session(this.data.provider);
    const seen = session?.summary?.sequence;
    if (this.data && session && (this.mimeType === SIGN_IN_TYPE || (seen !== undefined && this.data.sequence > seen))) {
      session.readAgain(); // the cell knows more than this page
    }
    this.update();
    await this.renderPromise;
  }

  protected override render(): React.ReactElement | null {
    const { oidc, trans } = this.parts;
    const session = this.data && oidc.session(this.data.provider);
    if (this.mimeType === SIGN_IN_TYPE) {
      return session?.summary?.sign_in_under_way ? <CancelSignIn {...this.parts} session={session} /> : null;
    }
    if (session) {
      return <SessionCard {...this.parts} session={session} />;
    }
    if (!this.data) {
      return <Sentence text={trans.__('This card cannot be read. Run the cell again.')} />;
    }
    if (!oidc.isReady) {
      return <Skeleton trans={trans} />;
    }
    const unknown = trans.__('No provider called "%1" is configured on this Jupyter server.', this.data.provider);
    return <Sentence text={oidc.problem ? `${oidc.problem.message} ${oidc.problem.action}` : unknown} />;
  }

  private data: ICardData | null = null;
}

type CardProps = ISessionCardParts & { readonly session: Session };

function SessionCard({ session, actions, showPanel, copy, trans }: CardProps): React.ReactElement {
  const { provider, summary, failure, attempt } = session;
  if (!summary && !session.problem) {
    return <Skeleton title={provider} trans={trans} />;
  }
  const words = wordsFor(session.view, false, trans);
  const panel = showPanel();
  const offered = words.actions.filter(action => OFFERED.includes(action));
  const buttons = offered.map((action, index) => buttonFor(action, index === 0, { session, actions, trans }));
  if (panel) {
    const label = trans.__('Show in the panel');
    const name = trans.__('Show in the panel: %1', provider);
    buttons.push({ id: 'show-panel', label, name, click: panel, kind: 'quiet' });
  }
  return (
    <div
      className="jp-oidc-card jp-oidc-session-card"
      role="group"
      aria-label={trans.__('Session at %1', provider)}
      data-tone={words.tone}
      data-provider={provider}
    >
      <div className="jp-oidc-card-head">
        <span className="jp-oidc-card-title">{provider}</span>
        <span className="jp-oidc-state" data-tone={words.tone}>
          <ToneIcon tone={words.tone} empty={!isSignedIn(summary)} />
          {words.headline}
        </span>
      </div>
      {summary?.user && <Person user={summary.user} />}
      {words.reason && <p className="jp-oidc-reason">{words.reason}</p>}
      {words.next && <p>{words.next}</p>}
      {failure && <p className="jp-oidc-reason">{`${failure.message} ${failure.action}`}</p>}
      {attempt && !panel && <Steps attempt={attempt} provider={provider} copy={copy} trans={trans} />}
      {words.lasts && <p className="jp-oidc-muted">{words.lasts}</p>}
      {summary && summary.apis.length > 0 && (
        <ul className="jp-oidc-apis" aria-label={trans.__('APIs')}>
          {summary.apis.map(access => {
            const { text, tone, empty } = readiness(access, trans);
            return (
              <li key={access.name} className="jp-oidc-api-head">
                <ToneIcon tone={tone} empty={empty ?? false} />
                <div className="jp-oidc-api-text">
                  {access.name} <span className="jp-oidc-muted">{text}</span>
                </div>
              </li>
            );
          })}
        </ul>
      )}
      <ButtonRow buttons={buttons} />
      <p className="jp-oidc-hint">{trans.__('This is the session now, not when the cell ran.')}</p>
    </div>
  );
}

function CancelSignIn({ session, actions, trans }: CardProps): React.ReactElement {
  return (
    <div className="jp-oidc-cancel" role="group" aria-label={trans.__('Sign-in at %1', session.provider)}>
      <ButtonRow buttons={[buttonFor('cancel', false, { session, actions, trans })]} />
      {session.failure && <p className="jp-oidc-reason">{`${session.failure.message} ${session.failure.action}`}</p>}
    </div>
  );
}

function Sentence({ text }: { readonly text: string }): React.ReactElement {
  return <p className="jp-oidc-card jp-oidc-session-card">{text}</p>;
}

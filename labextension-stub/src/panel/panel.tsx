// The side panel: a card for each provider, or a placeholder that says why there is none.

import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, userIcon } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import type { Apis } from '../apis';
import type { DiagnosticsModel } from '../diagnostics';
import type { IClock } from '../clock';
import type { Examples } from '../example';
import type { Operations } from '../operations';
import type { Preferences } from '../preferences';
import type { Oidc } from '../service';
import type { WorkerGrants } from '../workergrants';
import { ButtonRow } from './buttonrow';
import type { IPanelActions } from './card';
import { Card } from './card';
import { DiagnosticsSection } from './diagnostics';
import { titleOf } from './apirow';
import type { IOperationActions } from './operationrow';
import { FindOperation } from './operationsearch';
import { Placeholder } from './placeholder';
import { Skeleton } from './skeleton';
import { WorkerGrantsSection } from './workergrants';

const SETTINGS = 'c.JupyterOIDC.providers = {\n  "corp": {\n    "issuer": "…",\n    "client_id": "…"\n  }\n}';

const ANNOUNCEMENT_DURATION_MS = 5_000;

/** The dependencies of the panel, and the actions of its buttons. */
export interface IPanelParts {
  readonly oidc: Oidc;
  readonly apis: Apis;
  readonly diagnostics: DiagnosticsModel;
  readonly clock: IClock;
  readonly preferences: Preferences;
  readonly examples: Examples;
  readonly operations: Operations;
  readonly workerGrants: WorkerGrants;
  readonly actions: Omit<IPanelActions, 'copy' | 'announce'>;
  readonly trans: TranslationBundle;
}

export class SignInPanel extends ReactWidget {
  constructor(private readonly parts: IPanelParts) {
    super();
    const { oidc, apis, diagnostics, examples, operations, workerGrants, clock, preferences, trans } = parts;
    this.id = 'jupyter-oidc-panel';
    this.addClass('jp-oidc-panel');
    this.title.icon = userIcon;
    this.title.caption = trans.__('Sign-in');
    this.node.tabIndex = -1;
    const sources = [oidc, apis, operations, workerGrants, diagnostics, preferences].map(({ changed }) => changed as unknown);
    for (const source of [...sources, clock.ticked]) {
      (source as { connect(slot: () => void, thisArg: object): boolean }).connect(this.update, this);
    }
    this.actions = {
      ...parts.actions,
      copy: (text, announcement) => {
        Clipboard.copyToSystem(text);
        this.announce(announcement);
      },
      announce: text => this.announce(text)
    };
    this.operationActions = {
      insert: async ({ api, operation }) => {
        const { cell } = await operations.example(api, operation);
        await examples.insert(cell);
        this.announce(trans.__('Inserted a cell for %1 %2.', operation.method, operation.path));
      },
      copyCurl: async ({ api, operation }) => {
        const { curl } = await operations.example(api, operation);
        this.actions.copy(curl, trans.__('Copied the command for %1 %2.', operation.method, operation.path));
      }
    };
  }

  protected override render(): React.ReactElement {
    const { oidc, diagnostics, workerGrants, trans } = this.parts;
    return (
      <div className="jp-oidc-content" role="region" aria-label={trans.__('Sign-in')}>
        <h2>{trans.__('Sign-in')}</h2>
        {oidc.versionNotice !== null && (
          <p className="jp-oidc-version" role="status">
            {oidc.versionNotice}
          </p>
        )}
        {this.search()}
        {this.content()}
        <WorkerGrantsSection grants={workerGrants} revoked={text => void this.revoked(text)} trans={trans} />
        {oidc.sessions.length > 0 && (
          <DiagnosticsSection diagnostics={diagnostics} actions={this.actions} trans={trans} />
        )}
        <div className="jp-oidc-announcement" role="status">
          {this.announcement}
        </div>
      </div>
    );
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.parts.apis.watch(true);
    this.parts.workerGrants.watch(true);
    this.update();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.parts.apis.watch(false);
    this.parts.workerGrants.watch(false);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.parts.workerGrants.watch(false);
    }
    super.dispose();
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node.focus();
    void this.focusFirst();
  }

  /** Give the focus to the first button, which a panel that is shown for the first time does not have at once. */
  private async focusFirst(): Promise<void> {
    await this.renderPromise;
    if (this.node.contains(document.activeElement)) {
      this.node.querySelector<HTMLElement>('.jp-oidc-actions button')?.focus();
    }
  }

  /** Announce that a grant was revoked; the focus stays in the panel when its button goes away. */
  private async revoked(announcement: string): Promise<void> {
    this.announce(announcement);
    await this.renderPromise;
    if (document.activeElement === document.body) {
      this.node.focus();
    }
  }

  /** The search over all APIs, where one has operations. */
  private search(): React.ReactElement | null {
    const { apis, examples, operations, trans } = this.parts;
    const listed = apis.all
      .filter(({ has_operations }) => has_operations)
      .map(api => ({
        name: api.name,
        title: titleOf(api.name, api),
        state: operations.of(api.name),
        obstacle: examples.obstacle(api)
      }));
    return listed.length > 0 ? (
      <FindOperation apis={listed} operations={operations} actions={this.operationActions} trans={trans} />
    ) : null;
  }

  private content(): React.ReactElement | React.ReactElement[] {
    const { oidc, apis, examples, operations, preferences, trans } = this.parts;
    if (!oidc.isReady) {
      return <Skeleton trans={trans} />;
    }
    if (oidc.sessions.length > 0) {
      const { defaultProvider } = preferences.choices;
      return [...oidc.sessions]
        .sort((one, other) => Number(other.provider === defaultProvider) - Number(one.provider === defaultProvider))
        .map(session => (
          <Card
            key={session.provider}
            {...{ session, apis, examples, operations, trans }}
            operationActions={this.operationActions}
            actions={this.actions}
          />
        ));
    }
    if (oidc.problem) {
      return (
        <Placeholder
          tone="trouble"
          title={trans.__('Sign-in unavailable')}
          lines={[...oidc.problem.message.split('\n'), oidc.problem.action]}
        >
          <ButtonRow
            buttons={[
              {
                id: 'retry',
                label: trans.__('Retry'),
                name: trans.__('Retry'),
                click: () => this.actions.retry(),
                kind: 'accept'
              }
            ]}
          />
        </Placeholder>
      );
    }
    return (
      <Placeholder
        tone="calm"
        title={trans.__('No provider is configured')}
        lines={[
          trans.__('Once a provider is configured, you sign in here, and notebooks call APIs without holding a token.'),
          trans.__('Ask your administrator to name one in the settings of the Jupyter server:')
        ]}
        code={SETTINGS}
      />
    );
  }

  private announce(text: string): void {
    this.announcement = text;
    this.update();
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.announcement = '';
      this.update();
    }, ANNOUNCEMENT_DURATION_MS);
  }

  private readonly actions: IPanelActions;
  private readonly operationActions: IOperationActions;
  private announcement = '';
  private timer = 0;
}

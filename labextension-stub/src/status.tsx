// The status item: who is signed in, quiet while all is well; a click opens the panel.

import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IClock } from './clock';
import { ToneIcon } from './panel/toneicon';
import type { Preferences } from './preferences';
import type { Oidc } from './service';
import type { IWords, Tone } from './words';
import { wordsFor } from './words';

const URGENCY: readonly Tone[] = ['calm', 'off', 'busy', 'attention', 'trouble'];

export class StatusItem extends ReactWidget {
  constructor(
    private readonly oidc: Oidc,
    clock: IClock,
    private readonly preferences: Preferences,
    private readonly open: () => void,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.id = 'jupyter-oidc-status';
    this.addClass('jp-oidc-status');
    oidc.changed.connect(this.update, this);
    clock.ticked.connect(this.update, this);
    preferences.changed.connect(this.update, this);
  }

  override dispose(): void {
    this.oidc.changed.disconnect(this.update, this);
    super.dispose();
  }

  protected override render(): React.ReactElement {
    const words = this.words();
    return (
      <button
        type="button"
        className="jp-oidc-status-item"
        data-tone={words.tone}
        title={words.long}
        aria-label={words.long}
        onMouseDown={event => event.preventDefault()} // a notebook that lost the focus here would move the item away
        onClick={this.open}
      >
        <ToneIcon tone={words.tone} quiet />
        <span aria-live="polite">{words.short}</span>
      </button>
    );
  }

  /** The words of the session that most wants to be seen; the default provider's if all are the same. */
  private words(): Pick<IWords, 'tone' | 'short' | 'long'> {
    const { sessions, problem } = this.oidc;
    const { trans } = this;
    if (sessions.length === 0) {
      if (problem) {
        return wordsFor({ provider: '', summary: null, left: null, problem, step: null }, false, trans);
      }
      return this.oidc.isReady
        ? {
            tone: 'off',
            short: trans.__('No sign-in'),
            long: trans.__('No sign-in. No provider is configured. Opens the sign-in panel.')
          }
        : { tone: 'busy', short: trans.__('Sign-in…'), long: trans.__('Sign-in… Opens the sign-in panel.') };
    }
    const { defaultProvider } = this.preferences.choices;
    const several = sessions.length > 1;
    return [...sessions]
      .sort((one, other) => Number(other.provider === defaultProvider) - Number(one.provider === defaultProvider))
      .map(session => wordsFor(session.view, several, trans))
      .reduce((most, words) => (URGENCY.indexOf(words.tone) > URGENCY.indexOf(most.tone) ? words : most));
  }
}

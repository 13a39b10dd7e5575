// Notices in JupyterLab's notification centre: one for each episode, withdrawn when it is over.
//
// A server of another version of the contract is told once, however long that lasts.
//
// An episode is a session ending soon, a provider out of reach, or a session that has ended. It is shown once, however
// often the page is hidden and shown; a notice that was dismissed does not come back before the episode is over.

import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IClock } from './clock';
import type { Preferences } from './preferences';
import type { Oidc } from './service';
import type { Session } from './session';
import { wordsFor } from './words';

const UNREACHABLE_NOTICE_DURATION_MS = 10_000;

type Episode = 'ends-soon' | 'unreachable' | 'ended';

/** The actions of the buttons of a notice. */
export interface INoticeActions {
  signIn(provider: string): void;
  show(): void;
}

export class Notices {
  constructor(
    private readonly oidc: Oidc,
    clock: IClock,
    private readonly preferences: Preferences,
    private readonly actions: INoticeActions,
    private readonly trans: TranslationBundle
  ) {
    oidc.changed.connect(this.update, this);
    clock.ticked.connect(this.update, this);
    preferences.changed.connect(this.update, this);
  }

  private update(): void {
    this.tellVersion();
    const current = new Set<string>();
    for (const session of this.oidc.sessions) {
      const episode = this.episodeOf(session);
      const key = `${session.provider} ${episode}`;
      if (episode && this.preferences.choices.notices) {
        current.add(key);
        if (!this.shown.has(key)) {
          this.shown.set(key, this.notify(episode, session));
        }
      }
    }
    for (const [key, id] of this.shown) {
      if (!current.has(key)) {
        this.shown.delete(key);
        Notification.dismiss(id);
      }
    }
  }

  private tellVersion(): void {
    const { versionNotice } = this.oidc;
    if (versionNotice !== null && !this.versionTold && this.preferences.choices.notices) {
      this.versionTold = true;
      Notification.warning(versionNotice, { autoClose: false });
    }
  }

  private episodeOf(session: Session): Episode | null {
    const { summary, provider } = session;
    if (!summary) {
      return null;
    }
    const wasActive = this.seenActive.has(provider);
    switch (summary.state) {
      case 'active':
        this.seenActive.add(provider);
        return wordsFor(session.view, false, this.trans).endsSoon ? 'ends-soon' : null;
      case 'refresh-failed':
        this.seenActive.add(provider);
        return 'unreachable';
      case 'signed-out-expired':
        return wasActive ? 'ended' : null; // what ended before this page was opened is no news
      case 'other': // of a newer server; whether something ended is not known
        return null;
      default:
        this.seenActive.delete(provider);
        return null;
    }
  }

  private notify(episode: Episode, { provider, view }: Session): string {
    const words = wordsFor(view, false, this.trans);
    const again: Notification.IAction = {
      label: this.trans.__('Sign in again'),
      caption: this.trans.__('Opens the sign-in page in a window of its own'),
      displayType: 'accent',
      callback: () => this.actions.signIn(provider)
    };
    const details: Notification.IAction = {
      label: this.trans.__('Show details'),
      caption: this.trans.__('Opens the sign-in panel'),
      callback: event => {
        event.preventDefault(); // the notice stays until it is over or dismissed
        this.actions.show();
      }
    };
    switch (episode) {
      case 'ends-soon':
        return Notification.warning(this.trans.__('Your session at %1 ends soon. %2', provider, words.next ?? ''), {
          autoClose: false,
          actions: [again]
        });
      case 'unreachable':
        return Notification.warning(
          this.trans.__('%1: %2 It is tried again by itself.', provider, words.reason ?? ''),
          {
            autoClose: UNREACHABLE_NOTICE_DURATION_MS,
            actions: [details]
          }
        );
      case 'ended':
        return Notification.warning(this.trans.__('Your session at %1 has ended. %2', provider, words.reason ?? ''), {
          autoClose: false,
          actions: [again]
        });
    }
  }

  private readonly shown = new Map<string, string>();
  private readonly seenActive = new Set<string>();
  private versionTold = false;
}

// Notices in JupyterLab's notification centre: once for each thing that happens, withdrawn when it is over.
//
// An episode is a session ending soon, a provider out of reach, or a session that has ended. It is told once, however
// often the page is hidden and shown; a notice that was dismissed does not come back before the episode is over.

import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IClock } from './clock';
import type { Preferences } from './preferences';
import type { Oidc } from './service';
import type { Session } from './session';
import { wordsFor } from './words';

type Kind = 'ends-soon' | 'unreachable' | 'ended';

/** What a notice can make happen. */
export interface IReplies {
  signIn(provider: string): void;
  show(): void;
}

export class Notices {
  constructor(
    private readonly oidc: Oidc,
    clock: IClock,
    private readonly preferences: Preferences,
    private readonly replies: IReplies,
    private readonly trans: TranslationBundle
  ) {
    oidc.changed.connect(this.review, this);
    clock.ticked.connect(this.review, this);
    preferences.changed.connect(this.review, this);
  }

  private review(): void {
    const told = new Set<string>();
    for (const session of this.oidc.sessions) {
      const kind = this.episodeOf(session);
      const key = `${session.provider} ${kind}`;
      if (kind && this.preferences.choices.notices) {
        told.add(key);
        if (!this.shown.has(key)) {
          this.shown.set(key, this.tell(kind, session));
        }
      }
    }
    for (const [key, id] of this.shown) {
      if (!told.has(key)) {
        this.shown.delete(key);
        Notification.dismiss(id);
      }
    }
  }

  private episodeOf(session: Session): Kind | null {
    const { summary, provider } = session;
    if (!summary) {
      return null;
    }
    const lived = this.lived.has(provider);
    switch (summary.state) {
      case 'active':
        this.lived.add(provider);
        return wordsFor(session.scene, false, this.trans).endsSoon ? 'ends-soon' : null;
      case 'refresh-failed':
        this.lived.add(provider);
        return 'unreachable';
      case 'signed-out-expired':
        return lived ? 'ended' : null; // what ended before this page was opened is no news
      default:
        this.lived.delete(provider);
        return null;
    }
  }

  private tell(kind: Kind, { provider, scene }: Session): string {
    const words = wordsFor(scene, false, this.trans);
    const again: Notification.IAction = {
      label: this.trans.__('Sign in again'),
      caption: this.trans.__('Opens the sign-in page in a window of its own'),
      displayType: 'accent',
      callback: () => this.replies.signIn(provider)
    };
    const details: Notification.IAction = {
      label: this.trans.__('Show details'),
      caption: this.trans.__('Opens the sign-in panel'),
      callback: event => {
        event.preventDefault(); // the notice stays until it is over or dismissed
        this.replies.show();
      }
    };
    switch (kind) {
      case 'ends-soon':
        return Notification.warning(this.trans.__('Your session at %1 ends soon. %2', provider, words.next ?? ''), {
          autoClose: false,
          actions: [again]
        });
      case 'unreachable':
        return Notification.warning(
          this.trans.__('%1: %2 It is tried again by itself.', provider, words.reason ?? ''),
          {
            autoClose: 10_000,
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
  private readonly lived = new Set<string>();
}

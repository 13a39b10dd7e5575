// The settings of the user, followed live. Without a settings registry, or with broken settings, the defaults hold.

import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

const STATUS_PLACES = ['auto', 'status-bar', 'top-bar', 'hidden'] as const;

export interface IChoices {
  /** Where the status shows; `auto` is the status bar where there is one, else the top bar. */
  readonly status: (typeof STATUS_PLACES)[number];
  /** Whether notices are shown. */
  readonly notices: boolean;
  /** The provider that commands mean when none is named; empty for none. */
  readonly defaultProvider: string;
}

const DEFAULTS: IChoices = { status: 'auto', notices: true, defaultProvider: '' };

export class Preferences {
  /** Follow the settings `id`. */
  constructor(registry: ISettingRegistry | null, id: string) {
    void this.follow(registry, id);
  }

  get choices(): IChoices {
    return this._choices;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  private async follow(registry: ISettingRegistry | null, id: string): Promise<void> {
    try {
      const settings = await registry?.load(id);
      if (settings) {
        settings.changed.connect(({ composite }) => this.apply(composite));
        this.apply(settings.composite);
      }
    } catch {
      console.warn('jupyter_oidc: the settings cannot be read, so the defaults hold.');
    }
  }

  private apply(composite: Readonly<Record<string, unknown>>): void {
    const { status, notices, defaultProvider } = composite;
    this._choices = {
      status: STATUS_PLACES.find(place => place === status) ?? DEFAULTS.status,
      notices: typeof notices === 'boolean' ? notices : DEFAULTS.notices,
      defaultProvider: typeof defaultProvider === 'string' ? defaultProvider : DEFAULTS.defaultProvider
    };
    this._changed.emit();
  }

  private _choices = DEFAULTS;
  private readonly _changed = new Signal<this, void>(this);
}

// Checks whether the user meets the requirement of a command. Advisory by design: the server decides, and the text says so.

import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import type { IGate, IOidc, IRequirement } from './tokens';
import { callsWork, isSignedIn } from './words';

export class Gate implements IGate {
  constructor(
    private readonly oidc: IOidc,
    private readonly requirement: IRequirement,
    private readonly trans: TranslationBundle
  ) {
    this.lastReason = this.reason();
    oidc.changed.connect(this.emitIfChanged, this);
  }

  readonly isEnabled = (): boolean => this.reason() === null;

  readonly isVisible = (): boolean => !isSignedIn(this.summary) || this.missing().length === 0;

  readonly reason = (): string | null => {
    const { provider } = this.requirement;
    const session = this.oidc.session(provider);
    if (!session) {
      return this.trans.__('No provider called %1 is configured.', provider);
    }
    if (!isSignedIn(session.summary)) {
      return this.trans.__('Sign in at %1 first.', provider);
    }
    const missing = this.missing();
    if (missing.length > 0) {
      return this.trans.__(
        'Your sign-in at %1 does not list %2. The server decides; ask your administrator if you should have it.',
        provider,
        missing.join(', ')
      );
    }
    return callsWork(session.summary, session.secondsLeft())
      ? null
      : this.trans.__('Calls do not work until the session at %1 is renewed.', provider);
  };

  get changed(): Signal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this.oidc.changed.disconnect(this.emitIfChanged, this);
    Signal.clearData(this);
  }

  private get summary() {
    return this.oidc.session(this.requirement.provider)?.summary ?? null;
  }

  /** The required entitlements that are missing: none where the provider did not list everything; an API that the provider does not have counts as missing itself. */
  private missing(): readonly string[] {
    const { entitlements = [], api } = this.requirement;
    const { summary } = this;
    if (!summary) {
      return [];
    }
    const complete = summary.entitlements_known && summary.entitlements_more === 0;
    const missing = complete ? entitlements.filter(name => !summary.entitlements.includes(name)) : [];
    if (api === undefined) {
      return missing;
    }
    const access = summary.apis.find(({ name }) => name === api);
    return [...new Set([...missing, ...(access ? access.missing : [api])])];
  }

  private emitIfChanged(): void {
    const reason = this.reason();
    if (reason !== this.lastReason) {
      this.lastReason = reason;
      this._changed.emit();
    }
  }

  private lastReason: string | null;
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
}

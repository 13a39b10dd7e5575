// A silent sign-in: a page that opens leaves for the provider and comes back, once, if the server says that it may.
//
// It leaves before the page is shown, since typed text would be lost. The provider asks nothing; whether the
// person is signed in when the page opens again is read then, like everything else about the session.
// NOTE: no hidden frame, which third-party cookies and the provider's framing policy forbid, and no window, which no
// click has opened.

import type { OidcClient } from './client';
import type { Oidc } from './service';

const PROVIDERS_TIMEOUT_MS = 10_000; // a page that opens waits this long for the providers: a server may just be starting
const BEGIN_TIMEOUT_MS = 10_000; // and for the beginning of the attempt, at which the server may ask the provider
const LEAVE_TIMEOUT_MS = 10_000; // after which a page that is still here goes on

/** The tab that the page is in. */
export interface ITab {
  /** The session storage of the tab; throws or is `null` where the browser keeps nothing. */
  readonly storage: Storage | null;
  /** The location of the page: path, query and fragment. */
  readonly location: string;
  /** Whether the tab is in the foreground, and no frame of another page. */
  readonly isVisible: boolean;
  navigate(address: string): void;
}

export class SilentSignIn {
  constructor(
    private readonly client: OidcClient,
    private readonly tab: ITab
  ) {}

  /** Try where the server says that a page may. Resolves when the page goes on; one that is left waits for that. */
  async attempt(leaveTimeoutMs = LEAVE_TIMEOUT_MS): Promise<void> {
    if (!this.tab.isVisible) {
      return;
    }
    const address = await this.begin();
    if (address !== null) {
      this.tab.navigate(address);
      await delay(leaveTimeoutMs);
    }
  }

  /** Allow this tab another attempt once a session is active. */
  retryAfterSession(oidc: Oidc): void {
    oidc.changed.connect(() =>
      oidc.sessions
        .filter(({ summary }) => summary?.state === 'active')
        .forEach(({ provider }) => this.clearMark(provider))
    );
  }

  /** The address to leave for; `null` if this page stays. A failure is not shown: the sign-in button remains. */
  private async begin(): Promise<string | null> {
    try {
      const reply = await withTimeout(PROVIDERS_TIMEOUT_MS, this.client.providers());
      const provider = reply?.providers.find(({ name, silent_sign_in }) => silent_sign_in && this.markTried(name));
      const started =
        provider &&
        (await withTimeout(BEGIN_TIMEOUT_MS, this.client.beginSilentSignIn(provider.name, this.returnPath())));
      return started ? this.client.startAddress(started) : null;
    } catch {
      return null;
    }
  }

  /** Store that this tab tries; returns false if it has tried before, or if the mark cannot be stored. */
  private markTried(provider: string): boolean {
    const { storage } = this.tab;
    const key = this.storageKey(provider);
    if (!storage || storage.getItem(key) !== null) {
      return false;
    }
    storage.setItem(key, 'tried');
    return storage.getItem(key) !== null;
  }

  private clearMark(provider: string): void {
    try {
      this.tab.storage?.removeItem(this.storageKey(provider));
    } catch {
      // where nothing is kept, nothing has to be forgotten
    }
  }

  private storageKey(provider: string): string {
    return `jupyter-oidc:silent:${new URL(this.client.baseUrl, window.location.href).pathname}:${provider}`;
  }

  /** Where to come back to, without Jupyter's own token, which belongs into no answer of the server. */
  private returnPath(): string {
    const url = new URL(this.tab.location, 'http://here');
    url.searchParams.delete('token');
    return `${url.pathname}${url.search}${url.hash}`;
  }
}

/** The tab of this page. */
export function currentTab(): ITab {
  return {
    storage: sessionStorageOrNull(),
    location: `${window.location.pathname}${window.location.search}${window.location.hash}`,
    isVisible: window.top === window.self && !document.hidden,
    navigate: address => window.location.replace(address)
  };
}

function sessionStorageOrNull(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

function delay(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}

/** The value of `promise`, or `null` after `milliseconds`. */
function withTimeout<T>(milliseconds: number, promise: Promise<T>): Promise<T | null> {
  return Promise.race([promise, delay(milliseconds).then(() => null)]);
}

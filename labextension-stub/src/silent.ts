// A silent sign-in: a page that opens leaves for the provider and comes back, once, if the server says that it may.
//
// Before anybody sees the page, since whatever was typed into it would be lost. The provider asks nothing; whether the
// person is signed in when the page opens again is read then, like everything else about the session.
// NOTE: no hidden frame, which third-party cookies and the provider's framing policy forbid, and no window, which no
// click has opened.

import type { OidcClient } from './client';
import type { Oidc } from './service';

const READING = 10_000; // milliseconds that the opening of a page waits to hear whether it may try: a server may just be starting
const BEGINNING = 10_000; // and for the beginning of the attempt, at which the server may ask the provider
const LEAVING = 10_000; // after which a page that is still here goes on

/** The tab that the page is in. */
export interface ITab {
  /** What lives as long as the tab; throws or is `null` where the browser keeps nothing. */
  readonly storage: Storage | null;
  /** Where the page is: path, query and fragment. */
  readonly place: string;
  /** Whether somebody looks at it, and it is no part of another page. */
  readonly isOpen: boolean;
  leave(address: string): void;
}

export class Silent {
  constructor(
    private readonly client: OidcClient,
    private readonly tab: ITab
  ) {}

  /** Try where the server says that a page may. Resolves when the page goes on; one that is left waits for that. */
  async attempt(leaving = LEAVING): Promise<void> {
    if (!this.tab.isOpen) {
      return;
    }
    const address = await this.begin();
    if (address !== null) {
      this.tab.leave(address);
      await pause(leaving);
    }
  }

  /** Let this tab try again: whoever is in has come in since the last attempt. */
  follow(oidc: Oidc): void {
    oidc.changed.connect(() =>
      oidc.sessions
        .filter(({ summary }) => summary?.state === 'active')
        .forEach(({ provider }) => this.forget(provider))
    );
  }

  /** The address to leave for; `null` if this page stays. Nothing is told: the button is there for everybody. */
  private async begin(): Promise<string | null> {
    try {
      const told = await within(READING, this.client.providers());
      const due = told?.providers.find(({ name, silent_sign_in }) => silent_sign_in && this.remember(name));
      const started = due && (await within(BEGINNING, this.client.beginSilentSignIn(due.name, this.next())));
      return started ? this.client.startAddress(started) : null;
    } catch {
      return null;
    }
  }

  /** Take note that this tab tries; returns false if it has before, or if it would not know the next time. */
  private remember(provider: string): boolean {
    const { storage } = this.tab;
    const key = this.keyOf(provider);
    if (!storage || storage.getItem(key) !== null) {
      return false;
    }
    storage.setItem(key, 'tried');
    return storage.getItem(key) !== null;
  }

  private forget(provider: string): void {
    try {
      this.tab.storage?.removeItem(this.keyOf(provider));
    } catch {
      // where nothing is kept, nothing has to be forgotten
    }
  }

  private keyOf(provider: string): string {
    return `jupyter-oidc:silent:${new URL(this.client.baseUrl, window.location.href).pathname}:${provider}`;
  }

  /** Where to come back to, without Jupyter's own token, which belongs into no answer of the server. */
  private next(): string {
    const url = new URL(this.tab.place, 'http://here');
    url.searchParams.delete('token');
    return `${url.pathname}${url.search}${url.hash}`;
  }
}

/** The tab of this page. */
export function thisTab(): ITab {
  return {
    storage: stored(),
    place: `${window.location.pathname}${window.location.search}${window.location.hash}`,
    isOpen: window.top === window.self && !document.hidden,
    leave: address => window.location.replace(address)
  };
}

function stored(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}

/** What `promised` brings within `milliseconds`, else `null`. */
function within<T>(milliseconds: number, promised: Promise<T>): Promise<T | null> {
  return Promise.race([promised, pause(milliseconds).then(() => null)]);
}

// The typed door to the server extension: every reply is validated before anybody sees it.

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  ProviderList,
  SessionSummary,
  SignInProgress,
  SignInStarted,
  SignOutResult
} from './generated/contract';
import {
  isOidcError,
  isProviderList,
  isSessionSummary,
  isSignInProgress,
  isSignInStarted,
  isSignOutResult
} from './generated/validators';
import type { IProblem } from './tokens';

/** A failure that can be shown to a person. */
export class Problem extends Error implements IProblem {
  constructor(
    readonly code: string,
    message: string,
    readonly action: string,
    readonly retryable: boolean
  ) {
    super(message);
    this.name = 'Problem';
  }
}

/** Calls to the routes of jupyter_oidc. Every method rejects with a `Problem` and nothing else. */
export class OidcClient {
  constructor(
    private readonly settings: ServerConnection.ISettings,
    private readonly trans: TranslationBundle
  ) {}

  providers(): Promise<ProviderList> {
    return this.ask('GET', ['providers'], isProviderList);
  }

  session(provider: string): Promise<SessionSummary> {
    return this.ask('GET', ['providers', provider, 'session'], isSessionSummary);
  }

  beginSignIn(provider: string): Promise<SignInStarted> {
    return this.ask('POST', ['providers', provider, 'sign-in'], isSignInStarted, { body: {} });
  }

  /** How far a sign-in is; answers at once when it is finished, else after `wait` seconds (at most 30). */
  progress(provider: string, flow: string, wait: number): Promise<SignInProgress> {
    const query = { wait: String(wait) };
    return this.ask('GET', ['providers', provider, 'sign-in', flow], isSignInProgress, { query });
  }

  cancelSignIn(provider: string, flow: string): Promise<SignInProgress> {
    return this.ask('DELETE', ['providers', provider, 'sign-in', flow], isSignInProgress);
  }

  signOut(provider: string): Promise<SignOutResult> {
    return this.ask('POST', ['providers', provider, 'sign-out'], isSignOutResult, { body: {} });
  }

  /**
   * The address that starts a sign-in in a browser window.
   * It must be a start route of this very server: a window is never sent anywhere else by us.
   */
  startAddress(started: SignInStarted): string {
    const base = new URL(this.settings.baseUrl, window.location.href);
    const url = new URL(started.start_url ?? '', base);
    const prefix = URLExt.join(base.pathname, 'jupyter-oidc/start/');
    if (!started.start_url || url.origin !== base.origin || !url.pathname.startsWith(prefix)) {
      throw this.broken();
    }
    return url.href;
  }

  private async ask<T>(
    method: string,
    path: readonly string[],
    valid: (data: unknown) => data is T,
    options: { body?: object; query?: Record<string, string> } = {}
  ): Promise<T> {
    const address =
      URLExt.join(this.settings.baseUrl, 'jupyter-oidc', ...path.map(encodeURIComponent)) +
      (options.query ? URLExt.objectToQueryString(options.query) : '');
    const init: RequestInit = { method };
    if (options.body) {
      init.body = JSON.stringify(options.body);
      init.headers = { 'Content-Type': 'application/json' };
    }
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(address, init, this.settings);
    } catch {
      throw new Problem(
        'network',
        this.trans.__('The Jupyter server cannot be reached.'),
        this.trans.__('Check that it is still running and that you are online.'),
        true
      );
    }
    const data = await Private.json(response);
    if (response.ok && valid(data)) {
      return data;
    }
    if (!response.ok && isOidcError(data)) {
      throw new Problem(data.code, data.message, data.action, data.retryable);
    }
    throw response.ok ? this.broken() : this.unavailable(response.status);
  }

  private broken(): Problem {
    return new Problem(
      'contract_broken',
      this.trans.__('The server answered something that this page does not understand.'),
      this.trans.__('Reload this page; if that does not help, the versions of jupyter_oidc differ.'),
      false
    );
  }

  private unavailable(status: number): Problem {
    if (status === 403 || status === 401) {
      return new Problem(
        'unavailable',
        this.trans.__('The Jupyter server does not let this page in.'),
        this.trans.__('Reload this page and log in to Jupyter again.'),
        false
      );
    }
    return new Problem(
      'unavailable',
      this.trans.__('The server extension jupyter_oidc does not answer.'),
      this.trans.__('Enable it with "jupyter server extension enable jupyter_oidc" and restart the server.'),
      status >= 500
    );
  }
}

namespace Private {
  /** The parsed body, or `undefined` if it is not JSON. */
  export async function json(response: Response): Promise<unknown> {
    try {
      return await response.json();
    } catch {
      return undefined;
    }
  }
}

// The typed client of the server extension: it reads every reply by the contract, and validates it, before it returns it.

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type {
  ApiList,
  Diagnostics,
  Grants,
  OperationExample,
  OperationList,
  ProviderList,
  SessionSummary,
  SignInProgress,
  SignInStarted,
  SignOutResult
} from './generated/contract';
import {
  isApiList,
  isDiagnostics,
  isGrants,
  isOidcError,
  isOperationExample,
  isOperationList,
  isProviderList,
  isSessionSummary,
  isSignInProgress,
  isSignInStarted,
  isSignOutResult
} from './generated/validators';
import {
  shapeOfApiList,
  shapeOfDiagnostics,
  shapeOfGrants,
  shapeOfOidcError,
  shapeOfOperationExample,
  shapeOfOperationList,
  shapeOfProviderList,
  shapeOfSessionSummary,
  shapeOfSignInProgress,
  shapeOfSignInStarted,
  shapeOfSignOutResult
} from './generated/shapes';
import { ContractError, Problem } from './problem';
import type { IShape } from './reader';
import { known } from './reader';
import type { ISignInOptions } from './tokens';
import { CONTRACT_HEADER, versionIn } from './contractversion';

const API_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/; // of an API, as the contract has it
const LOOPBACK_HOST = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** How a reply is read and checked. */
interface IReply<T> {
  readonly shape: IShape;
  readonly isValid: (data: unknown) => data is T;
}

/** Calls to the routes of jupyter_oidc. Every method rejects with a `Problem`, or with the abort error of its signal. */
export class OidcClient {
  /** `languageCode` is that of JupyterLab's translator, which has `de_DE` or `de-DE`. */
  constructor(
    private readonly settings: ServerConnection.ISettings,
    private readonly trans: TranslationBundle,
    languageCode = 'en'
  ) {
    this.language = languageCode.replace(/_/g, '-');
  }

  /** Where the server is; pages of other servers have nothing to do with this one. */
  get baseUrl(): string {
    return this.settings.baseUrl;
  }

  /** The version of the contract that the server writes; `null` before its first reply. */
  get contractVersion(): number | null {
    return this._contractVersion;
  }

  /** Emitted when `contractVersion` has changed. */
  get contractVersionChanged(): ISignal<this, void> {
    return this._contractVersionChanged;
  }

  providers(): Promise<ProviderList> {
    return this.request('GET', ['providers'], Private.providers);
  }

  apis(): Promise<ApiList> {
    return this.request('GET', ['apis'], Private.apis);
  }

  session(provider: string): Promise<SessionSummary> {
    return this.request('GET', ['providers', provider, 'session'], Private.summary);
  }

  refresh(provider: string): Promise<SessionSummary> {
    return this.request('POST', ['providers', provider, 'refresh'], Private.summary, { body: {} });
  }

  beginSignIn(provider: string, { prompt, loginHint }: ISignInOptions = {}): Promise<SignInStarted> {
    const body = { ...(prompt && { prompt }), ...(loginHint && { login_hint: loginHint }) };
    return this.request('POST', ['providers', provider, 'sign-in'], Private.started, { body });
  }

  /** Begin a sign-in without a prompt; the browser comes back to `next`, a path of this server, whatever the outcome. */
  beginSilentSignIn(provider: string, next: string): Promise<SignInStarted> {
    const body = { silent: true, next };
    return this.request('POST', ['providers', provider, 'sign-in'], Private.started, { body });
  }

  /** How far a sign-in is; answers at once when it is finished, else after `wait` seconds (at most 60). */
  progress(provider: string, flow: string, wait: number): Promise<SignInProgress> {
    const query = { wait: String(wait) };
    return this.request('GET', ['providers', provider, 'sign-in', flow], Private.progress, { query });
  }

  /** Hand in the address at which the provider left the browser; answers when the server has judged it. */
  completeSignIn(provider: string, flow: string, redirectUrl: string): Promise<SignInProgress> {
    const body = { redirect_url: redirectUrl };
    return this.request('POST', ['providers', provider, 'sign-in', flow, 'complete'], Private.progress, { body });
  }

  cancelSignIn(provider: string, flow: string): Promise<SignInProgress> {
    return this.request('DELETE', ['providers', provider, 'sign-in', flow], Private.progress);
  }

  /** Cancel every sign-in under way, begun by a page, a cell or a terminal; the session itself stays. */
  cancelSignIns(provider: string): Promise<SessionSummary> {
    return this.request('DELETE', ['providers', provider, 'sign-in'], Private.summary);
  }

  /** The operations in the OpenAPI document of `api`; it takes as long as the server needs to fetch and read that. */
  operations(api: string, signal?: AbortSignal): Promise<OperationList> {
    return this.request('GET', ['apis', api, 'operations'], Private.operations, { ...(signal && { signal }) });
  }

  /** One operation as a cell and as a command. */
  operationExample(api: string, method: string, path: string): Promise<OperationExample> {
    return this.request('GET', ['apis', api, 'operations', 'example'], Private.example, { query: { method, path } });
  }

  /** Sign out; `end_session_url` is whole, and leads to a one-time page of this server or to the provider's. */
  async signOut(provider: string): Promise<SignOutResult> {
    const result = await this.request('POST', ['providers', provider, 'sign-out'], Private.signedOut, { body: {} });
    const url = result.end_session_url;
    result.end_session_url =
      url && (url.startsWith('/') ? this.ownAddress(url, 'providers/') : this.providerAddress(url));
    return result;
  }

  /** Examine the set-up; takes as long as the slowest provider or API. */
  diagnostics(signal?: AbortSignal): Promise<Diagnostics> {
    return this.request('GET', ['diagnostics'], Private.diagnostics, { ...(signal && { signal }) });
  }

  /** The grants for workers that live. */
  grants(): Promise<Grants> {
    return this.request('GET', ['grants'], Private.grants);
  }

  /** End a grant for workers at once; answers with those that live. */
  revokeGrant(id: string): Promise<Grants> {
    return this.request('DELETE', ['grants', id], Private.grants);
  }

  /** Call `api` through the proxy. Resolves to the API's own reply, whatever its status. */
  async call(api: string, path: string, init: RequestInit = {}): Promise<Response> {
    // JupyterLab adds the time to the query of a request with 'no-store'; an API would take it for a parameter.
    const cache = init.cache === undefined || init.cache === 'no-store' ? 'reload' : init.cache;
    const response = await this.send(this.addressOf(api, path), { ...init, cache });
    if (response.headers.get('X-OIDC-Error') === null) {
      return response;
    }
    throw await this.problemFrom(response);
  }

  /**
   * The address that starts a sign-in in a browser window.
   * It must be a start route of this very server: a window is never sent anywhere else by us.
   */
  startAddress(started: SignInStarted): string {
    return this.ownAddress(started.start_url ?? '', 'start/');
  }

  /** A page of a provider that a person is sent to, as an address; anything but a web page is refused. */
  providerAddress(text: string): string {
    const url = Private.url(text);
    if (url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK_HOST.test(url.hostname))) {
      return url.href;
    }
    throw new ContractError(this.trans);
  }

  /** A route of this very server below `prefix`, as an address. */
  private ownAddress(path: string, prefix: string): string {
    const url = new URL(path, this.base);
    if (!path || !this.isBelow(url, `jupyter-oidc/${prefix}`)) {
      throw new ContractError(this.trans);
    }
    return url.href;
  }

  /** The address of `path` at the proxy; a path that leads anywhere else is refused before anything is sent. */
  private addressOf(api: string, path: string): string {
    if (!API_NAME.test(api)) {
      throw new Problem(
        'unknown_api',
        this.trans.__('No API of this name is configured.'),
        this.trans.__('Check the name against the list of APIs.'),
        false
      );
    }
    const prefix = `jupyter-oidc/api/${api}/`;
    const url = new URL(URLExt.join(this.base.href, prefix) + path.replace(/^\//, ''));
    if (!this.isBelow(url, prefix)) {
      throw new Problem(
        'bad_path',
        this.trans.__('This path is not allowed through the API proxy.'),
        this.trans.__('Use a plain path below the address of the API.'),
        false
      );
    }
    url.hash = '';
    return url.href;
  }

  private isBelow(url: URL, prefix: string): boolean {
    return url.origin === this.base.origin && url.pathname.startsWith(URLExt.join(this.base.pathname, prefix));
  }

  private get base(): URL {
    return new URL(this.settings.baseUrl, window.location.href);
  }

  private async request<T>(
    method: string,
    path: readonly string[],
    reply: IReply<T>,
    options: { body?: object; query?: Record<string, string>; signal?: AbortSignal } = {}
  ): Promise<T> {
    const address =
      URLExt.join(this.settings.baseUrl, 'jupyter-oidc', ...path.map(encodeURIComponent)) +
      (options.query ? URLExt.objectToQueryString(options.query) : '');
    // The sentences of the server are told in JupyterLab's language, which need not be the browser's.
    const headers: Record<string, string> = { 'Accept-Language': this.language };
    const init: RequestInit = { method, headers, ...(options.signal && { signal: options.signal }) };
    if (options.body) {
      init.body = JSON.stringify(options.body);
      headers['Content-Type'] = 'application/json';
    }
    const response = await this.send(address, init);
    if (!response.ok) {
      throw await this.problemFrom(response);
    }
    this.note(response);
    const data = known(reply.shape, await Private.json(response));
    if (!reply.isValid(data)) {
      throw new ContractError(this.trans);
    }
    return data;
  }

  /** Note the version of the contract of a reply of ours. */
  private note(response: Response): void {
    if (response.type === 'cors' && response.headers.get(CONTRACT_HEADER) === null) {
      return; // a server of another origin may not show its headers
    }
    const version = versionIn(response.headers.get(CONTRACT_HEADER));
    if (version !== this._contractVersion) {
      this._contractVersion = version;
      this._contractVersionChanged.emit();
    }
  }

  private async send(address: string, init: RequestInit): Promise<Response> {
    try {
      return await ServerConnection.makeRequest(address, init, this.settings);
    } catch (error) {
      if (init.signal?.aborted) {
        throw error; // the caller aborted the call, and gets the abort error unchanged
      }
      throw new Problem(
        'network',
        this.trans.__('The Jupyter server cannot be reached.'),
        this.trans.__('Check that it is still running and that you are online.'),
        true
      );
    }
  }

  /** Convert an error response; one that does not keep to the contract is not ours. */
  private async problemFrom(response: Response): Promise<Problem> {
    if (response.headers.get('X-OIDC-Error') !== null) {
      this.note(response);
    }
    const data = known(shapeOfOidcError, await Private.json(response));
    if (isOidcError(data)) {
      return Problem.of(data);
    }
    return response.headers.get('X-OIDC-Error') === null
      ? this.unavailable(response.status)
      : new ContractError(this.trans);
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

  private readonly language: string;
  private _contractVersion: number | null = null;
  private readonly _contractVersionChanged = new Signal<this, void>(this);
}

namespace Private {
  export const apis: IReply<ApiList> = { shape: shapeOfApiList, isValid: isApiList };
  export const diagnostics: IReply<Diagnostics> = { shape: shapeOfDiagnostics, isValid: isDiagnostics };
  export const example: IReply<OperationExample> = { shape: shapeOfOperationExample, isValid: isOperationExample };
  export const grants: IReply<Grants> = { shape: shapeOfGrants, isValid: isGrants };
  export const operations: IReply<OperationList> = { shape: shapeOfOperationList, isValid: isOperationList };
  export const progress: IReply<SignInProgress> = { shape: shapeOfSignInProgress, isValid: isSignInProgress };
  export const providers: IReply<ProviderList> = { shape: shapeOfProviderList, isValid: isProviderList };
  export const signedOut: IReply<SignOutResult> = { shape: shapeOfSignOutResult, isValid: isSignOutResult };
  export const started: IReply<SignInStarted> = { shape: shapeOfSignInStarted, isValid: isSignInStarted };
  export const summary: IReply<SessionSummary> = { shape: shapeOfSessionSummary, isValid: isSessionSummary };

  /** The absolute address in `text`, or `null` if it is none. */
  export function url(text: string): URL | null {
    try {
      return new URL(text);
    } catch {
      return null;
    }
  }

  /** The parsed body, or `undefined` if it is not JSON. */
  export async function json(response: Response): Promise<unknown> {
    try {
      return await response.json();
    } catch {
      return undefined;
    }
  }
}

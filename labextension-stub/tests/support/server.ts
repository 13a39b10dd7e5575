// A fake server that sends scripted replies and records the requests.

import { ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';

import { OidcClient } from '../../src/client';

export const trans = nullTranslator.load('jupyter_oidc');

export interface IRecordedRequest {
  readonly method: string;
  /** Below `jupyter-oidc/`, with its query, without the cache buster. */
  readonly path: string;
  readonly body: string;
}

/** A reply; a function decides when it is asked, and may wait. JSON carries the server's number of the contract. */
export type Reply = { status?: number; json?: unknown; text?: string; headers?: Record<string, string> } | 'down';
type ReplyOrFunction = Reply | ((requests: IRecordedRequest) => Reply | Promise<Reply>);

export class ScriptedServer {
  readonly asked: IRecordedRequest[] = [];
  /** The number of the contract; `null` for a server that sends none. */
  contract: number | null = 1;

  /** `answers` by method and path: `GET providers`. */
  constructor(readonly answers: Record<string, ReplyOrFunction> = {}) {}

  readonly settings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost:8888/base/',
    init: {},
    fetch: async (request: RequestInfo | URL) =>
      Promise.race([this.reply(request as Request), aborted((request as Request).signal)]),
    Request,
    Headers
  });

  readonly client = new OidcClient(this.settings, trans);

  /** The number of requests with `method` at paths that begin with `path`. */
  count(method: string, path: string): number {
    return this.asked.filter(one => one.method === method && one.path.startsWith(path)).length;
  }

  private async reply(request: Request): Promise<Response> {
    const path = request.url.replace('http://localhost:8888/base/jupyter-oidc/', '');
    const asked = { method: request.method, path, body: await request.text() };
    this.asked.push(asked);
    const answer = this.answers[`${asked.method} ${path.split('?')[0]}`];
    const reply = typeof answer === 'function' ? await answer(asked) : answer;
    if (reply === undefined || reply === 'down') {
      throw new TypeError(`Nothing answers ${asked.method} ${path}.`);
    }
    const { status = 200, json, text, headers = {} } = reply;
    const content = json === undefined ? (text ?? '') : JSON.stringify(json);
    const numbered = json !== undefined && this.contract !== null ? { 'X-OIDC-Contract': String(this.contract) } : {};
    return new Response(status === 204 ? null : content, { status, headers: { ...numbered, ...headers } });
  }
}

/** Rejects when `signal` aborts, as a request of a browser does. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
}

/** An error as the contract has it. */
export function error(code: string, status = 503, retryable = true): Reply {
  const message = `It did not work (${code}).`;
  return {
    status,
    json: { code, message, action: 'Do something.', retryable, request_id: 'abcdefgh1234', reason: message },
    headers: { 'X-OIDC-Error': code }
  };
}

/** Wait until `condition` is true; fails after two seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 2_000;
  while (!condition()) {
    if (Date.now() > end) {
      throw new Error(`This did not happen in time: ${condition.toString()}`);
    }
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

/** Wait, so that pending timers and replies are handled. */
export function settle(milliseconds = 50): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}

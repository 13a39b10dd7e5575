// The client accepts only replies that keep to the contract, and sends requests only to our routes.

import { ServerConnection } from '@jupyterlab/services';
import { OidcClient } from '../src/client';
import type { SignInStarted } from '../src/generated/contract';
import { ContractError, Problem } from '../src/problem';
import { error, ScriptedServer, trans } from './support/server';
import { signedIn } from './support/summaries';

const rejection = (promise: Promise<unknown>): Promise<Problem> =>
  promise.then(
    () => Promise.reject(new Error('It was not refused.')),
    (thrown: Problem) => thrown
  );

describe('a reply', () => {
  it.each([
    ['a number where a word belongs', { ...signedIn(), state: 7 }],
    ['a number where text belongs', { ...signedIn(), issuer: 7 }],
    ['a missing field', (({ sequence: _, ...rest }) => rest)(signedIn())],
    ['a list', []],
    ['nothing', undefined]
  ])('with %s becomes a ContractError', async (_, json) => {
    const server = new ScriptedServer({ 'GET providers/corp/session': { json } });
    const problem = await rejection(server.client.session('corp'));
    expect(problem).toBeInstanceOf(ContractError);
    expect([problem.code, problem.retryable]).toEqual(['contract_broken', false]);
  });

  it('that keeps to the contract is passed on', async () => {
    const server = new ScriptedServer({ 'GET providers/corp/session': { json: signedIn() } });
    expect(await server.client.session('corp')).toEqual(signedIn());
  });
});

describe('an error', () => {
  it('of the contract keeps its words', async () => {
    const server = new ScriptedServer({ 'POST providers/corp/refresh': error('idp_unavailable') });
    expect(await rejection(server.client.refresh('corp'))).toMatchObject({
      code: 'idp_unavailable',
      message: 'It did not work (idp_unavailable).',
      action: 'Do something.',
      retryable: true
    });
  });

  it('that claims to be ours and is not becomes a ContractError', async () => {
    const reply = { status: 500, json: { code: 'mystery' }, headers: { 'X-OIDC-Error': 'mystery' } };
    const server = new ScriptedServer({ 'GET providers': reply, 'GET api/orders/items': reply });
    expect(await rejection(server.client.providers())).toBeInstanceOf(ContractError);
    expect(await rejection(server.client.call('orders', 'items'))).toBeInstanceOf(ContractError);
  });

  it.each([
    [404, 'The server extension jupyter_oidc does not answer.'],
    [403, 'The Jupyter server does not let this page in.']
  ])('of Jupyter itself (%i) is explained', async (status, message) => {
    const server = new ScriptedServer({ 'GET providers': { status, text: '<html>' } });
    expect((await rejection(server.client.providers())).message).toBe(message);
  });

  it('without any answer is transient', async () => {
    const problem = await rejection(new ScriptedServer({ 'GET providers': 'down' }).client.providers());
    expect([problem.code, problem.retryable]).toEqual(['network', true]);
  });
});

describe('the language of JupyterLab', () => {
  /** A client with `languageCode`, and the `Accept-Language` of each of its requests. */
  function listening(languageCode?: string): { client: OidcClient; languages: (string | null)[] } {
    const server = new ScriptedServer({
      'GET providers': { json: { providers: [] } },
      'POST providers/corp/refresh': { json: signedIn() },
      'GET api/orders/items': { json: [] }
    });
    const languages: (string | null)[] = [];
    const { fetch } = server.settings;
    const settings = ServerConnection.makeSettings({
      ...server.settings,
      fetch: (request: RequestInfo | URL) => {
        languages.push((request as Request).headers.get('Accept-Language'));
        return fetch(request as Request);
      }
    });
    return { client: new OidcClient(settings, trans, languageCode), languages };
  }

  it.each([
    ['de_DE', 'de-DE'],
    ['zh-CN', 'zh-CN'],
    [undefined, 'en']
  ])('%s is what our own requests ask for', async (languageCode, tag) => {
    const { client, languages } = listening(languageCode);
    await client.providers();
    await client.refresh('corp');
    expect(languages).toEqual([tag, tag]);
  });

  it('is not added to a call of an extension to an API', async () => {
    const { client, languages } = listening('de_DE');
    await client.call('orders', 'items');
    await client.call('orders', 'items', { headers: { 'Accept-Language': 'ja' } });
    expect(languages).toEqual([null, 'ja']);
  });
});

describe('a call to an API', () => {
  it('goes to the proxy, with its method, body and query', async () => {
    const server = new ScriptedServer({ 'POST api/orders/items': { status: 201, json: { id: 1 } } });
    const reply = await server.client.call('orders', '/items?open=1&who=a%2Fb#part', { method: 'POST', body: '{}' });
    expect([reply.status, await reply.json()]).toEqual([201, { id: 1 }]);
    expect(server.asked).toEqual([{ method: 'POST', path: 'api/orders/items?open=1&who=a%2Fb', body: '{}' }]);
  });

  it.each([undefined, 'no-store', 'default'] as const)(
    'sends the query that the caller wrote, and no more, with cache %s (Q3.8)',
    async cache => {
      const server = new ScriptedServer({ 'GET api/orders/items': { json: [] } });
      const settings = ServerConnection.makeSettings({ ...server.settings, init: { cache: 'no-store' } });
      const client = new OidcClient(settings, trans);
      await client.call('orders', 'items?open=1', cache && { cache });
      await client.call('orders', 'items', cache && { cache });
      expect(server.asked.map(one => one.path)).toEqual(['api/orders/items?open=1', 'api/orders/items']);
    }
  );

  it.each([401, 403, 404, 500])('gives the reply of the API, though it is %i', async status => {
    const server = new ScriptedServer({ 'GET api/orders/items': { status, text: 'no' } });
    expect((await server.client.call('orders', 'items')).status).toBe(status);
  });

  it('rejects with our own error', async () => {
    const server = new ScriptedServer({ 'GET api/orders/items': error('not_signed_in', 401, false) });
    expect(await rejection(server.client.call('orders', 'items'))).toMatchObject({ code: 'not_signed_in' });
  });

  it.each([
    '../../../api/contents/keep.txt',
    'items/../../billing/items',
    '%2e%2e/billing/items',
    '..\\billing\\items'
  ])('never leaves the API: %p', async path => {
    const server = new ScriptedServer();
    expect((await rejection(server.client.call('orders', path))).code).toBe('bad_path');
    expect(server.asked).toEqual([]);
  });

  it.each(['', '.', '..', '../..', 'or/ders', 'orders?', 'Orders'])('names an API, and %p is no name', async api => {
    const server = new ScriptedServer();
    expect((await rejection(server.client.call(api, 'items'))).code).toBe('unknown_api');
    expect(server.asked).toEqual([]);
  });

  it.each(['https://evil.example/x', '/evil.example/x'])('takes an address for a path: %p', async path => {
    const server = new ScriptedServer();
    await rejection(server.client.call('orders', `/${path}`));
    expect(server.asked.map(asked => asked.path)).toEqual([`api/orders/${path}`]);
  });
});

describe('the window of a sign-in', () => {
  const started = (start_url: string | null): SignInStarted => ({
    flow: 'f'.repeat(16),
    provider: 'corp',
    strategy: 'server',
    start_url,
    device: null,
    expires_in: 600
  });
  const { client } = new ScriptedServer();

  it('is sent to a start route of this server', () => {
    expect(client.startAddress(started('/base/jupyter-oidc/start/abc'))).toBe(
      'http://localhost:8888/base/jupyter-oidc/start/abc'
    );
  });

  it.each([
    'https://evil.example/base/jupyter-oidc/start/abc',
    '//evil.example/base/jupyter-oidc/start/abc',
    '/base/jupyter-oidc/start/../../lab',
    '/base/lab',
    'javascript:alert(1)',
    '',
    null
  ])('is not sent to %p', address => {
    expect(() => client.startAddress(started(address))).toThrow(ContractError);
  });
});

describe('the page that ends the session at the provider', () => {
  const serverWithEndSessionUrl = (end_session_url: string | null): ScriptedServer =>
    new ScriptedServer({
      'POST providers/corp/sign-out': {
        json: { local: 'done', revoked: 'done', end_session_url, end_session_address: null }
      }
    });

  // Q9.8
  it("is a page of this server, as a whole address, or the provider's, or none", async () => {
    const { client } = serverWithEndSessionUrl(null);
    const ours = `${new URL(client.baseUrl).pathname}jupyter-oidc/providers/corp/sign-out/t-1`;
    const found = [ours, 'https://id.example.com/bye', null].map(url =>
      serverWithEndSessionUrl(url).client.signOut('corp')
    );
    expect((await Promise.all(found)).map(({ end_session_url }) => end_session_url)).toEqual([
      new URL(ours, client.baseUrl).href,
      'https://id.example.com/bye',
      null
    ]);
  });

  // Q9.8
  it.each([
    '//evil.example/jupyter-oidc/providers/corp',
    '/logout',
    'javascript:alert(1)',
    'http://id.example.com/bye'
  ])('is never %s', async url => {
    expect(await rejection(serverWithEndSessionUrl(url).client.signOut('corp'))).toBeInstanceOf(ContractError);
  });
});

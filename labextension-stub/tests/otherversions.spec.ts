// A page and a server of other versions: what is known is shown, and what is not is named.
//
// The server is scripted with the fixtures of its version, which the kernel's tests read too.

import { versionIn, versionWords } from '../src/contractversion';
import { failedChecksFirst, reportText, responsibleParty } from '../src/diagnostics';
import type { Diagnostics, SessionSummary, SignInStarted } from '../src/generated/contract';
import { readiness } from '../src/panel/apirow';
import { ContractError, Problem } from '../src/problem';
import { SignIn } from '../src/signin';
import { callsWork, isSignedIn, sharingWords, storageWords, wordsFor } from '../src/words';
import { FrozenClock } from './support/fakeenvironment';
import { newer, newerReplies, readAs, repliesOf, replyOf, requestsOf } from './support/fixtures';
import { ScriptedServer, settle, trans } from './support/server';
import { signedIn, signedOut } from './support/summaries';

const FLOW = 'flow-example0000000000';
const LATER = 'with an added word';

const refusal = (promise: Promise<unknown>): Promise<Problem> =>
  promise.then(
    () => Promise.reject(new Error('It was not refused.')),
    (thrown: Problem) => thrown
  );

/** The session of a server of the next version, with an added word for `member`. */
async function sessionWith(member: string): Promise<SessionSummary> {
  const server = new ScriptedServer({
    'GET providers/corp/session': { json: newer('session.reply', `${member} ${LATER}`) }
  });
  return server.client.session('corp');
}

const viewOf = (summary: SessionSummary) => ({ provider: 'corp', summary, left: 100, problem: null, step: null });

describe('a reply of a newer server', () => {
  it.each(newerReplies().map(one => [one.contract, one.shows, one] as const))(
    '%s %s is read as the kernel reads it',
    (contract, _, { reply, read }) => {
      expect(readAs(contract, reply)).toEqual(read);
    }
  );

  it('changes nothing of what was received', () => {
    const reply = newer('session.reply');
    const before = JSON.stringify(reply);
    readAs('session.reply', reply);
    expect(JSON.stringify(reply)).toBe(before);
  });

  it('cannot write the member in which unknown words are kept', () => {
    const read = readAs('session.reply', { ...signedIn(), unknown_words: { state: '<script>' } });
    expect(read).toEqual(signedIn());
  });

  it.each(['__proto__', 'constructor', 'toString'])('with a member %s is read as without it', name => {
    const reply = JSON.parse(JSON.stringify(signedIn()).replace('{', `{"${name}":{"state":"active"},`)) as object;
    expect(readAs('session.reply', reply)).toEqual(signedIn());
  });

  it('does not get its members from the prototype', () => {
    const { sequence: _, ...rest } = signedIn();
    expect(readAs('session.reply', Object.assign(Object.create({ sequence: 7 }) as object, rest))).toBeUndefined();
  });

  it('with a member of another type is no reply', async () => {
    const server = new ScriptedServer({ 'GET providers/corp/session': { json: { ...signedIn(), state: null } } });
    expect(await refusal(server.client.session('corp'))).toBeInstanceOf(ContractError);
  });
});

describe('a reply of an older server', () => {
  it.each(repliesOf(1))('of version 1, %s %s, is read whole', (contract, _, reply) => {
    expect(readAs(contract, reply)).toMatchObject(reply); // what came later is filled in
  });

  it.each(repliesOf(0))('of 0.1.0, %s %s, is read', (contract, _, reply) => {
    expect(readAs(contract, reply)).toBeDefined();
  });

  it('gets what it lacks without a promise', () => {
    const read = readAs('session.reply', replyOf(0, 'session.reply', 'as a server sends it')) as SessionSummary;
    expect([read.settings_pending, read.sharing, read.entitlements_more]).toEqual([false, 'none', 0]);
    expect(readiness(read.apis[0]!, trans).text).toBe('Whether a call works is not known here');
  });
});

describe('an added word', () => {
  it('for a state is named, and signing in and out stay possible', async () => {
    const summary = await sessionWith('state');
    expect([summary.state, summary.unknown_words]).toEqual(['other', { state: 'added-later' }]);
    expect(wordsFor(viewOf(summary), false, trans)).toMatchObject({
      headline: 'State not known',
      person: 'Example User',
      reason: 'The server calls it "added-later".',
      next: 'Calls may work; sign in again if they do not.',
      tone: 'attention',
      actions: ['sign-in', 'sign-out', 'another-account'],
      short: 'Example User'
    });
    expect([isSignedIn(summary), callsWork(summary, 100), callsWork(summary, 0)]).toEqual([true, true, false]);
  });

  it('for a state without a user offers a sign-in only', () => {
    const words = wordsFor(viewOf(signedOut({ state: 'other', unknown_words: { state: 'asleep' } })), false, trans);
    expect([words.actions, words.short]).toEqual([['sign-in', 'another-account'], 'State not known']);
  });

  it('for an API is shown with it', async () => {
    const summary = await sessionWith('apis.0.readiness');
    expect(readiness(summary.apis[0]!, trans)).toEqual({
      text: 'Whether a call works is not known here (added-later)',
      tone: 'off'
    });
  });

  it('for the storage is named', async () => {
    expect(storageWords(await sessionWith('storage'), trans)).toBe('The server calls it "added-later".');
  });

  it('for the sharing is a warning', async () => {
    const { sharing } = await sessionWith('sharing');
    expect(sharingWords(sharing, trans)).toBe(
      'This server may be shared: whose kernels call APIs as you is not known here.'
    );
  });

  it('in a report is neither fine nor lost', () => {
    const report = readAs('diagnostics.reply', newer('diagnostics.reply', `checks.0.status ${LATER}`)) as Diagnostics;
    expect(failedChecksFirst(report)).toHaveLength(1);
    expect(reportText(report, trans)).toContain('???? ');
    const who = readAs('diagnostics.reply', newer('diagnostics.reply', `checks.0.who ${LATER}`)) as Diagnostics;
    expect(responsibleParty(who.checks[0]!, trans)).toBeNull();
  });

  it('for a step of a sign-out does no harm', async () => {
    const json = { ...newer('sign-out.reply', `revoked ${LATER}`), end_session_url: null };
    const server = new ScriptedServer({ 'POST providers/corp/sign-out': { json } });
    expect(await server.client.signOut('corp')).toMatchObject({
      revoked: 'other',
      unknown_words: { revoked: 'added-later' }
    });
  });
});

describe('an added code', () => {
  it('keeps itself, message and action', async () => {
    const json = { ...newer('error', `code ${LATER}`), retryable: true };
    const reply = { status: 451, json, headers: { 'X-OIDC-Error': 'added-later' } };
    const server = new ScriptedServer({ 'GET providers': reply, 'GET api/orders/items': reply });
    for (const call of [server.client.providers(), server.client.call('orders', 'items')]) {
      const problem = await refusal(call);
      expect(problem).not.toBeInstanceOf(ContractError);
      expect(problem).toMatchObject({
        code: 'added-later',
        message: 'Nobody is signed in.',
        action: 'Sign in, then run this again.',
        retryable: true
      });
    }
  });
});

describe('a sign-in', () => {
  const started = { ...replyOf(1, 'sign-in.reply', 'without what is optional'), flow: FLOW };
  const progress = (state: string, error: unknown = null, expires_in = 500) => ({
    json: { flow: FLOW, provider: 'corp', state, error, expires_in }
  });
  const attempt = (server: ScriptedServer) => {
    jest.spyOn(window, 'open').mockReturnValue(null);
    return new SignIn('corp', server.client, new FrozenClock(), trans);
  };

  it('in a way of a newer server is refused, and cancelled there', async () => {
    const json: object = { ...newer('sign-in.reply', `strategy ${LATER}`), flow: FLOW };
    const server = new ScriptedServer({
      'POST providers/corp/sign-in': { status: 201, json },
      [`DELETE providers/corp/sign-in/${FLOW}`]: progress('cancelled')
    });
    expect((await refusal(attempt(server).run())).message).toBe(
      'The server wants to sign you in, in a way that this page does not know.'
    );
    expect(server.count('DELETE', `providers/corp/sign-in/${FLOW}`)).toBe(1);
  });

  it('in a state of a newer server is waited for, without a storm of requests', async () => {
    const server = new ScriptedServer({
      'POST providers/corp/sign-in': { status: 201, json: { ...started, start_url: '/base/jupyter-oidc/start/t' } },
      [`GET providers/corp/sign-in/${FLOW}`]: progress('thinking'),
      [`DELETE providers/corp/sign-in/${FLOW}`]: progress('cancelled')
    });
    const signIn = attempt(server);
    const outcome = signIn.run();
    await settle(300);
    expect(server.count('GET', `providers/corp/sign-in/${FLOW}`)).toBe(1);
    signIn.cancel();
    expect(await outcome).toBe(false);
  });

  it('that ends in a state of a newer server says why', async () => {
    const error = newer('error', `code ${LATER}`);
    const server = new ScriptedServer({
      'POST providers/corp/sign-in': { status: 201, json: { ...started, start_url: '/base/jupyter-oidc/start/t' } },
      [`GET providers/corp/sign-in/${FLOW}`]: progress('vetoed', error)
    });
    expect(await refusal(attempt(server).run())).toMatchObject({
      code: 'added-later',
      message: 'Nobody is signed in.'
    });
  });
});

describe('a request', () => {
  it('that version 1 can express is sent as version 1 sends it', async () => {
    const server = new ScriptedServer({
      'POST providers/corp/sign-in': { json: replyOf(1, 'sign-in.reply', 'as a server sends it') },
      'POST providers/corp/refresh': { json: signedIn() },
      'POST providers/corp/sign-out': {
        json: { ...replyOf(1, 'sign-out.reply', 'revoked done'), end_session_url: null }
      },
      'POST providers/corp/sign-in/f/complete': { json: replyOf(1, 'sign-in-progress.reply', 'state completed') }
    });
    const { client } = server;
    const silent = { silent: true, next: '/lab/tree/a.ipynb' };
    const address = 'https://jupyter.example.com/callback?code=x&state=y';
    const begun: SignInStarted = await client.beginSignIn('corp');
    await client.beginSilentSignIn('corp', silent.next);
    await client.completeSignIn('corp', 'f', address);
    await client.refresh('corp');
    await client.signOut('corp');
    expect(begun.flow).toBe(FLOW);
    const version1 = requestsOf(1);
    expect(server.asked.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      version1['sign-in.request']!['a plain sign-in'],
      version1['sign-in.request']!['of a page that opens'],
      version1['complete.request']!['a pasted address'],
      version1['refresh.request']!['now'],
      version1['sign-out.request']!['now']
    ]);
  });
});

describe('the number of the contract', () => {
  const seen = async (contract: number | null): Promise<string | null> => {
    const server = new ScriptedServer({ 'GET providers': { json: { providers: [] } } });
    server.contract = contract;
    await server.client.providers();
    return versionWords(server.client.contractVersion, trans);
  };

  it('of a newer server says that the page is older, and to reload it', async () => {
    expect(await seen(2)).toBe(
      'This page is older than the jupyter_oidc of the Jupyter server, and does not understand what is new there. Reload the page.'
    );
  });

  it('that is missing says that the server is older, and to restart it', async () => {
    expect(await seen(null)).toBe(
      'The jupyter_oidc of the Jupyter server is older than this page, and what is new here does not work there. Restart the server.'
    );
  });

  it('of the same version says nothing', async () => {
    expect(await seen(1)).toBeNull();
  });

  it.each([
    ['1', 1],
    ['12', 12],
    [null, 0],
    ['', 0],
    ['one', 0],
    ['1.5', 0],
    ['9'.repeat(5000), 0]
  ])('%s is read as %i', (header, version) => {
    expect(versionIn(header)).toBe(version);
  });

  it.each([
    ['an answer of an API', { json: [1] }],
    ['an error of another program', { status: 502, text: '<html>' }]
  ])('is not looked for in %s', async (_, reply) => {
    const server = new ScriptedServer({ 'GET api/orders/items': reply });
    server.contract = null;
    await server.client.call('orders', 'items');
    expect(server.client.contractVersion).toBeNull();
  });
});

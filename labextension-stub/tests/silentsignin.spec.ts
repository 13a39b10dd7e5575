// A page that opens signs in silently where the server allows it (Q10.3).

import { SilentSignIn } from '../src/silentsignin';
import type { ITab } from '../src/silentsignin';
import { ScriptedServer } from './support/server';
import type { Reply } from './support/server';

const STORAGE_KEY = 'jupyter-oidc:silent:/base/:corp';
const START = '/base/jupyter-oidc/start/ticket';

class FakeTab implements ITab {
  readonly left: string[] = [];
  location = '/base/lab/tree/a.ipynb?token=secret&reset#cell';
  isVisible = true;
  storage: Storage | null = window.sessionStorage;

  navigate(address: string): void {
    this.left.push(address);
  }
}

const started: Reply = {
  json: {
    flow: '0123456789abcdef',
    provider: 'corp',
    strategy: 'server',
    start_url: START,
    start_address: null,
    device: null,
    expires_in: 60
  }
};

function server(due = true, begun: Reply = started): ScriptedServer {
  const may = due ? { silent_sign_in: true } : {};
  const corp = { name: 'corp', issuer: 'https://id.example.com', state: 'signed-out', ...may };
  return new ScriptedServer({
    'GET providers': { json: { providers: [corp] } },
    'POST providers/corp/sign-in': begun
  });
}

/** Open a page in `tab`; returns where it has left for. */
async function open(tab: FakeTab, scripted: ScriptedServer): Promise<readonly string[]> {
  await new SilentSignIn(scripted.client, tab).attempt(0);
  return tab.left;
}

beforeEach(() => window.sessionStorage.clear());

it('leaves for the start of a silent sign-in, with where to come back to and without the token of Jupyter', async () => {
  const scripted = server();
  expect(await open(new FakeTab(), scripted)).toEqual([`http://localhost:8888${START}`]);
  expect(JSON.parse(scripted.asked[1]!.body)).toEqual({ silent: true, next: '/base/lab/tree/a.ipynb?reset=#cell' });
});

it('tries once in a tab, whatever became of it', async () => {
  const tab = new FakeTab();
  await open(tab, server());
  expect((await open(tab, server())).length).toBe(1);
});

it('stays where the server does not say that it may', async () => {
  const scripted = server(false);
  expect(await open(new FakeTab(), scripted)).toEqual([]);
  expect(scripted.count('POST', '')).toBe(0);
});

it.each([
  ['the tab is in the background, or a frame of another page', { isVisible: false }],
  ['the browser keeps nothing', { storage: null }],
  ['the browser forgets at once', { storage: { getItem: () => null, setItem: () => undefined } as unknown as Storage }]
])('stays where %s', async (_, changes) => {
  expect(await open(Object.assign(new FakeTab(), changes), server())).toEqual([]);
});

it('stays, without a word, where the attempt is refused or leads to another server', async () => {
  const elsewhere = { ...(started as { json: object }).json, start_url: 'https://evil.example.com/start' };
  for (const begun of ['down' as const, { status: 400, text: '' }, { json: elsewhere }]) {
    window.sessionStorage.clear();
    expect(await open(new FakeTab(), server(true, begun))).toEqual([]);
  }
});

it('may try again once a session has been active', async () => {
  window.sessionStorage.setItem(STORAGE_KEY, 'tried');
  const summary = { state: 'active' };
  let tell: () => void = () => undefined;
  const oidc = { changed: { connect: (slot: () => void) => (tell = slot) }, sessions: [{ provider: 'corp', summary }] };
  new SilentSignIn(server().client, new FakeTab()).retryAfterSession(
    oidc as unknown as Parameters<SilentSignIn['retryAfterSession']>[0]
  );
  tell();
  expect(window.sessionStorage.getItem(STORAGE_KEY)).toBeNull();
});

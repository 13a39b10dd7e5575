// What a page does when it opens and may sign in without asking (Q10.3).

import { Silent } from '../src/silent';
import type { ITab } from '../src/silent';
import { ScriptedServer } from './support/server';
import type { Reply } from './support/server';

const MARK = 'jupyter-oidc:silent:/base/:corp';
const START = '/base/jupyter-oidc/start/ticket';

class Tab implements ITab {
  readonly left: string[] = [];
  place = '/base/lab/tree/a.ipynb?token=secret&reset#cell';
  isOpen = true;
  storage: Storage | null = window.sessionStorage;

  leave(address: string): void {
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
async function open(tab: Tab, at: ScriptedServer): Promise<readonly string[]> {
  await new Silent(at.client, tab).attempt(0);
  return tab.left;
}

beforeEach(() => window.sessionStorage.clear());

it('leaves for the start of a silent sign-in, with where to come back to and without the token of Jupyter', async () => {
  const at = server();
  expect(await open(new Tab(), at)).toEqual([`http://localhost:8888${START}`]);
  expect(JSON.parse(at.asked[1]!.body)).toEqual({ silent: true, next: '/base/lab/tree/a.ipynb?reset=#cell' });
});

it('tries once in a tab, whatever became of it', async () => {
  const tab = new Tab();
  await open(tab, server());
  expect((await open(tab, server())).length).toBe(1);
});

it('stays where the server does not say that it may', async () => {
  const at = server(false);
  expect(await open(new Tab(), at)).toEqual([]);
  expect(at.count('POST', '')).toBe(0);
});

it.each([
  ['nobody looks at it, or it is part of another page', { isOpen: false }],
  ['the browser keeps nothing', { storage: null }],
  ['the browser forgets at once', { storage: { getItem: () => null, setItem: () => undefined } as unknown as Storage }]
])('stays where %s', async (_, changes) => {
  expect(await open(Object.assign(new Tab(), changes), server())).toEqual([]);
});

it('stays, without a word, where the attempt is refused or leads to another server', async () => {
  const elsewhere = { ...(started as { json: object }).json, start_url: 'https://evil.example.com/start' };
  for (const begun of ['down' as const, { status: 400, text: '' }, { json: elsewhere }]) {
    window.sessionStorage.clear();
    expect(await open(new Tab(), server(true, begun))).toEqual([]);
  }
});

it('may try again once somebody has been in', async () => {
  window.sessionStorage.setItem(MARK, 'tried');
  const summary = { state: 'active' };
  let tell: () => void = () => undefined;
  const oidc = { changed: { connect: (slot: () => void) => (tell = slot) }, sessions: [{ provider: 'corp', summary }] };
  new Silent(server().client, new Tab()).follow(oidc as unknown as Parameters<Silent['follow']>[0]);
  tell();
  expect(window.sessionStorage.getItem(MARK)).toBeNull();
});

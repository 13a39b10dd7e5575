// The card in a notebook: what it draws in each state, that it follows the session, and what hostile data can do.

import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import type { IRenderMime } from '@jupyterlab/rendermime';

import { readCardData, rendererFactory, SESSION_TYPE, SIGN_IN_TYPE } from '../src/sessioncard';
import { settle, trans, until } from './support/server';
import { FakeEnvironment, fakeEnvironment } from './support/fakeenvironment';
import { signedIn, signedOut } from './support/summaries';

const pressed: string[] = [];
const shown: Widget[] = [];
let environment: FakeEnvironment;
let panelIsThere = true;

afterEach(() => {
  shown.splice(0).forEach(output => output.dispose());
  environment?.close();
  pressed.length = 0;
  panelIsThere = true;
});

function factory(): IRenderMime.IRendererFactory {
  const { oidc, clock } = environment;
  return rendererFactory({
    oidc,
    clock,
    actions: {
      signIn: provider => pressed.push(`sign in at ${provider}`),
      useAnotherAccount: provider => pressed.push(`another account at ${provider}`),
      cancelSignIns: provider => pressed.push(`cancel at ${provider}`),
      signOut: provider => pressed.push(`sign out at ${provider}`),
      refresh: provider => pressed.push(`refresh ${provider}`),
      retry: () => pressed.push('retry')
    },
    showPanel: () => (panelIsThere ? () => void pressed.push('panel') : null),
    copy: text => pressed.push(`copy ${text}`),
    trans
  });
}

/** Draw `data` as JupyterLab does with an output of a cell. */
async function draw(data: unknown, mimeType = SESSION_TYPE): Promise<HTMLElement> {
  const output = factory().createRenderer({ mimeType } as IRenderMime.IRendererOptions) as IRenderMime.IRenderer &
    Widget;
  shown.push(output);
  Widget.attach(output, document.body);
  const model = { data: { [mimeType]: data }, metadata: {}, trusted: false } as unknown as IRenderMime.IMimeModel;
  const drawn = output.renderModel(model);
  MessageLoop.flush();
  await drawn;
  await settle();
  return output.node;
}

const names = (node: HTMLElement): (string | null)[] =>
  [...node.querySelectorAll('button')].map(one => one.getAttribute('aria-label'));
const press = (node: HTMLElement, name: string): void =>
  [...node.querySelectorAll('button')].find(one => one.getAttribute('aria-label') === name)!.click();

it('says who is signed in, and what can be called', async () => {
  environment = await fakeEnvironment(signedIn());
  const node = await draw({ provider: 'corp', sequence: 7 });
  for (const text of ['corp', 'Signed in', 'Ada Lovelace', 'orders', 'Ready', 'billing', 'Missing: billing.read']) {
    expect(node.textContent).toContain(text);
  }
  expect(node.textContent).toContain('This is the session now, not when the cell ran.');
  expect(node.querySelector('[role=group]')?.getAttribute('aria-label')).toBe('Session at corp');
});

it('offers no sign-out: the panel has it, and the card leads there', async () => {
  environment = await fakeEnvironment(signedIn());
  const node = await draw({ provider: 'corp', sequence: 7 });
  expect(names(node)).toEqual(['Show in the panel: corp']);
  press(node, 'Show in the panel: corp');
  expect(pressed).toEqual(['panel']);
});

it('follows a sign-out and a sign-in that happen elsewhere', async () => {
  environment = await fakeEnvironment(signedIn());
  const node = await draw({ provider: 'corp', sequence: 7 });
  await environment.change(signedOut({ sequence: 8 }));
  await until(() => node.textContent!.includes('Not signed in'));
  expect(node.textContent).not.toContain('Ada');
  await environment.change(signedIn({ sequence: 9 }));
  await until(() => node.textContent!.includes('Ada Lovelace'));
});

it('signs in after a click, and never before', async () => {
  environment = await fakeEnvironment(signedOut());
  const node = await draw({ provider: 'corp', sequence: 7 });
  expect(pressed).toEqual([]);
  press(node, 'Sign in at corp');
  expect(pressed).toEqual(['sign in at corp']);
});

it('cancels a sign-in that a cell or a terminal began', async () => {
  environment = await fakeEnvironment(signedOut({ state: 'signing-in', sign_in_under_way: true }));
  const node = await draw({ provider: 'corp', sequence: 7 });
  press(node, 'Cancel the sign-in at corp');
  expect(pressed).toEqual(['cancel at corp']);
});

it('reads the session again if the cell has seen a later state than the page', async () => {
  environment = await fakeEnvironment(signedOut({ sequence: 3 }));
  environment.serve(signedIn({ sequence: 4 }));
  const node = await draw({ provider: 'corp', sequence: 4 });
  await until(() => node.textContent!.includes('Ada Lovelace'));
});

it('asks nothing of the server if the page knows as much as the cell', async () => {
  environment = await fakeEnvironment(signedIn({ sequence: 7 }));
  const before = environment.server.count('GET', '');
  await draw({ provider: 'corp', sequence: 7 });
  await draw({ provider: 'corp', sequence: 2 });
  await new Promise(resolve => setTimeout(resolve, 700));
  expect(environment.server.count('GET', '')).toBe(before);
});

it('says so if no provider has the name', async () => {
  environment = await fakeEnvironment(signedIn());
  const node = await draw({ provider: 'other', sequence: 1 });
  expect(node.textContent).toBe('No provider called "other" is configured on this Jupyter server.');
  expect(names(node)).toEqual([]);
});

it('shows how to sign in by itself where the panel is switched off', async () => {
  environment = await fakeEnvironment(signedOut());
  panelIsThere = false;
  const node = await draw({ provider: 'corp', sequence: 7 });
  expect(names(node)).toEqual(['Sign in at corp']);
});

describe('the button below an invitation', () => {
  it('is there while a sign-in is under way, and gone afterwards', async () => {
    environment = await fakeEnvironment(signedOut({ state: 'signing-in', sign_in_under_way: true }));
    const node = await draw({ provider: 'corp' }, SIGN_IN_TYPE);
    press(node, 'Cancel the sign-in at corp');
    expect(pressed).toEqual(['cancel at corp']);
    await environment.change(signedIn({ sequence: 8 }));
    await until(() => node.textContent === '');
  });

  it('is not there in a notebook that was saved meanwhile, if nothing is under way', async () => {
    environment = await fakeEnvironment(signedIn());
    expect((await draw({ provider: 'corp' }, SIGN_IN_TYPE)).textContent).toBe('');
  });
});

describe('data from a stranger', () => {
  const HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>';

  it('are never HTML', async () => {
    environment = await fakeEnvironment(signedIn());
    const node = await draw({ provider: HOSTILE, sequence: 1 });
    expect(node.textContent).toContain(HOSTILE);
    expect(node.querySelectorAll('img, script').length).toBe(0);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'corp'],
    ['a list', ['corp']],
    ['a number for a name', { provider: 7, sequence: 1 }],
    ['an empty name', { provider: '', sequence: 1 }],
    ['a name without end', { provider: 'x'.repeat(1_000_000), sequence: 1 }],
    ['an object for a name', { provider: { toString: 'corp' }, sequence: 1 }]
  ])('are refused with a sentence: %s', async (_, data) => {
    environment = await fakeEnvironment(signedIn());
    expect(readCardData(data)).toBeNull();
    expect((await draw(data)).textContent).toBe('This card cannot be read. Run the cell again.');
    expect((await draw(data, SIGN_IN_TYPE)).textContent).toBe('');
  });

  it('name a provider and nothing else that counts: no address, no text, no state of theirs is shown or called', async () => {
    environment = await fakeEnvironment(signedOut());
    const before = environment.server.count('GET', '');
    const node = await draw({
      provider: 'corp',
      sequence: 0,
      state: 'active',
      user: { name: 'Mallory' },
      url: 'https://evil.example.com',
      html: HOSTILE
    });
    expect(node.textContent).toContain('Not signed in');
    expect(node.innerHTML).not.toMatch(/Mallory|evil|alert/);
    expect(environment.server.count('GET', '')).toBe(before);
  });

  it.each([['-1e309'], [Infinity], [NaN], [1.5], ['9'], [null], [2 ** 60]])(
    'hold a sequence of %p, which is taken for none',
    sequence => expect(readCardData({ provider: 'corp', sequence })).toEqual({ provider: 'corp', sequence: 0 })
  );

  it('make twenty cards ask the server no more often than a few hints would, whatever number they hold', async () => {
    environment = await fakeEnvironment(signedIn({ sequence: 7 }));
    const before = environment.server.count('GET', '');
    const data = { provider: 'corp', sequence: Number.MAX_SAFE_INTEGER };
    await Promise.all(Array.from({ length: 20 }, async () => draw(data)));
    await new Promise(resolve => setTimeout(resolve, 1_200));
    expect(environment.server.count('GET', '') - before).toBeLessThanOrEqual(3);
  });
});

it('are safe for notebooks that are not trusted, and come before HTML', async () => {
  environment = await fakeEnvironment(signedIn());
  const { safe, mimeTypes, defaultRank } = factory();
  expect([safe, mimeTypes, defaultRank]).toEqual([true, [SESSION_TYPE, SIGN_IN_TYPE], 40]);
});

// The panel by roles and accessible names, as a user meets it.

import { Clipboard } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { Apis } from '../src/apis';
import { DiagnosticsModel } from '../src/diagnostics';
import type { Examples } from '../src/example';
import { Operations } from '../src/operations';
import { initialsOf } from '../src/panel/person';
import { SignInPanel } from '../src/panel/panel';
import type { Preferences } from '../src/preferences';
import { WorkerGrants } from '../src/workergrants';
import { error, settle, until } from './support/server';
import { FakeEnvironment, fakeEnvironment } from './support/fakeenvironment';
import { signedIn, signedOut } from './support/summaries';

const trans = nullTranslator.load('jupyter_oidc');

/** Examples that remember that they were inserted. */
class FakeExamples {
  readonly inserted: string[] = [];
  obstacleText: string | null = null;

  async insert(code: string): Promise<void> {
    this.inserted.push(code);
  }

  obstacle(): string | null {
    return this.obstacleText;
  }
}

let environment: FakeEnvironment;
let panel: SignInPanel;
let examples: FakeExamples;
let copied: jest.SpyInstance;
const pressed: string[] = [];

async function show(given: FakeEnvironment, defaultProvider = ''): Promise<void> {
  attach(given, defaultProvider);
  await until(() => panel.node.querySelector('h2') !== null);
}

/** Put the panel onto the page, where it is drawn a moment later. */
function attach(given: FakeEnvironment, defaultProvider = ''): void {
  environment = given;
  examples = new FakeExamples();
  copied = jest.spyOn(Clipboard, 'copyToSystem').mockImplementation();
  const { client } = environment.server;
  const diagnostics = new DiagnosticsModel(client, trans);
  const apis = new Apis(environment.oidc, client);
  const choices = { status: 'auto', notices: true, defaultProvider };
  panel = new SignInPanel({
    oidc: environment.oidc,
    apis,
    operations: new Operations(client, apis, trans),
    workerGrants: new WorkerGrants(environment.oidc, client, trans),
    diagnostics,
    clock: environment.clock,
    preferences: { choices, changed: new Signal<object, void>({}) } as unknown as Preferences,
    examples: examples as unknown as Examples,
    actions: {
      signIn: provider => pressed.push(`sign in at ${provider}`),
      useAnotherAccount: provider => pressed.push(`another account at ${provider}`),
      cancelSignIns: provider => pressed.push(`cancel at ${provider}`),
      signOut: provider => pressed.push(`sign out at ${provider}`),
      refresh: provider => pressed.push(`refresh ${provider}`),
      retry: () => pressed.push('retry'),
      examine: () => void diagnostics.run()
    },
    trans
  });
  Widget.attach(panel, document.body);
  MessageLoop.flush();
}

afterEach(() => {
  panel?.dispose();
  environment?.close();
});

const text = (): string => panel.node.textContent ?? '';
const names = (): (string | null)[] =>
  [...panel.node.querySelectorAll('button')].map(one => one.getAttribute('aria-label'));
const button = (name: string): HTMLButtonElement => {
  const found = [...panel.node.querySelectorAll('button')].find(one =>
    one.getAttribute('aria-label')?.startsWith(name)
  );
  if (!found) {
    throw new Error(`There is no button ${name}, but ${names().join(', ')}.`);
  }
  return found;
};

it('shows a person, without loading a picture', async () => {
  const user = { ...signedIn().user!, picture: 'https://pictures.example/ada.png' };
  await show(await fakeEnvironment(signedIn({ user })));
  expect(text()).toContain('Ada Lovelace');
  expect(panel.node.querySelector('.jp-oidc-initials')?.textContent).toBe('AL');
  expect(panel.node.querySelectorAll('img, [style*=url], iframe')).toHaveLength(0);
  expect(panel.node.innerHTML).not.toContain('pictures.example');
});

it('gives every button a name that begins with what it says', async () => {
  await show(await fakeEnvironment(signedIn()));
  expect(names()).toEqual([
    'Refresh now at corp',
    'Sign out at corp',
    'Use another account at corp',
    'Copy example cell for orders',
    'Insert example cell for orders',
    'Copy example cell for billing',
    'Insert example cell for billing',
    'Check the set-up: providers, keys, network, storage and APIs'
  ]);
  for (const one of panel.node.querySelectorAll('.jp-oidc-actions button')) {
    expect(one.getAttribute('aria-label')).toMatch(new RegExp(`^${one.textContent}`));
  }
});

it('does what its buttons say', async () => {
  await show(await fakeEnvironment(signedIn(), signedOut({ provider: 'partner', apis: [] })));
  ['Refresh now at corp', 'Sign out at corp', 'Sign in at partner', 'Use another account at partner'].forEach(name =>
    button(name).click()
  );
  expect(pressed.splice(0)).toEqual([
    'refresh corp',
    'sign out at corp',
    'sign in at partner',
    'another account at partner'
  ]);
});

it('cancels a sign-in that a cell or a terminal began', async () => {
  await show(await fakeEnvironment(signedOut({ state: 'signing-in', sign_in_under_way: true })));
  button('Cancel the sign-in at corp').click();
  expect(pressed.splice(0)).toEqual(['cancel at corp']);
});

it('says what each API is ready for', async () => {
  await show(await fakeEnvironment(signedIn()));
  const rows = [...panel.node.querySelectorAll('.jp-oidc-api-text')].map(row => row.textContent);
  expect(rows).toEqual(['ordersReady', 'billingMissing: billing.read']);
  expect(text()).toContain('The server and the API decide.');
});

it.each([
  ['sign_in_needed', 'Sign in first'],
  ['expired', 'Sign in again first'],
  ['renewal_delayed', 'Waits for the provider'],
  ['refused', 'The provider gives no token for it'],
  ['unreachable', 'The last call could not reach it']
] as const)('Q5.8: translates what the server says of an API: %s', async (readiness, said) => {
  await show(await fakeEnvironment(signedIn({ apis: [{ name: 'orders', readiness, allowed: true, missing: [] }] })));
  expect(panel.node.querySelector('.jp-oidc-api-text')?.textContent).toBe(`orders${said}`);
});

it('copies and inserts an example, and says so where a screen reader hears it', async () => {
  await show(await fakeEnvironment(signedIn()));
  button('Copy example cell for orders').click();
  expect(copied).toHaveBeenCalledWith(expect.stringContaining('oidc.api("orders").get("")'));
  await until(() => panel.node.querySelector('[role=status]')?.textContent === 'Copied the example for orders.');
  button('Insert example cell for orders').click();
  await until(() => panel.node.querySelector('[role=status]')?.textContent === 'Inserted the example for orders.');
  expect(examples.inserted).toHaveLength(1);
});

it('does not insert where there is no notebook, and says why', async () => {
  const given = await fakeEnvironment(signedIn());
  await show(given);
  examples.obstacleText = 'Open a notebook to insert an example cell.';
  panel.update();
  await until(() => panel.node.querySelector('.jp-oidc-hint')?.textContent === examples.obstacleText);
  const insert = button('Insert example cell for orders');
  expect(insert.getAttribute('aria-disabled')).toBe('true');
  expect(insert.getAttribute('aria-label')).toBe(
    'Insert example cell for orders. Open a notebook to insert an example cell.'
  );
  insert.click();
  expect(examples.inserted).toEqual([]);
});

it('shows missing scopes and what memory means', async () => {
  await show(await fakeEnvironment(signedIn({ missing_scopes: ['offline_access', 'email'], storage: 'memory' })));
  expect(text()).toContain('The provider did not grant the scopes offline_access, email.');
  expect(text()).toContain('In memory only; it is gone when the Jupyter server stops.');
});

it('shows why something did not work, as an alert', async () => {
  await show(await fakeEnvironment(signedIn()));
  environment.server.answers['POST providers/corp/refresh'] = error('idp_unavailable');
  await environment.oidc.refresh('corp').catch(() => undefined);
  await until(() => panel.node.querySelector('[role=alert]') !== null);
  expect(panel.node.querySelector('[role=alert]')?.textContent).toContain('Do something.');
});

it('keeps the keyboard in the row when a button goes away', async () => {
  await show(await fakeEnvironment(signedIn()));
  button('Refresh now').focus();
  await environment.change(signedOut({ sequence: 8 }));
  await until(() => names()[0] === 'Sign in at corp');
  expect(document.activeElement).toBe(button('Sign in at corp'));
});

describe('a sign-in under way', () => {
  const FLOW = 'flow-0123456789abcdef';
  const begin = async (started: object): Promise<void> => {
    await show(await fakeEnvironment(signedOut()));
    jest.spyOn(window, 'open').mockReturnValue(null);
    const { answers } = environment.server;
    answers['POST providers/corp/sign-in'] = {
      status: 201,
      json: { flow: FLOW, provider: 'corp', start_url: null, device: null, expires_in: 600, ...started }
    };
    answers[`GET providers/corp/sign-in/${FLOW}`] = () => new Promise(() => undefined);
    answers[`DELETE providers/corp/sign-in/${FLOW}`] = 'down';
    void environment.oidc.signIn('corp');
  };
  const code = (complete: string | null): object => ({
    strategy: 'device',
    device: {
      user_code: 'WDJB-MJHT',
      verification_uri: 'https://id.example.com/device',
      verification_uri_complete: complete
    }
  });

  it('shows the code, spelt for a screen reader, with a QR code and a link', async () => {
    await begin(code('https://id.example.com/device?user_code=WDJB-MJHT'));
    await until(() => panel.node.querySelector('.jp-oidc-code') !== null);
    expect(panel.node.querySelector('.jp-oidc-code code')?.getAttribute('aria-label')).toBe('Code: W D J B - M J H T');
    expect(text()).toContain('check that the sign-in page shows this code');
    expect(text()).toContain('Good for 10 minutes. Never enter a code that somebody else sent you.');
    const link = panel.node.querySelector<HTMLAnchorElement>('.jp-oidc-link')!;
    expect(link.href).toBe('https://id.example.com/device?user_code=WDJB-MJHT');
    expect(link.rel).toBe('noopener noreferrer');
    expect(panel.node.querySelector('svg title')?.textContent).toBe('The sign-in page as a QR code');
    button('Copy the code for corp').click();
    expect(copied).toHaveBeenCalledWith('WDJB-MJHT');
    await until(() => panel.node.querySelector('[role=status]')?.textContent === 'Copied the code.');
  });

  it('asks for the code to be entered where the page does not know it', async () => {
    await begin(code(null));
    await until(() => panel.node.querySelector('.jp-oidc-code') !== null);
    expect(text()).toContain('enter this code on the sign-in page');
  });

  it('takes a pasted address, hides it, hands it in once and keeps it nowhere', async () => {
    await begin({ strategy: 'paste', start_url: '/base/jupyter-oidc/start/ticket' });
    await until(() => panel.node.querySelector('form') !== null);
    const field = panel.node.querySelector<HTMLInputElement>('form input')!;
    expect([field.type, field.autocomplete, field.labels?.[0]?.textContent]).toEqual([
      'password',
      'off',
      'Paste the address here; it stays hidden:'
    ]);
    const go = button('Continue signing in at corp');
    expect(go.getAttribute('aria-disabled')).toBe('true');
    go.click();
    environment.server.answers[`POST providers/corp/sign-in/${FLOW}/complete`] = error('state_invalid', 400, false);
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!.call(field, ' http://x/?code=c ');
    field.dispatchEvent(new Event('input', { bubbles: true }));
    await until(() => go.getAttribute('aria-disabled') === 'false');
    go.click();
    await until(() => panel.node.querySelector('form [role=alert]') !== null);
    expect(field.value).toBe('');
    expect(field.getAttribute('aria-describedby')).toBe(panel.node.querySelector('form [role=alert]')!.id);
    const asked = environment.server.asked.filter(({ path }) => path.endsWith('/complete'));
    expect(asked.map(({ body }) => JSON.parse(body))).toEqual([{ redirect_url: 'http://x/?code=c' }]);
  });
});

describe('the set-up', () => {
  const check = (name: string, status: string, differs: object = {}): object => ({
    name,
    provider: 'corp',
    status,
    message: `About ${name}.`,
    action: null,
    who: null,
    ...differs
  });

  it('is checked on request, worst first, with the party that has to act, and can be copied', async () => {
    await show(await fakeEnvironment(signedIn()));
    expect(environment.server.count('GET', 'diagnostics')).toBe(0);
    environment.server.answers['GET diagnostics'] = {
      json: {
        ok: false,
        checks: [
          check('keys', 'ok'),
          check('clock', 'warning', { action: 'Set it.', who: 'administrator' }),
          check('redirect', 'problem', { action: 'Register it.', who: 'provider' }),
          check('keyring', 'ok', { provider: null })
        ]
      }
    };
    button('Check the set-up').click();
    await until(() => text().includes('Something in the set-up is broken.'));
    const read = [...panel.node.querySelectorAll('.jp-oidc-diagnostics li')].map(one => one.textContent);
    expect(read).toEqual([
      'corp: redirectAbout redirect.Administrator of the provider: Register it.',
      'corp: clockAbout clock.Administrator of this Jupyter server: Set it.',
      'corp: keysAbout keys.',
      'keyringAbout keyring.'
    ]);
    expect(text()).toContain('2 checks are fine');
    button('Copy report').click();
    expect(copied).toHaveBeenCalledWith(
      [
        'ok   corp keys: About keys.',
        'WARN corp clock: About clock.',
        '     Administrator of this Jupyter server: Set it.',
        'FAIL corp redirect: About redirect.',
        '     Administrator of the provider: Register it.',
        'ok   - keyring: About keyring.'
      ].join('\n')
    );
  });

  it('is not waited for any longer than wished', async () => {
    await show(await fakeEnvironment(signedIn()));
    environment.server.answers['GET diagnostics'] = () => new Promise(() => undefined);
    button('Check the set-up').click();
    await until(() => names().includes('Checking…'));
    button('Cancel the check of the set-up').click();
    await until(() => !names().includes('Checking…'));
    expect(panel.node.querySelector('[role=alert]')).toBeNull();
  });

  it('says why there is no report', async () => {
    await show(await fakeEnvironment(signedIn()));
    environment.server.answers['GET diagnostics'] = error('overloaded');
    button('Check the set-up').click();
    await until(() => text().includes('It did not work (overloaded).'));
    expect(button('Check again')).toBeTruthy();
  });
});

describe('the grants for workers', () => {
  const grant = (differs: object = {}): object => ({
    id: 'worker-0123456789abcdef',
    provider: 'corp',
    apis: ['orders', 'plans'],
    methods: ['GET', 'HEAD'],
    name: 'nightly report',
    maker: 'kernel:0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9',
    outlives_kernel: false,
    began_at: '2026-01-02T10:00:00Z',
    ends_at: '2026-01-03T10:00:00Z',
    last_used_at: null,
    ...differs
  });
  const visible = async (given: FakeEnvironment): Promise<void> => {
    await show(given);
    MessageLoop.sendMessage(panel, Widget.Msg.AfterShow);
  };
  const section = (): Element | null => panel.node.querySelector('[aria-label="Grants for workers"]');
  const shown = async (...grants: object[]): Promise<void> => {
    const given = await fakeEnvironment(signedIn());
    given.server.answers['GET grants'] = { json: { grants } };
    await visible(given);
  };

  it('are listed with what they open, since when and until when, and who made them', async () => {
    const used = { id: 'worker-fedcba9876543210', name: '', last_used_at: '2026-01-02T11:00:00Z', outlives_kernel: true };
    await shown(grant(), grant(used));
    await until(() => section() !== null);
    const [first, second] = [...section()!.querySelectorAll('li')].map(one => one.textContent);
    expect(first).toContain('nightly report' + 'orders, plans: GET, HEAD' + 'Since ');
    expect(first).toContain('Not used yet' + 'Made by kernel 0f1e2d3c, and ends with it');
    expect(second).toContain('without a name (543210)');
    expect(second).toMatch(/Last used .+Made by kernel 0f1e2d3c, and outlives it/);
  });

  it('are revoked by a button, which says what that means, and the focus stays in the panel', async () => {
    await shown(grant());
    await until(() => section() !== null);
    environment.server.answers['DELETE grants/worker-0123456789abcdef'] = { json: { grants: [] } };
    const revoke = button('Revoke the grant nightly report: its workers can call no more');
    revoke.focus();
    revoke.click();
    await until(() => section() === null);
    await until(() => text().includes('Revoked the grant nightly report.'));
    await until(() => document.activeElement === panel.node);
  });

  it('stay where the server did not revoke one, with the reason', async () => {
    await shown(grant());
    await until(() => section() !== null);
    environment.server.answers['DELETE grants/worker-0123456789abcdef'] = error('overloaded');
    button('Revoke').click();
    await until(() => section()!.textContent!.includes('It did not work (overloaded).'));
    expect(section()!.querySelectorAll('li')).toHaveLength(1);
  });

  it('are no subject where there are none, or the server is older than they are', async () => {
    await shown();
    await until(() => environment.server.count('GET', 'grants') === 1);
    await settle();
    expect([section(), panel.node.querySelector('[role=alert]')]).toEqual([null, null]);
    panel.dispose();
    const older = new FakeEnvironment(signedIn());
    older.server.contract = null;
    await older.oidc.ready;
    await visible(older);
    await settle();
    expect(environment.server.count('GET', 'grants')).toBe(0);
    expect([section(), panel.node.querySelector('[role=alert]')]).toEqual([null, null]);
  });

  it('are not asked for where nobody is signed in, and are gone with the session', async () => {
    await visible(await fakeEnvironment(signedOut()));
    await settle();
    expect(environment.server.count('GET', 'grants')).toBe(0);
    panel.dispose();
    await shown(grant());
    await until(() => section() !== null);
    await environment.change({ ...signedOut(), sequence: signedIn().sequence + 1 });
    await until(() => section() === null);
  });
});

it('shows the skeleton of a card until a summary is there', async () => {
  const waiting = new FakeEnvironment();
  waiting.server.answers['GET providers'] = () => new Promise(() => undefined);
  await show(waiting);
  expect(panel.node.querySelector('[aria-busy=true]')).not.toBeNull();
});

it('says what to do where nothing is configured', async () => {
  await show(await fakeEnvironment());
  expect(text()).toContain('No provider is configured');
  expect(text()).toContain('c.JupyterOIDC.providers');
});

it('says what is wrong, line by line, and offers to try again', async () => {
  const broken = new FakeEnvironment();
  broken.server.answers['GET providers'] = {
    status: 500,
    json: {
      code: 'configuration_invalid',
      message: 'Two mistakes.\ncorp.issuer: is missing',
      action: 'Correct them.',
      retryable: false,
      request_id: 'abcdefgh1234',
      reason: 'Two mistakes.'
    }
  };
  await broken.oidc.ready;
  await show(broken);
  expect([...panel.node.querySelectorAll('p')].map(line => line.textContent)).toEqual([
    'Two mistakes.',
    'corp.issuer: is missing',
    'Correct them.'
  ]);
  button('Retry').click();
  expect(pressed.splice(0)).toEqual(['retry']);
});

it('puts the default provider first', async () => {
  await show(await fakeEnvironment(signedIn(), signedOut({ provider: 'partner' })), 'partner');
  expect([...panel.node.querySelectorAll('h3')].map(title => title.textContent)).toEqual(['partner', 'corp']);
});

it('reads the APIs only while it is visible', async () => {
  environment = await fakeEnvironment(signedIn());
  const apis = new Apis(environment.oidc, environment.server.client);
  await environment.change(signedIn({ sequence: 8 }));
  await settle(400);
  expect(environment.server.count('GET', 'apis')).toBe(0);
  apis.watch(true);
  await until(() => environment.server.count('GET', 'apis') === 1);
});

it.each([
  ['Ada Lovelace', 'AL'],
  ['ada', 'A'],
  ['ada@example.com', 'AC'],
  ['Ana María del Carmen', 'AC'],
  ['李 明', '李明'],
  ['…', ''],
  ['ß', 'SS']
])('the initials of %s are %s', (name, initials) => {
  expect(initialsOf(name)).toBe(initials);
});

it('has the focus on its first button when it is opened for the first time', async () => {
  attach(await fakeEnvironment(signedOut()));
  panel.activate();
  MessageLoop.flush();
  expect(panel.node.querySelector('button')).toBeNull();
  await until(() => panel.node.querySelector('button') !== null);
  await until(() => document.activeElement === button('Sign in'));
});

it('says in one line that the server is of another version, and shows the session all the same', async () => {
  const given = await fakeEnvironment(signedIn());
  await show(given);
  expect(panel.node.querySelector('.jp-oidc-version')).toBeNull();
  given.server.contract = null;
  await given.change(signedIn({ sequence: 8 }));
  await until(() => panel.node.querySelector('.jp-oidc-version') !== null);
  expect(panel.node.querySelector('.jp-oidc-version')?.textContent).toContain('is older than this page');
  expect(text()).toContain('Ada Lovelace');
});

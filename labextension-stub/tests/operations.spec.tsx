// The operations of the APIs in the panel: read when they are asked for, searched, inserted and copied.

import { Clipboard } from '@jupyterlab/apputils';
import { Signal } from '@lumino/signaling';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { Apis } from '../src/apis';
import { DiagnosticsModel } from '../src/diagnostics';
import type { Examples } from '../src/example';
import type { OperationList } from '../src/generated/contract';
import type { Operation } from '../src/operations';
import { Operations, obstacleText, search } from '../src/operations';
import { SignInPanel } from '../src/panel/panel';
import type { Preferences } from '../src/preferences';
import { WorkerGrants } from '../src/workergrants';
import type { FakeEnvironment } from './support/fakeenvironment';
import { fakeEnvironment } from './support/fakeenvironment';
import { error, settle, trans, until } from './support/server';
import { signedIn } from './support/summaries';

const LIST: Operation = {
  id: 'listOrders',
  method: 'GET',
  path: '/orders',
  summary: 'List orders',
  description: 'Newest first.',
  tags: ['orders'],
  deprecated: false,
  obstacle: null,
  parameters: [{ name: 'limit', in: 'query', required: false, type: 'integer', description: 'How many.' }],
  body: null
};
const PLACE: Operation = {
  ...LIST,
  id: 'placeOrder',
  method: 'POST',
  summary: 'Place an order',
  description: null,
  parameters: [],
  body: { media_type: 'application/json', required: true }
};
const REMOVE: Operation = {
  ...LIST,
  id: 'removeOrder',
  method: 'DELETE',
  path: '/orders/{id}',
  summary: 'Remove an order',
  deprecated: true,
  obstacle: 'method',
  parameters: [{ name: 'id', in: 'path', required: true, type: 'integer', description: null }]
};
const HEALTH: Operation = {
  ...LIST,
  id: null,
  path: '/health',
  summary: null,
  description: null,
  tags: [],
  parameters: []
};

const listOf = (operations: Operation[], differs: Partial<OperationList> = {}): OperationList => ({
  api: 'orders',
  document: { title: 'Orders', version: '1.2.0', openapi: '3.1.0' },
  operations,
  problems: [],
  operations_more: 0,
  ...differs
});
const apiOf = (name: string, differs: object = {}): object => ({
  name,
  provider: 'corp',
  path: `/base/jupyter-oidc/api/${name}/`,
  methods: ['GET'],
  callers: ['browser', 'kernel'],
  state: 'active',
  readiness: 'ready',
  allowed: true,
  missing: [],
  title: null,
  description: null,
  example: null,
  docs_url: null,
  path_prefixes: [],
  has_operations: true,
  ...differs
});

let environment: FakeEnvironment;
let panel: SignInPanel;
let inserted: string[];
let obstacle: string | null;

async function show(...apis: object[]): Promise<void> {
  environment = await fakeEnvironment(signedIn());
  environment.server.answers['GET apis'] = { json: { apis } };
  inserted = [];
  obstacle = null;
  const { client } = environment.server;
  const read = new Apis(environment.oidc, client);
  panel = new SignInPanel({
    oidc: environment.oidc,
    apis: read,
    operations: new Operations(client, read, trans),
    workerGrants: new WorkerGrants(environment.oidc, client, trans),
    diagnostics: new DiagnosticsModel(client, trans),
    clock: environment.clock,
    preferences: {
      choices: { status: 'auto', notices: true, defaultProvider: '' },
      changed: new Signal<object, void>({})
    } as unknown as Preferences,
    examples: {
      insert: async (code: string) => void inserted.push(code),
      obstacle: () => obstacle
    } as unknown as Examples,
    actions: {
      signIn: () => undefined,
      useAnotherAccount: () => undefined,
      cancelSignIns: () => undefined,
      signOut: () => undefined,
      refresh: () => undefined,
      retry: () => undefined,
      examine: () => undefined
    },
    trans
  });
  Widget.attach(panel, document.body);
  MessageLoop.flush();
  read.watch(true);
  await until(() => read.all.length === apis.length && panel.node.querySelector('.jp-oidc-api') !== null);
  await settle();
}

afterEach(() => {
  panel?.dispose();
  environment?.close();
});

const all = (selector: string): HTMLElement[] => [...panel.node.querySelectorAll<HTMLElement>(selector)];
const texts = (selector: string): (string | null)[] => all(selector).map(({ textContent }) => textContent);
const button = (name: string): HTMLElement => {
  const found = all('button').find(
    one => one.getAttribute('aria-label')?.startsWith(name) || one.textContent === name
  );
  if (!found) {
    throw new Error(`There is no button ${name}.`);
  }
  return found;
};
const rows = (): (string | null)[] => texts('.jp-oidc-operation-text');

/** Open the disclosure whose summary begins with `name`. */
async function open(name = 'Operations'): Promise<void> {
  const summary = all('summary').find(({ textContent }) => textContent?.startsWith(name))!;
  const details = summary.parentElement as HTMLDetailsElement;
  details.open = true;
  details.dispatchEvent(new Event('toggle'));
  await settle();
}

async function type(label: string, text: string): Promise<void> {
  const field = all('input').find(one => one.getAttribute('aria-label') === label) as HTMLInputElement;
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!.call(field, text);
  field.dispatchEvent(new Event('input', { bubbles: true }));
  await settle();
}

it('shows how people know an API, what it is for, and its documentation only over https', async () => {
  await show(
    apiOf('orders', { title: 'Order desk', description: 'All orders.', docs_url: 'https://docs.example.com/orders' }),
    apiOf('billing', { docs_url: 'http://docs.example.com/', has_operations: false })
  );
  expect(texts('.jp-oidc-api-text')).toEqual(['Order deskorders · Ready', 'billingMissing: billing.read']);
  expect(texts('.jp-oidc-api-more > p')).toEqual(['All orders.']);
  const links = all('.jp-oidc-api a') as HTMLAnchorElement[];
  expect(links.map(({ href, rel, target }) => [href, rel, target])).toEqual([
    ['https://docs.example.com/orders', 'noopener noreferrer', '_blank']
  ]);
  expect(texts('.jp-oidc-api summary')).toEqual(['Operations of Order desk']);
});

it('reads the operations when they are opened, and not before, and groups them by tag', async () => {
  await show(apiOf('orders'));
  environment.server.answers['GET apis/orders/operations'] = { json: listOf([HEALTH, LIST, REMOVE, PLACE]) };
  expect(environment.server.count('GET', 'apis/orders/operations')).toBe(0);
  await open();
  await until(() => rows().length === 4);
  expect(texts('.jp-oidc-operations h5')).toEqual(['Other operations', 'orders']);
  expect(rows()).toEqual(['GET /health', 'GET /orders', 'DELETE /orders/{id}Deprecated', 'POST /orders']);
  expect(texts('.jp-oidc-operation .jp-oidc-hint')).toEqual(['The settings do not open DELETE.']);
  expect(texts('.jp-oidc-hint')).toContain('From the document Orders 1.2.0, OpenAPI 3.1.0.');
  await open();
  expect(environment.server.count('GET', 'apis/orders/operations')).toBe(1);
});

it('unfolds description, parameters and body of one operation', async () => {
  await show(apiOf('orders'));
  environment.server.answers['GET apis/orders/operations'] = { json: listOf([LIST, PLACE]) };
  await open();
  expect(texts('.jp-oidc-operation summary')).toEqual(['1 parameter of GET /orders', '1 parameter of POST /orders']);
  await open('1 parameter of GET');
  await open('1 parameter of POST');
  expect(texts('.jp-oidc-description')).toEqual(['Newest first.']);
  expect(texts('.jp-oidc-operation dt')).toEqual([
    'limit integer, in the query',
    'Body application/json, required'
  ]);
});

it('finds by method, path, summary, tag and id, every word of them', async () => {
  await show(apiOf('orders'));
  environment.server.answers['GET apis/orders/operations'] = { json: listOf([HEALTH, LIST, REMOVE, PLACE]) };
  await open();
  const find = async (text: string, count = 1): Promise<(string | null)[]> => {
    await type('Find an operation of orders', text);
    await until(() => rows().length === count); // the rows follow the key
    return rows();
  };
  expect(await find('health')).toEqual(['GET /health']);
  expect(await find('PLACEorder')).toEqual(['POST /orders']);
  expect(await find('order delete')).toEqual(['DELETE /orders/{id}Deprecated']);
  expect(texts('[aria-live=polite].jp-oidc-hint')).toEqual(['1 of 4 operations']);
  expect(await find('no such', 0)).toEqual([]);
  expect(texts('[aria-live=polite].jp-oidc-hint')).toEqual(['No operation fits.']);
});

it('searches all APIs at once, reading their documents when something is typed', async () => {
  await show(apiOf('orders', { title: 'Order desk' }), apiOf('plans'), apiOf('plain', { has_operations: false }));
  environment.server.answers['GET apis/orders/operations'] = { json: listOf([LIST, PLACE]) };
  environment.server.answers['GET apis/plans/operations'] = {
    json: listOf([{ ...HEALTH, path: '/plans', summary: 'List plans' }], { api: 'plans' })
  };
  expect(environment.server.count('GET', 'apis/')).toBe(0);
  await type('Find an operation', 'list');
  await until(() => rows().length === 2);
  expect(texts('.jp-oidc-find h3')).toEqual(['Order desk: orders', 'plans']);
  await type('Find an operation', '');
  await until(() => rows().length === 0);
});

it('inserts a cell and copies a command, and says so where a screen reader hears it', async () => {
  await show(apiOf('orders'));
  const copied = jest.spyOn(Clipboard, 'copyToSystem').mockImplementation();
  environment.server.answers['GET apis/orders/operations'] = { json: listOf([LIST, REMOVE]) };
  environment.server.answers['GET apis/orders/operations/example'] = {
    json: { api: 'orders', method: 'GET', path: '/orders', cell: 'orders.get("orders")', curl: 'curl "$JUPYTER"' }
  };
  await open();
  button('Insert cell for GET /orders').click();
  await until(() => texts('[role=status]').includes('Inserted a cell for GET /orders.'));
  expect(inserted).toEqual(['orders.get("orders")']);
  button('Copy curl for GET /orders').click();
  await until(() => texts('[role=status]').includes('Copied the command for GET /orders.'));
  expect(copied.mock.calls).toEqual([['curl "$JUPYTER"']]);
  expect(environment.server.asked.filter(({ path }) => path.includes('example')).map(({ path }) => path)).toEqual(
    Array(2).fill('apis/orders/operations/example?method=GET&path=%2Forders')
  );
  const closed = button('Insert cell for DELETE');
  expect([closed.getAttribute('aria-disabled'), closed.getAttribute('aria-label')]).toEqual([
    'true',
    'Insert cell for DELETE /orders/{id}. The settings do not open DELETE.'
  ]);
  closed.click();
  await settle();
  expect(environment.server.count('GET', 'apis/orders/operations/example')).toBe(2);
});

it('offers cells of an API that is open to notebooks only, and no command', async () => {
  await show(apiOf('orders', { callers: ['kernel'] }));
  environment.server.answers['GET apis/orders/operations'] = { json: listOf([{ ...LIST, obstacle: 'caller' }]) };
  await open();
  expect(button('Insert cell for GET').getAttribute('aria-disabled')).toBe('false');
  expect(button('Copy curl for GET').getAttribute('aria-disabled')).toBe('true');
});

it('shows beside the operation why there is no example, and tries again', async () => {
  await show(apiOf('orders'));
  environment.server.answers['GET apis/orders/operations'] = { json: listOf([LIST]) };
  environment.server.answers['GET apis/orders/operations/example'] = error('overloaded');
  await open();
  button('Insert cell for GET').click();
  await until(() => texts('.jp-oidc-operation [role=alert]').length === 1);
  expect(texts('.jp-oidc-operation [role=alert]')[0]).toContain('It did not work (overloaded).');
  environment.server.answers['GET apis/orders/operations/example'] = {
    json: { api: 'orders', method: 'GET', path: '/orders', cell: 'again', curl: 'curl' }
  };
  button('Try again').click();
  await until(() => inserted.length === 1);
  await until(() => texts('.jp-oidc-operation [role=alert]').length === 0);
});

it('shows in place why a document cannot be read, and tries again', async () => {
  await show(apiOf('orders'));
  environment.server.answers['GET apis/orders/operations'] = error('openapi_invalid', 502, false);
  await open();
  expect(texts('.jp-oidc-api [role=alert]')[0]).toContain('It did not work (openapi_invalid).');
  environment.server.answers['GET apis/orders/operations'] = { json: listOf([LIST]) };
  button('Try again').click();
  await until(() => rows().length === 1);
});

it('says what is wrong in a document, and how much of it is not shown', async () => {
  await show(apiOf('orders'));
  const problems = [
    { where: '#/paths/~1orders/get', message: 'The reference leads nowhere.', message_sentences: [] }
  ];
  environment.server.answers['GET apis/orders/operations'] = { json: listOf([LIST], { problems, operations_more: 7 }) };
  await open();
  expect(texts('.jp-oidc-problems li')).toEqual(['#/paths/~1orders/getThe reference leads nowhere.']);
  expect(texts('summary')).toContain('What is wrong in the document (1)');
  expect(texts('.jp-oidc-hint')).toContain('The document has 7 more operations, which are not shown.');
});

it('can stop waiting for a document, and asks again when it is opened again', async () => {
  await show(apiOf('orders'));
  environment.server.answers['GET apis/orders/operations'] = () => new Promise(() => undefined);
  await open();
  expect(texts('.jp-oidc-waiting span')).toEqual(['Reading the operations of orders…']);
  button('Cancel reading the operations of orders').click();
  await settle();
  expect(texts('.jp-oidc-waiting')).toEqual([]);
  environment.server.answers['GET apis/orders/operations'] = { json: listOf([LIST]) };
  await open();
  await until(() => rows().length === 1);
});

it('reads again what the settings have changed', async () => {
  await show(apiOf('orders'));
  environment.server.answers['GET apis/orders/operations'] = { json: listOf([REMOVE]) };
  await open();
  environment.server.answers['GET apis/orders/operations'] = { json: listOf([{ ...REMOVE, obstacle: null }]) };
  environment.server.answers['GET apis'] = { json: { apis: [apiOf('orders', { methods: ['GET', 'DELETE'] })] } };
  await environment.change(signedIn({ sequence: 8 }));
  await until(() => environment.server.count('GET', 'apis/orders/operations') === 2);
  await until(() => texts('.jp-oidc-operation .jp-oidc-hint').length === 0);
});

it('draws fifty of many operations, and more on request', async () => {
  const many = Array.from({ length: 120 }, (_, number) => ({ ...LIST, path: `/items/${number}` }));
  await show(apiOf('orders'));
  environment.server.answers['GET apis/orders/operations'] = { json: listOf(many) };
  await open();
  await until(() => rows().length === 50);
  button('Show more').click();
  await until(() => rows().length === 100);
  await type('Find an operation of orders', 'items/1');
  await until(() => texts('[aria-live=polite].jp-oidc-hint')[0] === '31 of 120 operations');
  await until(() => rows().length === 31);
});

it.each([
  [null, null],
  ['method', 'The settings do not open GET.'],
  ['path', 'The settings do not open this path.'],
  ['caller', 'The settings open this API to notebooks only, not to pages and commands.']
] as const)('says the obstacle %s in words', (word, said) => {
  expect(obstacleText({ ...LIST, obstacle: word }, trans)).toBe(said);
});

it('names an obstacle of a newer server', () => {
  const operation: Operation = { ...LIST, obstacle: 'other', unknown_words: { obstacle: 'quota' } };
  expect(obstacleText(operation, trans)).toBe('The server does not let it be called (quota).');
});

it('finds everything where nothing is searched for', () => {
  const found = [{ api: 'orders', operation: LIST, tag: '', text: 'get\n/orders' }];
  expect(search(found, '  ')).toBe(found);
});

// The parts around the panel: status item, commands, preferences, example cells.

import { Clipboard, Notification } from '@jupyterlab/apputils';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { Apis } from '../src/apis';
import { DiagnosticsModel } from '../src/diagnostics';
import { addCommands, CommandIDs } from '../src/commands';
import { exampleFor, Examples } from '../src/example';
import type { IChoices } from '../src/preferences';
import { Preferences } from '../src/preferences';
import { StatusItem } from '../src/status';
import { error, settle, trans, until } from './support/server';
import { FakeEnvironment, fakeEnvironment } from './support/fakeenvironment';
import { signedIn, signedOut } from './support/summaries';

const END_SESSION_PATH = '/base/jupyter-oidc/providers/corp/sign-out/t-1';

let environment: FakeEnvironment;
afterEach(() => {
  environment?.close();
  Notification.dismiss();
});

describe('preferences', () => {
  const follow = (settings: object | 'broken' | null): Preferences => {
    const changed = new Signal<object, void>({});
    const registry = settings && {
      load: () =>
        settings === 'broken' ? Promise.reject(new Error('broken')) : Promise.resolve({ composite: settings, changed })
    };
    return new Preferences(registry as unknown as ISettingRegistry | null, 'id');
  };
  const defaults: IChoices = { status: 'auto', notices: true, defaultProvider: '' };

  it('are the defaults without a registry, and with broken settings', async () => {
    const warn = jest.spyOn(console, 'warn').mockImplementation();
    const all = [follow(null), follow('broken'), follow({ status: 'somewhere', notices: 'yes', defaultProvider: 7 })];
    await settle();
    expect(all.map(({ choices }) => choices)).toEqual([defaults, defaults, defaults]);
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it('are followed live', async () => {
    const settings = { composite: { status: 'hidden' } as object, changed: null as unknown };
    const changed = new Signal<typeof settings, void>(settings);
    settings.changed = changed;
    const preferences = new Preferences({ load: async () => settings } as unknown as ISettingRegistry, 'id');
    await until(() => preferences.choices.status === 'hidden');
    settings.composite = { status: 'top-bar', notices: false, defaultProvider: 'corp' };
    changed.emit();
    expect(preferences.choices).toEqual({ status: 'top-bar', notices: false, defaultProvider: 'corp' });
  });
});

describe('the status item', () => {
  let item: StatusItem;
  let opened = 0;

  async function show(given: FakeEnvironment): Promise<HTMLButtonElement> {
    environment = given;
    item = new StatusItem(environment.oidc, environment.clock, new Preferences(null, 'id'), () => opened++, trans);
    Widget.attach(item, document.body);
    MessageLoop.flush();
    await until(() => item.node.querySelector('button') !== null);
    return item.node.querySelector('button')!;
  }
  afterEach(() => item.dispose());

  it('shows a name and nothing more while all is well', async () => {
    const button = await show(await fakeEnvironment(signedIn()));
    expect([button.textContent, button.dataset['tone']]).toEqual(['Ada Lovelace', 'calm']);
    expect(button.getAttribute('aria-label')).toBe('Ada Lovelace. Signed in at corp. Opens the sign-in panel.');
    button.click();
    expect(opened).toBe(1);
  });

  it('counts down when it matters', async () => {
    const button = await show(await fakeEnvironment(signedIn({ refreshable: false })));
    environment.clock.advance(3_400);
    await until(() => button.textContent === 'Ada Lovelace · 3 minutes left');
    expect(button.dataset['tone']).toBe('attention');
  });

  it('shows the most urgent session of several', async () => {
    const ended = signedOut({ provider: 'partner', state: 'signed-out-expired', reason: 'not_refreshable' });
    expect((await show(await fakeEnvironment(signedIn(), ended))).textContent).toBe('Sign in again at partner');
  });

  it('says that nothing is configured, or that nothing works', async () => {
    expect((await show(await fakeEnvironment())).textContent).toBe('No sign-in');
    item.dispose();
    environment.close();
    const broken = new FakeEnvironment();
    broken.server.answers['GET providers'] = error('configuration_invalid', 500, false);
    await broken.oidc.ready;
    expect((await show(broken)).textContent).toBe('Sign-in unavailable');
  });
});

describe('commands', () => {
  let registry: CommandRegistry;
  let revealed: number;
  let visible: boolean;
  let obstacle: string | null;
  let diagnostics: DiagnosticsModel;
  const inserted: string[] = [];

  async function add(given: FakeEnvironment): Promise<void> {
    environment = given;
    registry = new CommandRegistry();
    revealed = 0;
    visible = false;
    obstacle = null;
    diagnostics = new DiagnosticsModel(environment.server.client, trans);
    addCommands(registry, {
      oidc: environment.oidc,
      apis: new Apis(environment.oidc, environment.server.client),
      diagnostics,
      examples: {
        insert: async (code: string) => void inserted.push(code),
        obstacle: () => obstacle
      } as unknown as Examples,
      preferences: new Preferences(null, 'id'),
      panel: {
        get isVisible() {
          return visible;
        },
        reveal: () => void revealed++
      },
      trans
    });
  }

  it('are enabled by what the session allows', async () => {
    await add(await fakeEnvironment(signedIn()));
    const enabled = (): boolean[] =>
      [CommandIDs.signIn, CommandIDs.signOut, CommandIDs.refresh].map(id => registry.isEnabled(id));
    expect(enabled()).toEqual([false, true, true]);
    const changed = new Promise(resolve =>
      registry.commandChanged.connect((_, { type }) => type === 'changed' && resolve(type))
    );
    await environment.change(signedOut({ sequence: 8 }));
    await changed;
    expect(enabled()).toEqual([true, false, false]);
  });

  it('show the panel where several providers are meant', async () => {
    await add(await fakeEnvironment(signedOut(), signedOut({ provider: 'partner' })));
    await registry.execute(CommandIDs.signIn);
    expect([revealed, environment.server.count('POST', '')]).toEqual([1, 0]);
  });

  it('tell of a failure where the panel is out of sight, and nowhere twice', async () => {
    await add(await fakeEnvironment(signedIn()));
    environment.server.answers['POST providers/corp/refresh'] = error('idp_unavailable');
    await registry.execute(CommandIDs.refresh, { provider: 'corp' });
    expect(Notification.manager.notifications.map(({ message }) => message)).toEqual([
      'corp: It did not work (idp_unavailable).'
    ]);
    Notification.dismiss();
    visible = true;
    await registry.execute(CommandIDs.refresh);
    expect(Notification.manager.notifications).toEqual([]);
  });

  it('sign out, and offer to end the session at the provider, too', async () => {
    await add(await fakeEnvironment(signedIn()));
    environment.server.answers['POST providers/corp/sign-out'] = {
      json: { local: 'done', revoked: 'done', end_session_url: END_SESSION_PATH, end_session_address: null }
    };
    await registry.execute(CommandIDs.signOut);
    const { message, options } = Notification.manager.notifications[0]!;
    expect([message, options.actions?.map(({ label }) => label)]).toEqual([
      'Signed out at corp. The provider may still know this browser: on a computer that you share, sign out there too, or the next person can sign in as you without a password.',
      ['Sign out at the provider']
    ]);
    const open = jest.spyOn(window, 'open').mockImplementation();
    options.actions![0]!.callback(new MouseEvent('click'));
    expect(open.mock.calls).toEqual([
      [new URL(END_SESSION_PATH, environment.server.client.baseUrl).href, '_blank', 'noopener,noreferrer']
    ]);
    open.mockRestore();
  });

  it('sign in with another account, also where somebody is signed in', async () => {
    await add(await fakeEnvironment(signedIn()));
    expect(registry.isEnabled(CommandIDs.useAnotherAccount)).toBe(true);
    jest.spyOn(window, 'open').mockReturnValue(null);
    environment.server.answers['POST providers/corp/sign-in'] = error('idp_unavailable');
    await registry.execute(CommandIDs.useAnotherAccount);
    const [asked] = environment.server.asked.filter(({ method }) => method === 'POST');
    expect(JSON.parse(asked!.body)).toEqual({ prompt: 'select_account' });
    expect(revealed).toBe(1);
  });

  it('insert an example for an API that there is, where there is a notebook', async () => {
    await add(await fakeEnvironment(signedIn()));
    expect(registry.isEnabled(CommandIDs.insertExample, { api: 'orders' })).toBe(true);
    expect(registry.isEnabled(CommandIDs.insertExample, { api: 'no-such' })).toBe(false);
    await registry.execute(CommandIDs.insertExample, { api: 'orders' });
    expect(inserted).toEqual([exampleFor('orders')]);
    obstacle = 'Open a notebook to insert an example cell.';
    expect(registry.isEnabled(CommandIDs.insertExample, { api: 'orders' })).toBe(false);
  });

  it('copy an example for an API that there is', async () => {
    await add(await fakeEnvironment(signedIn()));
    const copy = jest.spyOn(Clipboard, 'copyToSystem').mockImplementation();
    await registry.execute(CommandIDs.copyExample, { api: 'no-such' });
    expect(copy).not.toHaveBeenCalled();
    await registry.execute(CommandIDs.copyExample, { api: 'orders' });
    expect(copy).toHaveBeenCalledWith(exampleFor('orders'));
  });

  it('have the set-up examined where the panel shows it, unless there is none', async () => {
    await add(await fakeEnvironment());
    expect(registry.isEnabled(CommandIDs.examine)).toBe(false);
    environment.close();
    await add(await fakeEnvironment(signedIn()));
    environment.server.answers['GET diagnostics'] = { json: { ok: true, checks: [] } };
    await registry.execute(CommandIDs.examine);
    expect([revealed, diagnostics.report?.ok]).toEqual([1, true]);
  });
});

describe('an example cell', () => {
  it('calls the API with the kernel helper', () => {
    expect(exampleFor('orders')).toBe(
      [
        'import jupyter_oidc as oidc',
        '',
        'reply = oidc.api("orders").get("")  # a path below the API\'s address',
        'reply.raise_for_status()',
        'reply.text'
      ].join('\n')
    );
    expect(exampleFor('orders', { example: 'items?limit=5' })).toContain(
      'reply = oidc.api("orders").get("items?limit=5")\nreply.raise'
    );
    expect(exampleFor('orders', { methods: ['POST'], example: 'items' })).toContain('oidc.api("orders").request("POST", "")');
  });

  it('goes into the current notebook by its own commands, as code', async () => {
    const commands = new CommandRegistry();
    const done: string[] = [];
    for (const id of ['insert-cell-below', 'change-cell-to-code', 'replace-selection']) {
      commands.addCommand(`notebook:${id}`, { execute: ({ text }) => done.push(`${id} ${text ?? ''}`.trim()) });
    }
    const examples = new Examples({ currentWidget: null } as JupyterFrontEnd.IShell, commands, trans);
    expect(examples.obstacle()).toBeNull();
    await examples.insert('1 + 1');
    expect(done).toEqual(['insert-cell-below', 'change-cell-to-code', 'replace-selection 1 + 1']);
  });

  it('cannot go where there is no notebook, nor to an API that is closed to kernels', () => {
    const commands = new CommandRegistry();
    const examples = new Examples({ currentWidget: null } as JupyterFrontEnd.IShell, commands, trans);
    expect(examples.obstacle()).toBe('Open a notebook to insert an example cell.');
    const api = { name: 'orders', callers: ['browser'] } as never;
    expect(examples.obstacle(api)).toBe('The settings open orders to pages only, not to notebooks.');
  });
});

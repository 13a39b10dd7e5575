// The plugins as JupyterLab starts them: each takes what it is given, and lives without what it is not.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';

import plugins from '../src/index';
import { CommandIDs } from '../src/commands';
import type { IOidcParts } from '../src/parts';
import { ScriptedServer, settle, until } from './support/server';

type Plugin = JupyterFrontEndPlugin<unknown>;

/** A shell that remembers what was put where. */
class FakeShell {
  readonly areas: string[] = [];
  readonly activated: string[] = [];
  readonly currentWidget = null;

  add(_: Widget, area: string): void {
    this.areas.push(area);
  }

  activateById(id: string): void {
    this.activated.push(id);
  }
}

/** A status bar that remembers what it shows. */
class FakeStatusBar {
  readonly shown = new Set<string>();

  registerStatusItem(id: string) {
    this.shown.add(id);
    return { isDisposed: false, dispose: () => void this.shown.delete(id) };
  }
}

/** Settings that a test changes. */
class FakeSettings {
  composite: Record<string, unknown> = {};
  readonly changed = new Signal<FakeSettings, void>(this);

  async load(): Promise<this> {
    return this;
  }

  set(composite: Record<string, unknown>): void {
    this.composite = composite;
    this.changed.emit();
  }
}

function plugin(name: string): Plugin {
  return plugins.find(({ id }) => id === `@jupyter-oidc/labextension:${name}`) as Plugin;
}

function fakeLab(settings: FakeSettings | null) {
  const server = new ScriptedServer({ 'GET providers': { json: { providers: [] } } });
  const shell = new FakeShell();
  const commands = new CommandRegistry();
  const serviceManager = { serverSettings: server.settings, events: { stream: new Signal<object, unknown>({}) } };
  const app = { shell, commands, serviceManager } as unknown as JupyterFrontEnd;
  const parts = plugin('core').activate(app, settings, null) as IOidcParts;
  return { app, shell, commands, parts, server };
}

it('are seven, of which one provides IOidc', () => {
  const names = ['core', 'service', 'panel', 'status', 'notices', 'silent', 'cards'];
  expect(plugins.map(({ id }) => id.split(':')[1])).toEqual(names);
  expect(plugins.every(({ autoStart, description }) => autoStart && description)).toBe(true);
});

it('provide the service that other extensions ask for', () => {
  const { app, parts } = fakeLab(null);
  expect(plugin('service').activate(app, parts)).toBe(parts.oidc);
  parts.oidc.dispose();
});

it('put the panel to the left, and its command opens it', async () => {
  const { app, shell, commands, parts } = fakeLab(null);
  plugin('panel').activate(app, parts, null, null);
  await commands.execute(CommandIDs.showSession);
  expect([shell.areas, shell.activated]).toEqual([['left'], ['jupyter-oidc-panel']]);
  parts.oidc.dispose();
});

it('move the status where the settings say, at once', async () => {
  const settings = new FakeSettings();
  const { app, shell, parts } = fakeLab(settings);
  const bar = new FakeStatusBar();
  plugin('status').activate(app, parts, bar);
  await settle();
  const places = (): [number, number] => [bar.shown.size, shell.areas.length];
  expect(places()).toEqual([1, 0]);
  settings.set({ status: 'top-bar' });
  expect(places()).toEqual([0, 1]);
  settings.set({ status: 'hidden' });
  expect(places()).toEqual([0, 1]);
  settings.set({ status: 'status-bar' });
  expect(places()).toEqual([1, 1]);
  parts.oidc.dispose();
});

it('put the status into the top bar where there is no status bar, as in Notebook 7', async () => {
  const { app, shell, parts } = fakeLab(null);
  plugin('status').activate(app, parts, null);
  await settle();
  expect(shell.areas).toEqual(['top']);
  parts.oidc.dispose();
});

it('do nothing where the panel is switched off', async () => {
  const { app, shell, parts } = fakeLab(null);
  let item: Widget | null = null;
  shell.add = widget => void (item = widget);
  plugin('status').activate(app, parts, null);
  const node = (item as unknown as Widget).node;
  document.body.append(node);
  (item as unknown as Widget).update();
  await until(() => parts.oidc.isReady);
  node.querySelector('button')?.click();
  expect(shell.activated).toEqual([]);
  parts.oidc.dispose();
});

// The service on a scripted server, with a fake clock and events that a test sends.

import type { Event } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';

import type { IClock } from '../../src/clock';
import type { SessionSummary } from '../../src/generated/contract';
import { Oidc } from '../../src/service';
import { Tabs } from '../../src/tabs';
import { ScriptedServer, trans } from './server';

/** A clock that a test moves. */
export class FrozenClock implements IClock {
  readonly ticked: Signal<IClock, void> = new Signal<IClock, void>(this);
  private time = 1_000_000;

  now(): number {
    return this.time;
  }

  advance(seconds: number): void {
    this.time += seconds * 1000;
    this.ticked.emit();
  }
}

export const EVENT_SCHEMA = 'https://events.jupyter.org/jupyter_oidc/session/v1';

export class FakeEnvironment {
  readonly server = new ScriptedServer({
    'GET providers': () => ({
      json: {
        providers: [...this.summaries.values()].map(({ provider, issuer, state }) => ({
          name: provider,
          issuer,
          state
        }))
      }
    })
  });
  readonly clock = new FrozenClock();
  readonly tabs: Tabs;
  readonly oidc: Oidc;
  private readonly summaries = new Map<string, SessionSummary>();
  private readonly emitter = new Signal<object, Event.Emission>({});

  constructor(...summaries: readonly SessionSummary[]) {
    summaries.forEach(summary => this.serve(summary));
    this.tabs = new Tabs(this.server.client.baseUrl);
    // The stream is also an iterable, which nothing here iterates over.
    const events = this.emitter as unknown as Event.Stream;
    this.oidc = new Oidc({ client: this.server.client, clock: this.clock, tabs: this.tabs, events, trans });
  }

  /** The server answers with `summary` from now on. */
  serve(summary: SessionSummary): void {
    this.summaries.set(summary.provider, summary);
    this.server.answers[`GET providers/${summary.provider}/session`] = () => ({
      json: this.summaries.get(summary.provider)
    });
  }

  /** The server has no such provider any more. */
  removeProvider(provider: string): void {
    this.summaries.delete(provider);
  }

  /** Serve `summary` and say that something happened; resolves when it was read. */
  async change(summary: SessionSummary): Promise<void> {
    this.serve(summary);
    this.emitEvent({ provider: summary.provider, kind: 'renewed' });
    await this.untilRead(summary);
  }

  emitEvent(fields: Record<string, unknown>, schema = EVENT_SCHEMA): void {
    this.emitter.emit({ schema_id: schema, ...fields } as Event.Emission);
  }

  /** Wait until the service knows `summary`. */
  async untilRead(summary: SessionSummary): Promise<void> {
    const end = Date.now() + 3_000;
    for (;;) {
      const seen = this.oidc.session(summary.provider)?.summary;
      if (seen && sorted(seen) === sorted(summary)) {
        return;
      }
      if (Date.now() > end) {
        throw new Error(`The summary of ${summary.provider} was not read.`);
      }
      await new Promise(resolve => setTimeout(resolve, 10));
    }
  }

  close(): void {
    this.tabs.dispose();
    this.oidc.dispose();
  }
}

/** `value` as text, whatever the order of its members. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => one.localeCompare(other)))
      : part
  );
}

/** A fake environment whose service has read all of `summaries`. */
export async function fakeEnvironment(...summaries: readonly SessionSummary[]): Promise<FakeEnvironment> {
  const environment = new FakeEnvironment(...summaries);
  await environment.oidc.ready;
  await Promise.all(summaries.map(summary => environment.untilRead(summary)));
  return environment;
}

// The operations of the APIs, from their OpenAPI documents: read when they are asked for, kept until the API changes.
//
// A document may hold thousands of operations. Each gets one text to search in when it is read, so that a filter is one
// pass over strings, and the panel draws only the first of the result.

import type { TranslationBundle } from '@jupyterlab/translation';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';

import type { Api, Apis } from './apis';
import type { OidcClient } from './client';
import type { OperationExample, OperationList } from './generated/contract';
import { asProblem } from './problem';
import { wordIn } from './reader';
import type { IProblem } from './tokens';

export type Operation = OperationList['operations'][number];

/** One operation, and what a search and a list need of it. */
export interface IFoundOperation {
  readonly api: string;
  readonly operation: Operation;
  /** The tag that it is listed under; empty for none. */
  readonly tag: string;
  /** Method, path, summary, tags and id in lower case. */
  readonly text: string;
}

/** What is known of the operations of one API. */
export interface IOperationsState {
  readonly busy: boolean;
  /** The document as it was read last; `null` if it was not. */
  readonly document: OperationList | null;
  /** Its operations, those of one tag together, in the order of the document. */
  readonly operations: readonly IFoundOperation[];
  /** Why there is no newer document; `null` if all went well. */
  readonly problem: IProblem | null;
}

const NOTHING_READ: IOperationsState = { busy: false, document: null, operations: [], problem: null };

export class Operations {
  constructor(
    private readonly client: OidcClient,
    private readonly apis: Apis,
    private readonly trans: TranslationBundle
  ) {
    apis.changed.connect(this.forgetChanged, this);
  }

  /** Emitted when the state of an API has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  of(api: string): IOperationsState {
    return this.states.get(api) ?? NOTHING_READ;
  }

  /** Read the operations of `api`, unless they are there or on their way. */
  async load(api: string): Promise<void> {
    const { busy, document } = this.of(api);
    if (busy || document) {
      return;
    }
    const aborted = new AbortController();
    this.underWay.set(api, aborted);
    this.set(api, { ...NOTHING_READ, busy: true });
    try {
      const read = await this.client.operations(api, aborted.signal);
      if (!aborted.signal.aborted) {
        this.readUnder.set(api, circumstancesOf(this.apis.find(api), false));
        this.set(api, { ...NOTHING_READ, document: read, operations: prepared(read) });
      }
    } catch (error) {
      if (!aborted.signal.aborted) {
        this.readUnder.set(api, circumstancesOf(this.apis.find(api), true));
        this.set(api, { ...NOTHING_READ, problem: asProblem(error, this.trans) });
      }
    }
  }

  /** Stop waiting for the operations of `api`. */
  cancel(api: string): void {
    this.underWay.get(api)?.abort();
    this.states.delete(api);
    this._changed.emit();
  }

  /** The operation as a cell and as a command. */
  example(api: string, { method, path }: Operation): Promise<OperationExample> {
    return this.client.operationExample(api, method, path);
  }

  /** Forget what was read under other settings, and a failure of another state; a list that is open reads again. */
  private forgetChanged(): void {
    for (const [api, circumstances] of this.readUnder) {
      if (circumstancesOf(this.apis.find(api), this.of(api).problem !== null) !== circumstances) {
        this.readUnder.delete(api);
        this.cancel(api);
      }
    }
  }

  private set(api: string, state: IOperationsState): void {
    this.states.set(api, state);
    this._changed.emit();
  }

  private readonly states = new Map<string, IOperationsState>();
  private readonly readUnder = new Map<string, string>();
  private readonly underWay = new Map<string, AbortController>();
  private readonly _changed = new Signal<this, void>(this);
}

/** Those of `operations` that hold every word of `query`, in their order. */
export function search(operations: readonly IFoundOperation[], query: string): readonly IFoundOperation[] {
  const words = query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return words.length === 0 ? operations : operations.filter(({ text }) => words.every(word => text.includes(word)));
}

/** Why `operation` cannot be called, as a sentence; `null` if it can. */
export function obstacleText(operation: Operation, trans: TranslationBundle): string | null {
  switch (operation.obstacle) {
    case null:
      return null;
    case 'method':
      return trans.__('The settings do not open %1.', operation.method);
    case 'path':
      return trans.__('The settings do not open this path.');
    case 'caller':
      return trans.__('The settings open this API to notebooks only, not to pages and commands.');
    case 'other':
      return trans.__('The server does not let it be called (%1).', wordIn(operation, 'obstacle') ?? '');
  }
}

/** What decides which operations an API has, and which of them are open; a failure can also lie in the session. */
function circumstancesOf(api: Api | undefined, failed: boolean): string {
  const { provider, methods, path_prefixes, callers, has_operations, state } = api ?? {};
  return JSON.stringify([provider, methods, path_prefixes, callers, has_operations, failed ? state : null]);
}

/** The operations of a document, those of one tag together, with the text to search in. */
function prepared({ api, operations }: OperationList): readonly IFoundOperation[] {
  const byTag = new Map<string, IFoundOperation[]>();
  for (const operation of operations) {
    const { id, method, path, summary, tags } = operation;
    const tag = tags[0] ?? '';
    const text = [method, path, summary, id, ...tags].filter(Boolean).join('\n').toLocaleLowerCase();
    const found = { api, operation, tag, text };
    const others = byTag.get(tag);
    if (others) {
      others.push(found);
    } else {
      byTag.set(tag, [found]);
    }
  }
  return [...byTag.values()].flat();
}

// The replies and requests of each version of the contract, from the files that the kernel's tests read too.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { IShape } from '../../src/reader';
import { known } from '../../src/reader';
import * as shapes from '../../src/generated/shapes';
import * as validators from '../../src/generated/validators';

const FOLDER = join(__dirname, '../../../tests/contract/fixtures');
const TITLES: Readonly<Record<string, string>> = {
  'apis.reply': 'ApiList',
  'command-lease.reply': 'CommandLease',
  'command.reply': 'CommandBegun',
  'grant-leases.reply': 'GrantLeases',
  'grant.reply': 'Grant',
  'grants.reply': 'Grants',
  'diagnostics.reply': 'Diagnostics',
  error: 'OidcError',
  'kernel-grant.reply': 'KernelGrant',
  'operation-example.reply': 'OperationExample',
  'operations.reply': 'OperationList',
  'providers.reply': 'ProviderList',
  'session.reply': 'SessionSummary',
  'sign-in-progress.reply': 'SignInProgress',
  'sign-in.reply': 'SignInStarted',
  'sign-out.reply': 'SignOutResult'
};

type Message = Record<string, unknown>;

/** A reply of a server of the next version, and what this version reads of it. */
export interface INewerReply {
  readonly contract: string;
  readonly shows: string;
  readonly reply: Message;
  readonly read: Message;
}

function json<T>(...path: string[]): T {
  return JSON.parse(readFileSync(join(FOLDER, ...path), 'utf8')) as T;
}

/** Every reply of `version`: its contract, what it shows, and itself. */
export function repliesOf(version: number): [string, string, Message][] {
  return readdirSync(join(FOLDER, String(version)))
    .filter(name => name !== 'requests.json')
    .flatMap(name =>
      Object.entries(json<Record<string, Message>>(String(version), name)).map(
        ([shows, reply]): [string, string, Message] => [name.replace('.json', ''), shows, reply]
      )
    );
}

/** One reply of `version`. */
export function replyOf(version: number, contract: string, shows: string): Message {
  return json<Record<string, Message>>(String(version), `${contract}.json`)[shows]!;
}

/** The requests of `version` by contract, and by what each asks for. */
export function requestsOf(version: number): Record<string, Record<string, Message>> {
  return json(String(version), 'requests.json');
}

/** Replies of a server of the next version; the page reads no ids of sentences, which the server tells in its language. */
export function newerReplies(): INewerReply[] {
  return json<INewerReply[]>('next.json').map(one => ({ ...one, read: withoutSentences(one.read) as Message }));
}

function withoutSentences(part: unknown): unknown {
  if (Array.isArray(part)) {
    return part.map(withoutSentences);
  }
  if (part === null || typeof part !== 'object') {
    return part;
  }
  const kept = Object.entries(part).filter(([name]) => !name.endsWith('_sentences'));
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutSentences(value)]));
}

/** One reply of a server of the next version. */
export function newer(contract: string, shows = 'added members'): Message {
  return newerReplies().find(one => one.contract === contract && one.shows === shows)!.reply;
}

/** What this page reads of a reply of `contract`; `undefined` if it does not match. */
export function readAs(contract: string, reply: unknown): unknown {
  const title = TITLES[contract]!;
  const shape = (shapes as Readonly<Record<string, IShape>>)[`shapeOf${title}`]!;
  const isValid = (validators as Readonly<Record<string, (data: unknown) => boolean>>)[`is${title}`]!;
  const read = known(shape, reply);
  return isValid(read) ? read : undefined;
}

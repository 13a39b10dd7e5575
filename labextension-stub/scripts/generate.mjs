// Generates src/generated/ from the contract: TypeScript types of every message, validators of every reply, and what
// `src/reader.ts` has to know of each reply. A reply is typed and validated as it is read (ADR 48), a request as written.
// Prettier formats all of it, so that a change of the contract is a diff that can be read.
// `--check` writes nothing and fails if what is there differs from what would be written.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { compile } from 'json-schema-to-typescript';
import { format } from 'prettier';

const here = dirname(fileURLToPath(import.meta.url));
const contract = join(here, '../../jupyter_oidc/contract');
const target = join(here, '../src/generated');
const style = { printWidth: 120, singleQuote: true, trailingComma: 'none', arrowParens: 'avoid' };
const banner = '// Generated from jupyter_oidc/contract by scripts/generate.mjs. Do not edit.\n';

/** Read a file of the contract; a part that several schemas share is a file of its own, and `$ref` names it. */
const read = name =>
  JSON.parse(readFileSync(join(contract, name), 'utf8'), (_, part) => (part?.$ref ? read(part.$ref) : part));

/** The sentences of a text, for readers that tell them themselves: the server tells the page its texts in its language. */
const isUnread = name => name.endsWith('_sentences');

/** Leave out what the page does not read, at every depth; its reader drops it like a member of a newer server. */
function readByPage(schema) {
  if (Array.isArray(schema)) {
    return schema.map(readByPage);
  }
  if (schema === null || typeof schema !== 'object') {
    return schema;
  }
  const kept = Object.entries(schema).filter(([name]) => !isUnread(name));
  return Object.fromEntries(
    kept.map(([name, part]) => [
      name,
      name === 'required' && Array.isArray(part) ? part.filter(member => !isUnread(member)) : readByPage(part)
    ])
  );
}

const schemas = readdirSync(contract)
  .filter(name => name.endsWith('.schema.json'))
  .sort()
  .map(name => ({
    name: name.replace('.schema.json', ''),
    schema: readByPage(read(name))
  }));

// Only what comes back is validated in the page; what goes out is validated by the server.
const isReply = name => name === 'error' || name.endsWith('.reply');

/** The schema of what a reader makes of a reply: as `reader_schema` in `contract/reader.py`, but open if it is `checked`. */
function readerSchema(of, checked = false) {
  if (Array.isArray(of)) {
    return of.map(part => readerSchema(part, checked));
  }
  if (of === null || typeof of !== 'object') {
    return of;
  }
  const made = Object.fromEntries(
    Object.entries(of)
      .filter(([key, part]) => key !== 'default' && !(checked && key === 'additionalProperties' && part === false)) // nothing unlisted is left
      .map(([key, part]) => [key, key === 'enum' ? [...part, 'other'] : readerSchema(part, checked)])
  );
  if (made.properties && !checked) {
    made.properties.unknown_words = {
      description: 'The words of a newer server that are `other` here, by the member that they were in.',
      type: 'object',
      additionalProperties: { type: 'string' }
    };
  }
  return made;
}

/** What a reader has to know of a schema: its members, its words, and what an older server does not send. */
function shape(schema) {
  const of = schema.anyOf?.find(one => one.properties) ?? schema;
  return {
    ...(of.properties && {
      members: Object.fromEntries(Object.entries(of.properties).map(([name, part]) => [name, shape(part)]))
    }),
    ...(of.items && { items: shape(of.items) }),
    ...(of.enum && { words: of.enum.filter(word => word !== null) }),
    ...('default' in of && { absent: of.default })
  };
}

async function types() {
  const parts = [];
  for (const { name, schema } of schemas) {
    parts.push(
      await compile(isReply(name) ? readerSchema(schema) : schema, schema.title, {
        additionalProperties: false,
        bannerComment: '',
        format: false
      })
    );
  }
  return banner + '\n' + parts.join('\n');
}

const replies = schemas.filter(({ name }) => isReply(name));

/** Drop what a validator does not need, so that the page loads less. */
function bare(schema) {
  const words = new Set(['title', 'description', '$comment', 'examples']);
  const walk = (value, isSchema) => {
    if (Array.isArray(value)) {
      return value.map(item => walk(item, isSchema));
    }
    if (value === null || typeof value !== 'object') {
      return value;
    }
    const kept = Object.entries(value).filter(([key]) => !(isSchema && words.has(key)));
    return Object.fromEntries(kept.map(([key, part]) => [key, walk(part, key !== 'properties' && key !== 'const')]));
  };
  return walk(schema, true);
}

function validators() {
  // `unicode: false` keeps the generated code free of a run-time import; no reply is limited in characters that matter.
  const ajv = new Ajv({
    code: { source: true, esm: true, lines: false },
    unicode: false,
    logger: false,
    allowUnionTypes: true,
    messages: false
  });
  const exported = {};
  for (const { schema } of replies) {
    ajv.addSchema(bare(readerSchema(schema, true)), schema.title);
    exported[`is${schema.title}`] = schema.title;
  }
  // The page only asks whether a reply is valid: the details of the errors would be half of what it loads, so one 0 stands for them.
  const code = standaloneCode
    .default(ajv, exported)
    .replace(/\.errors = \[\{instancePath[:,].*?\}\];return false;/g, '.errors = [0];return false;');
  return banner + '/* eslint-disable */\n' + code + '\n';
}

function declarations() {
  const names = replies.map(({ schema }) => schema.title);
  const lines = names.map(name => `export function is${name}(data: unknown): data is ${name};`);
  return `${banner}import type { ${names.join(', ')} } from './contract';\n\n${lines.join('\n')}\n`;
}

function shapes() {
  const lines = replies.map(({ schema }) => `export const shapeOf${schema.title}: IShape = ${JSON.stringify(shape(schema))};`);
  return `${banner}import type { IShape } from '../reader';\n\n${lines.join('\n\n')}\n`;
}

const formatted = (text, parser) => format(text, { parser, ...style });

const files = {
  'contract.ts': await formatted(await types(), 'typescript'),
  'shapes.ts': await formatted(shapes(), 'typescript'),
  'validators.js': await formatted(validators(), 'babel'),
  'validators.d.ts': await formatted(declarations(), 'typescript')
};

if (process.argv.includes('--check')) {
  const stale = Object.entries(files).filter(([name, text]) => {
    try {
      return readFileSync(join(target, name), 'utf8') !== text;
    } catch {
      return true;
    }
  });
  if (stale.length) {
    console.error(`The generated code differs from the contract: ${stale.map(([name]) => name).join(', ')}.`);
    console.error('Run: npm run generate');
    process.exit(1);
  }
} else {
  mkdirSync(target, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(target, name), text);
  }
}

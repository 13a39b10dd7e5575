// Generates src/generated/ from the contract: TypeScript types of every message, and validators of every reply.
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

const schemas = readdirSync(contract)
  .filter(name => name.endsWith('.schema.json'))
  .sort()
  .map(name => ({
    name: name.replace('.schema.json', ''),
    schema: read(name)
  }));

async function types() {
  const parts = [];
  for (const { schema } of schemas) {
    parts.push(
      await compile(schema, schema.title, {
        additionalProperties: false,
        bannerComment: '',
        format: false
      })
    );
  }
  return banner + '\n' + parts.join('\n');
}

// Only what comes back is validated in the page; what goes out is validated by the server.
const replies = schemas.filter(({ name }) => name === 'error' || name.endsWith('.reply'));

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
    ajv.addSchema(bare(schema), schema.title);
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

const formatted = (text, parser) => format(text, { parser, ...style });

const files = {
  'contract.ts': await formatted(await types(), 'typescript'),
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

// A certified OpenID Provider for tests, on a loopback port.
//
// The first line of standard input is its document (see certified_provider.py). Each line of standard output is a JSON
// object: `ready` once, then `issued` for every secret, and `shown` for one that a client made itself. It ends when
// standard input does.

import { Console } from 'node:console';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createInterface } from 'node:readline';
import { Provider } from 'oidc-provider';
import { configurationFrom } from './configuration.mjs';
import { controlServer } from './control.mjs';
import { dressed, dressUp } from './dress.mjs';
import { recordOf } from './record.mjs';
import { createStore } from './store.mjs';

const LOOPBACK = '127.0.0.1';
const CERTIFIED = [
  'token_endpoint',
  'pushed_authorization_request_endpoint',
  'userinfo_endpoint',
  'revocation_endpoint',
  'device_authorization_endpoint',
  'introspection_endpoint',
];
const PAGE = '<!doctype html><title>Maintenance</title><p>Back soon.</p>';

// Standard output is for our lines only; the provider's own remarks go to standard error.
globalThis.console = new Console(process.stderr);
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const listen = async (server, port) => {
  server.listen(port, LOOPBACK);
  await once(server, 'listening');
  return server.address().port;
};

const lines = createInterface({ input: process.stdin });
const [first] = await once(lines, 'line');
lines.on('close', () => process.exit(0));
const document = JSON.parse(first);

const state = { ttl: document.ttl, down: null };
const main = document.tls ? createTlsServer(document.tls) : createServer();
const port = await listen(main, document.port);
// The front: another port, which asks every client for its certificate, whoever issued that.
const front = document.tls && createTlsServer({ ...document.tls, requestCert: true, rejectUnauthorized: false });
const frontPort = front ? await listen(front, 0) : 0;
const base = `${document.tls ? 'https' : 'http'}://${document.host}:${port}${document.dress.path}`;
const issuer = base + document.dress.ends_with;

const { adapter, revokeAccount } = createStore();
const offline = new Set();
const provider = new Provider(issuer, configurationFrom(document, state, adapter, offline));
dressUp(provider, document, offline);
if (front) {
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.path !== '/.well-known/openid-configuration') return;
    const asks = CERTIFIED.filter((name) => ctx.body[name]);
    const aliases = asks.map((name) => [name, ctx.body[name].replace(`:${port}/`, `:${frontPort}/`)]);
    ctx.body.mtls_endpoint_aliases = Object.fromEntries(aliases);
  });
}
const record = recordOf(provider, tell);

async function register(metadata) {
  const clients = adapter('Client');
  const known = await clients.find(metadata.client_id);
  await clients.upsert(metadata.client_id, metadata);
  try {
    await provider.Client.find(metadata.client_id);
  } catch (error) {
    await (known ? clients.upsert(metadata.client_id, known) : clients.destroy(metadata.client_id));
    throw error;
  }
}

for (const client of document.clients) await register(client);

const answer = dressed(document.dress, provider.callback());
const serve = (request, response) => {
  if (state.down === 'unavailable') response.writeHead(503).end();
  else if (state.down === 'html') response.writeHead(200, { 'Content-Type': 'text/html' }).end(PAGE);
  else answer(request, response);
};
main.on('request', serve);
front?.on('request', serve);

const control = controlServer({
  record: () => record,
  clients: register,
  ttl: (changes) => void Object.assign(state.ttl, changes),
  revoke: ({ sub }) => ({ grants: revokeAccount(sub) }),
  async down({ how }) {
    state.down = how;
    if (how !== 'refuse' || !main.listening) return;
    const closed = once(main, 'close');
    main.close();
    main.closeAllConnections();
    await closed;
  },
  async up() {
    state.down = null;
    if (!main.listening) await listen(main, port);
  },
});

tell({ event: 'ready', issuer, control: `http://${LOOPBACK}:${await listen(control, 0)}` });

// The second port: what the test asks of the provider behind its clients' back. JSON in, JSON out.

import { createServer } from 'node:http';

async function bodyOf(request) {
  let text = '';
  for await (const piece of request) text += piece;
  return text ? JSON.parse(text) : {};
}

/** Returns a server whose paths are the names of `acts`: functions from the request's document to the reply's. */
export function controlServer(acts) {
  return createServer(async (request, response) => {
    const act = acts[request.url.slice(1)];
    let status = act ? 200 : 404;
    let reply = {};
    try {
      reply = (await act?.(await bodyOf(request))) ?? {};
    } catch (error) {
      status = 400;
      reply = { error: String(error.error_description ?? error.message) };
    }
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(reply));
  });
}

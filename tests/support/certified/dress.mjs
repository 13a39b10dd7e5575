// Dresses the provider up as another one: what its metadata leave out, how it names APIs, what its own pages are called.
// Signatures, codes, PKCE and rotation stay the certified provider's. The keys are those of `Dress` in
// provider_document.py; without any, nothing changes.

import { buffer } from 'node:stream/consumers';

/** Returns what the configuration takes from the dress. */
export function configurationOf(dress, offline) {
  return {
    rotateRefreshToken: dress.rotates,
    ...(dress.refresh_token !== 'offline_access' && {
      issueRefreshToken: async (ctx, client, source) => dress.refresh_token === 'always' || offline.has(source.jti),
    }),
    formats: {
      customizers: {
        async jwt(ctx, token, parts) {
          if (!dress.access_token_without_audience) return;
          // NOTE: the package insists on an audience; one that JSON does not write satisfies it.
          Object.defineProperty(parts.payload, 'aud', { enumerable: false });
        },
      },
    },
  };
}

/** Makes the provider remember which codes were asked for with `access_type=offline`, and who its JWTs are about. */
export function dressUp(provider, { dress, accounts }, offline) {
  const owners = new Map();
  provider.on('authorization.success', (ctx, out) => {
    if (ctx.oidc.params.access_type === 'offline') offline.add(out.code);
  });
  provider.on('grant.success', (ctx) => {
    const token = ctx.body.access_token ?? '';
    if (token.split('.').length === 3) owners.set(token, ctx.oidc.account.accountId);
  });
  provider.use(async (ctx, next) => {
    const bearer = ctx.get('authorization').replace(/^Bearer /, '');
    if (dress.userinfo_takes_api_tokens && ctx.path === '/me' && owners.has(bearer)) {
      const sub = owners.get(bearer);
      ctx.body = { ...accounts[sub], sub };
      return;
    }
    await next();
    if (ctx.path !== '/.well-known/openid-configuration') return;
    for (const member of dress.metadata_without) delete ctx.body[member];
    Object.assign(ctx.body, dress.metadata_with);
  });
}

function isRefused(dress, query) {
  const asked = (query.get('scope') ?? '').split(' ');
  return dress.refuses_scopes.some((scope) => asked.includes(scope));
}

/** Ends the session of a provider whose own page wants `client_id` and `logout_uri`. */
function ownLogoutPage(query, response) {
  const back = query.get('logout_uri');
  if (!query.get('client_id') || !back) response.writeHead(400).end();
  else response.writeHead(302, { Location: back }).end();
}

async function withoutScopesOfApis(dress, request) {
  const form = new URLSearchParams((await buffer(request)).toString());
  const resource = dress.scopes_name_apis[form.get('scope')];
  if (resource) {
    form.delete('scope');
    form.set('resource', resource);
  }
  request.body = Object.fromEntries(form);
}

/** Returns a handler in front of `answer` that takes the path of the issuer off and rewrites what is asked. */
export function dressed(dress, answer) {
  return async (request, response) => {
    if (dress.seconds_ahead) {
      response.setHeader('Date', new Date(Date.now() + dress.seconds_ahead * 1000).toUTCString());
    }
    const [path, text = ''] = request.url.split('?');
    if (!path.startsWith(dress.path)) {
      response.writeHead(404).end();
      return;
    }
    const inside = path.slice(dress.path.length);
    const query = new URLSearchParams(text);
    if (dress.logout_page && inside === '/logout') {
      ownLogoutPage(query, response);
      return;
    }
    if (inside === '/auth') {
      if (isRefused(dress, query)) {
        const back = new URLSearchParams({ error: 'invalid_scope', state: query.get('state') ?? '' });
        response.writeHead(302, { Location: `${query.get('redirect_uri')}?${back}` }).end();
        return;
      }
      if (dress.asks_for_consent) query.set('prompt', 'consent');
    }
    const named = Object.keys(dress.scopes_name_apis).length > 0;
    if (named && inside === '/token' && request.method === 'POST') await withoutScopesOfApis(dress, request);
    request.url = inside + (text ? `?${query}` : '');
    request.originalUrl = dress.path + request.url;
    answer(request, response);
  };
}

// Everything secret that the provider ever gave away, and what it was asked for at the token endpoint.

const SECRETS = ['access_token', 'refresh_token', 'id_token', 'device_code', 'code'];

/** Listens to the provider's own events; `tell` hears of each secret before the client does. */
export function recordOf(provider, tell) {
  const record = { issued: [], token_requests: {}, token_errors: {}, grants_revoked: 0 };

  const note = (reply) => {
    for (const kind of SECRETS) {
      const value = reply?.[kind];
      if (typeof value !== 'string') continue;
      record.issued.push({ kind, value });
      tell({ event: 'issued', kind, value });
    }
  };
  const count = (counters, name) => {
    counters[name] = (counters[name] ?? 0) + 1;
  };
  const asked = (ctx) => ctx.oidc?.params?.grant_type ?? 'unknown';

  provider.on('authorization.success', (ctx, out) => note(out));
  provider.on('device_authorization.success', (ctx, body) => note(body));
  provider.on('grant.success', (ctx) => {
    count(record.token_requests, asked(ctx));
    note(ctx.body);
    const verifier = ctx.oidc.params.code_verifier;
    if (verifier) tell({ event: 'shown', value: verifier });
  });
  provider.on('grant.error', (ctx, error) => {
    count(record.token_requests, asked(ctx));
    count(record.token_errors, error.error ?? error.message);
  });
  provider.on('grant.revoked', () => {
    record.grants_revoked += 1;
  });
  provider.on('server_error', (ctx, error) => console.error(error));
  return record;
}

// Turns the test's document into the provider's configuration. Everything that is not named here is the default.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { errors } from 'oidc-provider';
import { configurationOf } from './dress.mjs';

const PROFILE = ['hd', 'cognito:groups', 'realm_access', 'public_metadata', 'name', 'preferred_username', 'picture', 'roles', 'groups', 'permissions'];

const signingKey = (kid, alg, ...how) => ({
  ...generateKeyPairSync(...how).privateKey.export({ format: 'jwk' }),
  kid,
  alg,
  use: 'sig',
});

const SIGN = ['PS256', 'ES256', 'EdDSA', 'Ed25519'];

/** What the FAPI 2.0 Security Profile asks for; a front has asked for the certificate, and passes it on. */
const strictly = () => ({
  clientAuthMethods: ['client_secret_basic', 'private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
  enabledJWA: { clientAuthSigningAlgValues: SIGN, dPoPSigningAlgValues: SIGN },
});

const strictFeatures = () => ({
  fapi: { enabled: true, profile: '2.0' },
  pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
  mTLS: {
    enabled: true,
    certificateBoundAccessTokens: true,
    tlsClientAuth: true,
    selfSignedTlsClientAuth: true,
    getCertificate: (ctx) => ctx.req.socket.getPeerX509Certificate?.(),
    certificateAuthorized: () => true,
    certificateSubjectMatches: (ctx, property, expected) =>
      property === 'tls_client_auth_subject_dn' && ctx.req.socket.getPeerX509Certificate().subject === expected,
  },
});

/** Returns the configuration; `state.ttl` is read at each issue, so that a test can change it on the way. */
export function configurationFrom(document, state, adapter, offline) {
  const { accounts, resources, scopes, features } = document;
  const ttlOf = (kind) => () => state.ttl[kind];

  return {
    adapter,
    cookies: {
      keys: [randomBytes(32).toString('hex')],
      ...(document.http_post_methods && { long: { httpOnly: true, sameSite: 'none' } }),
    },
    enableHttpPostMethods: document.http_post_methods,
    jwks: {
      keys: [
        signingKey('rsa', 'RS256', 'rsa', { modulusLength: 2048 }),
        ...(document.strict ? [signingKey('pss', 'PS256', 'rsa', { modulusLength: 2048 })] : []),
        signingKey('ec', 'ES256', 'ec', { namedCurve: 'P-256' }),
      ],
    },
    pkce: { required: () => true },
    // The clients of the tests are at loopback addresses, which the provider's own dispatcher refuses to call.
    fetch: (url, { dispatcher: _, ...options }) => globalThis.fetch(url, options),
    ...configurationOf(document.dress, offline),
    ...(document.strict && strictly()),
    conformIdTokenClaims: !document.claims_in_id_token,
    scopes: ['openid', 'offline_access', ...scopes].filter((scope) => !document.dress.refuses_scopes.includes(scope)),
    claims: { openid: ['sub'], profile: PROFILE, email: ['email', 'email_verified'] },
    extraParams: ['audience', 'access_type'],
    ttl: Object.fromEntries(Object.keys(state.ttl).map((kind) => [kind, ttlOf(kind)])),

    async findAccount(ctx, sub) {
      const claims = accounts[sub];
      return claims && { accountId: sub, claims: async () => ({ ...claims, sub }) };
    },

    async extraTokenClaims(ctx, token) {
      const { roles, permissions } = accounts[token.accountId] ?? {};
      return { roles, permissions };
    },

    features: {
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      backchannelLogout: { enabled: true },
      dPoP: {
        enabled: true,
        ...(document.dpop_nonces && { nonceSecret: randomBytes(32), requireNonce: () => true }),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, client, oneOf) => oneOf ?? ctx.oidc.params.audience ?? document.default_resource ?? undefined,
        useGrantedResource: () => document.use_granted_resource,
        async getResourceServerInfo(ctx, resource) {
          if (!Object.hasOwn(resources, resource)) throw new errors.InvalidTarget();
          return {
            scope: resources[resource].scopes.join(' '),
            audience: resources[resource].audience,
            accessTokenTTL: state.ttl.AccessToken,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'RS256' } },
          };
        },
      },
      ...(document.strict && strictFeatures()),
      ...features,
    },
  };
}

// Session summaries to test with: one plain one, and how it differs.

import type { SessionSummary } from '../../src/generated/contract';

export const SIGNED_IN_SUMMARY: SessionSummary = {
  provider: 'corp',
  issuer: 'https://id.example.com',
  state: 'active',
  reason: null,
  sequence: 7,
  user: {
    sub: 'a1',
    name: 'Ada Lovelace',
    username: 'ada',
    email: 'ada@example.com',
    email_verified: true,
    picture: null
  },
  entitlements: ['orders.read'],
  entitlements_more: 0,
  entitlements_known: true,
  scopes: ['openid', 'profile'],
  missing_scopes: [],
  settings_pending: false,
  sharing: 'none',
  sign_in_under_way: false,
  signed_in_at: '2026-11-23T09:00:00Z',
  access_expires_at: '2026-11-23T10:00:00Z',
  expires_in: 3600,
  refreshable: true,
  storage: 'keyring',
  retry_at: null,
  apis: [
    { name: 'orders', readiness: 'ready', allowed: true, missing: [] },
    { name: 'billing', readiness: 'missing_entitlement', allowed: false, missing: ['billing.read'] }
  ]
};

/** The summary of the same provider without a session. */
export const SIGNED_OUT_SUMMARY: SessionSummary = {
  ...SIGNED_IN_SUMMARY,
  state: 'signed-out',
  user: null,
  entitlements: [],
  entitlements_more: 0,
  entitlements_known: true,
  scopes: [],
  signed_in_at: null,
  access_expires_at: null,
  expires_in: null,
  refreshable: false,
  apis: [
    { name: 'orders', readiness: 'sign_in_needed', allowed: true, missing: [] },
    { name: 'billing', readiness: 'sign_in_needed', allowed: false, missing: ['billing.read'] }
  ]
};

export function signedIn(differs: Partial<SessionSummary> = {}): SessionSummary {
  return { ...SIGNED_IN_SUMMARY, ...differs };
}

export function signedOut(differs: Partial<SessionSummary> = {}): SessionSummary {
  return { ...SIGNED_OUT_SUMMARY, ...differs };
}

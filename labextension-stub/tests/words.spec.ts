// The words of every state: literal ones for the common states, rules for every combination.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { nullTranslator } from '@jupyterlab/translation';

import type { SessionSummary } from '../src/generated/contract';
import { reasonFor } from '../src/reasons';
import { duration } from '../src/duration';
import type { ISessionView } from '../src/words';
import { callsWork, entitlementWords, isSignedIn, displayNameOf, storageWords, wordsFor } from '../src/words';
import { signedIn, signedOut } from './support/summaries';

const trans = nullTranslator.load('jupyter_oidc');

const REASONS = [
  'session_ended_by_provider',
  'interaction_required',
  'consent_required',
  'login_required',
  'rotation_lost',
  'successor_unreadable',
  'identity_changed',
  'id_token_rejected',
  'userinfo_rejected',
  'signed_in_elsewhere',
  'not_refreshable',
  'signed_out_at_provider',
  'signed_out_elsewhere',
  'idp_unavailable',
  'token_response_invalid',
  'discovery_failed',
  'issuer_mismatch',
  'tls_untrusted',
  'clock_skew',
  'egress_proxy_auth',
  'configuration_invalid',
  'provider_configuration',
  'provider_error',
  'internal_error',
  'renewal_refused',
  'keyring_locked',
  'keyring_timeout',
  'keyring_stuck',
  'keyring_failed',
  'keyring_unsafe',
  'storage_unavailable',
  'storage_corrupt',
  'storage_key',
  'storage_unsafe',
  'storage_read_only',
  'storage_no_home',
  'storage_full',
  'storage_failed'
];
const STATES = ['signed-out', 'signing-in', 'active', 'refresh-failed', 'signed-out-expired'] as const;
const STORAGES = ['keyring', 'encrypted-file', 'memory', 'database', 'unsaved'] as const;

function scene(summary: SessionSummary | null, differs: Partial<ISessionView> = {}): ISessionView {
  return { provider: 'corp', summary, left: summary?.expires_in ?? null, problem: null, step: null, ...differs };
}

const words = (summary: SessionSummary | null, differs?: Partial<ISessionView>) =>
  wordsFor(scene(summary, differs), false, trans);

describe('the words a person meets', () => {
  it('are few while all is well', () => {
    expect(words(signedIn())).toEqual({
      headline: 'Signed in',
      person: 'Ada Lovelace',
      reason: null,
      next: null,
      lasts: 'Renewed by itself, within 1 hour.',
      tone: 'calm',
      actions: ['refresh', 'sign-out', 'another-account'],
      short: 'Ada Lovelace',
      long: 'Ada Lovelace. Signed in at corp. Opens the sign-in panel.',
      endsSoon: false
    });
  });

  it('offer to sign in, also with another account, while no session exists', () => {
    const { headline, short, actions, tone, next, reason } = words(signedOut());
    expect([headline, short, actions, tone, reason]).toEqual(['Not signed in', 'Sign in', ['sign-in', 'another-account'], 'calm', null]);
    expect(next).toBe('Sign in to call APIs from notebooks and pages.');
  });

  it('say that the last session could not be found again', () => {
    const { reason, tone } = words(signedOut({ reason: 'keyring_locked' }));
    expect([reason, tone]).toEqual(['The keyring of the system is locked.', 'attention']);
  });

  it('name the provider where there are several', () => {
    expect(wordsFor(scene(signedOut()), true, trans).short).toBe('Sign in at corp');
    expect(wordsFor(scene(signedOut({ state: 'signed-out-expired' })), true, trans).short).toBe(
      'Sign in again at corp'
    );
  });

  it('show the time when a session that cannot be renewed ends soon', () => {
    const { short, tone, actions, next, lasts, endsSoon } = words(signedIn({ refreshable: false }), { left: 250 });
    expect(short).toBe('Ada Lovelace · 4 minutes left');
    expect([tone, actions, endsSoon]).toEqual(['attention', ['sign-in', 'sign-out', 'another-account'], true]);
    expect(next).toBe('Sign in again now, and nothing is interrupted.');
    expect(lasts).toBe('Ends in 4 minutes, and cannot be renewed.');
  });

  it('leave the time out while there is plenty of it', () => {
    expect(words(signedIn({ refreshable: false })).short).toBe('Ada Lovelace');
  });

  it.each([
    ['an hour', '2026-11-23T10:00:00Z', 600],
    ['ten minutes', '2026-11-23T09:10:00Z', 120],
    ['a minute', '2026-11-23T09:01:00Z', 60],
    ['unknown', null, 600]
  ])('call the last fifth of a lifetime soon: %s', (_, access_expires_at, soon) => {
    const summary = signedIn({ refreshable: false, access_expires_at });
    expect(words(summary, { left: soon }).endsSoon).toBe(true);
    expect(words(summary, { left: soon + 1 }).endsSoon).toBe(false);
  });

  it('never call the end of a renewable session soon', () => {
    expect(words(signedIn(), { left: 0 }).endsSoon).toBe(false);
    expect(words(signedIn(), { left: 0 }).lasts).toBe('Renewed by itself when it is needed.');
  });

  it('tell an unreachable provider from a session that has ended', () => {
    const away = signedIn({ state: 'refresh-failed', reason: 'idp_unavailable' });
    expect(words(away, { left: 130 })).toMatchObject({
      headline: 'Signed in, provider unreachable',
      reason: 'The provider cannot be reached.',
      next: 'Calls still work; it is tried again by itself.',
      lasts: 'Calls work for another 2 minutes.',
      tone: 'attention',
      short: 'Ada Lovelace · provider unreachable, 2 minutes left'
    });
    expect(words(away, { left: 0 })).toMatchObject({
      next: 'Calls do not work until it is renewed, which is tried again by itself.',
      lasts: 'Its time ran out.',
      tone: 'trouble'
    });
  });

  it('do not call a provider unreachable that refuses us', () => {
    const { headline, next } = words(signedIn({ state: 'refresh-failed', reason: 'provider_configuration' }));
    expect(headline).toBe('Signed in, renewal fails');
    expect(next).toBe(
      'Calls still work; it is tried again by itself. Ask your administrator to check the settings of this provider.'
    );
  });

  it('say why a session has ended, and what to do', () => {
    const { headline, reason, next, tone, actions } = words(
      signedOut({ state: 'signed-out-expired', reason: 'session_ended_by_provider' })
    );
    expect([headline, reason, tone, actions]).toEqual([
      'The session has ended',
      'The provider ended it.',
      'trouble',
      ['sign-in', 'another-account']
    ]);
    expect(next).toBe('Sign in again to carry on; your notebooks and kernels stay as they are.');
  });

  it('say that changed settings wait for the next sign-in, and offer it', () => {
    // Q8.1: a running session does not follow settings that widen what it opens.
    const said = words(signedIn({ settings_pending: true }));
    expect(said.next).toBe('Settings have changed; they take effect when you sign in again.');
    expect([said.tone, said.actions]).toEqual(['attention', ['sign-in', 'sign-out', 'another-account']]);
    expect(words(signedOut({ settings_pending: true })).next).toBe(
      'Sign in to call APIs from notebooks and pages. Settings have changed; they take effect when you sign in again.'
    );
  });

  it('say that a session could not be stored', () => {
    expect(words(signedIn({ storage: 'unsaved', reason: 'storage_full' }))).toMatchObject({
      reason: 'The disk is full, so the session cannot be stored.',
      next: 'Run "jupyter oidc doctor" where the Jupyter server runs: it names the folder.',
      tone: 'attention'
    });
    expect(words(signedIn({ storage: 'unsaved' })).reason).toBe('The session could not be stored.');
  });

  it('follow a sign-in in a window, behind a link, by code and by a pasted address', () => {
    expect(words(signedOut({ state: 'signing-in' }), { step: { kind: 'window' } })).toMatchObject({
      headline: 'Signing in',
      reason: 'Signing in at corp: finish it in the other window.',
      actions: ['use-link', 'cancel']
    });
    expect(
      words(signedOut({ state: 'signing-in' }), { step: { kind: 'link', address: 'http://localhost/start' } })
    ).toMatchObject({
      reason: 'Signing in at corp: open the sign-in page with this link.',
      actions: ['cancel']
    });
    const code = { kind: 'code', address: 'https://id.example.com/device', code: 'AB' } as const;
    expect(words(signedOut({ state: 'signing-in' }), { step: { ...code, filledIn: true } })).toMatchObject({
      reason: 'Signing in at corp: check that the sign-in page shows this code.',
      actions: ['cancel']
    });
    expect(words(signedOut({ state: 'signing-in' }), { step: { ...code, filledIn: false } })).toMatchObject({
      reason: 'Signing in at corp: enter this code on the sign-in page.'
    });
    expect(words(signedOut({ state: 'signing-in' }), { step: { kind: 'paste', address: 'http://x' } })).toMatchObject({
      reason: 'Signing in at corp: paste the address at which the browser ends.',
      actions: ['cancel']
    });
    expect(words(signedOut({ state: 'signing-in' }), { step: { kind: 'paste', address: null } })).toMatchObject({
      actions: ['use-link', 'cancel']
    });
    expect(words(signedOut({ state: 'signing-in' }))).toMatchObject({
      reason: 'A sign-in is under way in another window, a notebook or a terminal.',
      actions: ['sign-in'] // the server is older, and cannot cancel it
    });
  });

  it('offer to cancel a sign-in that another window, a cell or a terminal began, also beside a session', () => {
    expect(words(signedOut({ state: 'signing-in', sign_in_under_way: true })).actions).toEqual(['sign-in', 'cancel']);
    const beside = words(signedIn({ sign_in_under_way: true }));
    expect(beside.next).toBe('Another sign-in is under way in another window, a notebook or a terminal.');
    expect([beside.headline, beside.actions]).toEqual(['Signed in', ['refresh', 'sign-out', 'cancel']]);
  });

  it('say that nothing is known, or that it is old', () => {
    const problem = { code: 'network', message: 'No answer.', action: 'Look.', retryable: true };
    expect(words(null)).toMatchObject({ headline: 'Reading the session', tone: 'busy', actions: [] });
    expect(words(null, { problem })).toMatchObject({
      headline: 'Sign-in unavailable',
      reason: 'No answer.',
      next: 'Look.',
      actions: ['retry']
    });
    expect(words(signedIn(), { problem })).toMatchObject({
      headline: 'Not up to date',
      person: 'Ada Lovelace',
      tone: 'off',
      actions: ['retry']
    });
  });
});

describe('every combination of state, reason, storage and renewal', () => {
  const summaries = STATES.flatMap(state =>
    [null, 'a_code_of_tomorrow', ...REASONS].flatMap(reason =>
      STORAGES.flatMap(storage =>
        [true, false].map(refreshable =>
          state === 'active' || state === 'refresh-failed'
            ? signedIn({ state, reason, storage, refreshable })
            : signedOut({ state, reason, storage, refreshable })
        )
      )
    )
  );
  const all = summaries.flatMap(summary =>
    [null, 0, 59, 7300].map(left => ({ summary, left, said: words(summary, { left }) }))
  );

  it('has words of its own, without codes, gaps or broken sentences', () => {
    expect(all).toHaveLength(5 * (REASONS.length + 2) * STORAGES.length * 2 * 4);
    for (const { said } of all) {
      const sentences = [said.reason, said.next, said.lasts, said.long].filter(text => text !== null);
      expect([said.headline, said.short].every(text => text.length > 0)).toBe(true);
      for (const sentence of sentences) {
        expect(sentence).toMatch(/^\p{Lu}.*\.$/u);
        expect(sentence).not.toMatch(/[_%]|undefined|null|\.\./);
      }
      expect(said.long.startsWith(said.short)).toBe(true);
    }
  });

  it('offers a way in or a way out, and never both a renewal and a sign-in', () => {
    for (const { summary, said } of all) {
      expect(said.actions.includes('sign-out')).toBe(isSignedIn(summary));
      expect(said.actions.includes('sign-in') || isSignedIn(summary)).toBe(true);
      expect(said.actions.includes('sign-in') && said.actions.includes('refresh')).toBe(false);
    }
  });

  it('is calm only where nothing is to be done', () => {
    for (const { summary, said } of all) {
      if (said.tone === 'calm') {
        expect(['active', 'signed-out']).toContain(summary.state);
      }
      if (summary.state === 'signed-out-expired') {
        expect(said.tone).toBe('trouble');
      }
    }
  });
});

it('every reason that the documentation lists is known here', () => {
  const page = readFileSync(join(__dirname, '../../docs/explanation/session-states.md'), 'utf8');
  const endings = page.slice(page.indexOf('## What ends a session'), page.indexOf('## Several servers'));
  const rows = endings.split('\n').filter(line => /^\| `[a-z]+_/.test(line));
  const listed = rows.flatMap(line => [...line.split('|')[1]!.matchAll(/`([a-z_]+)`/g)].map(([, code]) => code!));
  const stored = [...page.matchAll(/`((?:keyring|storage)_[a-z_]+)`/g)].map(([, code]) => code!);
  expect(listed.length + stored.length).toBeGreaterThan(28);
  expect([...listed, ...stored].filter(code => !REASONS.includes(code))).toEqual([]);
});

it('every reason of the contract has a sentence of its own', () => {
  const unknown = reasonFor('a_code_of_tomorrow', trans).why;
  for (const code of REASONS) {
    expect(reasonFor(code, trans).why).not.toBe(unknown);
  }
});

it.each([
  ['active', 0, true],
  ['active', null, true],
  ['refresh-failed', 1, true],
  ['refresh-failed', null, true],
  ['refresh-failed', 0, false],
  ['signed-out', null, false],
  ['signed-out-expired', null, false]
] as const)('calls in the state %s with %s seconds left: %s', (state, left, works) => {
  expect(callsWork(signedIn({ state }), left)).toBe(works);
});

it.each([
  [{}, 'orders.read'],
  [{ entitlements: [] }, 'none'],
  [{ entitlements_more: 19_800 }, 'orders.read, and 19800 more'],
  [{ entitlements: [], entitlements_known: false }, 'unknown: the provider did not list them'],
  [{ entitlements_known: false }, 'orders.read, and others: unknown: the provider did not list them']
])('Q2.3, Q8.17: entitlements %j are told as %s', (changes, told) => {
  expect(entitlementWords(signedIn(changes), trans)).toBe(told);
});

it('Q6.1: calls do not work after the end of what cannot be renewed, before the server says so too', () => {
  expect(callsWork(signedIn({ refreshable: false }), 0)).toBe(false);
});

it('a person has the best name that the provider told', () => {
  const user = { sub: 'a1', name: null, username: null, email: null, email_verified: false, picture: null };
  expect(displayNameOf(user)).toBe('a1');
  expect(displayNameOf({ ...user, email: 'ada@example.com' })).toBe('ada@example.com');
  expect(displayNameOf({ ...user, email: 'ada@example.com', username: 'ada' })).toBe('ada');
  expect(displayNameOf({ ...user, username: 'ada', name: 'Ada 100%1' })).toBe('Ada 100%1');
});

it('storage is described by what becomes of it', () => {
  expect(STORAGES.map(storage => storageWords(signedIn({ storage }), trans))).toEqual([
    'In the keyring of the system; it outlives the Jupyter server.',
    'In an encrypted file; it outlives the Jupyter server.',
    'In memory only; it is gone when the Jupyter server stops.',
    'In the database of the broker; it outlives the Jupyter server.',
    'In memory, because it could not be stored; that is tried again.'
  ]);
});

it.each([
  [0, 'less than a minute'],
  [59, 'less than a minute'],
  [60, '1 minute'],
  [3599, '59 minutes'],
  [3600, '1 hour'],
  [5430, '1 hour 30 minutes'],
  [47 * 3600, '47 hours'],
  [49 * 3600, '2 days']
])('%i seconds are %s', (seconds, text) => {
  expect(duration(seconds, trans)).toBe(text);
});

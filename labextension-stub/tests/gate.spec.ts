// Gates for commands of other extensions: advisory, kept up to date; their text says that the server decides.

import type { FakeEnvironment } from './support/fakeenvironment';
import { fakeEnvironment } from './support/fakeenvironment';
import { signedIn, signedOut } from './support/summaries';

let environment: FakeEnvironment;
afterEach(() => environment.close());

it('opens for a user who meets the requirement', async () => {
  environment = await fakeEnvironment(signedIn());
  const gate = environment.oidc.requires({ provider: 'corp', entitlements: ['orders.read'], api: 'orders' });
  expect([gate.isEnabled(), gate.isVisible(), gate.reason()]).toEqual([true, true, null]);
});

it('hides a command whose entitlement is missing, and says that the server decides', async () => {
  environment = await fakeEnvironment(signedIn());
  const gate = environment.oidc.requires({ provider: 'corp', entitlements: ['orders.read', 'orders.write'] });
  expect([gate.isEnabled(), gate.isVisible()]).toEqual([false, false]);
  expect(gate.reason()).toBe(
    'Your sign-in at corp does not list orders.write. The server decides; ask your administrator if you should have it.'
  );
});

it.each([{ entitlements_known: false }, { entitlements_more: 19_800 }])(
  'Q2.3, Q8.17: stays open where not everything was listed: %j',
  async changes => {
    environment = await fakeEnvironment(signedIn(changes));
    expect(environment.oidc.requires({ provider: 'corp', entitlements: ['orders.write'] }).isEnabled()).toBe(true);
  }
);

it('knows what the settings of an API require', async () => {
  environment = await fakeEnvironment(signedIn());
  expect(environment.oidc.requires({ provider: 'corp', api: 'billing' }).reason()).toContain(
    'does not list billing.read.'
  );
  expect(environment.oidc.requires({ provider: 'corp', api: 'no-such' }).isEnabled()).toBe(false);
});

it('shows a command as disabled while the user is signed out', async () => {
  environment = await fakeEnvironment(signedOut());
  const gate = environment.oidc.requires({ provider: 'corp', entitlements: ['orders.write'] });
  expect([gate.isEnabled(), gate.isVisible(), gate.reason()]).toEqual([false, true, 'Sign in at corp first.']);
});

it('is closed for a provider that is not configured', async () => {
  environment = await fakeEnvironment(signedIn());
  expect(environment.oidc.requires({ provider: 'other' }).reason()).toBe('No provider called other is configured.');
});

it('closes when calls stop to work', async () => {
  const away = signedIn({ state: 'refresh-failed', reason: 'idp_unavailable', expires_in: 0, sequence: 8 });
  environment = await fakeEnvironment(away);
  expect(environment.oidc.requires({ provider: 'corp' }).reason()).toBe(
    'Calls do not work until the session at corp is renewed.'
  );
});

it('tells of a change of the answer, and of nothing else', async () => {
  environment = await fakeEnvironment(signedIn());
  const gate = environment.oidc.requires({ provider: 'corp', entitlements: ['orders.write'] });
  const answers: boolean[] = [];
  gate.changed.connect(() => answers.push(gate.isEnabled()));
  await environment.change(signedIn({ sequence: 8 }));
  expect(answers).toEqual([]);
  await environment.change(signedIn({ sequence: 9, entitlements: ['orders.write'] }));
  expect(answers).toEqual([true]);
  gate.dispose();
  await environment.change(signedOut({ sequence: 10 }));
  expect(answers).toEqual([true]);
});

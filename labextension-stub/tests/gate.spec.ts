// Gates for commands of other extensions: soft, kept up to date, and honest about who decides.

import type { Stage } from './support/stage';
import { staged } from './support/stage';
import { ada, nobody } from './support/summaries';

let stage: Stage;
afterEach(() => stage.close());

it('opens for somebody who holds what is needed', async () => {
  stage = await staged(ada());
  const gate = stage.oidc.requires({ provider: 'corp', entitlements: ['orders.read'], api: 'orders' });
  expect([gate.isEnabled(), gate.isVisible(), gate.reason()]).toEqual([true, true, null]);
});

it('hides what somebody lacks, and says who decides', async () => {
  stage = await staged(ada());
  const gate = stage.oidc.requires({ provider: 'corp', entitlements: ['orders.read', 'orders.write'] });
  expect([gate.isEnabled(), gate.isVisible()]).toEqual([false, false]);
  expect(gate.reason()).toBe(
    'Your sign-in at corp does not list orders.write. The server decides; ask your administrator if you should have it.'
  );
});

it.each([{ entitlements_known: false }, { entitlements_more: 19_800 }])(
  'Q2.3, Q8.17: stays open where not everything was listed: %j',
  async changes => {
    stage = await staged(ada(changes));
    expect(stage.oidc.requires({ provider: 'corp', entitlements: ['orders.write'] }).isEnabled()).toBe(true);
  }
);

it('knows what the settings of an API require', async () => {
  stage = await staged(ada());
  expect(stage.oidc.requires({ provider: 'corp', api: 'billing' }).reason()).toContain('does not list billing.read.');
  expect(stage.oidc.requires({ provider: 'corp', api: 'no-such' }).isEnabled()).toBe(false);
});

it('shows, disabled, what somebody may hold who is signed out', async () => {
  stage = await staged(nobody());
  const gate = stage.oidc.requires({ provider: 'corp', entitlements: ['orders.write'] });
  expect([gate.isEnabled(), gate.isVisible(), gate.reason()]).toEqual([false, true, 'Sign in at corp first.']);
});

it('is closed for a provider that is not configured', async () => {
  stage = await staged(ada());
  expect(stage.oidc.requires({ provider: 'other' }).reason()).toBe('No provider called other is configured.');
});

it('closes when calls stop to work', async () => {
  const away = ada({ state: 'refresh-failed', reason: 'idp_unavailable', expires_in: 0, sequence: 8 });
  stage = await staged(away);
  expect(stage.oidc.requires({ provider: 'corp' }).reason()).toBe(
    'Calls do not work until the session at corp is renewed.'
  );
});

it('tells of a change of the answer, and of nothing else', async () => {
  stage = await staged(ada());
  const gate = stage.oidc.requires({ provider: 'corp', entitlements: ['orders.write'] });
  const heard: boolean[] = [];
  gate.changed.connect(() => heard.push(gate.isEnabled()));
  await stage.happen(ada({ sequence: 8 }));
  expect(heard).toEqual([]);
  await stage.happen(ada({ sequence: 9, entitlements: ['orders.write'] }));
  expect(heard).toEqual([true]);
  gate.dispose();
  await stage.happen(nobody({ sequence: 10 }));
  expect(heard).toEqual([true]);
});

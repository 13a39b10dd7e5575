// The React parts for other extensions: what is shown in each state, and that a change is seen at once.

import { act } from 'react';
import * as React from 'react';

import { SignedIn, useSession } from '../src/react';
import type { ISessionState } from '../src/react';
import type { IOidc } from '../src/tokens';
import type { FakeEnvironment } from './support/fakeenvironment';
import { fakeEnvironment } from './support/fakeenvironment';
import { error } from './support/server';
import { signedIn, signedOut } from './support/summaries';

interface IRoot {
  render(element: React.ReactElement): void;
  unmount(): void;
}
const { createRoot } = jest.requireActual<{ createRoot: (node: HTMLElement) => IRoot }>('react-dom/client');

declare global {
  // eslint-disable-next-line no-var
  var IS_REACT_ACT_ENVIRONMENT: boolean;
}
globalThis.IS_REACT_ACT_ENVIRONMENT = true;

let environment: FakeEnvironment;
let root: IRoot;
let node: HTMLElement;
afterEach(() => {
  act(() => root.unmount());
  environment.close();
});

async function render(element: React.ReactElement): Promise<HTMLElement> {
  node = document.createElement('div');
  root = createRoot(node);
  await act(async () => root.render(element));
  return node;
}

function Name({ oidc, provider, seen }: { oidc: IOidc; provider?: string; seen?: ISessionState[] }) {
  const state = useSession(oidc, ...(provider === undefined ? [] : [provider]));
  seen?.push(state);
  return <b>{state.isLoading ? 'reading' : (state.summary?.user?.name ?? 'nobody')}</b>;
}

describe('useSession', () => {
  it('tells the first provider of the settings, and each change of its session', async () => {
    environment = await fakeEnvironment(signedOut(), signedIn({ provider: 'second' }));
    await render(<Name oidc={environment.oidc} />);
    expect(node.textContent).toBe('nobody');
    await act(() => environment.change(signedIn({ sequence: 9 })));
    expect(node.textContent).toBe('Ada Lovelace');
  });

  it('tells the provider that is named', async () => {
    environment = await fakeEnvironment(signedOut(), signedIn({ provider: 'second' }));
    const seen: ISessionState[] = [];
    await render(<Name oidc={environment.oidc} provider="second" seen={seen} />);
    expect([node.textContent, seen.at(-1)!.provider, seen.at(-1)!.isSignedIn, seen.at(-1)!.callsWork]).toEqual([
      'Ada Lovelace',
      'second',
      true,
      true
    ]);
  });

  it('keeps its value while nothing has changed, and asks for nothing', async () => {
    environment = await fakeEnvironment(signedIn());
    const seen: ISessionState[] = [];
    await render(<Name oidc={environment.oidc} seen={seen} />);
    const asked = environment.server.asked.length;
    await act(async () => root.render(<Name oidc={environment.oidc} seen={seen} />));
    expect(seen.at(-1)).toBe(seen.at(-2));
    expect(environment.server.asked.length).toBe(asked);
  });

  it('lets go of the service at its end', async () => {
    environment = await fakeEnvironment(signedIn());
    const seen: ISessionState[] = [];
    await render(<Name oidc={environment.oidc} seen={seen} />);
    act(() => root.unmount());
    const rendered = seen.length;
    await environment.change(signedOut({ sequence: 9 }));
    expect(seen.length).toBe(rendered);
  });

  it('refuses to sign in at a provider that is not there', async () => {
    environment = await fakeEnvironment(signedIn());
    const seen: ISessionState[] = [];
    await render(<Name oidc={environment.oidc} provider="elsewhere" seen={seen} />);
    await expect(seen.at(-1)!.signIn()).rejects.toMatchObject({
      code: 'unknown_provider',
      message: 'No provider called elsewhere is configured.'
    });
  });
});

describe('SignedIn', () => {
  it('shows its children to a user who meets the requirement', async () => {
    environment = await fakeEnvironment(signedIn());
    await render(
      <SignedIn oidc={environment.oidc} api="orders" entitlements={['orders.read']}>
        The orders
      </SignedIn>
    );
    expect(node.textContent).toBe('The orders');
  });

  it('never renders its children before the user is known to meet the requirement', async () => {
    environment = await fakeEnvironment(signedOut());
    const rendered: string[] = [];
    const Child = () => {
      rendered.push('child');
      return null;
    };
    await render(
      <SignedIn oidc={environment.oidc}>
        <Child />
      </SignedIn>
    );
    expect(rendered).toEqual([]);
    await act(() => environment.change(signedIn({ sequence: 9 })));
    expect(rendered).not.toEqual([]);
  });

  it('says why not, and offers the sign-in where that helps', async () => {
    environment = await fakeEnvironment(signedOut());
    await render(
      <SignedIn oidc={environment.oidc} label="Anmelden">
        The orders
      </SignedIn>
    );
    expect(node.querySelector('p')!.textContent).toBe('Sign in at corp first.');
    expect(node.querySelector('button')!.textContent).toBe('Anmelden');
  });

  it('offers no sign-in to a user who lacks an entitlement', async () => {
    environment = await fakeEnvironment(signedIn());
    await render(
      <SignedIn oidc={environment.oidc} entitlements={['orders.write']}>
        The orders
      </SignedIn>
    );
    expect(node.textContent).toContain('does not list orders.write.');
    expect(node.querySelector('button')).toBeNull();
  });

  it('shows what else the extension wants to show', async () => {
    environment = await fakeEnvironment(signedOut());
    await render(<SignedIn oidc={environment.oidc} fallback={<i>Later</i>} />);
    expect(node.innerHTML).toBe('<i>Later</i>');
  });

  it('shows the sentences of a sign-in that failed', async () => {
    environment = await fakeEnvironment(signedOut());
    environment.server.answers['POST providers/corp/sign-in'] = () => error('overloaded');
    jest.spyOn(window, 'open').mockReturnValue(null);
    await render(<SignedIn oidc={environment.oidc}>The orders</SignedIn>);
    await act(async () => {
      node.querySelector('button')!.click();
      await new Promise(resolve => setTimeout(resolve, 50));
    });
    expect(node.querySelector('p')!.textContent).toBe('It did not work (overloaded). Do something.');
  });

  it('names a provider that is not configured', async () => {
    environment = await fakeEnvironment(signedIn());
    await render(<SignedIn oidc={environment.oidc} provider="elsewhere" />);
    expect(node.textContent).toBe(
      'No provider called elsewhere is configured. Ask your administrator to configure one.'
    );
    expect(node.querySelector('button')).toBeNull();
  });
});

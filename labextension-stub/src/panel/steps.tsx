// Shows the step that finishes a sign-in of this page: follow a link, compare or enter a code, paste an address.

import type { TranslationBundle } from '@jupyterlab/translation';
import { copyIcon } from '@jupyterlab/ui-components';
import { QRCodeSVG } from 'qrcode.react';
import * as React from 'react';

import { duration } from '../duration';
import type { SignInStep } from '../signinstep';
import type { SignIn } from '../signin';
import { Failure } from './failure';
import { IconButton } from './iconbutton';

export interface IStepsProps {
  readonly attempt: SignIn;
  readonly provider: string;
  /** Copy a text and announce it. */
  readonly copy: (text: string, announcement: string) => void;
  readonly trans: TranslationBundle;
}

export function Steps(props: IStepsProps): React.ReactElement | null {
  const { step } = props.attempt;
  switch (step.kind) {
    case 'window':
      return null;
    case 'link':
      return <OneTimeLink attempt={props.attempt} address={step.address} trans={props.trans} />;
    case 'code':
      return <DeviceCode {...props} {...step} />;
    case 'paste':
      return <PasteAddress {...props} address={step.address} />;
  }
}

function SignInPageLink(props: {
  readonly address: string;
  readonly click?: () => void;
  readonly trans: TranslationBundle;
}): React.ReactElement {
  return (
    <a className="jp-oidc-link" href={props.address} target="_blank" rel="noopener noreferrer" onClick={props.click}>
      {props.trans.__('Open the sign-in page')}
    </a>
  );
}

interface IOneTimeLinkProps extends Pick<IStepsProps, 'attempt' | 'trans'> {
  readonly address: string;
}

function OneTimeLink({ attempt, address, trans }: IOneTimeLinkProps): React.ReactElement {
  return <SignInPageLink address={address} click={() => setTimeout(() => attempt.linkFollowed())} trans={trans} />;
}

function DeviceCode(props: IStepsProps & Extract<SignInStep, { kind: 'code' }>): React.ReactElement {
  const { attempt, provider, address, code, copy, trans } = props;
  const name = trans.__('Copy the code for %1', provider);
  return (
    <>
      <div className="jp-oidc-code">
        <code aria-label={trans.__('Code: %1', [...code].join(' '))} role="img">
          {code}
        </code>
        <IconButton name={name} icon={copyIcon} click={() => copy(code, trans.__('Copied the code.'))} />
      </div>
      <SignInPageLink address={address} trans={trans} />
      <figure className="jp-oidc-qr">
        <QRCodeSVG value={address} size={132} marginSize={4} title={trans.__('The sign-in page as a QR code')} />
        <figcaption>{trans.__('Or sign in on a phone: scan this.')}</figcaption>
      </figure>
      <p className="jp-oidc-hint">
        {trans.__(
          'Good for %1. Never enter a code that somebody else sent you.',
          duration(attempt.secondsLeft(), trans)
        )}
      </p>
    </>
  );
}

function PasteAddress({
  attempt,
  provider,
  address,
  trans
}: IStepsProps & { readonly address: string | null }): React.ReactElement {
  const [text, setText] = React.useState('');
  const field = `jp-oidc-address-${provider}`;
  const empty = text.trim() === '';
  return (
    <form
      className="jp-oidc-paste"
      aria-label={trans.__('Sign in at %1 by pasting an address', provider)}
      autoComplete="off"
      onSubmit={event => {
        event.preventDefault();
        if (!empty) {
          setText(''); // a submitted address works once, and is kept nowhere
          void attempt.submitAddress(text.trim());
        }
      }}
    >
      <ol>
        <li>
          {address === null ? (
            trans.__('Sign in on the page that was opened.')
          ) : (
            <OneTimeLink attempt={attempt} address={address} trans={trans} />
          )}
        </li>
        <li>{trans.__('It ends at a page that may not load. Copy its whole address.')}</li>
        <li>
          <label htmlFor={field}>{trans.__('Paste the address here; it stays hidden:')}</label>
          <input
            id={field}
            className="jp-mod-styled"
            type="password"
            autoComplete="off"
            spellCheck={false}
            value={text}
            aria-describedby={attempt.addressProblem ? `${field}-refusal` : undefined}
            aria-invalid={attempt.addressProblem !== null}
            onChange={event => setText(event.target.value)}
          />
        </li>
      </ol>
      <p className="jp-oidc-hint">
        {trans.__('Give that address to nobody else, and paste none that somebody sent you.')}
      </p>
      {attempt.addressProblem && <Failure problem={attempt.addressProblem} id={`${field}-refusal`} />}
      <div className="jp-oidc-actions">
        <button
          type="submit"
          className="jp-mod-styled jp-mod-accept"
          aria-disabled={empty || attempt.submitting}
          aria-label={trans.__('Continue signing in at %1', provider)}
        >
          {attempt.submitting ? trans.__('Checking…') : trans.__('Continue')}
        </button>
      </div>
    </form>
  );
}

// The signed-in user: initials and a name. No picture is loaded, since the request would tell its host about the user.

import * as React from 'react';

import type { SessionSummary } from '../generated/contract';
import { displayNameOf } from '../words';

/** At most two letters that stand for `name`. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/u).filter(word => /[\p{L}\p{N}]/u.test(word));
  const ends = words.length > 1 ? [words[0], words[words.length - 1]] : words;
  return ends
    .map(word => [...(word ?? '')].find(sign => /[\p{L}\p{N}]/u.test(sign)) ?? '')
    .join('')
    .toLocaleUpperCase();
}

export function Person({ user }: { readonly user: NonNullable<SessionSummary['user']> }): React.ReactElement {
  const name = displayNameOf(user);
  const more = [user.username, user.email].find(text => text !== null && text !== name);
  return (
    <div className="jp-oidc-person">
      <span className="jp-oidc-initials" aria-hidden="true">
        {initialsOf(name)}
      </span>
      <div className="jp-oidc-names">
        <div className="jp-oidc-name">{name}</div>
        {more && <div className="jp-oidc-muted">{more}</div>}
      </div>
    </div>
  );
}

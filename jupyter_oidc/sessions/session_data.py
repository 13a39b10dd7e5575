"""Holds the data of one session: its tokens and its person.

Only the parts of the session service hold an instance; no other module can reach a token through it (law 6).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from jupyter_oidc.clock import Moment
from jupyter_oidc.sessions.delegation import SessionKey
from jupyter_oidc.sessions.entitlements import (
    MAX_SHOWN,
    MAX_SHOWN_BYTES,
    MAX_STORED_BYTES,
    NO_ENTITLEMENTS,
    UNKNOWN_ENTITLEMENTS,
    Entitlements,
    entitlements_of,
)
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, AccessToken, TokenKey
from jupyter_oidc.sessions.ports import Entry
from jupyter_oidc.sessions.shared_tokens import SharedAccess, SharedToken
from jupyter_oidc.sessions.summary import Profile, User, stored_user, user_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.protocol.dpop import ProofKey
    from jupyter_oidc.protocol.id_token import Identity
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.token_answers import Tokens
    from jupyter_oidc.settings import Provider


@dataclass(frozen=True, slots=True)
class SessionData:
    """The data of one session; an empty instance is that of no session.

    ``shown`` are the ``entitlements`` that a summary has room for, chosen once.
    Frozen, so that a token response can be stored first and take effect afterwards, in one assignment (B3).
    """

    subject: str = ""
    refresh_token: Secret | None = None
    access: Mapping[TokenKey, AccessToken] = field(default_factory=dict)
    id_token: AccessToken | None = None
    identity: Identity | None = None
    sid: str | None = None
    user: User | None = None
    entitlements: Entitlements = NO_ENTITLEMENTS
    shown: Entitlements = NO_ENTITLEMENTS
    scopes: tuple[str, ...] = ()
    signed_in_at: float | None = None
    proof_key: ProofKey | None = None

    @classmethod
    def of_sign_in(cls, tokens: Tokens, settings: Provider, now: Moment) -> SessionData:
        """Return the data of a session that begins ``now``.

        Only the API judges a token that has no lifetime and cannot be refreshed (A13).
        """
        if tokens.set.expires_in == 0 and tokens.set.refresh_token is None:
            tokens = replace(tokens, set=replace(tokens.set, expires_in=None))
        return cls(signed_in_at=now.wall, proof_key=tokens.proof_key).absorbing(tokens, SIGN_IN_KEY, settings)

    @classmethod
    def of_entry(cls, entry: Entry, proof_key: ProofKey | None) -> SessionData:
        """Return the data of a session that was stored: a refresh token and its person.

        ``proof_key`` is the key that its tokens are, or will be, bound to.
        An entry without a profile, which an older version wrote, names the person by the subject alone.
        """
        profile = entry.profile or Profile(user_of(entry.subject, {}), UNKNOWN_ENTITLEMENTS)
        return cls(
            user=profile.user,
            entitlements=profile.entitlements,
            shown=profile.entitlements,
            subject=entry.subject,
            refresh_token=entry.refresh_token,
            scopes=entry.scopes,
            signed_in_at=entry.signed_in_at,
            proof_key=proof_key,
            sid=entry.sid,
        )

    def absorbing(self, tokens: Tokens, key: TokenKey, settings: Provider) -> SessionData:
        """Return this data after a token response for ``key`` (F-4)."""
        answer = tokens.set
        access_token = AccessToken(answer.access_token, tokens.requested_at, answer.expires_in, tokens.proof_key)
        after = replace(
            self,
            refresh_token=answer.refresh_token or self.refresh_token,
            access={**self.access, key: access_token},
            scopes=answer.scopes if key == SIGN_IN_KEY else self.scopes,
        )
        if answer.id_token is not None and tokens.id_token_expires_at is not None and settings.needs_id_token:
            id_token = AccessToken(
                answer.id_token, tokens.requested_at, tokens.id_token_expires_at - tokens.requested_at.wall
            )
            after = replace(after, id_token=id_token)
        person = tokens.person
        if person is None:
            return after
        entitlements = entitlements_of(person.claims, settings.entitlement_claims, settings.scope_claims)
        return replace(
            after,
            subject=person.subject,
            identity=person.identity,
            sid=person.sid or self.sid,
            user=user_of(person.subject, person.claims),
            entitlements=entitlements,
            shown=entitlements.within(count=MAX_SHOWN, size=MAX_SHOWN_BYTES, first=_required(settings)),
        )

    def shared_access(self) -> SharedAccess | None:
        """Return the access tokens for other processes of this session; ``None`` for a session that is not stored."""
        if self.refresh_token is None or self.signed_in_at is None:
            return None
        tokens = (
            SharedToken(key, token.secret, token.obtained.wall, token.lifetime, token.proof_key is not None)
            for key, token in self.access.items()
        )
        return SharedAccess(SessionKey(self.subject, self.signed_in_at), tuple(tokens))

    def with_shared(self, access: SharedAccess | None, now: Moment) -> SessionData:
        """Return this data with the tokens of ``access`` that are newer, if they are those of the same session."""
        if access is None or access.session != (self.subject, self.signed_in_at):
            return self
        newer = {
            one.key: self._token_of(one, now)
            for one in access.tokens
            if one.key not in self.access or self.access[one.key].obtained.wall < one.obtained_at
        }
        return replace(self, access={**self.access, **newer}) if newer else self

    def _token_of(self, shared: SharedToken, now: Moment) -> AccessToken:
        obtained = Moment(shared.obtained_at, now.monotonic - max(0.0, now.wall - shared.obtained_at))
        return AccessToken(shared.secret, obtained, shared.lifetime, self.proof_key if shared.is_bound else None)

    def last_token(self, settings: Provider, now: Moment) -> AccessToken | None:
        """Return the token that expires last, as long as calls work: usually the sign-in's access token.

        Without a refresh token, an ID token that an API is called with may outlive it.
        """
        access, id_token = self.access.get(SIGN_IN_KEY), self.id_token
        if self.refresh_token is not None or access is None or id_token is None:
            return access
        if not any(api.bearer_token_source == "id_token" for api in settings.apis):
            return access
        ends, id_token_ends = access.seconds_left(now), id_token.seconds_left(now)
        return access if ends is None or (id_token_ends is not None and id_token_ends <= ends) else id_token

    def entry(self, settings: Provider) -> Entry | None:
        """Return the entry to store, or ``None`` if there is no refresh token."""
        if self.refresh_token is None:
            return None
        kept = self.entitlements.within(count=MAX_SHOWN, size=MAX_STORED_BYTES, first=_required(settings))
        return Entry(
            issuer=settings.issuer,
            client_id=settings.client_id,
            subject=self.subject,
            scopes=self.scopes,
            signed_in_at=self.signed_in_at or 0.0,
            refresh_token=self.refresh_token,
            dpop_key=self.proof_key.sealed if self.proof_key else None,
            sid=self.sid,
            profile=None if self.user is None else Profile(stored_user(self.user), kept),
        )


def _required(settings: Provider) -> frozenset[str]:
    return frozenset(need for api in settings.apis for need in api.requires)

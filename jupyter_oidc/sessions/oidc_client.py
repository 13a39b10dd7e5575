"""Sends requests to one provider and judges the replies, by the metadata and keys that all sessions there share.

It decides nothing about sessions: it returns tokens and claims that passed every check, or the provider's definite
refusal, or raises a :class:`~jupyter_oidc.problems.Problem`.
Only endpoints named in validated metadata or in the settings are contacted, each for its own purpose (H-3).
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jupyter_oidc.problems import ClockSkew, DiscoveryFailed, EgressProxyAuth, IdpUnavailable, Problem, TlsUntrusted
from jupyter_oidc.protocol import discovery, dpop, id_token, logout, token
from jupyter_oidc.sessions.dpop_client import DPoPClient
from jupyter_oidc.sessions.logout_token_judge import LogoutTokenJudge
from jupyter_oidc.sessions.provider_facts import MAX_METADATA_AGE_SECONDS
from jupyter_oidc.sessions.request_parameters import scopes_of
from jupyter_oidc.sessions.revocation import Origin, may_be_revoked, orphan_of
from jupyter_oidc.sessions.shared_fetch import ClosableWaits
from jupyter_oidc.sessions.sign_in_client import SignInClient
from jupyter_oidc.sessions.token_answers import (
    NoResponse,
    Person,
    RefreshReply,
    Refused,
    Tokens,
    UnverifiableResponse,
)
from jupyter_oidc.sessions.token_judge import TokenJudge
from jupyter_oidc.sessions.userinfo_client import UserinfoClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jupyter_oidc.clock import Clock
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.protocol.logout_token import LogoutToken
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.credentials import Credentials
    from jupyter_oidc.sessions.grant import TokenKey
    from jupyter_oidc.sessions.ports import ProviderPort
    from jupyter_oidc.sessions.provider_facts import ProviderFacts
    from jupyter_oidc.sessions.revocation import OrphanedToken, Revoked
    from jupyter_oidc.settings import Provider


class OidcClient:
    """Talks OpenID Connect to the provider in ``settings`` through ``port``, for one session.

    ``sign_in`` sends the requests of its sign-ins. Metadata and keys are those of ``facts``, which other clients use too;
    :meth:`aclose` leaves both open.
    """

    def __init__(
        self,
        settings: Provider,
        facts: ProviderFacts,
        port: ProviderPort,
        clock: Clock,
        credentials: Credentials,
        entropy: Entropy,
    ) -> None:
        self._settings = settings
        self._facts = facts
        self._waits = ClosableWaits()
        self._port = port
        self._dpop_client = DPoPClient(port, clock, entropy)
        self._clock = clock
        self._credentials = credentials
        self._living: Callable[[], Iterable[Origin]] = tuple
        self._judge = TokenJudge(settings, facts, clock, credentials)
        self._userinfo = UserinfoClient(settings, facts, credentials, self._dpop_client)
        self._logout_tokens = LogoutTokenJudge(settings, facts, clock, credentials)
        self.sign_in = SignInClient(
            settings,
            port,
            clock,
            credentials,
            dpop_client=self._dpop_client,
            judge=self._judge,
            userinfo=self._userinfo,
            metadata=self.metadata,
            discard=self._discard,
        )

    async def metadata(self) -> discovery.Metadata:
        """Return the provider metadata in force; raises as :meth:`ProviderFacts.metadata` does.

        A sign-in begins with these and keeps them to its end (``PendingSignIn.metadata``).
        """
        return await self._facts.metadata(self._waits)

    async def metadata_of_session(self, max_age_seconds: float = MAX_METADATA_AGE_SECONDS) -> discovery.Metadata:
        """Return metadata for a session that exists: up to ``max_age_seconds`` old if newer ones cannot be fetched.

        After a failure newer ones are not requested for a minute, so that an outage does not slow every refresh.
        A document of another issuer is no outage, and discards the old metadata (D-5, D-10).
        Raises as :meth:`metadata` does.
        """
        return await self._facts.metadata_of_session(self._waits, max_age_seconds)

    def scopes(self) -> tuple[str, ...]:
        """Return the scopes of a sign-in, as far as they are known without asking the provider."""
        metadata = self._facts.known_metadata
        return self._settings.scopes if metadata is None else scopes_of(self._settings, metadata)

    def proof_key(self, stored: Secret | None) -> dpop.ProofKey | None:
        """Return the key of a session: the ``stored`` one, or a new one if the settings want one (X-1).

        NOTE: a session that began with a key keeps it after the setting is removed: its refresh token is bound to it.
        """
        if stored is not None:
            return dpop.ProofKey(stored)
        return self.sign_in.new_proof_key()

    async def send_refresh(
        self, refresh_token: Secret, key: TokenKey, proof_key: dpop.ProofKey | None = None
    ) -> RefreshReply | NoResponse:
        """Send ``refresh_token`` for an access token of ``key``, bound to ``proof_key`` if there is one (section F).

        The reply is returned unjudged, for :meth:`judge_refresh`, so that its successor can be stored first.
        Raises the port's errors before the token is sent, and ``TokenResponseInvalid`` for a nonce that is refused.
        """
        metadata = await self.metadata_of_session()
        call = token.refresh_call(
            metadata,
            self._credentials.client(),
            refresh_token,
            scopes=key.scopes,
            resource=key.resource,
            audience=key.audience,
        )
        requested_at = self._clock.now()
        try:
            reply = await self._dpop_client.send(call, proof_key)
        except IdpUnavailable as problem:
            if problem.detail == "idp.unanswered":
                return NoResponse()
            raise
        return RefreshReply(reply, metadata, token.unverified_tokens(reply), requested_at)

    async def judge_refresh(
        self,
        refresh_reply: RefreshReply,
        key: TokenKey,
        *,
        subject: str,
        previous: id_token.Identity | None,
        proof_key: dpop.ProofKey | None = None,
    ) -> Tokens | Refused:
        """Judge the reply of :meth:`send_refresh`; the result holds no refresh token, which was stored before.

        ``subject`` must be that of any identity that comes back; ``previous`` is the identity of the sign-in,
        if this process saw it, which a returned ID token must repeat in full (F-5).
        Raises ``TokenResponseInvalid`` for an answer that is no token response, and ``IdTokenRejected`` or
        ``UserinfoRejected`` if the answer names another subject, or fails a check.
        """
        answer = self._judge.read_further(refresh_reply.metadata, refresh_reply.reply, key, proof_key)
        if not isinstance(answer, token.TokenSet):
            return answer
        answer = replace(answer, refresh_token=None)
        try:
            return await self._tokens_after_refresh(refresh_reply, answer, subject, previous, proof_key)
        except (IdpUnavailable, DiscoveryFailed, TlsUntrusted, EgressProxyAuth, ClockSkew, asyncio.CancelledError):
            # NOTE: a caller whose time is up learns that nothing could be checked; a cancellation ends the checks here,
            # and not the task.
            return UnverifiableResponse()

    async def exchange(
        self, access_token: Secret, key: TokenKey, proof_key: dpop.ProofKey | None = None
    ) -> token.TokenSet | Refused | None:
        """Exchange the sign-in's access token for one of ``key``; ``None`` if the provider does not offer that.

        Raises as :meth:`send_refresh` does. An ID token or refresh token in the answer is ignored: the person is
        known, and the session has a refresh token already.
        """
        metadata = await self.metadata_of_session()
        call = token.exchange_call(
            metadata,
            self._credentials.client(),
            access_token,
            scopes=key.scopes,
            resource=key.resource,
            audience=key.audience,
        )
        if call is None:
            return None
        reply = await self._dpop_client.send(call, proof_key)
        return self._judge.read_further(metadata, reply, key, proof_key)

    def origin(self, subject: str | None = None, sid: str | None = None) -> Origin:
        """Return the origin of tokens of this client; without ``subject`` their person is not verified."""
        return Origin(self._settings.issuer, self._settings.client_id, subject or None, sid)

    def ask_before_revoking(self, living: Callable[[], Iterable[Origin]]) -> None:
        """Spare the sessions that ``living`` returns whenever a token is to be revoked."""
        self._living = living

    async def revoke(self, orphan: OrphanedToken) -> Revoked:
        """Revoke ``orphan``, unless that could harm a session that lives (RFC 7009; ``sessions.revocation``).

        The last good metadata are used, of any age. Raises the port's errors.
        """
        metadata = await self.metadata_of_session(max_age_seconds=math.inf)
        call = logout.revocation_call(metadata, self._credentials.client(), orphan.token, orphan.kind)
        if call is None:
            return "not-supported"
        if not may_be_revoked(orphan.origin, self._living()):
            return "nothing-to-revoke"
        return "done" if logout.read_revocation_reply(await self._port.send(call)) else "failed"

    async def logout_token(self, raw: Secret) -> LogoutToken:
        """Judge a logout token, which arrives in an unauthenticated request; see :meth:`LogoutTokenJudge.judge`."""
        return await self._logout_tokens.judge(raw, self._waits)

    def logout_request(self, state: str | None = None) -> logout.LogoutRequest | None:
        """Return the request by which a browser ends the provider's own session.

        Never contacts the provider (L-2, L-6).
        With ``allowed_sign_out_origins`` the page is left out if its origin is not among them.
        """
        settings = self._settings
        if settings.sign_out_method == "none":
            return None
        return logout.logout_request(
            self._facts.known_metadata,
            client_id=settings.client_id,
            post_logout_redirect_uri=settings.post_logout_redirect_uri,
            state=state,
            allowed_origins=settings.allowed_sign_out_origins,
            configured=settings.end_session_endpoint,
            redirect_parameter=settings.post_logout_redirect_parameter,
        )

    async def aclose(self) -> None:
        """Close this client and nothing that others use; its callers that still wait for metadata are told to try again."""
        self._waits.close()

    async def _tokens_after_refresh(
        self,
        refresh_reply: RefreshReply,
        answer: token.TokenSet,
        subject: str,
        previous: id_token.Identity | None,
        proof_key: dpop.ProofKey | None,
    ) -> Tokens:
        """Check a refreshed ID token against the sign-in, then read UserInfo again (F-5, F-9)."""
        metadata, requested_at = refresh_reply.metadata, refresh_reply.requested_at
        identity: id_token.Identity | None = previous
        expires_at: float | None = None
        sid: str | None = None
        claims: dict[str, Any] = {}
        if answer.id_token is not None:
            rules = self._judge.refresh_rules(subject, previous)
            verified = await self._judge.verify(metadata, answer, answer.id_token, rules, refresh_reply.reply)
            identity, claims = previous or verified.identity, dict(verified.claims)
            expires_at, sid = verified.expires_at, verified.sid
        claims.update(await self._userinfo.at_refresh(metadata, answer.access_token, subject, proof_key))
        if not claims:
            return Tokens(answer, None, requested_at, expires_at, proof_key)
        return Tokens(answer, Person(identity, subject, claims, sid), requested_at, expires_at, proof_key)

    async def _discard(
        self, tokens: token.UnverifiedTokens, subject: str | None = None, sid: str | None = None
    ) -> None:
        """Try to revoke the tokens of a sign-in that was refused (A17)."""
        orphan = orphan_of(tokens, self.origin(subject, sid))
        with suppress(Problem):  # NOTE: best effort; the caller must receive the first refusal
            if orphan is not None:
                await self.revoke(orphan)

"""Sends requests to one provider and judges the replies, with metadata and keys remembered.

It decides nothing about sessions: it returns tokens and claims that passed every check, or the provider's definite
refusal, or raises a :class:`~jupyter_oidc.errors.Problem`.
Only endpoints named in validated metadata or in the settings are contacted, each for its own purpose (H-3).
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from jupyter_oidc.errors import (
    ClockSkew,
    ConfigurationInvalid,
    DiscoveryFailed,
    EgressProxyAuth,
    IdpUnavailable,
    IdTokenRejected,
    IssuerMismatch,
    LogoutTokenInvalid,
    Overloaded,
    Problem,
    TlsUntrusted,
    TokenResponseInvalid,
    UserinfoRejected,
)
from jupyter_oidc.protocol import (
    authorization,
    device,
    discovery,
    dpop,
    id_token,
    jwks,
    jws,
    logout,
    logout_token,
    pushed_authorization,
    token,
    userinfo,
)
from jupyter_oidc.protocol.client_authentication import authenticate
from jupyter_oidc.protocol.confirmation import certificate_of
from jupyter_oidc.protocol.pkce import challenge_of
from jupyter_oidc.sessions import algorithms
from jupyter_oidc.sessions.contradictions import SignInPlan, check_contradictions
from jupyter_oidc.sessions.dpop_client import DPoPClient
from jupyter_oidc.sessions.oauth_errors import acr_too_weak, refusal_of
from jupyter_oidc.sessions.request_parameters import prompt_of, scopes_of, uses_pushed_request
from jupyter_oidc.sessions.revocation import Origin, may_be_revoked, orphan_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from jupyter_oidc.clock import Clock, Moment
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.protocol.message import Reply
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.credentials import Credentials
    from jupyter_oidc.sessions.grant import TokenKey
    from jupyter_oidc.sessions.pending import PendingSignIn, SignInOptions, StepUp
    from jupyter_oidc.sessions.ports import ProviderPort
    from jupyter_oidc.sessions.revocation import OrphanedToken, Revoked
    from jupyter_oidc.settings import Provider

_T_co = TypeVar("_T_co", covariant=True)

MIN_METADATA_LIFETIME_SECONDS = 60.0
"""Seconds for which metadata are not fetched again, even against their headers; many providers forbid any caching."""

MAX_METADATA_AGE_SECONDS = 86_400.0
"""Seconds for which old metadata serve a live session while newer ones cannot be fetched (RFC 5861, 4)."""

MAX_KEYS_AGE_SECONDS = 86_400.0
"""Seconds for which cached keys may be used while the key endpoint is down (A19)."""

_TRANSIENT_USERINFO_DETAILS = frozenset(
    {"userinfo.status", "userinfo.form", "userinfo.format", "idp.unsent", "idp.proxy", "idp.unanswered"}
)
"""Details of UserInfo replies that say nothing about the person (B6)."""

_NOT_FROM_PROVIDER_DETAILS = frozenset({"token.format", "token.status"})
"""Details of token replies that no token endpoint sends: a captive portal's page, a redirect (A10, A31)."""

MIN_UNTRUSTED_FETCH_INTERVAL_SECONDS = 10.0
"""Seconds between two fetches of the key set that an unauthenticated token can cause (K-7)."""

MAX_CLOCK_OFFSET_SECONDS = 300.0
"""Seconds by which the provider's clock may differ from ours (A21)."""


@dataclass(frozen=True, slots=True)
class Person:
    """The signed-in user: the subject at this issuer (V-16), and the validated claims about them.

    ``identity`` is compared with every later ID token (F-5); unknown if no ID token was seen since the session was
    restored from storage.
    ``sid`` is the provider's name for its own session, if an ID token named it (Back-Channel Logout 1.0, 2.1), and
    ``acr`` the strength of the authentication, as the ID token names it.
    """

    identity: id_token.Identity | None
    subject: str
    claims: Mapping[str, Any]
    sid: str | None = None
    acr: str | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """A token response that passed every check.

    ``person`` is ``None`` only after a refresh without new claims; ``id_token_expires_at`` is wall seconds, and
    ``None`` without an ID token.
    ``requested_at`` is the time of the request: their lifetime counts from then at the latest, even if the answer and
    its checks were slow (RFC 6749, 5.1).
    ``proof_key`` is the key that the tokens are bound to, or ``None`` for bearer tokens.
    """

    set: token.TokenSet
    person: Person | None
    requested_at: Moment
    id_token_expires_at: float | None = None
    proof_key: dpop.ProofKey | None = None


@dataclass(frozen=True, slots=True)
class NoResponse:
    """No response came to the token request: the refresh token may be used, or not (B5)."""


@dataclass(frozen=True, slots=True)
class UnverifiableResponse:
    """The response holds tokens that cannot be checked now (the keys cannot be fetched): none may be used."""


@dataclass(frozen=True, slots=True)
class RefreshReply:
    """The reply to a refresh request before it is judged (ADR 0025).

    ``tokens`` holds the successor, to be stored first; ``requested_at`` is the time of the request.
    """

    reply: Reply
    metadata: discovery.Metadata
    tokens: token.UnverifiedTokens
    requested_at: Moment


Refused = token.TokenError | token.TokenUnavailable | UnverifiableResponse


class _Judge(Protocol[_T_co]):
    """Judges a signed object with a key set; ``fresh`` says that the set was fetched during this validation."""

    def __call__(self, keys: jwks.KeySet, *, fresh: bool) -> _T_co | jws.KeysStale: ...


class OidcClient:
    """Talks OpenID Connect to the provider in ``settings`` through ``port``."""

    def __init__(
        self,
        settings: Provider,
        port: ProviderPort,
        clock: Clock,
        credentials: Credentials,
        entropy: Entropy,
    ) -> None:
        self._settings = settings
        self._port = port
        self._dpop_client = DPoPClient(port, clock, entropy)
        self._clock = clock
        self._credentials = credentials
        self._metadata: discovery.Metadata | None = None
        self._metadata_at = self._metadata_until = self._discovery_failed_at = -MAX_METADATA_AGE_SECONDS
        self._discovery: asyncio.Task[discovery.Metadata] | None = None
        self._closed = False
        self._keys: jwks.KeySet | None = None
        self._keys_uri = ""
        self._keys_at = 0.0
        self._untrusted_fetch_at = -MIN_UNTRUSTED_FETCH_INTERVAL_SECONDS
        self._living: Callable[[], Iterable[Origin]] = tuple

    async def metadata(self) -> discovery.Metadata:
        """Return the provider metadata in force, fetching it when there is none or it is too old (D-10).

        A sign-in begins with these and keeps them to its end (``PendingSignIn.metadata``).
        Raises ``IssuerMismatch``, ``DiscoveryFailed``, ``IdpUnavailable`` or ``TlsUntrusted``; failures are
        not remembered, but all callers that wait for the same answer get the same failure.
        Raises ``Overloaded`` if this client is closed meanwhile, because another one takes over.
        """
        if self._metadata is not None and self._clock.now().monotonic < self._metadata_until:
            return self._metadata
        if self._closed:
            raise _superseded()
        if self._discovery is None or self._discovery.done():
            self._discovery = asyncio.ensure_future(self._discover())
            self._discovery.add_done_callback(_retrieve_exception)
        discovery_task = self._discovery
        # NOTE: not awaited itself: it goes on when one of its callers is cancelled, and when we cancel it, the callers
        # that wait for it are not cancelled.
        await asyncio.wait((discovery_task,))
        if discovery_task.cancelled():
            raise _superseded()
        return discovery_task.result()

    async def metadata_of_session(self, max_age_seconds: float = MAX_METADATA_AGE_SECONDS) -> discovery.Metadata:
        """Return metadata for a session that exists: up to ``max_age_seconds`` old if newer ones cannot be fetched.

        After a failure newer ones are not requested for a minute, so that an outage does not slow every refresh.
        A document of another issuer is no outage, and discards the old metadata (D-5, D-10).
        Raises as :meth:`metadata` does.
        """
        now = self._clock.now().monotonic
        known = self._metadata if now - self._metadata_at <= max_age_seconds else None
        if known is not None and now - self._discovery_failed_at < MIN_METADATA_LIFETIME_SECONDS:
            return known
        try:
            return await self.metadata()
        except IssuerMismatch:
            raise
        except Problem:
            if known is None:
                raise
            return known

    async def _discover(self) -> discovery.Metadata:
        issuer, asked = self._settings.issuer, self._clock.now().monotonic
        try:
            reply = await self._port.send(discovery.discovery_call(issuer, self._settings.metadata_url))
            if reply.status in (429, 500, 502, 503, 504):
                raise IdpUnavailable(detail="discovery.status")
            metadata = discovery.read_discovery_reply(
                issuer,
                reply,
                allow_loopback_http=self._settings.allow_insecure_loopback,
                endpoints=dict(self._settings.endpoints),
                mutual_tls=self._settings.mutual_tls,
            )
        except Problem as problem:
            self._discovery_failed_at = asked
            if isinstance(problem, IssuerMismatch):
                self._metadata = None
            raise
        self._metadata, self._metadata_at = metadata, asked
        self._credentials.listed = metadata.token_endpoint_auth_signing_algs
        self._metadata_until = asked + max(metadata.lifetime, MIN_METADATA_LIFETIME_SECONDS)
        self._discovery_failed_at = -MAX_METADATA_AGE_SECONDS
        return metadata

    async def authorization_url(self, pending: PendingSignIn, state: str) -> str:
        """Return the URL that sends the browser to the provider for ``pending`` (sections A and P).

        A request that has to be pushed is pushed now, so its reference is good for this browser's one visit (P-4).
        Raises the provider's refusal of a pushed request.
        """
        metadata = pending.metadata = pending.metadata or await self.metadata()
        self.check_ready(metadata, by_code=False)
        settings = self._settings
        pending.proof_key = self.proof_key(None)
        request = authorization.AuthorizationRequest(
            client_id=settings.client_id,
            redirect_uri=pending.redirect_uri,
            scopes=scopes_of(settings, metadata),
            state=state,
            nonce=pending.nonce,
            code_challenge=challenge_of(pending.verifier),
            response_mode=settings.response_mode,
            prompt=prompt_of(settings, metadata, pending.options),
            max_age=self._max_age(pending.options),
            acr_values=self.demanded(pending.options).requested_acr_values,
            audience=settings.audience if settings.send_audience_in_authorize else None,
            login_hint=pending.options.login_hint or settings.login_hint,
            ui_locales=pending.options.ui_locales or settings.ui_locales,
            dpop_jkt=pending.proof_key.thumbprint() if pending.proof_key else None,
            more=settings.authorization_parameters,
        )
        if not uses_pushed_request(settings, metadata):
            return authorization.authorization_url(metadata, request)
        pushed = await self._push(metadata, request, pending.proof_key)
        return pushed_authorization.pushed_url(metadata, settings.client_id, pushed)

    async def _push(
        self,
        metadata: discovery.Metadata,
        request: authorization.AuthorizationRequest,
        proof_key: dpop.ProofKey | None,
    ) -> pushed_authorization.Pushed:
        """Push ``request`` to the provider, with a proof by the key that the code will be bound to (X-9)."""
        call = pushed_authorization.push_call(metadata, self._credentials.client(), request)
        if call is None:
            discovery.check_offered(metadata, "pushed_authorization_request_endpoint")
            raise DiscoveryFailed(detail="discovery.pushed_authorization_request_endpoint")
        reply = await self._dpop_client.send(call, proof_key)
        answer = pushed_authorization.read_push_reply(reply, now=self._clock.now().wall)
        if isinstance(answer, token.TokenUnavailable):
            raise IdpUnavailable(detail="pushed.status", retry_after=answer.retry_after)
        if isinstance(answer, token.TokenError):
            raise refusal_of(answer.error, "pushed")
        return answer

    def scopes(self) -> tuple[str, ...]:
        """Return the scopes of a sign-in, as far as they are known without asking the provider."""
        return self._settings.scopes if self._metadata is None else scopes_of(self._settings, self._metadata)

    def check_ready(self, metadata: discovery.Metadata, *, by_code: bool) -> None:
        """Refuse a sign-in that could not be finished, by the metadata or for lack of a secret (D-11, T-3, X-1)."""
        client = self._credentials.client()
        authenticate(client)
        check_contradictions(SignInPlan(self._settings, metadata, client.assertion_alg, by_code=by_code))

    def proof_key(self, stored: Secret | None) -> dpop.ProofKey | None:
        """Return the key of a session: the ``stored`` one, or a new one if the settings want one (X-1).

        NOTE: a session that began with a key keeps it after the setting is removed: its refresh token is bound to it.
        """
        if stored is not None:
            return dpop.ProofKey(stored)
        return self._dpop_client.new_key() if self._settings.dpop_bound_access_tokens else None

    async def redeem(
        self,
        pending: PendingSignIn,
        parameters: list[tuple[str, str]],
    ) -> Tokens | authorization.Declined | token.TokenError:
        """Judge the callback, exchange the code once, validate everything (sections R, T, N, V, U)."""
        proof_key = pending.proof_key  # NOTE: taken at once, because a sign-in that is cancelled meanwhile forgets it
        metadata = pending.metadata or await self.metadata()
        expected = authorization.ExpectedCallback(
            issuer=self._settings.issuer,
            iss_required=metadata.iss_parameter_supported or self._settings.profile is not None,
        )
        callback = authorization.read_callback(expected, parameters)
        if isinstance(callback, authorization.Declined):
            return callback
        requested_at = self._clock.now()
        reply = await self._dpop_client.send(
            token.redeem_call(
                metadata,
                self._credentials.client(),
                callback,
                redirect_uri=pending.redirect_uri,
                verifier=pending.verifier,
            ),
            proof_key,
        )
        answer = await self._read_sign_in(metadata, reply, proof_key)
        if isinstance(answer, token.TokenUnavailable):
            raise IdpUnavailable(detail="token.status", retry_after=answer.retry_after)
        if isinstance(answer, token.TokenError):
            return answer
        rules = self._sign_in_rules(pending.nonce, pending.options)
        return await self._admit(metadata, answer, rules, reply, proof_key, requested_at)

    async def authorize_device(
        self, pending: PendingSignIn, *, max_lifetime_seconds: float
    ) -> device.DeviceAuthorization:
        """Request a user code and a device code, good for at most ``max_lifetime_seconds`` (RFC 8628, 3.1, 3.2)."""
        settings, options = self._settings, pending.options
        metadata = pending.metadata = pending.metadata or await self.metadata()
        call = device.device_authorization_call(
            metadata,
            self._credentials.client(),
            device.DeviceRequest(
                scopes=scopes_of(settings, metadata),
                code_challenge=challenge_of(pending.verifier) if device.takes_pkce(metadata) else None,
                audience=settings.audience if settings.send_audience_in_authorize else None,
                prompt=options.prompt or settings.prompt,
                max_age=self._max_age(options),
                acr_values=self.demanded(options).requested_acr_values,
            ),
        )
        if call is None:
            raise DiscoveryFailed(detail="discovery.device_authorization_endpoint")
        given = device.read_device_reply(
            await self._port.send(call),
            now=self._clock.now().wall,
            max_lifetime_seconds=max_lifetime_seconds,
            allow_loopback_http=settings.allow_insecure_loopback,
        )
        if isinstance(given, token.TokenUnavailable):
            raise IdpUnavailable(detail="device.status", retry_after=given.retry_after)
        if isinstance(given, token.TokenError):
            raise refusal_of(given.error, "device")
        return given

    async def redeem_device(
        self, device_code: Secret, pending: PendingSignIn, proof_key: dpop.ProofKey | None
    ) -> Tokens | token.TokenError | token.TokenUnavailable | NoResponse:
        """Poll once whether the person has agreed; tokens are validated as those of a code are (RFC 8628, 3.4, 3.5).

        There is no nonce in this grant, so none may be in the ID token either (see ``protocol.device``).
        ``NoResponse`` says that no answer came, or that of a middlebox instead of the provider; the next poll may be
        answered. Raises the problem of unusable tokens, or one that occurred after they had been issued.
        """
        try:
            metadata = pending.metadata or await self.metadata()
            verifier = pending.verifier if device.takes_pkce(metadata) else None
            call = device.device_token_call(metadata, self._credentials.client(), device_code, verifier)
            requested_at = self._clock.now()
            reply = await self._dpop_client.send(call, proof_key)
            answer = await self._read_sign_in(metadata, reply, proof_key)
        except (IdpUnavailable, TlsUntrusted, DiscoveryFailed, TokenResponseInvalid) as problem:
            if isinstance(problem, TokenResponseInvalid) and problem.detail not in _NOT_FROM_PROVIDER_DETAILS:
                raise
            return NoResponse()
        if not isinstance(answer, token.TokenSet):
            return answer
        rules = self._sign_in_rules(None, pending.options)
        tokens = await self._admit(metadata, answer, rules, reply, proof_key, requested_at)
        if tokens.person and tokens.person.identity and tokens.person.identity.nonce is not None:
            await self._discard(token.unverified_tokens(reply), self.origin(tokens.person.subject, tokens.person.sid))
            raise IdTokenRejected(
                "The provider's ID token was refused: it belongs to another sign-in (nonce).",
                action="Begin the sign-in again.",
                detail="id_token.nonce",
            )
        return tokens

    async def _read_sign_in(
        self, metadata: discovery.Metadata, reply: Reply, proof_key: dpop.ProofKey | None
    ) -> token.TokenSet | token.TokenError | token.TokenUnavailable:
        """Judge the answer to a code; tokens in a refused answer were issued all the same, and are revoked."""
        try:
            answer = token.read_token_reply(
                reply,
                requested_scopes=scopes_of(self._settings, metadata),
                id_token_required=True,
                now=self._clock.now().wall,
                proved=proof_key is not None,
            )
            self._check_binding(answer, self._credentials.certificate)
        except Problem:
            await self._discard(token.unverified_tokens(reply), self.origin())
            raise
        return answer

    def _check_binding(
        self,
        answer: token.TokenSet | token.TokenError | token.TokenUnavailable,
        certificate: Callable[[], str | None] = lambda: None,
    ) -> None:
        """Refuse an access token that is visibly bound to no ``certificate``, or to another than that (RFC 8705, 3.1).

        Most access tokens are opaque, and only the API can check their binding.
        NOTE: at a refresh no certificate is compared: open connections still present a certificate that was replaced,
        and the refresh token is used already.
        """
        if not isinstance(answer, token.TokenSet) or not self._settings.tls_client_certificate_bound_access_tokens:
            return
        told = certificate_of(answer.access_token)
        ours = certificate() if told else None
        if told == "" or (ours is not None and told != ours):
            raise TokenResponseInvalid(
                "The provider's access token is not bound to the client certificate of this server.",
                action="Ask your administrator whether something on the way to the provider ends TLS, and whether "
                "tls_client_certificate_bound_access_tokens is set for this client at the provider.",
                detail="token.cnf",
            )

    async def _admit(
        self,
        metadata: discovery.Metadata,
        answer: token.TokenSet,
        rules: id_token.IdTokenRules,
        reply: Reply,
        proof_key: dpop.ProofKey | None,
        requested_at: Moment,
    ) -> Tokens:
        """Validate the tokens of a sign-in and read their person (sections V and U); refused ones are revoked."""
        if answer.id_token is None:
            raise TokenResponseInvalid(detail="token.id_token")
        origin = self.origin()
        try:
            verified = await self._verify(metadata, answer, answer.id_token, rules, reply)
            origin = self.origin(verified.identity.subject, verified.sid)
            claims = await self._claims(metadata, answer, verified, proof_key)
        except Problem as problem:
            await self._discard(token.unverified_tokens(reply), origin)
            if problem.detail == id_token.ACR_TOO_WEAK_DETAIL:
                raise acr_too_weak() from None
            raise
        person = Person(verified.identity, verified.identity.subject, claims, verified.sid, verified.acr)
        return Tokens(answer, person, requested_at, verified.expires_at, proof_key)

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
        answer = token.read_token_reply(
            refresh_reply.reply,
            requested_scopes=key.scopes or scopes_of(self._settings, refresh_reply.metadata),
            id_token_required=False,
            now=self._clock.now().wall,
            proved=proof_key is not None,
        )
        self._check_binding(answer)
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
        answer = token.read_token_reply(
            await self._dpop_client.send(call, proof_key),
            requested_scopes=key.scopes or scopes_of(self._settings, metadata),
            id_token_required=False,
            now=self._clock.now().wall,
            proved=proof_key is not None,
        )
        self._check_binding(answer)
        return answer

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

    async def logout_token(self, raw: Secret) -> logout_token.LogoutToken:
        """Judge a logout token, which arrives in an unauthenticated request (section B of the rules).

        Fresh keys are fetched at most once in ten seconds, and only for a token that passed every other check (K-7).
        Raises ``LogoutTokenInvalid``, and the port's errors when keys are fetched.
        """
        settings, now, metadata = self._settings, self._clock.now(), self._metadata
        needs_metadata = metadata is None and settings.id_token_signed_response_alg is None
        if needs_metadata:  # only the metadata name the algorithms that may have signed it
            self._limit_untrusted_fetches(now)
            metadata = await self.metadata_of_session()
        rules = logout_token.LogoutTokenRules(
            issuer=settings.issuer,
            client_id=settings.client_id,
            skew=settings.clock_skew,
            **self._signed(raw, metadata),
        )
        known = self._keys if self._keys is not None and not self._keys_are_old(self._keys_uri) else jwks.KeySet(())
        verdict = logout_token.verify_logout_token(raw, rules, known, now=now.wall)
        if isinstance(verdict, jws.KeysStale):
            if not needs_metadata:
                self._limit_untrusted_fetches(now)
            keys = await self._fetch_keys(await self.metadata_of_session())
            verdict = logout_token.verify_logout_token(raw, rules, keys, now=now.wall, fresh=True)
        if isinstance(verdict, jws.KeysStale):
            raise LogoutTokenInvalid(detail="logout_token.signature")
        return verdict

    def _limit_untrusted_fetches(self, now: Moment) -> None:
        """Raise ``LogoutTokenInvalid`` if keys were fetched for such a token less than ten seconds ago (K-7)."""
        if now.monotonic - self._untrusted_fetch_at < MIN_UNTRUSTED_FETCH_INTERVAL_SECONDS:
            raise LogoutTokenInvalid(detail="logout_token.keys")
        self._untrusted_fetch_at = now.monotonic

    def logout_request(self, state: str | None = None) -> logout.LogoutRequest | None:
        """Return the request by which a browser ends the provider's own session.

        Never contacts the provider (L-2, L-6).
        With ``allowed_sign_out_origins`` the page is left out if its origin is not among them.
        """
        settings = self._settings
        if settings.sign_out_method == "none":
            return None
        return logout.logout_request(
            self._metadata,
            client_id=settings.client_id,
            post_logout_redirect_uri=settings.post_logout_redirect_uri,
            state=state,
            allowed_origins=settings.allowed_sign_out_origins,
            configured=settings.end_session_endpoint,
            redirect_parameter=settings.post_logout_redirect_parameter,
        )

    async def aclose(self) -> None:
        """Close the port; callers that still wait for metadata are told to try again."""
        self._closed = True
        if self._discovery is not None:
            self._discovery.cancel()
        await self._port.aclose()

    def _max_age(self, options: SignInOptions) -> int | None:
        """Return the stricter ``max_age`` in seconds: that of the settings, or of the demanding API (A-8, V-13)."""
        wanted = [age for age in (self._settings.max_age, options.step_up.max_age) if age is not None]
        return min(wanted, default=None)

    def demanded(self, options: SignInOptions) -> StepUp:
        """Return the strength that the settings, and the API that asked for the sign-in, demand of it (Q5.14).

        Raises ``ConfigurationInvalid`` if the settings admit no level that is strong enough.
        """
        demanded = options.step_up.restricted_to(self._settings.acr_values)
        if demanded is None:
            raise ConfigurationInvalid(
                "The API wants a sign-in at a level that the settings do not admit.",
                action="Ask your administrator to add that level to 'acr_values' in the settings.",
                detail="acr_values",
            )
        return demanded

    def _sign_in_rules(self, nonce: str | None, options: SignInOptions) -> id_token.IdTokenRules:
        """Return the rules for the ID token of a sign-in: every requested value is checked, too (V-13, V-14)."""
        acr_values = self.demanded(options).acr_values
        return self._id_token_rules(nonce=nonce, max_age=self._max_age(options), acr_values=acr_values)

    def _id_token_rules(
        self,
        *,
        nonce: str | None,
        max_age: int | None = None,
        acr_values: tuple[str, ...] = (),
        previous: id_token.Identity | None = None,
        subject: str | None = None,
    ) -> id_token.IdTokenRules:
        settings = self._settings
        return id_token.IdTokenRules(
            issuer=settings.issuer,
            client_id=settings.client_id,
            nonce=nonce,
            skew=settings.clock_skew,
            max_age=max_age,
            acr_values=acr_values,
            trusted_audiences=frozenset(settings.trusted_audiences),
            expected_subject=subject,
            previous=previous,
        )

    async def _verify(
        self,
        metadata: discovery.Metadata,
        answer: token.TokenSet,
        raw: Secret,
        rules: id_token.IdTokenRules,
        reply: Reply,
    ) -> id_token.IdToken:
        now = self._clock.now().wall
        offset = token.date_offset(reply.headers, now) or 0.0
        if abs(offset) > MAX_CLOCK_OFFSET_SECONDS:
            raise ClockSkew(
                f"The provider's clock is {abs(offset):.0f} seconds {'ahead of' if offset > 0 else 'behind'} ours.",
            )

        rules = replace(rules, **self._signed(raw, metadata))

        def judge(keys: jwks.KeySet, *, fresh: bool) -> id_token.IdToken | jws.KeysStale:
            return id_token.verify_id_token(
                raw,
                rules,
                keys,
                now=now + offset,
                access_token=answer.access_token,
                fresh=fresh,
            )

        return await self._with_keys(metadata, judge)

    def _signed(self, raw: Secret, metadata: discovery.Metadata | None) -> dict[str, Any]:
        """Return the allowed algorithm that ``raw`` names, and the secret for it (K-9)."""
        alg = jws.alg_of(raw, algorithms.id_token_algs(self._settings, metadata))
        return {"alg": alg, "client_secret": self._credentials.secret_for(alg)}

    async def _with_keys(self, metadata: discovery.Metadata, judge: _Judge[_T_co]) -> _T_co:
        """Judge with the cached keys, and once more with fresh ones if no cached key fits (K-6)."""
        keys, fresh = await self._key_set(metadata)
        verdict = judge(keys, fresh=fresh)
        if isinstance(verdict, jws.KeysStale):
            verdict = judge(await self._fetch_keys(metadata), fresh=True)
        if isinstance(verdict, jws.KeysStale):
            raise IdTokenRejected(detail="id_token.signature")
        return verdict

    async def _key_set(self, metadata: discovery.Metadata) -> tuple[jwks.KeySet, bool]:
        if self._keys is None or self._keys_are_old(metadata.jwks_uri):
            return await self._fetch_keys(metadata), True
        return self._keys, False

    def _keys_are_old(self, jwks_uri: str) -> bool:
        age = self._clock.now().monotonic - self._keys_at
        return self._keys_uri != jwks_uri or age > MAX_KEYS_AGE_SECONDS

    async def _fetch_keys(self, metadata: discovery.Metadata) -> jwks.KeySet:
        reply = await self._port.send(jwks.jwks_call(metadata))
        if reply.status in (429, 500, 502, 503, 504):
            raise IdpUnavailable(detail="jwks.status")
        self._keys = jwks.read_jwks_reply(reply)
        self._keys_uri = metadata.jwks_uri
        self._keys_at = self._clock.now().monotonic
        return self._keys

    async def _claims(
        self,
        metadata: discovery.Metadata,
        answer: token.TokenSet,
        verified: id_token.IdToken,
        proof_key: dpop.ProofKey | None,
    ) -> Mapping[str, Any]:
        """Return the ID token's claims, with those of UserInfo on top, if the provider has that endpoint (U-1, U-8)."""
        try:
            more = await self._userinfo(metadata, answer.access_token, verified.identity.subject, proof_key)
        except (IdpUnavailable, UserinfoRejected) as problem:
            if self._settings.userinfo_required or problem.detail in userinfo.INVALID_SUBJECT_DETAILS:
                raise
            more = {}
        return {**verified.claims, **more}

    async def _userinfo(
        self,
        metadata: discovery.Metadata,
        access_token: Secret,
        subject: str,
        proof_key: dpop.ProofKey | None,
    ) -> Mapping[str, Any]:
        alg = self._settings.userinfo_signed_response_alg
        call = userinfo.userinfo_call(metadata, access_token, signed=alg is not None)
        if call is None:
            return {}
        reply = await self._dpop_client.send(call, proof_key)
        if reply.status == 429 or reply.status >= 500:
            raise IdpUnavailable(detail="userinfo.status")

        if alg is None:
            unsigned = userinfo.read_userinfo_reply(reply, subject=subject, signed=None)
            if isinstance(unsigned, jws.KeysStale):
                raise UserinfoRejected(detail="userinfo.signature")
            return unsigned

        def judge(keys: jwks.KeySet, *, fresh: bool) -> Mapping[str, Any] | jws.KeysStale:
            signed = userinfo.SignedUserinfo(
                alg=alg,
                keys=keys,
                issuer=self._settings.issuer,
                client_id=self._settings.client_id,
                client_secret=self._credentials.secret_for(alg),
                fresh=fresh,
            )
            return userinfo.read_userinfo_reply(reply, subject=subject, signed=signed)

        return await self._with_keys(metadata, judge)

    async def _tokens_after_refresh(
        self,
        refresh_reply: RefreshReply,
        answer: token.TokenSet,
        subject: str,
        previous: id_token.Identity | None,
        proof_key: dpop.ProofKey | None,
    ) -> Tokens:
        """Check a refreshed ID token against the sign-in, then read UserInfo again (F-5, F-9).

        A UserInfo endpoint that is down, or a middlebox's page in its place, does not fail a refresh; claims about
        another subject do.
        """
        metadata, requested_at = refresh_reply.metadata, refresh_reply.requested_at
        identity: id_token.Identity | None = previous
        expires_at: float | None = None
        sid: str | None = None
        claims: dict[str, Any] = {}
        if answer.id_token is not None:
            rules = self._id_token_rules(nonce=None, previous=previous, subject=subject)
            verified = await self._verify(metadata, answer, answer.id_token, rules, refresh_reply.reply)
            identity, claims = previous or verified.identity, dict(verified.claims)
            expires_at, sid = verified.expires_at, verified.sid
        try:
            claims.update(await self._userinfo(metadata, answer.access_token, subject, proof_key))
        except (IdpUnavailable, UserinfoRejected) as problem:
            if problem.detail not in _TRANSIENT_USERINFO_DETAILS:
                raise
        if not claims:
            return Tokens(answer, None, requested_at, expires_at, proof_key)
        return Tokens(answer, Person(identity, subject, claims, sid), requested_at, expires_at, proof_key)

    async def _discard(self, tokens: token.UnverifiedTokens, origin: Origin) -> None:
        """Try to revoke the tokens of a sign-in that was refused (A17)."""
        orphan = orphan_of(tokens, origin)
        with suppress(Problem):  # NOTE: best effort; the caller must receive the first refusal
            if orphan is not None:
                await self.revoke(orphan)


def _superseded() -> Overloaded:
    return Overloaded(
        "The settings have changed, or this server is shutting down.", detail="settings.changed", retry_after=1.0
    )


def _retrieve_exception(discovery_task: asyncio.Task[discovery.Metadata]) -> None:
    """Retrieve the exception of a discovery that may have no waiting caller any more."""
    if not discovery_task.cancelled():
        discovery_task.exception()

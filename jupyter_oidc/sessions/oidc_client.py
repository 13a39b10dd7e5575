"""Sends requests to one provider and judges the replies, by the metadata and keys that all sessions there share.

It decides nothing about sessions: it answers with tokens and claims that passed every check, with the
provider's definite refusal, or with a :class:`~jupyter_oidc.errors.Problem`.
Only endpoints named in validated metadata or in the settings are contacted, each for its own purpose (H-3).
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_oidc.errors import (
    ClockSkew,
    ConfigurationInvalid,
    DiscoveryFailed,
    EgressProxyAuth,
    IdpUnavailable,
    IdTokenRejected,
    LogoutTokenInvalid,
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
from jupyter_oidc.sessions.provider_facts import MAX_METADATA_AGE_SECONDS
from jupyter_oidc.sessions.request_parameters import prompt_of, scopes_of, uses_pushed_request
from jupyter_oidc.sessions.revocation import Origin, may_be_revoked, orphan_of
from jupyter_oidc.sessions.shared_fetch import ClosableWaits

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
    from jupyter_oidc.sessions.provider_facts import Judge, ProviderFacts
    from jupyter_oidc.sessions.revocation import OrphanedToken, Revoked
    from jupyter_oidc.settings import Provider

_T_co = TypeVar("_T_co", covariant=True)

_TRANSIENT_USERINFO_DETAILS = frozenset(
    {"userinfo.status", "userinfo.form", "userinfo.format", "idp.unsent", "idp.proxy", "idp.unanswered"}
)
"""Details of UserInfo replies that say nothing about the person (B6)."""

_NOT_FROM_PROVIDER_DETAILS = frozenset({"token.format", "token.status"})
"""Details of token replies that no token endpoint gives: a portal's page, a redirect (A10, A31)."""


@dataclass(frozen=True, slots=True)
class Person:
    """The signed-in user: the subject at this issuer (V-16), and the validated claims about them.

    ``identity`` is what a later ID token is compared with (F-5); unknown if no ID token was seen since the
    session was restored from storage.
    ``sid`` is the provider's name for its own session, if an ID token told it (Back-Channel Logout 1.0, 2.1), and ``acr``
    how strongly it says that they proved who they are.
    """

    identity: id_token.Identity | None
    subject: str
    claims: Mapping[str, Any]
    sid: str | None = None
    acr: str | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """A token response that passed every check.

    ``person`` is ``None`` only if a refresh told nothing new; ``id_token_expires_at`` is wall seconds, and
    ``None`` without an ID token.
    ``requested_at`` is when they were asked for: their lifetime counts from then at the latest, however slow the answer and
    the checks of it were (RFC 6749, 5.1).
    ``proof_key`` is the key that the tokens are bound to, or ``None`` for bearer tokens.
    """

    set: token.TokenSet
    person: Person | None
    requested_at: Moment
    id_token_expires_at: float | None = None
    proof_key: dpop.ProofKey | None = None


@dataclass(frozen=True, slots=True)
class NoResponse:
    """No response came to the token request: the refresh token may be spent, or not (B5)."""


@dataclass(frozen=True, slots=True)
class UnverifiableResponse:
    """The response holds tokens that cannot be checked now (the keys are not to be had): none may be used."""


@dataclass(frozen=True, slots=True)
class RefreshReply:
    """The reply to a refresh request, before anything of it is judged (ADR 0025).

    ``tokens`` holds the successor, to be kept first; ``requested_at`` is when the request went out.
    """

    reply: Reply
    metadata: discovery.Metadata
    tokens: token.UnverifiedTokens
    requested_at: Moment


Refused = token.TokenError | token.TokenUnavailable | UnverifiableResponse


class OidcClient:
    """Talks OpenID Connect to the provider in ``settings`` through ``port``, for one session.

    Metadata and keys are those of ``facts``, which other clients use too; :meth:`aclose` leaves both open.
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

    async def metadata(self) -> discovery.Metadata:
        """Return the provider metadata in force; raises as :meth:`ProviderFacts.metadata` does.

        A sign-in begins with these and keeps them to its end (``PendingSignIn.metadata``).
        """
        return await self._facts.metadata(self._waits)

    async def metadata_of_session(self, max_age_seconds: float = MAX_METADATA_AGE_SECONDS) -> discovery.Metadata:
        """Return metadata for a session that exists; see :meth:`ProviderFacts.metadata_of_session`."""
        return await self._facts.metadata_of_session(self._waits, max_age_seconds)

    async def authorization_url(self, pending: PendingSignIn, state: str) -> str:
        """Return the URL that sends the browser to the provider for ``pending`` (sections A and P).

        A request that is pushed is pushed now, so its reference is good for this browser's one visit (P-4).
        Raises the refusal of the provider, if it takes no such request.
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
        """Hand ``request`` to the provider, proved by the key that the code is going to be bound to (X-9)."""
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
        """Return what a sign-in asks for, as far as is known without asking the provider."""
        metadata = self._facts.known_metadata
        return self._settings.scopes if metadata is None else scopes_of(self._settings, metadata)

    def check_ready(self, metadata: discovery.Metadata, *, by_code: bool) -> None:
        """Refuse a sign-in that could not be finished, by the metadata or for want of a secret (D-11, T-3, X-1)."""
        client = self._credentials.client()
        authenticate(client)
        check_contradictions(SignInPlan(self._settings, metadata, client.assertion_alg, by_code=by_code))

    def proof_key(self, stored: Secret | None) -> dpop.ProofKey | None:
        """Return the key of a session: the ``stored`` one, or a new one if the settings want one (X-1).

        NOTE: a session that began with a key keeps it when the setting goes, since its refresh token is bound to it.
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
        """Get a code for the person and one for us, good for at most ``max_lifetime_seconds`` (RFC 8628, 3.1, 3.2)."""
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
        """Ask once whether the person has agreed; tokens are validated as those of a code are (RFC 8628, 3.4, 3.5).

        There is no nonce in this grant, so none may be in the ID token either (see ``protocol.device``).
        ``NoResponse`` says that no answer came, or one of something in between that is not the provider; the next
        question may be answered. Raises what makes tokens unusable, or what happened after they had been given.
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
        """Judge the answer to a code; tokens in one that is refused were issued all the same, and are revoked."""
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
        """Refuse an access token that shows that it is bound to no ``certificate``, or to another than that (RFC 8705, 3.1).

        Most access tokens do not show it, and what they are bound to only the API can find out.
        NOTE: at a refresh ours is not asked for: a certificate that was replaced is still shown on connections that
        are open, and a refresh token has been spent.
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
        """Validate the tokens of a sign-in and find out whose they are (sections V and U); refused ones are revoked."""
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

        Whatever comes back is handed over unjudged, for :meth:`judge_refresh`, so that its successor can be kept first.
        Raises what the port raises before the token is sent, and ``TokenResponseInvalid`` for a nonce that is refused.
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
        """Judge what :meth:`send_refresh` brought; the tokens that it returns hold no refresh token, which was kept before.

        ``subject`` must be that of any identity that comes back; ``previous`` is the identity of the sign-in,
        if this process saw it, which a returned ID token must repeat in full (F-5).
        Raises ``TokenResponseInvalid`` for an answer that is no token response, and ``IdTokenRejected`` or
        ``UserinfoRejected`` if the answer names another subject, or cannot be believed.
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
            # NOTE: a caller whose time is up hears that nothing could be checked; being cancelled ends the checks here,
            # and not the task.
            return UnverifiableResponse()

    async def exchange(
        self, access_token: Secret, key: TokenKey, proof_key: dpop.ProofKey | None = None
    ) -> token.TokenSet | Refused | None:
        """Exchange the sign-in's access token for one of ``key``; ``None`` if the provider does not offer that.

        Raises as :meth:`send_refresh` does. An ID token or refresh token that comes along is not looked at: the person is
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
        """Return where tokens of this client come from; without ``subject`` it is not verified whose they are."""
        return Origin(self._settings.issuer, self._settings.client_id, subject or None, sid)

    def ask_before_revoking(self, living: Callable[[], Iterable[Origin]]) -> None:
        """Spare the sessions that ``living`` tells, each time that a token is to be revoked."""
        self._living = living

    async def revoke(self, orphan: OrphanedToken) -> Revoked:
        """Revoke ``orphan``, unless that could harm a session that lives (RFC 7009; ``sessions.revocation``).

        The last good metadata do, however old. Raises what the port raises.
        """
        metadata = await self.metadata_of_session(max_age_seconds=math.inf)
        call = logout.revocation_call(metadata, self._credentials.client(), orphan.token, orphan.kind)
        if call is None:
            return "not-supported"
        if not may_be_revoked(orphan.origin, self._living()):
            return "nothing-to-revoke"
        return "done" if logout.read_revocation_reply(await self._port.send(call)) else "failed"

    async def logout_token(self, raw: Secret) -> logout_token.LogoutToken:
        """Judge a logout token that anybody may have sent (section B of the rules).

        Fresh keys are fetched at most once in ten seconds, and only for a token that passed everything else (K-7).
        Raises ``LogoutTokenInvalid``, and what the port raises when keys are fetched.
        """
        settings, now, metadata = self._settings, self._clock.now(), self._facts.known_metadata
        needs_metadata = metadata is None and settings.id_token_signed_response_alg is None
        if needs_metadata:  # what may have signed it, only they can tell
            self._facts.limit_untrusted_fetches()
            metadata = await self.metadata_of_session()
        rules = logout_token.LogoutTokenRules(
            issuer=settings.issuer,
            client_id=settings.client_id,
            skew=settings.clock_skew,
            **self._signed(raw, metadata),
        )

        def judge(keys: jwks.KeySet, *, fresh: bool) -> logout_token.LogoutToken | jws.KeysStale:
            return logout_token.verify_logout_token(raw, rules, keys, now=now.wall, fresh=fresh)

        verdict = judge(self._facts.known_keys(), fresh=False)
        if isinstance(verdict, jws.KeysStale):
            if not needs_metadata:
                self._facts.limit_untrusted_fetches()
            verdict = await self._facts.judge_with_newer_keys(await self.metadata_of_session(), judge)
        if isinstance(verdict, jws.KeysStale):
            raise LogoutTokenInvalid(detail="logout_token.signature")
        return verdict

    def logout_request(self, state: str | None = None) -> logout.LogoutRequest | None:
        """Return how the browser ends the provider's own session; never contacts the provider (L-2, L-6).

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

    def _max_age(self, options: SignInOptions) -> int | None:
        """Return the stricter of what the settings and the API that asked for this sign-in demand (A-8, V-13)."""
        wanted = [age for age in (self._settings.max_age, options.step_up.max_age) if age is not None]
        return min(wanted, default=None)

    def demanded(self, options: SignInOptions) -> StepUp:
        """Return how strong a sign-in has to be by what the settings and the API that asked for it say (Q5.14).

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
        """Return what the ID token of a sign-in has to say: what was asked for is also what is checked (V-13, V-14)."""
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
        offset = self._facts.clock_offset(reply)
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
        """Return the algorithm that ``raw`` has to be signed with, one of those that may be, and its secret (K-9)."""
        alg = jws.alg_of(raw, algorithms.id_token_algs(self._settings, metadata))
        return {"alg": alg, "client_secret": self._credentials.secret_for(alg)}

    async def _with_keys(self, metadata: discovery.Metadata, judge: Judge[_T_co]) -> _T_co:
        """Judge with the provider's keys (K-6); raises ``IdTokenRejected`` if none fits."""
        verdict = await self._facts.judge_with_keys(metadata, judge)
        if isinstance(verdict, jws.KeysStale):
            raise IdTokenRejected(detail="id_token.signature")
        return verdict

    async def _claims(
        self,
        metadata: discovery.Metadata,
        answer: token.TokenSet,
        verified: id_token.IdToken,
        proof_key: dpop.ProofKey | None,
    ) -> Mapping[str, Any]:
        """Return the ID token's claims, with those of UserInfo on top, if the provider has that (U-1, U-8)."""
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

        That UserInfo is down, or a page of something in between, does not spoil a refresh; that it speaks of
        somebody else does.
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
        """Revoke, as well as can be, the tokens of a sign-in that was refused (A17)."""
        orphan = orphan_of(tokens, origin)
        with suppress(Problem):  # NOTE: best effort; the refusal that brought us here is what the caller must hear
            if orphan is not None:
                await self.revoke(orphan)

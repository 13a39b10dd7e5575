"""Sends the requests of a sign-in, by redirect or by code, and returns tokens that passed every check.

It refuses to hold them; it hands them to the sign-ins of a session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from jupyter_oidc.language import N_
from jupyter_oidc.problems import (
    DiscoveryFailed,
    IdpUnavailable,
    IdTokenRejected,
    Problem,
    TlsUntrusted,
    TokenResponseInvalid,
)
from jupyter_oidc.protocol import authorization, device, discovery, dpop, id_token, pushed_authorization, token
from jupyter_oidc.protocol.client_authentication import authenticate
from jupyter_oidc.protocol.pkce import challenge_of
from jupyter_oidc.sessions.contradictions import SignInPlan, check_contradictions
from jupyter_oidc.sessions.oauth_errors import acr_too_weak, refusal_of
from jupyter_oidc.sessions.request_parameters import (
    demanded_step_up,
    max_age_of,
    prompt_of,
    scopes_of,
    uses_pushed_request,
)
from jupyter_oidc.sessions.token_answers import NoResponse, Person, Tokens

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jupyter_oidc.clock import Clock, Moment
    from jupyter_oidc.protocol.message import Reply
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.credentials import Credentials
    from jupyter_oidc.sessions.dpop_client import DPoPClient
    from jupyter_oidc.sessions.oauth_errors import Place
    from jupyter_oidc.sessions.pending import PendingSignIn
    from jupyter_oidc.sessions.ports import ProviderPort
    from jupyter_oidc.sessions.token_judge import Answer, TokenJudge
    from jupyter_oidc.sessions.userinfo_client import UserinfoClient
    from jupyter_oidc.settings import Provider

_T = TypeVar("_T")

_NOT_FROM_PROVIDER_DETAILS = frozenset({"token.format", "token.status"})
"""Details of token replies that no token endpoint sends: a captive portal's page, a redirect (A10, A31)."""


class Discard(Protocol):
    """Tries to revoke the tokens of a sign-in that was refused (A17)."""

    async def __call__(
        self, tokens: token.UnverifiedTokens, subject: str | None = None, sid: str | None = None
    ) -> None:
        """Revoke ``tokens``, which are ``subject``'s, if that was verified; raises no ``Problem``."""
        ...


class SignInClient:
    """Talks OpenID Connect to the provider in ``settings`` for the sign-ins of one session.

    ``metadata`` returns those in force, and ``discard`` tries to revoke tokens.
    """

    def __init__(
        self,
        settings: Provider,
        port: ProviderPort,
        clock: Clock,
        credentials: Credentials,
        *,
        dpop_client: DPoPClient,
        judge: TokenJudge,
        userinfo: UserinfoClient,
        metadata: Callable[[], Awaitable[discovery.Metadata]],
        discard: Discard,
    ) -> None:
        self._settings = settings
        self._port = port
        self._clock = clock
        self._credentials = credentials
        self._dpop_client = dpop_client
        self._judge = judge
        self._userinfo = userinfo
        self.metadata = metadata
        self._discard = discard

    def check_ready(self, metadata: discovery.Metadata, *, by_code: bool) -> None:
        """Refuse a sign-in that could not be finished, by the metadata or for lack of a secret (D-11, T-3, X-1)."""
        client = self._credentials.client()
        authenticate(client)
        check_contradictions(SignInPlan(self._settings, metadata, client.assertion_alg, by_code=by_code))

    def new_proof_key(self) -> dpop.ProofKey | None:
        """Return a key for one new session, if the settings want its tokens bound to one (X-1)."""
        return self._dpop_client.new_key() if self._settings.dpop_bound_access_tokens else None

    # -- by redirect ---------------------------------------------------------------------------------------

    async def authorization_url(self, pending: PendingSignIn, state: str) -> str:
        """Return the URL that sends the browser to the provider for ``pending`` (sections A and P).

        A request that has to be pushed is pushed now, so its reference is good for this browser's one visit (P-4).
        Raises the provider's refusal of a pushed request.
        """
        metadata = pending.metadata = pending.metadata or await self.metadata()
        self.check_ready(metadata, by_code=False)
        settings = self._settings
        pending.proof_key = self.new_proof_key()
        request = authorization.AuthorizationRequest(
            client_id=settings.client_id,
            redirect_uri=pending.redirect_uri,
            scopes=scopes_of(settings, metadata),
            state=state,
            nonce=pending.nonce,
            code_challenge=challenge_of(pending.verifier),
            response_mode=settings.response_mode,
            prompt=prompt_of(settings, metadata, pending.options),
            max_age=max_age_of(settings, pending.options),
            acr_values=demanded_step_up(settings, pending.options).requested_acr_values,
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
        return _granted(pushed_authorization.read_push_reply(reply, now=self._clock.now().wall), "pushed")

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
        rules = self._judge.sign_in_rules(pending.nonce, pending.options)
        return await self._admit(metadata, answer, rules, reply, proof_key, requested_at)

    # -- by code -------------------------------------------------------------------------------------------

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
                max_age=max_age_of(settings, options),
                acr_values=demanded_step_up(settings, options).requested_acr_values,
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
        return _granted(given, "device")

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
        rules = self._judge.sign_in_rules(None, pending.options)
        tokens = await self._admit(metadata, answer, rules, reply, proof_key, requested_at)
        if tokens.person and tokens.person.identity and tokens.person.identity.nonce is not None:
            await self._discard(token.unverified_tokens(reply), tokens.person.subject, tokens.person.sid)
            raise IdTokenRejected(
                N_("The provider's ID token was refused: it belongs to another sign-in (nonce)."),
                action=N_("Begin the sign-in again."),
                detail="id_token.nonce",
            )
        return tokens

    # -- tokens --------------------------------------------------------------------------------------------

    async def _read_sign_in(
        self, metadata: discovery.Metadata, reply: Reply, proof_key: dpop.ProofKey | None
    ) -> Answer:
        """Judge the answer to a code; tokens in a refused answer were issued all the same, and are revoked (A17)."""
        try:
            return self._judge.read_sign_in(metadata, reply, proof_key)
        except Problem:
            await self._discard(token.unverified_tokens(reply))
            raise

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
        subject = sid = None
        try:
            verified = await self._judge.verify(metadata, answer, answer.id_token, rules, reply)
            subject, sid = verified.identity.subject, verified.sid
            more = await self._userinfo.at_sign_in(metadata, answer.access_token, subject, proof_key)
        except Problem as problem:
            await self._discard(token.unverified_tokens(reply), subject, sid)
            if problem.detail == id_token.ACR_TOO_WEAK_DETAIL:
                raise acr_too_weak() from None
            raise
        claims = {**verified.claims, **more}
        person = Person(verified.identity, subject, claims, sid, verified.acr)
        return Tokens(answer, person, requested_at, verified.expires_at, proof_key)


def _granted(answer: _T | token.TokenUnavailable | token.TokenError, endpoint: Place) -> _T:
    """Return ``answer``, or raise for what the ``endpoint`` answered in its place."""
    if isinstance(answer, token.TokenUnavailable):
        raise IdpUnavailable(detail=f"{endpoint}.status", retry_after=answer.retry_after)
    if isinstance(answer, token.TokenError):
        raise refusal_of(answer.error, endpoint)
    return answer

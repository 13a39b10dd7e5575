"""A strict OpenID Provider, written from the specifications, that notes departures which the certified one lets pass.

It signs people in with a form, remembers their sessions, and writes down every departure as a *fault*: a test at its end
asserts that there is none. It is lenient nowhere: a code is redeemed by one request, a path that it does not publish is
never asked for, and a sign-out names its session, in a form, and with a state.
Specifications: OpenID Connect Core 1.0 and Discovery 1.0, RFC 7636 (S256 only), RP-Initiated Logout 1.0, Back-Channel
Logout 1.0. NOTE: nothing of the product's code, and no JOSE library, judges here.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import httpx
from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.support.canary import CANARY
from tests.support.loop_thread import ServedInThread
from tests.support.marker import MARKER
from tests.support.plain_http import PLAIN
from tests.support.signing_key import SigningKey, base64url

if TYPE_CHECKING:
    from typing_extensions import Self

EVENT = "http://schemas.openid.net/event/backchannel-logout"
FORM = "application/x-www-form-urlencoded"
COOKIE = "strict-op"
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}\Z")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_LEAST_RANDOM = 22
"""Characters of base64url that hold 128 bits: the least for state and nonce (RFC 6819, 5.1.4.2.2)."""


class Fault(Exception):
    """A departure from the specifications; ``error`` is the code for the client (RFC 6749, 5.2)."""

    def __init__(self, what: str, error: str = "invalid_request", status: int = 400) -> None:
        super().__init__(what)
        self.error = error
        self.status = status


@dataclass(slots=True)
class OpSession:
    """A person's session at the provider; ``browser`` is the value of its cookie."""

    sid: str
    subject: str
    browser: str = field(repr=False)
    live: bool = True
    since: int = field(default_factory=lambda: int(time.time()))


@dataclass(slots=True)
class IssuedCode:
    """What an authorization request said, until one token request has named it."""

    session: OpSession
    redirect_uri: str
    challenge: str
    nonce: str
    scope: str
    requests: int = 0


@dataclass(frozen=True, slots=True)
class SignedOut:
    """A sign-out that was right in every respect: how it came, and whose session it ended."""

    method: str
    sid: str
    state: str
    headers: dict[str, str] = field(repr=False)


@dataclass
class StrictProvider:
    """Context manager with one public client. ``faults`` lists the departures in words, in order.

    The three addresses of the client are registered by assignment before it is used. ``lifetime`` is in seconds.
    """

    client_id: str = "jupyter"
    redirect_uri: str = ""
    post_logout_redirect_uri: str = ""
    backchannel_logout_uri: str = ""
    lifetime: int = 300
    key: SigningKey = field(default_factory=lambda: SigningKey.rsa("strict-1"), repr=False)
    faults: list[str] = field(default_factory=list)
    sessions: dict[str, OpSession] = field(default_factory=dict)
    signed_out: list[SignedOut] = field(default_factory=list)
    announced: list[int] = field(default_factory=list)
    _codes: dict[str, IssuedCode] = field(default_factory=dict, repr=False)
    _access: dict[str, OpSession] = field(default_factory=dict, repr=False)
    _refresh: dict[str, OpSession] = field(default_factory=dict, repr=False)
    _spent: set[str] = field(default_factory=set, repr=False)
    _id_tokens: set[str] = field(default_factory=set, repr=False)
    _newest: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        application = web.Application()
        self._paths: dict[tuple[str, str], Callable[[web.Request], Any]] = {
            ("GET", "/.well-known/openid-configuration"): self._discovery,
            ("GET", "/jwks"): self._jwks,
            ("GET", "/authorize"): self._authorize,
            ("POST", "/login"): self._login,
            ("POST", "/token"): self._token,
            ("GET", "/userinfo"): self._userinfo,
            ("POST", "/revoke"): self._revoke,
            ("GET", "/end-session"): self._end_session,
            ("POST", "/end-session"): self._end_session,
        }
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._server = ServedInThread(application)

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *reason: object) -> None:
        self._server.__exit__(*reason)

    @property
    def issuer(self) -> str:
        """The issuer identifier."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def last_id_token(self) -> str:
        """The newest ID token."""
        return self._newest

    def forget_everything(self) -> None:
        """Restore the initial state for the next test."""
        for kept in (self.faults, self.sessions, self.signed_out, self.announced, self._codes, self._access):
            kept.clear()
        for more in (self._refresh, self._spent, self._id_tokens):
            more.clear()

    def knows(self, access_token: str) -> bool:
        """Return whether ``access_token`` was issued here."""
        return access_token in self._access

    def session_of(self, subject: str) -> OpSession:
        """Return the newest session of ``subject``."""
        return [one for one in self.sessions.values() if one.subject == subject][-1]

    # -- back-channel logout ---------------------------------------------------------------------------------

    def logout_claims(self, session: OpSession, **changes: Any) -> dict[str, Any]:
        """Return the claims of a logout token (Back-Channel Logout 1.0, 2.4); ``None`` among ``changes`` removes one."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": session.subject,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_urlsafe(12),
            "events": {EVENT: {}},
            "sid": session.sid,
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def logout_token(self, session: OpSession, *, key: SigningKey | None = None, **changes: Any) -> str:
        """Return a logout token about ``session``, signed with ``key`` in place of the provider's own."""
        signer = key or self.key
        header = {"alg": signer.alg, "kid": self.key.kid, "typ": "logout+jwt"}
        return self._secret(signer.sign(self.logout_claims(session, **changes), header))

    def announce(self, token: str) -> int:
        """Send ``token`` to the client's back-channel logout URI, and return the status (Back-Channel Logout 1.0, 2.5)."""
        body, kind = urlencode({"logout_token": token}), {"Content-Type": FORM}
        reply = httpx.post(
            self.backchannel_logout_uri, content=body, headers=kind, trust_env=False, verify=PLAIN, timeout=30
        )
        return reply.status_code

    # -- requests --------------------------------------------------------------------------------------------

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        answer = self._paths.get((request.method, request.path))
        try:
            if answer is None:
                if request.path == "/favicon.ico" and request.headers.get("Sec-Fetch-Dest") == "image":
                    return web.Response(status=404)  # a browser's own wish, and no client's
                raise Fault(f"{request.method} {request.path} is not published", status=404)
            reply = answer(request)
            return reply if isinstance(reply, web.StreamResponse) else await reply
        except Fault as fault:
            self.faults.append(str(fault))
            return web.json_response({"error": fault.error}, status=fault.status)

    def _discovery(self, request: web.Request) -> web.Response:
        if request.query_string:
            raise Fault("the metadata were asked for with a query")
        ways = {
            "authorization_endpoint": "/authorize",
            "token_endpoint": "/token",
            "userinfo_endpoint": "/userinfo",
            "revocation_endpoint": "/revoke",
            "jwks_uri": "/jwks",
            "end_session_endpoint": "/end-session",
        }
        return web.json_response(
            {
                "issuer": self.issuer,
                **{name: self.issuer + path for name, path in ways.items()},
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["none"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
                "backchannel_logout_supported": True,
                "backchannel_logout_session_supported": True,
            }
        )

    def _jwks(self, request: web.Request) -> web.Response:
        return web.json_response({"keys": [self.key.public_jwk()]})

    def _authorize(self, request: web.Request) -> web.Response:
        """Judge the request (Core 1.0, 3.1.2.1; RFC 7636, 4.3); show a login form unless there is a session."""
        asked = once(request.query_string, "the authorization request")
        self._judge_authorization(asked)
        known = self._by_cookie(request)
        if known is not None and asked.get("prompt") not in ("login", "consent"):
            return self._back_with_code(known, asked)
        kept = html.escape(json.dumps(asked))
        return page(
            f'<form method="post" action="/login"><input type="hidden" name="asked" value="{kept}">'
            '<input name="login"><input type="password" name="password"><button type="submit">Sign in</button></form>'
        )

    def _judge_authorization(self, asked: dict[str, str]) -> None:
        if asked.get("client_id") != self.client_id:
            raise Fault("the authorization request is of another client")
        if asked.get("redirect_uri") != self.redirect_uri:
            raise Fault("the redirect URI is not the registered one, to the letter")
        if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
            raise Fault("the authorization request is not for a code with openid")
        if asked.get("code_challenge_method") != "S256" or not _CHALLENGE.match(asked.get("code_challenge", "")):
            raise Fault("the authorization request has no S256 challenge")
        for name in ("state", "nonce"):
            if len(asked.get(name, "")) < _LEAST_RANDOM:
                raise Fault(f"the authorization request has no {name} that nobody can guess")

    async def _login(self, request: web.Request) -> web.Response:
        form = once((await request.read()).decode(), "the login form")
        session = OpSession(f"sid-{secrets.token_urlsafe(16)}", form["login"], secrets.token_urlsafe(24))
        self.sessions[session.sid] = session
        asked = json.loads(form["asked"])
        self._judge_authorization(asked)
        reply = self._back_with_code(session, asked)
        reply.set_cookie(COOKIE, session.browser, httponly=True, samesite="Lax")
        return reply

    def _back_with_code(self, session: OpSession, asked: dict[str, str]) -> web.Response:
        code = self._secret(f"{MARKER}code-{secrets.token_urlsafe(24)}")
        self._codes[code] = IssuedCode(
            session, asked["redirect_uri"], asked["code_challenge"], asked["nonce"], asked["scope"]
        )
        answer = urlencode({"code": code, "state": asked["state"], "iss": self.issuer})
        return web.Response(status=303, headers={"Location": f"{asked['redirect_uri']}?{answer}"})

    async def _token(self, request: web.Request) -> web.Response:
        if request.content_type != FORM or request.query_string:
            raise Fault("the token request is no form")
        form = once((await request.read()).decode(), "the token request")
        if form.get("client_id") != self.client_id or "Authorization" in request.headers or "client_secret" in form:
            raise Fault("the client is public, and has to say who it is in the form", "invalid_client", 401)
        ways = {"authorization_code": self._redeem, "refresh_token": self._renew}
        way = ways.get(form.get("grant_type", ""))
        if way is None:
            raise Fault("a grant type that is not published", "unsupported_grant_type")
        return web.json_response(way(form), headers={"Cache-Control": "no-store"})

    def _redeem(self, form: dict[str, str]) -> dict[str, Any]:
        """Core 1.0, 3.1.3.1 and 3.1.3.2; RFC 7636, 4.6."""
        code, verifier = self._codes.get(form.get("code", "")), form.get("code_verifier", "")
        if code is None:
            raise Fault("a code that nobody was given", "invalid_grant")
        code.requests += 1
        if code.requests > 1:
            raise Fault("a code was used in a second token request", "invalid_grant")
        if form.get("redirect_uri") != code.redirect_uri:
            raise Fault("the token request names another redirect URI", "invalid_grant")
        if not _VERIFIER.match(verifier) or base64url(hashlib.sha256(verifier.encode()).digest()) != code.challenge:
            raise Fault("the verifier does not fit the challenge", "invalid_grant")
        return self._tokens(code.session, code.nonce, code.scope)

    def _renew(self, form: dict[str, str]) -> dict[str, Any]:
        token = form.get("refresh_token", "")
        if token in self._spent:
            raise Fault("a refresh token was used twice", "invalid_grant")
        session = self._refresh.pop(token, None)
        if session is None:
            raise Fault("a refresh token that nobody was given", "invalid_grant")
        self._spent.add(token)
        return self._tokens(session, None, "openid profile offline_access")

    def _tokens(self, session: OpSession, nonce: str | None, scope: str) -> dict[str, Any]:
        access = self._secret(f"{MARKER}access-{secrets.token_urlsafe(24)}")
        refresh = self._secret(f"{MARKER}refresh-{secrets.token_urlsafe(24)}")
        self._access[access], self._refresh[refresh] = session, session
        now, half = int(time.time()), hashlib.sha256(access.encode()).digest()[:16]
        claims = {
            "iss": self.issuer,
            "sub": session.subject,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 600,
            "auth_time": session.since,
            "at_hash": base64url(half),
            "sid": session.sid,
            **({} if nonce is None else {"nonce": nonce}),
        }
        self._newest = self._secret(self.key.sign(claims))
        self._id_tokens.add(self._newest)
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "refresh_token": refresh,
            "id_token": self._newest,
            "scope": scope,
        }

    def _userinfo(self, request: web.Request) -> web.Response:
        session = self._access.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if session is None:
            raise Fault("UserInfo was asked for with no token of ours", "invalid_token", 401)
        return web.json_response({"sub": session.subject, "name": f"{session.subject} of the strict provider"})

    async def _revoke(self, request: web.Request) -> web.Response:
        form = once((await request.read()).decode(), "the revocation request")
        session = self._refresh.pop(form.get("token", ""), None)
        self._access = {token: one for token, one in self._access.items() if one is not session}
        return web.Response()

    # -- RP-initiated logout ---------------------------------------------------------------------------------

    async def _end_session(self, request: web.Request) -> web.Response:
        """Judge the request (RP-Initiated Logout 1.0, 2), end the session, tell the client, send the browser back."""
        if "id_token_hint" in request.query:
            raise Fault("the sign-out has its hint in the address")
        if request.method != "POST" or request.content_type != FORM or request.query_string:
            raise Fault("the sign-out is no form")
        if "Referer" in request.headers:
            raise Fault("the sign-out says where the browser was")
        asked = once((await request.read()).decode(), "the sign-out")
        session = self._of_hint(asked.get("id_token_hint", ""))
        if asked.get("client_id") != self.client_id:
            raise Fault("the sign-out names another client than its hint")
        if asked.get("post_logout_redirect_uri") != self.post_logout_redirect_uri:
            raise Fault("the sign-out's address to return to is not the registered one, to the letter")
        if len(asked.get("state", "")) < _LEAST_RANDOM:
            raise Fault("the sign-out has no state that nobody can guess")
        if any(asked["state"] == one.state for one in self.signed_out):
            raise Fault("the sign-out has a state of another one")
        more = set(asked) - {"id_token_hint", "client_id", "post_logout_redirect_uri", "state"}
        if more:
            raise Fault(f"the sign-out says more than it should: {', '.join(sorted(more))}")
        session.live = False
        self._access = {token: one for token, one in self._access.items() if one is not session}
        self._refresh = {token: one for token, one in self._refresh.items() if one is not session}
        self.signed_out.append(SignedOut(request.method, session.sid, asked["state"], dict(request.headers)))
        if self.backchannel_logout_uri:
            self.announced.append(await self._announce_from_here(self.logout_token(session)))
        back = f"{self.post_logout_redirect_uri}?{urlencode({'state': asked['state']})}"
        reply = web.Response(status=303, headers={"Location": back})
        reply.del_cookie(COOKIE)
        return reply

    def _of_hint(self, hint: str) -> OpSession:
        """Return the session that ``hint`` names: an ID token of ours, for this client, about a session that lives."""
        if not hint:
            raise Fault("the sign-out has no hint")
        claims = verified(hint, self.key)
        if hint not in self._id_tokens:
            raise Fault("the sign-out's hint is no ID token that was issued, to the letter")
        if claims.get("iss") != self.issuer or claims.get("aud") != self.client_id:
            raise Fault("the sign-out's hint is of another issuer, or for another client")
        session = self.sessions.get(str(claims.get("sid")))
        if session is None or not session.live:
            raise Fault("the sign-out's hint names a session that is not there")
        return session

    async def _announce_from_here(self, token: str) -> int:
        async with httpx.AsyncClient(trust_env=False, verify=PLAIN, timeout=30) as client:
            body, kind = urlencode({"logout_token": token}), {"Content-Type": FORM}
            return (await client.post(self.backchannel_logout_uri, content=body, headers=kind)).status_code

    def _by_cookie(self, request: web.Request) -> OpSession | None:
        shown = request.cookies.get(COOKIE)
        return next((one for one in self.sessions.values() if one.live and one.browser == shown), None)

    def _secret(self, secret: str) -> str:
        CANARY.hold(secret)
        return secret


def once(text: str, what: str) -> dict[str, str]:
    """Return the parameters of ``text``; one that is there twice is a fault (RFC 6749, 3.1)."""
    pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Fault(f"{what} has a parameter twice")
    return found


def verified(token: str, key: SigningKey) -> dict[str, Any]:
    """Return the claims of ``token`` if ``key`` has signed it with RS256 (RFC 7515, 5.2)."""
    try:
        first, second, third = token.split(".")
        header = json.loads(_decoded(first))
        if header.get("alg") != "RS256" or not isinstance(key.private, rsa.RSAPrivateKey):
            raise ValueError
        key.private.public_key().verify(
            _decoded(third), f"{first}.{second}".encode(), padding.PKCS1v15(), hashes.SHA256()
        )
        claims: dict[str, Any] = json.loads(_decoded(second))
    except (ValueError, InvalidSignature):
        raise Fault("the sign-out's hint is no token that we have signed") from None
    return claims


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def page(body: str) -> web.Response:
    """Return a page of the provider's own."""
    text = f'<!doctype html><title>Strict provider</title><link rel="icon" href="data:,">{body}'
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})

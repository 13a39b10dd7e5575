"""A scripted OpenID Provider: good by default, hostile by plan.

It signs people in without asking (no form), and keeps exact accounts of its requests and its tokens. Its protocol code
and its signatures are its own, so that the product is not tested against itself.
"""

from __future__ import annotations

import email.utils
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from tests.support.canary import CANARY
from tests.support.dpop_proofs import ProofJudge, ProofRefused
from tests.support.fault_plan import Fault, FaultPlan, changed
from tests.support.form_sign_in import FormBrowser
from tests.support.loop_thread import ServedInThread
from tests.support.scripted_messages import (
    PATHS,
    Received,
    Refused,
    client_shown,
    discovery_document,
    form_post_reply,
    json_reply,
)
from tests.support.signing_key import SigningKey, base64url
from tests.support.token_ledger import Code, Granted, TokenLedger

if TYPE_CHECKING:
    import ssl

    from typing_extensions import Self


DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass
class DeviceCode:
    """A pair of codes: the person's decision, the time of the last poll, and the number of polls that came too soon."""

    user_code: str
    scope: str
    answer: str = ""
    asked: float = field(default_factory=time.monotonic)
    too_soon: int = 0


@dataclass
class ScriptedProvider:
    """Context manager. All members may be changed between requests.

    ``lifetime`` is in seconds and ``None`` leaves ``expires_in`` out. ``advertise`` changes the discovery document
    (``None`` removes a member). ``scope`` is granted in place of the requested one. ``resources`` maps resource
    indicators to audiences. ``clock_offset`` (seconds) is how far its clock is ahead. ``auth_method`` is what a client
    must use; ``unchecked`` takes any. With ``forgive_reuse`` a spent refresh token is taken again, as providers do that
    allow for a lost answer. With ``subject_by_hint`` a ``login_hint`` names the person. ``access_token_bytes`` is how long access tokens are at least. With ``proofs`` all tokens are
    bound to keys (RFC 9449): that judge sees the proofs at the token endpoint, ``userinfo_proofs`` those at UserInfo, and
    the ``nonce`` of each is demanded there.
    """

    client_id: str = "jupyter"
    client_secret: str = field(default="", repr=False)
    auth_method: str = "none"
    subject: str = "user1"
    subject_by_hint: bool = False
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=lambda: {"name": "Example User", "permissions": ["orders.read"]})
    advertise: dict[str, Any] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)
    lifetime: int | None = 300
    access_token_bytes: int = 0
    scope: str | None = None
    rotate: bool = True
    forgive_reuse: bool = False
    issue_refresh_token: bool = True
    id_token_on_refresh: bool = False
    clock_offset: float = 0.0
    proofs: ProofJudge | None = None
    userinfo_proofs: ProofJudge = field(default_factory=ProofJudge)
    tls: ssl.SSLContext | None = None
    register: Callable[[str], None] = field(default=CANARY.hold, repr=False)
    keys: list[SigningKey] = field(default_factory=lambda: [SigningKey.rsa("k1")])
    received: list[Received] = field(default_factory=list)
    faults: FaultPlan = field(default_factory=FaultPlan, repr=False)
    device_interval: float = 1
    device_codes: dict[str, DeviceCode] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.ledger = TokenLedger(self.register)
        application = web.Application(client_max_size=16 * 1024 * 1024)
        for endpoint, path in PATHS.items():
            application.router.add_route("*", path, self._endpoint(endpoint))
        self._server = ServedInThread(application, tls=self.tls)
        self._answers = {
            "discovery": self._discovery,
            "jwks": self._jwks,
            "token": self._token,
            "userinfo": self._userinfo,
            "revoke": self._revoke,
            "device": self._device,
        }

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, *reason: object) -> None:
        self._server.__exit__(*reason)

    def stop(self) -> None:
        """Stop, as after a kill; the issued tokens are remembered."""
        self._server.stop()

    def start(self) -> None:
        """Come back, at the same address."""
        self._server.start()

    @property
    def issuer(self) -> str:
        """The issuer identifier, which is also the beginning of every endpoint's URL."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._server.port}"

    def url(self, endpoint: str) -> str:
        """Return where ``endpoint`` (one of ``PATHS``) is."""
        return self.issuer + PATHS[endpoint]

    def plan(self, endpoint: str, **fault: Any) -> None:
        """Let the next request to ``endpoint`` go wrong: see :meth:`FaultPlan.plan`."""
        self.faults.plan(endpoint, **fault)

    def browser(self) -> FormBrowser:
        """Return a fresh browser profile; replies of other servers than this provider are shown to the canary."""
        return FormBrowser(self.issuer)

    def issued(self) -> list[str]:
        """Return every secret issued so far: codes, access, refresh and ID tokens."""
        return list(self.ledger.issued)

    def count(self, endpoint: str, **form: str) -> int:
        """Return how many requests ``endpoint`` received whose form has these members."""
        return sum(one.endpoint == endpoint and form.items() <= one.form.items() for one in self.received)

    @property
    def reuses(self) -> int:
        """How often a spent refresh token came again."""
        return self.ledger.reuses

    def accepts(self, access_token: str) -> bool:
        """Tell whether an API may take ``access_token``: issued, not revoked, not expired."""
        granted = self.ledger.access.get(access_token)
        return granted is not None and (granted.until is None or self.now() < granted.until)

    def audience_of(self, access_token: str) -> str:
        """Return the resource of a live ``access_token``; the empty string if it was issued for none."""
        return self.ledger.access[access_token].audience

    def offer_codes(self) -> None:
        """Advertise sign-in by code (RFC 8628, 4)."""
        self.advertise["device_authorization_endpoint"] = self.url("device")
        self.advertise["grant_types_supported"] = ["authorization_code", "refresh_token", DEVICE_CODE]

    def answer_code(self, user_code: str, *, agree: bool = True) -> None:
        """Enter ``user_code`` as the person does, and agree or decline."""
        (code,) = [code for code in self.device_codes.values() if code.user_code == user_code]
        code.answer = "agreed" if agree else "declined"

    def revoke_all(self) -> None:
        """End every code and token, as an administrator would."""
        self.ledger.end_all()

    def rotate_keys(self, *, keep: bool = False) -> SigningKey:
        """Sign with a new key from now on; with ``keep`` the old ones stay published."""
        key = SigningKey.rsa(f"k{len(self.keys) + 1}-{len(self.received)}")
        self.keys = [key, *self.keys] if keep else [key]
        return key

    def now(self) -> float:
        """Return the provider's time: seconds since 1970."""
        return time.time() + self.clock_offset

    def _endpoint(self, name: str) -> Callable[[web.Request], Any]:
        async def answer(request: web.Request) -> web.StreamResponse:
            form = {key: str(value) for key, value in (await request.post()).items()}
            headers = {key.lower(): value for key, value in request.headers.items()}
            received = Received(name, request.method, dict(request.query), form, headers)
            self.received.append(received)
            fault = self.faults.take(name)
            if not fault.after:
                await fault.wait()
            reply = None
            if fault.after or not fault.replaces:
                reply = self._good(received, fault)
            if fault.after:
                await fault.wait()
            if fault.drop and request.transport is not None:
                request.transport.abort()
            if reply is None or fault.replaces:
                reply = web.Response(status=fault.status or 200, body=fault.body)
            reply.headers.update({"Date": email.utils.formatdate(self.now(), usegmt=True), **fault.headers})
            return reply

        return answer

    def _good(self, received: Received, fault: Fault) -> web.Response:
        """Answer as a good provider does, spoiled as ``fault`` says."""
        try:
            if received.endpoint == "authorize":
                return self._authorize(received, fault)
            if received.endpoint == "end_session":
                return self._end_session(received)
            told = self._answers[received.endpoint](received, fault)
        except Refused as refused:
            reply = json_reply({"error": refused.error}, refused.status)
            reply.headers.update(refused.headers)
            return reply
        return json_reply(changed(told, fault.mutate)) if told is not None else web.Response()

    def _discovery(self, received: Received, fault: Fault) -> dict[str, Any]:
        return discovery_document(self.issuer, sorted({key.alg for key in self.keys}), self.advertise)

    def _jwks(self, received: Received, fault: Fault) -> dict[str, Any]:
        return {"keys": [key.public_jwk() for key in self.keys]}

    def _authorize(self, received: Received, fault: Fault) -> web.Response:
        """Send the browser back at once (RFC 6749, 4.1.2; RFC 9207)."""
        asked = received.query or received.form
        redirect_uri = asked.get("redirect_uri", "")
        if asked.get("client_id") != self.client_id or not redirect_uri:
            return web.Response(status=400, text="Unknown client.")
        answer = {"state": asked.get("state", ""), "iss": self.issuer}
        if asked.get("response_type") != "code" or asked.get("code_challenge_method") != "S256":
            answer = {"error": "invalid_request", **answer}
        else:
            code = self.ledger.new_secret("code")
            self.ledger.codes[code] = Code(
                redirect_uri,
                asked.get("code_challenge", ""),
                asked.get("nonce"),
                self.scope or asked.get("scope", ""),
                asked.get("login_hint", self.subject) if self.subject_by_hint else self.subject,
                self.ledger.new_family(),
                asked.get("dpop_jkt", ""),
            )
            answer = {"code": code, **answer}
        answer = changed(answer, fault.mutate)
        if asked.get("response_mode") == "form_post":
            return form_post_reply(redirect_uri, dict(answer))
        glue = "&" if "?" in redirect_uri else "?"
        return web.Response(status=302, headers={"Location": f"{redirect_uri}{glue}{urlencode(answer)}"})

    def _token(self, received: Received, fault: Fault) -> dict[str, Any]:
        self._check_client(received)
        form, key = received.form, self._key(received)
        match form.get("grant_type"):
            case "authorization_code":
                return self._redeem(form, fault, key)
            case "refresh_token":
                return self._refresh(form, fault, key)
            case grant if grant == DEVICE_CODE:
                return self._redeem_device(form, fault, key)
        raise Refused("unsupported_grant_type")

    def _key(self, received: Received) -> str:
        """Return the thumbprint of the key that proves a token request, or nothing if tokens are bound to none."""
        if self.proofs is None:
            return ""
        try:
            return self.proofs.judge(
                received.headers.get("dpop"), received.method, self.url(received.endpoint), now=self.now()
            )
        except ProofRefused as refusal:
            raise Refused(refusal.error, 400, {"DPoP-Nonce": self.proofs.nonce}) from None

    def _check_client(self, received: Received) -> None:
        shown = client_shown(received, self.auth_method)
        if self.auth_method != "unchecked" and shown != (self.client_id, self.client_secret):
            raise Refused("invalid_client", 401)

    def _redeem(self, form: Mapping[str, str], fault: Fault, key: str) -> dict[str, Any]:
        code = self.ledger.codes.pop(form.get("code", ""), None)
        verifier = form.get("code_verifier", "")
        self.register(verifier)
        challenge = base64url(hashlib.sha256(verifier.encode()).digest())
        if code is None or (code.redirect_uri, code.challenge) != (form.get("redirect_uri"), challenge):
            raise Refused("invalid_grant")
        if self.proofs is not None and code.key not in ("", key):
            raise Refused("invalid_grant")
        granted = Granted(code.subject, code.scope, self._audience(form), code.family, key=key)
        reply = self._tokens(granted)
        if self.issue_refresh_token and "offline_access" in code.scope.split():
            reply["refresh_token"] = self._refresh_token(granted)
        if "openid" in code.scope.split():
            reply["id_token"] = self._id_token(code.subject, code.nonce, fault)
        return reply

    def _device(self, received: Received, fault: Fault) -> dict[str, Any]:
        """Give a pair of codes (RFC 8628, 3.2)."""
        self._check_client(received)
        code = self.ledger.new_secret("device")
        user_code = f"WDJB-{len(self.device_codes):04d}"
        self.device_codes[code] = DeviceCode(user_code, self.scope or received.form.get("scope", ""))
        enter = f"{self.issuer}/enter"
        return {
            "device_code": code,
            "user_code": user_code,
            "verification_uri": enter,
            "verification_uri_complete": f"{enter}?user_code={user_code}",
            "expires_in": 300,
            "interval": self.device_interval,
        }

    def _redeem_device(self, form: Mapping[str, str], fault: Fault, key: str) -> dict[str, Any]:
        """Answer the question whether the person has agreed (RFC 8628, 3.5), strict about how often it is asked."""
        asked = self.device_codes.get(form.get("device_code", ""))
        if asked is None:
            raise Refused("invalid_grant")
        since, asked.asked = time.monotonic() - asked.asked, time.monotonic()
        asked.too_soon += since < self.device_interval
        if asked.answer == "declined":
            raise Refused("access_denied")
        if not asked.answer:
            raise Refused("authorization_pending")
        del self.device_codes[form["device_code"]]
        granted = Granted(self.subject, asked.scope, self._audience(form), self.ledger.new_family(), key=key)
        reply = self._tokens(granted)
        if self.issue_refresh_token:
            reply["refresh_token"] = self._refresh_token(granted)
        reply["id_token"] = self._id_token(self.subject, None, fault)
        return reply

    def _refresh(self, form: Mapping[str, str], fault: Fault, key: str) -> dict[str, Any]:
        token = form.get("refresh_token", "")
        audience = self._audience(form)
        bound = self.ledger.refresh.get(token)
        if bound is not None and bound.key not in ("", key):
            raise Refused("invalid_grant")
        granted = (
            self.ledger.spend(token, forgive=self.forgive_reuse) if self.rotate else self.ledger.refresh.get(token)
        )
        if granted is None:
            raise Refused("invalid_grant")
        granted = replace(granted, key=key)
        reply = self._tokens(replace(granted, audience=audience))
        if self.rotate:
            reply["refresh_token"] = self._refresh_token(granted)
        if self.id_token_on_refresh:
            reply["id_token"] = self._id_token(granted.subject, None, fault)
        return reply

    def _audience(self, form: Mapping[str, str]) -> str:
        resource = form.get("resource")
        if resource is None:
            return ""
        if resource not in self.resources:
            raise Refused("invalid_target")
        return self.resources[resource]

    def _tokens(self, granted: Granted) -> dict[str, Any]:
        token = self.ledger.new_secret("access", self.access_token_bytes)
        until = None if self.lifetime is None else self.now() + self.lifetime
        self.ledger.access[token] = replace(granted, until=until)
        lifetime = {} if self.lifetime is None else {"expires_in": self.lifetime}
        return {
            "access_token": token,
            "token_type": "DPoP" if granted.key else "Bearer",
            "scope": granted.scope,
            **lifetime,
        }

    def _refresh_token(self, granted: Granted) -> str:
        token = self.ledger.new_secret("refresh")
        self.ledger.refresh[token] = granted
        return token

    def _id_token(self, subject: str, nonce: str | None, fault: Fault) -> str:
        now = int(self.now())
        claims = {
            "iss": self.issuer,
            "sub": subject,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 600,
            **({} if nonce is None else {"nonce": nonce}),
            **self.claims,
        }
        claims = changed(claims, fault.claims)
        return self.ledger.note(fault.forge(claims) if fault.forge else self.keys[0].sign(claims))

    def _userinfo(self, received: Received, fault: Fault) -> dict[str, Any]:
        scheme, _, token = received.headers.get("authorization", "").partition(" ")
        granted = self.ledger.access.get(token)
        if granted is None or not self.accepts(token) or scheme != ("DPoP" if granted.key else "Bearer"):
            raise Refused("invalid_token", 401)
        if granted.key:
            self._check_holder(received, granted, token)
        return {"sub": granted.subject, **self.userinfo}

    def _check_holder(self, received: Received, granted: Granted, token: str) -> None:
        judge, error = self.userinfo_proofs, "invalid_token"
        try:
            proof, url = received.headers.get("dpop"), self.url("userinfo")
            if judge.judge(proof, received.method, url, now=self.now(), token=token) == granted.key:
                return
        except ProofRefused as refusal:
            error = refusal.error
        raise Refused(error, 401, {"WWW-Authenticate": f'DPoP error="{error}"', "DPoP-Nonce": judge.nonce})

    def _revoke(self, received: Received, fault: Fault) -> None:
        self._check_client(received)
        self.ledger.revoke(received.form.get("token", ""))

    def _end_session(self, received: Received) -> web.Response:
        """Send the browser on (OpenID Connect RP-Initiated Logout 1.0, 3)."""
        asked = received.query or received.form
        target = asked.get("post_logout_redirect_uri")
        if not target:
            return web.Response(text="You are signed out.")
        state = f"?{urlencode({'state': asked['state']})}" if "state" in asked else ""
        return web.Response(status=302, headers={"Location": target + state})


__all__ = ["PATHS", "Received", "ScriptedProvider"]

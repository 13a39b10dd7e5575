"""The steps of one person at one provider, through a real Jupyter server.

A step returns if it succeeded, and raises ``AssertionError`` (or an error of the client's) with the observed answer
otherwise. Steps build on one another, so a sign-in that fails makes most that follow fail; each is tried all the same.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from jupyter_oidc.demo.environment import free_port
from tests.providers.real import LOGIN, Addresses, RealProvider, metadata_of
from tests.providers.set_up import set_up
from tests.support.form import forms_of
from tests.support.form_sign_in import FormBrowser
from tests.support.jupyter_process import JupyterProcess
from tests.support.upstream import Upstream, refused

PROVIDER = "jupyter-oidc/providers/corp"
ORDERS, REPORTS = "jupyter-oidc/api/orders/items", "jupyter-oidc/api/reports/items"
FORCED_REFRESH_PAUSE_SECONDS = 11.0
"""A refresh that is asked for by hand is made at most every ten seconds."""

PATIENCE_SECONDS = 40.0
AS_IN_A_BROWSER = DefaultCookiePolicy(secure_protocols=("https", "http"))
"""Browsers send ``Secure`` cookies to loopback addresses without TLS, too (Secure Contexts, 3.1); nothing else is here."""

REFRESHES = 3
FORMS_OF_A_SIGN_OUT = 5
"""The most pages with a form between our sign-out and the page that says so: one of ours, and the provider's questions."""


@dataclass
class Journey:
    """One person on the way: a Jupyter server that can be restarted, a browser that keeps its cookies."""

    folder: Path
    provider: RealProvider
    client_id: str = "jupyter"
    proved: bool = False
    servers: int = 0
    port: int = field(default_factory=free_port)
    key: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    browser: FormBrowser = field(default_factory=lambda: FormBrowser(cookies=CookieJar(AS_IN_A_BROWSER)))

    def __post_init__(self) -> None:
        self._open = ExitStack()
        self.upstream = self._open.enter_context(Upstream(judge=self._judge))
        self.reports = self._open.enter_context(Upstream(judge=self._judge_reports))
        self.seen_schemes: set[str] = set()
        self._server = ExitStack()

    def close(self) -> None:
        """Stop everything but the provider."""
        self.stop_server()
        self._open.close()

    # -- the server ----------------------------------------------------------------------------------------

    def start_server(self) -> None:
        """Start Jupyter, or start it again with the same storage and port; register it at the provider the first time."""
        self.servers += 1
        self.process = JupyterProcess(
            self.folder / f"jupyter-{self.servers}",
            {"corp": self._settings()},
            storage="encrypted-file",
            environment={
                "JUPYTER_DATA_DIR": str(self.folder / "data"),
                "JUPYTER_OIDC_STORAGE_KEY": self.key,
                **self.provider.environment(),
            },
            as_program=True,
            port=self.port,
        )
        if self.servers == 1:
            base = f"{self.process.url}{PROVIDER}"
            addresses = Addresses(self.process.callback("corp"), f"{base}/signed-out", f"{base}/backchannel-logout")
            self.provider.register(self.client_id, addresses)
        self._server.enter_context(self.process)
        self.jupyter = self._server.enter_context(self.process.client())

    def stop_server(self) -> None:
        """Stop Jupyter."""
        self._server.close()

    def restart_server(self) -> None:
        """Stop Jupyter and start it again."""
        self.stop_server()
        self.start_server()

    def _settings(self) -> dict[str, Any]:
        apis: dict[str, Any] = {"orders": {"base_url": self.upstream.url}}
        if wanted := self.provider.api("reports"):
            apis["reports"] = {"base_url": self.reports.url, **wanted}
        return {
            "issuer": self.provider.issuer,
            "client_id": self.client_id,
            "allow_insecure_loopback": True,
            "post_logout_redirect_uri": f"http://localhost:{self.port}/{PROVIDER}/signed-out",
            **({"dpop_bound_access_tokens": True} if self.proved else {}),
            "apis": apis,
            **self.provider.settings(),
        }

    # -- the APIs ------------------------------------------------------------------------------------------

    def _judge(self, _: web.Request, scheme: str, token: str) -> web.Response | None:
        """Accept a token of the provider's (by ``iss``, if it has one) that is good for its UserInfo endpoint.

        That endpoint wants a proof of its own with a token that is bound to a key, so such a token is only decoded.
        """
        if not token:
            return refused("Bearer", "invalid_token")
        self.seen_schemes.add(scheme)
        if scheme == "DPoP":
            return None if "jkt" in claims_of(token).get("cnf", {}) else refused("DPoP", "invalid_token")
        asked = httpx.get(
            metadata_of(self.provider.issuer)["userinfo_endpoint"],
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=30,
        )
        ours = claims_of(token).get("iss", self.provider.issuer) == self.provider.issuer
        return None if ours and asked.status_code == 200 else refused("Bearer", "invalid_token")

    def _judge_reports(self, _: web.Request, scheme: str, token: str) -> web.Response | None:
        """Accept a token that names this API as its audience."""
        audience = claims_of(token).get("aud", [])
        named = audience if isinstance(audience, list) else [audience]
        return None if "reports" in named else refused(scheme, "invalid_token")

    # -- the acts of a person ------------------------------------------------------------------------------

    def sign_in(self, **wishes: str) -> None:
        """Sign in through the provider's own pages."""
        reply = self.jupyter.post(f"{PROVIDER}/sign-in", json=wishes)
        assert reply.status_code == 201, reply.text
        start = str(httpx.URL(self.process.url).join(reply.json()["start_url"]))
        page = self.browser.sign_in(start, *LOGIN)
        assert "You are signed in" in page.text, said(page)

    def summary(self) -> dict[str, Any]:
        """Read the session summary."""
        told: dict[str, Any] = self.jupyter.get(f"{PROVIDER}/session").json()
        return told

    def state(self) -> tuple[str, str | None]:
        """Return state and reason."""
        told = self.summary()
        return told["state"], told["reason"]

    def call(self, path: str = ORDERS) -> None:
        """Call an API."""
        reply = self.jupyter.get(path)
        assert reply.status_code == 200, f"{reply.status_code} {reply.text[:300]}"

    def refresh(self) -> dict[str, Any]:
        """Refresh by hand, as soon as that is allowed."""
        time.sleep(FORCED_REFRESH_PAUSE_SECONDS)
        reply = self.jupyter.post(f"{PROVIDER}/refresh", json={})
        told: dict[str, Any] = reply.json()
        return told

    def until(self, wanted: Callable[[tuple[str, str | None]], bool]) -> None:
        """Wait until state and reason are as ``wanted``."""
        last = self.state()
        until = time.monotonic() + PATIENCE_SECONDS
        while not wanted(last) and time.monotonic() < until:
            time.sleep(0.5)
            last = self.state()
        assert wanted(last), last


def sign_in(journey: Journey) -> None:
    """Sign in; the session then names the user."""
    journey.start_server()
    journey.sign_in()
    told = journey.summary()
    assert told["state"] == "active", told
    assert told["user"]["sub"], told


def call(journey: Journey) -> None:
    """Call an API that asks the provider about the token."""
    journey.call()


def rotation(journey: Journey) -> None:
    """Refresh three times; each refresh token is good once."""
    for _ in range(REFRESHES):
        told = journey.refresh()
        assert told.get("state") == "active", told
    journey.call()


def same_browser(journey: Journey) -> None:
    """Sign in again in the same browser, and the session goes on (Q9.1)."""
    journey.sign_in()
    told = journey.refresh()
    assert told.get("state") == "active", told
    journey.call()


def step_up(journey: Journey) -> None:
    """An API asks for a fresh sign-in, and gets it (RFC 9470)."""

    async def fresher(_: web.Request) -> web.Response:
        return web.json_response(
            {}, status=401, headers={"WWW-Authenticate": 'Bearer error="insufficient_user_authentication", max_age="1"'}
        )

    journey.upstream.plan(fresher)
    asked = journey.jupyter.get(ORDERS)
    assert asked.headers.get("X-OIDC-Error") == "step_up_required", asked.text
    time.sleep(2)
    journey.sign_in(api="orders")
    told = journey.refresh()
    assert told.get("state") == "active", told
    journey.call()


def restart(journey: Journey) -> None:
    """Restart Jupyter, and the session is there again."""
    journey.restart_server()
    journey.until(lambda seen: seen[0] == "active")
    journey.call()


def outage(journey: Journey) -> None:
    """The provider is down for a while: calls go on, nothing ends, and it recovers."""
    journey.provider.stop()
    try:
        told = journey.refresh()
        assert journey.state()[0] in ("active", "refresh-failed"), told
    finally:
        journey.provider.start()
    journey.until(lambda seen: seen[0] == "active" or journey.refresh().get("state") == "active")
    journey.call()


def exchange(journey: Journey) -> None:
    """An API with an audience of its own gets a token that names it (RFC 8693; Q9.5)."""
    journey.call(REPORTS)


def sign_out(journey: Journey) -> None:
    """Sign out here, take the tokens back, and sign out on the provider's page, which leads back here."""
    reply = journey.jupyter.post(f"{PROVIDER}/sign-out", json={}).json()
    assert reply["local"] == "done", reply
    assert reply["revoked"] in ("done", "not-supported"), reply
    assert journey.state()[0] == "signed-out"
    if reply["end_session_url"]:
        process = journey.process
        journey.browser.open(f"{process.url}login?token={process.token}")
        page = journey.browser.open(str(httpx.URL(process.url).join(reply["end_session_url"])))
        for _ in range(FORMS_OF_A_SIGN_OUT):
            if "You are signed out" in page.text or not forms_of(page.text):
                break
            page = journey.browser.submit(page, {}, press=agreeing(page))
        assert "You are signed out" in page.text, said(page)


def device(journey: Journey) -> None:
    """Sign in by code, at a client for which PKCE is required (RFC 8628; Q9.4)."""
    journey.jupyter.post(f"{PROVIDER}/sign-out", json={})
    begun = journey.jupyter.post(f"{PROVIDER}/sign-in", json={"strategy": "device"})
    assert begun.status_code == 201, begun.text
    started = begun.json()
    journey.browser.sign_in(started["device"]["verification_uri_complete"], *LOGIN)
    progress = journey.jupyter.get(f"{PROVIDER}/sign-in/{started['flow']}?wait=30").json()
    assert progress["state"] == "completed", progress
    journey.call()


def revoked(journey: Journey) -> None:
    """The session is ended at the provider while Jupyter is down, and the next refresh finds out."""
    journey.sign_in()
    journey.stop_server()
    journey.provider.end_sessions()
    journey.start_server()
    if journey.state()[0] == "active":
        journey.refresh()
    journey.until(lambda seen: seen[0] == "signed-out-expired" and seen[1] != "signed_out_at_provider")


def back_channel(journey: Journey) -> None:
    """The provider tells us that the session has ended, and it ends at once."""
    journey.sign_in()
    journey.provider.end_sessions()
    journey.until(lambda seen: seen == ("signed-out-expired", "signed_out_at_provider"))


def dpop(journey: Journey) -> None:
    """A second client whose tokens are bound to a key (RFC 9449)."""
    with second(journey) as bound:
        bound.start_server()
        bound.sign_in()
        bound.call()
        told = bound.refresh()
        assert told.get("state") == "active", told
        bound.call()
        assert bound.seen_schemes == {"DPoP"}, bound.seen_schemes


def setup(journey: Journey) -> None:
    """`jupyter oidc setup` leads from the provider's address to a session and a called API, by flags and at a terminal."""
    set_up(journey.folder, journey.provider, journey.upstream.url, lambda: CookieJar(AS_IN_A_BROWSER))


@contextmanager
def second(journey: Journey) -> Iterator[Journey]:
    """Begin a journey with another server, client and browser at the same provider."""
    folder = journey.folder / "second"
    other = Journey(folder, journey.provider, client_id="jupyter-bound", proved=True)
    try:
        yield other
    finally:
        other.close()


STEPS: dict[str, Callable[[Journey], None]] = {
    "sign in": sign_in,
    "call": call,
    "rotation": rotation,
    "same browser": same_browser,
    "step up": step_up,
    "restart": restart,
    "outage": outage,
    "exchange": exchange,
    "sign out": sign_out,
    "device": device,
    "revoked": revoked,
    "back-channel": back_channel,
    "dpop": dpop,
    "setup": setup,
}

INDEPENDENT = ("setup",)
"""Steps that need no other step before them."""

NEEDED = {
    "exchange": ("grant_types_supported", "urn:ietf:params:oauth:grant-type:token-exchange"),
    "device": ("device_authorization_endpoint", ""),
    "back-channel": ("backchannel_logout_supported", ""),
    "dpop": ("dpop_signing_alg_values_supported", ""),
}
"""The metadata that a step needs: a member, and the value in its list if the member is not enough."""


def why_not(step: str, provider: RealProvider, metadata: Mapping[str, Any]) -> str:
    """Return why ``provider`` does not offer ``step``, by its metadata or its documentation; empty if it does."""
    member, value = NEEDED.get(step, ("", ""))
    if member and not metadata.get(member):
        return f"no `{member}` in its metadata"
    if value and value not in metadata[member]:
        return f"no `{value}` among the `{member}` in its metadata"
    return provider.not_offered.get(step, "")


def agreeing(page: httpx.Response) -> str:
    """Return the name of the last button of the form, which is the one that agrees; empty if none has a name."""
    return next((known.name for known in reversed(forms_of(page.text)[0].fields) if known.kind == "submit"), "")


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a JWT, unverified, for an API of these tests."""
    try:
        middle = token.split(".")[1]
        told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError):
        return {}
    return told


def said(page: httpx.Response) -> str:
    """Return the text of a page, shortened, without its address, which may hold a code."""
    text = " ".join(re.sub(r"(?s)<(style|script).*?</\1>|<[^>]*>", " ", page.text).split())
    return f"{page.status_code} {page.url.host} {page.url.path}: {text[:400]}"

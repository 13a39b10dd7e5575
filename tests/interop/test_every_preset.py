"""The same journey at every provider that there is a preset for: sign in, call, refresh, call again, sign out.

Changing the provider is changing the settings: the test does not know which one it meets, and the differences are in
``config/providers`` and in :mod:`tests.interop.dressings`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from jupyter_oidc.settings.presets import names
from tests.interop.dressings import CLIENT, DRESSINGS, Dressing
from tests.interop.person import Person
from tests.support.certified_provider import CertifiedProvider, RegisteredClient
from tests.support.form_sign_in import FormBrowser
from tests.support.jupyter_process import JupyterProcess
from tests.support.plain_http import PLAIN
from tests.support.upstream import Upstream, refused


@dataclass
class RealEnvironment:
    """One dressed provider, an API that checks its tokens, and a person with a Jupyter server."""

    dressing: Dressing
    provider: CertifiedProvider
    api: Upstream
    person: Person

    def call(self) -> int:
        """Call the API through the proxy."""
        return self.person.jupyter.get("jupyter-oidc/api/orders/items").status_code


@pytest.fixture(params=names())
def real_environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RealEnvironment]:
    with start_environment(request.param, tmp_path) as real_environment:
        yield real_environment


@contextmanager
def start_environment(name: str, tmp_path: Path, **changes: object) -> Iterator[RealEnvironment]:
    dressing = DRESSINGS[name]
    with CertifiedProvider(replace(dressing.document, http_post_methods=True)) as provider, Upstream() as api:
        base = provider.issuer.rstrip("/")
        api.judge = _judge(base, provider.issuer, dressing)
        settings = {
            "preset": name,
            "issuer": provider.issuer,
            "client_id": CLIENT,
            "allow_insecure_loopback": True,
            "apis": {"orders": {"base_url": api.url, **dressing.api}},
            **dressing.write(base),
            **changes,
        }
        process = JupyterProcess(
            tmp_path / "jupyter", {"corp": settings}, environment={"CORP_SECRET": dressing.secret or "-"}
        )
        signed_out = f"{process.url}jupyter-oidc/providers/corp/signed-out"
        settings["post_logout_redirect_uri"] = signed_out
        client = RegisteredClient(CLIENT, (process.callback("corp"),), post_logout_redirect_uris=(signed_out,))
        if dressing.secret:
            client = replace(client, auth_method="client_secret_post", secret=dressing.secret)
        provider.register_client(client)
        with process, closing(process.client()) as jupyter:
            yield RealEnvironment(
                dressing, provider, api, Person(process, provider, jupyter, FormBrowser(provider.issuer))
            )


def _judge(base: str, issuer: str, dressing: Dressing) -> Callable[[web.Request, str, str], web.Response | None]:
    """An API as its owner would write it for this provider: it checks signature, issuer, and audience or client."""
    keys: list[KeySet] = []

    def judge(_: web.Request, scheme: str, token: str) -> web.Response | None:
        if not keys:
            metadata = httpx.get(f"{base}/.well-known/openid-configuration", trust_env=False, verify=PLAIN).json()
            keys.append(KeySet.import_key_set(httpx.get(metadata["jwks_uri"], trust_env=False, verify=PLAIN).json()))
        try:
            claims = jwt.decode(token, keys[0], algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            return refused("Bearer", "invalid_token")
        says = scheme == "Bearer" and claims["iss"] == issuer
        says = says and all(claims.get(name) == value for name, value in dressing.must_say.items())
        return None if says and not set(dressing.must_not_say) & set(claims) else refused("Bearer", "invalid_token")

    return judge


def test_sign_in_call_refresh_and_sign_out(real_environment: RealEnvironment) -> None:
    """D5, A25: every provider brings a refresh token, every API its token, and a sign-out what the provider offers."""
    person, dressing = real_environment.person, real_environment.dressing

    page = person.sign_in()
    assert (page.status_code, "You are signed in" in page.text) == (200, True), page.text
    summary = person.summary()
    assert (summary["state"], summary["refreshable"]) == ("active", True)
    assert tuple(summary["entitlements"]) == dressing.entitlements

    assert real_environment.call() == 200
    assert person.post("refresh").json()["state"] == "active"
    assert real_environment.provider.record().token_requests == {"authorization_code": 1, "refresh_token": 1}
    assert (len(set(real_environment.provider.issued("refresh_token"))) == 2) is dressing.rotates
    assert real_environment.call() == 200

    ended = person.post("sign-out").json()
    assert (ended["local"], ended["revoked"]) == ("done", dressing.revoked)
    _leave(real_environment, ended["end_session_url"])
    assert person.summary()["state"] == "signed-out"
    assert real_environment.call() == 401


def _leave(real_environment: RealEnvironment, end_session_url: str | None) -> None:
    """Follow the way out of the provider's own session, if it has one, and come back."""
    parameter = real_environment.dressing.signs_out
    if parameter is None:
        assert end_session_url is None
        return
    assert end_session_url is not None
    back = f"{real_environment.person.process.url}jupyter-oidc/providers/corp/signed-out"
    if parameter != "post_logout_redirect_uri":
        assert parse_qs(urlsplit(end_session_url).query) == {"client_id": [CLIENT], parameter: [back]}
        page = real_environment.person.browser.sign_out(end_session_url, stop_at=back)
        assert page.is_redirect
        assert page.headers["location"].startswith(back)
        return
    process = real_environment.person.process
    real_environment.person.browser.open(f"{process.url}login?token={process.token}")
    end = real_environment.person.browser.sign_out(str(httpx.URL(process.url).join(end_session_url)))
    assert (str(end.url).partition("?")[0], "You are signed out" in end.text) == (back, True), end.text


def test_without_its_preset_a_default_scope_that_the_provider_does_not_list_is_left_out(tmp_path: Path) -> None:
    """Q9.6: this provider refuses a sign-in with the scope offline_access, and its metadata do not list it."""
    with start_environment("cognito", tmp_path, preset=None) as real_environment:
        page = real_environment.person.sign_in()
        assert "You are signed in" in page.text
        assert real_environment.person.summary()["state"] == "active"


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("clerk", {}, "The access token does not name the API yet."),
        (
            "okta",
            {"audience": "api://default", "api_bearer_token_source": "id_token"},
            "no longer needed: the access token names the API now.",
        ),
    ],
    ids=["needed", "no longer needed"],
)
def test_a_signed_in_server_says_whether_the_wider_acceptance_is_still_needed(
    tmp_path: Path, name: str, changes: dict[str, object], says: str
) -> None:
    """The condition for removing the temporary control, met and not met, by tokens that a provider issued."""
    with start_environment(name, tmp_path, **changes) as real_environment:
        real_environment.person.sign_in()
        told = real_environment.person.jupyter.get("jupyter-oidc/diagnostics").json()
        (check,) = [one for one in told["checks"] if one["name"] == "audience of orders"]
        assert (check["status"], says in check["message"]) == ("warning", True), check["message"]

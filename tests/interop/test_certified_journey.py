"""The journey against the certified provider: real PKCE, real rotation, real revocation, wherever Jupyter lives."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.interop.person import Person, at_work
from tests.support.certificate import self_signed
from tests.support.certified_provider import CertifiedProvider, ProviderDocument
from tests.support.signing_key import SigningKey
from tests.support.upstream import Upstream

PLACES: dict[str, dict[str, Any]] = {
    "at the root": {},
    "under a base URL": {"base_url": "/user/x/"},
    "without unauthenticated access": {"server": {"allow_unauthenticated_access": False}},
    "with a password": {"password": "correct horse"},
    "on HTTPS": {"certificate": True},
    "all of it": {
        "base_url": "/user/x/",
        "server": {"allow_unauthenticated_access": False},
        "password": "correct horse",
        "certificate": True,
    },
}
CELL = """
import jupyter_oidc as oidc
print(oidc.session().state, oidc.session().user.name)
print(oidc.api("orders").get("items", params={"page": 2}).raise_for_status().json())
"""


@pytest.mark.parametrize("place", PLACES.values(), ids=list(PLACES))
def test_sign_in_call_from_a_kernel_refresh_and_sign_out(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, place: dict[str, Any]
) -> None:
    if place.get("certificate"):
        place = {**place, "certificate": self_signed(tmp_path)}
    with at_work(tmp_path, provider, upstream, **place) as person:
        assert person.summary()["state"] == "signed-out"

        page = person.sign_in()
        assert (page.status_code, "You are signed in" in page.text) == (200, True)
        summary = person.summary()
        assert (summary["state"], summary["user"]["name"], summary["entitlements"]) == (
            "active",
            "Example User",
            ["analyst", "orders.read"],
        )

        before, after = person.run(CELL, "print(oidc.sign_out().revoked)\noidc.api('orders').get('items')")
        assert before.text.split("\n")[:2] == ["active Example User", "{'path': '/v1/items?page=2'}"], before.text
        assert after.error == "NotSignedIn"
        assert after.text.startswith("done\n"), after.text
        assert person.summary()["state"] == "signed-out"
        assert upstream.seen[-1].bearer is not None


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
def test_a_confidential_client_signs_in_refreshes_and_signs_out(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, method: str
) -> None:
    """T-4, T-6, T-9: the secret has characters that only a correct encoding carries over."""
    secret = "a+b/c: %41 &=?~ and more than thirty-two"
    with at_work(
        tmp_path,
        provider,
        upstream,
        changes={"client_secret": "env:CORP_SECRET", "token_endpoint_auth_method": method},
        client={"auth_method": method, "secret": secret},
        environment={"CORP_SECRET": secret},
    ) as person:
        _there_and_back(person)
        assert secret not in person.process.log


@pytest.mark.parametrize(
    ("key", "alg"),
    [(SigningKey.rsa("k1"), "RS256"), (SigningKey.rsa("k1"), "PS256"), (SigningKey.ec("k1"), None)],
    ids=["RS256", "PS256", "ES256"],
)
def test_a_client_proves_itself_with_a_private_key(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, key: SigningKey, alg: str | None
) -> None:
    """T-7, T-8: the provider takes each assertion once, and only one with itself as the only audience."""
    file = tmp_path / "client.pem"
    file.write_bytes(key.private_pem())
    signing: dict[str, Any] = {
        "token_endpoint_auth_method": "private_key_jwt",
        "client_assertion_key": f"file:{file}",
        "client_assertion_key_id": "k1",
    }
    public = {name: value for name, value in key.public_jwk().items() if name != "alg"}
    with at_work(
        tmp_path,
        provider,
        upstream,
        changes={**signing, "token_endpoint_auth_signing_alg": alg},
        client={"auth_method": "private_key_jwt", "more": {"jwks": {"keys": [public]}}},
    ) as person:
        _there_and_back(person)


def test_a_request_that_is_repeated_for_a_nonce_carries_a_new_assertion(tmp_path: Path, upstream: Upstream) -> None:
    """T-8, X-5: the certified provider refuses an assertion that it has seen."""
    key = SigningKey.ec("k1")
    file = tmp_path / "client.pem"
    file.write_bytes(key.private_pem())
    with (
        CertifiedProvider(ProviderDocument(dpop_nonces=True)) as provider,
        at_work(
            tmp_path,
            provider,
            upstream,
            changes={
                "token_endpoint_auth_method": "private_key_jwt",
                "client_assertion_key": f"file:{file}",
                "client_assertion_key_id": "k1",
                "dpop_bound_access_tokens": True,
            },
            client={
                "auth_method": "private_key_jwt",
                "more": {"jwks": {"keys": [key.public_jwk()]}, "dpop_bound_access_tokens": True},
            },
        ) as person,
    ):
        person.sign_in()
        assert person.summary()["state"] == "active"
        assert provider.record().token_errors == {"use_dpop_nonce": 1}


def _there_and_back(person: Person) -> None:
    person.sign_in()
    assert person.summary()["state"] == "active"
    assert person.post("refresh").json()["state"] == "active"
    assert person.post("sign-out").json()["revoked"] == "done"


def test_a_stronger_sign_in_that_the_provider_does_not_give_is_not_done(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    """Q5.14: the provider ignores acr_values, which are a wish (Core 1.0, 3.1.2.1), and signs in by password alone."""
    with at_work(tmp_path, provider, upstream) as person:
        person.sign_in()
        upstream.plan(wants_phr)
        told = person.jupyter.get("jupyter-oidc/api/orders/items")
        assert (told.status_code, told.json()["code"]) == (401, "step_up_required")
        started = person.jupyter.post("jupyter-oidc/providers/corp/sign-in", json={"api": "orders"}).json()
        page = person.browser.sign_in(person.start_url(started), "user1", "any")
        assert page.status_code == 400
        assert "not as strongly as was asked for" in page.text
        progress = person.jupyter.get(f"jupyter-oidc/providers/corp/sign-in/{started['flow']}").json()
        assert (progress["state"], progress["error"]["code"]) == ("failed", "sign_in_refused")
        assert progress["error"]["action"].startswith("Sign in again with a second factor.")
        assert person.summary()["state"] == "active"
        assert person.jupyter.get("jupyter-oidc/api/orders/items").status_code == 200, "the session before goes on"
        assert "id_token.acr" in person.process.log


async def wants_phr(_: web.Request) -> web.Response:
    challenge = 'Bearer error="insufficient_user_authentication", acr_values="phr"'
    return web.Response(status=401, headers={"WWW-Authenticate": challenge})


def test_a_loop_crosses_token_expiries_and_every_refresh_token_is_used_once(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    """Rotation with reuse detection is on: a refresh token that is used twice would end the session."""
    provider.set_lifetime(8)
    try:
        with at_work(tmp_path, provider, upstream) as person:
            person.sign_in()
            counted = provider.record().token_requests.get("refresh_token", 0)
            (loop,) = person.run(
                "import time, jupyter_oidc as oidc\n"
                "orders = oidc.api('orders')\n"
                "statuses, began = set(), time.monotonic()\n"
                "while time.monotonic() - began < 14:\n"
                "    statuses.add(orders.get('items').status_code); time.sleep(0.2)\n"
                "print(statuses)"
            )
            assert loop.text.strip() == "{200}"
            assert len({seen.bearer for seen in upstream.seen}) >= 3
            assert provider.record().token_requests["refresh_token"] - counted >= 2
            assert provider.record().token_errors.get("invalid_grant", 0) == 0
    finally:
        provider.set_lifetime(300)


def test_a_session_revoked_at_the_provider_ends_with_a_reason_and_a_way_back(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    with at_work(tmp_path, provider, upstream) as person:
        person.sign_in()
        provider.revoke_all("user1")
        refused = person.post("refresh")
        assert (refused.status_code, refused.json()["code"]) == (401, "session_expired")
        summary = person.summary()
        assert (summary["state"], summary["user"]) == ("signed-out-expired", None)
        person.sign_in("user2")
        assert person.summary()["user"]["username"] == "user2"


def test_an_outage_of_the_provider_ends_nothing(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    """A transient failure never ends a session: calls work while the access token lives, and it recovers by itself."""
    with at_work(tmp_path, provider, upstream) as person:
        person.sign_in()
        provider.down("unavailable")
        try:
            refused = person.post("refresh")
            assert (refused.status_code, refused.json()["code"]) == (503, "idp_unavailable")
            assert person.summary()["state"] == "refresh-failed"
        finally:
            provider.up()
        until = time.monotonic() + 30
        while person.summary()["state"] != "active" and time.monotonic() < until:
            time.sleep(0.2)
        assert person.summary()["state"] == "active"
        assert person.jupyter.get("jupyter-oidc/api/orders/items").status_code == 200

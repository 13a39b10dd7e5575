"""Pushed authorization requests at a certified provider that takes no others (RFC 9126), for every way to sign in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.interop.person import at_work
from tests.support.certified_provider import CertifiedProvider, ProviderDocument
from tests.support.guarded_api import KeyGuard
from tests.support.signing_key import SigningKey
from tests.support.upstream import Upstream

INSISTS = {"pushedAuthorizationRequests": {"enabled": True, "requirePushedAuthorizationRequests": True}}
NOBODY = "http://127.0.0.1/nobody/listens"
ITEMS = "jupyter-oidc/api/orders/items"


@pytest.fixture(scope="module")
def provider() -> Iterator[CertifiedProvider]:
    with CertifiedProvider(ProviderDocument(dpop_nonces=True, features=INSISTS)) as provider:
        yield provider


def authorization_request(person: Any, **options: Any) -> tuple[str, httpx.URL]:
    """Begin a sign-in and stop before the provider; return the flow and the address that the browser is sent to."""
    started = person.begin()
    page = person.browser.open(person.start_url(started), stop_at=person.provider.issuer, **options)
    return started["flow"], httpx.URL(page.headers["location"])


@pytest.mark.parametrize("strategy", ["server", "loopback"])
def test_a_sign_in_that_comes_back_by_itself_ends_in_a_session(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, strategy: str
) -> None:
    """P-1: Requests are pushed if required or configured.

    P-3: The browser carries client id and reference only.
    P-4: A pushed reference is used once and at once.
    """
    ways: dict[str, dict[str, Any]] = {
        "server": {},
        "loopback": {
            "changes": {"redirect_strategy": "loopback", "redirect_uri": NOBODY},
            "client": {"native": True, "more": {"redirect_uris": [NOBODY]}},
        },
    }
    with at_work(tmp_path, provider, upstream, **ways[strategy]) as person:
        _, asked = authorization_request(person)
        assert sorted(asked.params) == ["client_id", "request_uri"]
        person.sign_in()
        assert person.summary()["state"] == "active"
        assert person.jupyter.get(ITEMS).status_code == 200


def test_a_pasted_sign_in_ends_in_a_session(tmp_path: Path, provider: CertifiedProvider, upstream: Upstream) -> None:
    """P-1: Requests are pushed if required or configured.

    P-3: The browser carries client id and reference only.
    """
    pasted = {"redirect_strategy": "paste", "redirect_uri": NOBODY}
    client: dict[str, Any] = {"native": True, "more": {"redirect_uris": [NOBODY]}}
    with at_work(tmp_path, provider, upstream, changes=pasted, client=client) as person:
        started = person.begin()
        end = person.browser.sign_in(person.start_url(started), "user1", "any", stop_at=NOBODY)
        complete = f"jupyter-oidc/providers/corp/sign-in/{started['flow']}/complete"
        done = person.jupyter.post(complete, json={"redirect_url": end.headers["location"]})
        assert (done.status_code, done.json()["state"]) == (200, "completed")


def test_a_client_that_signs_and_holds_a_key_signs_in_calls_renews_and_signs_out(
    tmp_path: Path, provider: CertifiedProvider
) -> None:
    """P-1, X-5, X-9, T-8: the demand for a nonce is met with a new assertion and a new proof."""
    guard, key = KeyGuard(provider), SigningKey.ec("client-1")
    guard.register()
    pem = tmp_path / "client.pem"
    pem.write_bytes(key.private_pem())
    changes = {
        "token_endpoint_auth_method": "private_key_jwt",
        "client_assertion_key": f"file:{pem}",
        "client_assertion_key_id": "client-1",
        "dpop_bound_access_tokens": True,
        "pushed_authorization_requests": "always",
    }
    client: dict[str, Any] = {
        "auth_method": "private_key_jwt",
        "more": {
            "jwks": {"keys": [key.public_jwk()]},
            "token_endpoint_auth_signing_alg": "ES256",
            "dpop_bound_access_tokens": True,
        },
    }
    with Upstream(judge=guard) as upstream, at_work(tmp_path, provider, upstream, changes=changes, client=client) as me:
        me.sign_in()
        assert me.summary()["state"] == "active", me.process.log[-3000:]
        assert me.jupyter.get(ITEMS).status_code == 200
        assert me.post("refresh").json()["state"] == "active"
        assert me.jupyter.get(ITEMS).status_code == 200
        assert me.post("sign-out").json()["revoked"] == "done"
    assert len(set(guard.keys)) == 1


def test_what_the_provider_does_not_take_stands_on_the_page_with_its_code(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    """Q5.1: and in the progress that JupyterLab and a cell show."""
    elsewhere = {"audience": "https://nobody.example.com/", "send_audience_in_authorize": True}
    with at_work(tmp_path, provider, upstream, changes=elsewhere) as person:
        started = person.begin()
        page = person.browser.open(person.start_url(started))
        assert page.status_code == 400
        assert "(invalid_target)" in page.text
        progress = person.jupyter.get(f"jupyter-oidc/providers/corp/sign-in/{started['flow']}").json()
        assert (progress["state"], progress["error"]["code"]) == ("failed", "sign_in_refused")
        assert "(invalid_target)" in progress["error"]["message"]


def test_settings_that_forbid_what_the_provider_insists_on_are_named_at_once(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    """P-1: no window opens."""
    with at_work(tmp_path, provider, upstream, changes={"pushed_authorization_requests": "never"}) as person:
        reply = person.jupyter.post("jupyter-oidc/providers/corp/sign-in", json={})
        assert (reply.status_code, reply.json()["code"]) == (500, "configuration_invalid")
        assert "pushed_authorization_requests" in json.dumps(reply.json())

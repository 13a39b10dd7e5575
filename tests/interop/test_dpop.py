"""Tokens that are bound to a key, at a certified provider that demands nonces and an API that checks proofs (RFC 9449)."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted
from jupyter_oidc.sessions.refresh_policy import MIN_REFRESH_INTERVAL_SECONDS
from tests.interop.person import at_work
from tests.support.canary import CANARY
from tests.support.certified_provider import CertifiedProvider, ProviderDocument
from tests.support.dpop_proofs import ProofJudge
from tests.support.form_sign_in import parameters_of
from tests.support.guarded_api import KeyGuard
from tests.support.plain_http import PLAIN
from tests.support.scripted_provider import ScriptedProvider
from tests.support.session_child import services_of
from tests.support.upstream import Upstream

BOUND: dict[str, Any] = {
    "changes": {"dpop_bound_access_tokens": True},
    "client": {"more": {"dpop_bound_access_tokens": True}},
}
CALLBACK = "http://localhost:1/jupyter-oidc/providers/corp/callback"
ITEMS = "jupyter-oidc/api/orders/items?page=2"


@pytest.fixture(scope="module")
def provider() -> Iterator[CertifiedProvider]:
    with CertifiedProvider(ProviderDocument(dpop_nonces=True)) as provider:
        yield provider


@pytest.fixture
def guard(provider: CertifiedProvider) -> KeyGuard:
    guard = KeyGuard(provider)
    guard.register()
    return guard


@pytest.fixture
def upstream(guard: KeyGuard) -> Iterator[Upstream]:
    with Upstream(judge=guard) as upstream:
        yield upstream


@pytest.fixture
def place(tmp_path: Path) -> dict[str, Any]:
    """Where sessions survive a restart."""
    key = secrets.token_urlsafe(32)
    CANARY.hold(key)
    environment = {"JUPYTER_DATA_DIR": str(tmp_path / "data"), "JUPYTER_OIDC_STORAGE_KEY": key}
    return {"storage": "encrypted-file", "environment": environment}


def test_a_session_with_a_key_is_used_renewed_restarted_and_renewed_again(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, guard: KeyGuard, place: dict[str, Any]
) -> None:
    """X-1, X-2, X-3, X-5, X-6, B32: one key for all of it, and nonces from both sides."""
    guard.proofs.nonce = "api-1"
    with at_work(tmp_path / "first", provider, upstream, **BOUND, **place) as person:
        person.sign_in()
        assert (person.summary()["state"], person.summary()["storage"]) == ("active", "encrypted-file")
        assert person.jupyter.get(ITEMS).json() == {"path": "/v1/items?page=2"}
        guard.proofs.nonce = "api-2"
        time.sleep(MIN_REFRESH_INTERVAL_SECONDS + 0.5)
        assert person.post("refresh").json()["state"] == "active"
        assert person.jupyter.get(ITEMS).status_code == 200
        assert person.jupyter.post("jupyter-oidc/api/orders/items", json={"n": 1}).status_code == 200
        (kernel,) = person.run("import jupyter_oidc as o\nprint(o.api('orders').get('items').status_code)")
        assert kernel.text.strip() == "200"
    with at_work(tmp_path / "second", provider, upstream, **BOUND, **place) as person:
        assert person.summary()["state"] == "active"
        assert person.jupyter.get(ITEMS).status_code == 200
        time.sleep(MIN_REFRESH_INTERVAL_SECONDS + 0.5)
        assert person.post("refresh").json()["state"] == "active"
        assert person.jupyter.get(ITEMS).status_code == 200
        assert person.post("sign-out").json()["revoked"] == "done"
    assert (len(guard.keys), len(set(guard.keys))) == (6, 1)
    assert {seen.scheme for seen in upstream.seen} == {"DPoP"}
    assert len({seen.bearer for seen in upstream.seen}) == 4, "the sign-in, a refresh, the restart, a refresh"
    errors = provider.record().token_errors
    assert errors.pop("use_dpop_nonce") == 2, "one for each server; the nonce of the first demand is good for a while"
    assert errors == {}


def test_a_stolen_token_is_worth_nothing_without_the_key(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, guard: KeyGuard
) -> None:
    """X-3, X-4: neither as a bearer token nor at the provider."""
    with at_work(tmp_path, provider, upstream, **BOUND) as person:
        person.sign_in()
        assert person.jupyter.get(ITEMS).status_code == 200
        access, refresh = provider.issued("access_token")[-1], provider.issued("refresh_token")[-1]
        for scheme in ("Bearer", "DPoP"):
            headers = {"Authorization": f"{scheme} {access}"}
            assert httpx.get(f"{upstream.url}items", headers=headers, trust_env=False, verify=PLAIN).status_code == 401
            assert httpx.get(f"{provider.issuer}/me", headers=headers, trust_env=False, verify=PLAIN).status_code in (
                400,
                401,
            )
        form = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": "jupyter"}
        assert httpx.post(f"{provider.issuer}/token", data=form, trust_env=False, verify=PLAIN).status_code == 400


def test_a_server_without_the_setting_gets_no_token_where_the_client_is_registered_for_keys(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    """RFC 9449, 5.2: the provider insists, and the page says that the sign-in failed."""
    with at_work(tmp_path, provider, upstream, client=BOUND["client"]) as person:
        person.sign_in()
        assert person.summary()["state"] == "signed-out"


async def journey(provider: ScriptedProvider, settings: dict[str, Any]) -> tuple[str, str]:
    """Sign in, let both endpoints demand nonces, and restart, which refreshes; return the states before and after."""
    key = secrets.token_urlsafe(32)
    services = services_of(settings, key)
    session = services.sessions.of_provider("corp")
    _, ticket = await session.sign_ins.begin("user:test")
    url, binding = await session.sign_ins.authorization_url(services.pending.use_ticket(ticket), CALLBACK)
    last = await asyncio.to_thread(provider.browser().open, url, stop_at=CALLBACK)
    await session.sign_ins.callback(list(parameters_of(last).items()), [binding])
    before = session.state.value
    await services.aclose()
    assert provider.proofs is not None
    provider.proofs.nonce, provider.userinfo_proofs.nonce = "n-1", "u-1"
    services = services_of(settings, key)
    session = services.sessions.of_provider("corp")
    assert isinstance(await session.tokens.bearer(SIGN_IN_KEY), Granted)
    await services.aclose()
    return before, session.state.value


def test_a_demand_on_refresh_costs_one_request_more_and_no_refresh_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B32, over HTTP: the same refresh token twice, spent once; UserInfo has a nonce of its own (X-7)."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    with ScriptedProvider(proofs=ProofJudge()) as provider:
        settings = {"issuer": provider.issuer, "client_id": "jupyter", "allow_insecure_loopback": True}
        states = asyncio.run(journey(provider, {**settings, "dpop_bound_access_tokens": True}))
        assert states == ("active", "active")
        refreshes = [one for one in provider.received if one.form.get("grant_type") == "refresh_token"]
        assert (len(refreshes), len({one.form["refresh_token"] for one in refreshes}), provider.reuses) == (2, 1, 0)
        assert provider.proofs is not None
        assert [proof.claims.get("nonce") for proof in provider.proofs.seen] == [None, None, "n-1"]
        assert [proof.claims.get("nonce") for proof in provider.userinfo_proofs.seen] == [None, None, "u-1"]
        assert len({proof.thumbprint for proof in provider.proofs.seen + provider.userinfo_proofs.seen}) == 1

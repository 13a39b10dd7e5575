"""Settings change under a live session (D9, B23): which sessions end, which go on, and which tokens are revoked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from jupyter_oidc.settings import Settings
from tests.support.canary import CANARY
from tests.support.plain_http import PLAIN
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream


@pytest.fixture
def other() -> Iterator[ScriptedProvider]:
    with ScriptedProvider(subject="somebody-at-the-other") as other:
        yield other


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


def changed(server_under_test: ServerUnderTest, **changes: Any) -> Settings:
    """The settings in force, with another word here and there."""
    settings = server_under_test.settings
    assert settings is not None
    return replace(settings, providers=(replace(settings.providers[0], **changes),))


async def test_another_issuer_ends_the_session_and_never_sees_its_refresh_token(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, other: ScriptedProvider
) -> None:
    """D9: Changed settings never carry a session elsewhere. B23: A token goes only to its own provider."""
    await server_under_test.sign_in()
    (old,) = provider.ledger.refresh
    await server_under_test.context.reload(changed(server_under_test, issuer=other.issuer))
    assert await server_under_test.state() == ("signed-out", None)
    assert await server_under_test.call(3) == [401] * 3
    assert (provider.count("revoke", token=old), provider.ledger.refresh) == (1, {})
    assert [one.endpoint for one in other.received] == []
    server_under_test.provider = other
    await server_under_test.sign_in()
    assert (await server_under_test.session())["user"]["sub"] == "somebody-at-the-other"
    sent = {value for one in other.received for value in one.form.values()}
    assert old not in sent


@pytest.mark.parametrize("key", ["metadata_url", "endpoints"])
async def test_another_address_of_the_same_issuer_waits_for_a_sign_in_and_never_sees_the_refresh_token(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, other: ScriptedProvider, key: str
) -> None:
    """Q1.9, Q8.1, B23: settings that lead elsewhere are no way to a token that is there already."""
    await server_under_test.sign_in()
    where = {"metadata_url": other.url("discovery"), "endpoints": (("token_endpoint", other.url("token")),)}
    await server_under_test.context.reload(changed(server_under_test, **{key: where[key]}))
    told = await server_under_test.session()
    assert (told["state"], told["settings_pending"]) == ("active", True)
    server_under_test.clock.ahead += 11
    assert (await server_under_test.ask("POST", f"{ROUTE}/refresh", json={})).json()["state"] == "active"
    assert (provider.count("token", grant_type="refresh_token"), [one.endpoint for one in other.received]) == (1, [])


async def test_another_client_ends_the_session(server_under_test: ServerUnderTest, provider: ScriptedProvider) -> None:
    await server_under_test.sign_in()
    await server_under_test.context.reload(changed(server_under_test, client_id="another"))
    assert await server_under_test.state() == ("signed-out", None)
    assert provider.ledger.refresh == {}


async def test_a_provider_that_is_gone_is_unknown_and_its_session_over(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    await server_under_test.sign_in()
    await server_under_test.context.reload(Settings((), "memory"))
    reply = await server_under_test.ask("GET", f"{ROUTE}/session")
    assert (reply.status_code, reply.json()["code"]) == (404, "unknown_provider")
    assert provider.ledger.refresh == {}


async def test_other_settings_of_the_same_client_keep_the_session(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, upstream: Upstream
) -> None:
    """Q8.1: a narrower setting holds at once, under the same session; an addition waits for the next sign-in."""
    await server_under_test.sign_in()
    apis = (*server_under_test.settings.providers[0].apis,)
    more = (replace(apis[0], requires=("orders.admin",)), replace(apis[0], name="invoices"))
    await server_under_test.context.reload(
        changed(server_under_test, apis=more, userinfo_required=True, clock_skew=5.0)
    )
    assert await server_under_test.call(1) == [200]
    summary = await server_under_test.session()
    assert [(api["name"], api["missing"]) for api in summary["apis"]] == [("orders", ["orders.admin"])]
    assert summary["settings_pending"] is True
    assert (provider.count("revoke"), provider.reuses) == (0, 0)
    await server_under_test.sign_in()
    assert [api["name"] for api in (await server_under_test.session())["apis"]] == ["orders", "invoices"]


async def test_a_call_that_is_answered_after_the_change_does_not_outlive_the_session(
    server_under_test: ServerUnderTest, upstream: Upstream
) -> None:
    """S-5: its token came from a service that can no longer be signed out."""
    await server_under_test.sign_in()

    async def late_events(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.5)
        reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await reply.prepare(request)
        while True:
            await reply.write(b"data: tick\n\n")
            await asyncio.sleep(0.02)

    async def listened() -> None:
        async with (
            server_under_test.client() as client,
            client.stream("GET", "jupyter-oidc/api/orders/events") as reply,
        ):
            async for _ in reply.aiter_raw():
                pass

    upstream.plan(late_events)
    listening = asyncio.ensure_future(listened())
    await asyncio.sleep(0.2)
    await server_under_test.context.reload(changed(server_under_test, userinfo_required=False))
    await asyncio.sleep(0.5)
    await server_under_test.ask("POST", f"{ROUTE}/sign-out", json={})
    with pytest.raises(httpx.RemoteProtocolError):
        await asyncio.wait_for(listening, 3)


async def test_what_did_not_change_is_not_touched(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, other: ScriptedProvider
) -> None:
    await server_under_test.sign_in()
    before = await server_under_test.session()
    asked = len(provider.received)
    settings = server_under_test.settings
    second = replace(settings.providers[0], name="second", issuer=other.issuer, apis=())
    await server_under_test.context.reload(replace(settings, providers=(*settings.providers, second)))
    assert (await server_under_test.session())["sequence"] == before["sequence"]
    assert len(provider.received) == asked
    names = [one["name"] for one in (await server_under_test.ask("GET", "jupyter-oidc/providers")).json()["providers"]]
    assert names == ["corp", "second"]


async def test_a_sign_in_that_began_before_the_change_cannot_end_after_it(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, other: ScriptedProvider
) -> None:
    """D9: the code of the old issuer is not taken to the new one."""
    started = (await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    async with httpx.AsyncClient(trust_env=False, verify=PLAIN) as browser:
        to_provider = await browser.get(httpx.URL(server_under_test.url).join(started["start_url"]))
        back = await browser.get(to_provider.headers["Location"])
        CANARY.hold(httpx.URL(back.headers["Location"]).params["code"])
        await server_under_test.context.reload(changed(server_under_test, issuer=other.issuer))
        page = await browser.get(back.headers["Location"])
    assert (page.status_code, page.headers["X-OIDC-Error"]) == (400, "state_used")
    assert (provider.count("token"), other.count("token")) == (0, 0)
    assert await server_under_test.state() == ("signed-out", None)


async def test_a_changed_file_comes_into_force_without_a_restart(
    server_under_test: ServerUnderTest, jp_config_dir: Path, provider: ScriptedProvider
) -> None:
    """A file of its own, as an administrator adds one."""
    await server_under_test.sign_in()
    folder = jp_config_dir / "jupyter_server_config.d"
    folder.mkdir(exist_ok=True)
    second = {"issuer": provider.issuer, "client_id": "second", "allow_insecure_loopback": True}
    (folder / "second.json").write_text(json.dumps({"JupyterOIDC": {"providers": {"second": second}}}))
    for _ in range(100):
        names = [
            one["name"] for one in (await server_under_test.ask("GET", "jupyter-oidc/providers")).json()["providers"]
        ]
        if len(names) == 2:
            break
        await asyncio.sleep(0.2)
    assert sorted(names) == ["corp", "second"]
    assert await server_under_test.state() == ("active", None)


async def test_a_sign_in_that_waits_for_metadata_while_the_settings_change_is_told_so(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """Q9.12: a request that we gave up is answered with a reason; it used to be a bare 500."""
    provider.plan("discovery", hang=True)
    asking = asyncio.ensure_future(server_under_test.ask("POST", f"{ROUTE}/sign-in", json={}))
    while not provider.count("discovery"):
        await asyncio.sleep(0.01)
    await server_under_test.context.reload(changed(server_under_test, sign_out_method="none"))
    reply = await asking
    assert (reply.status_code, reply.json()["code"], reply.headers["Retry-After"]) == (503, "overloaded", "1")

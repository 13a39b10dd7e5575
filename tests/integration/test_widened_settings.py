"""A cell writes a settings file that would bring the tokens to a place of its own; the server runs, the files are real.

The tests use the powers of a cell: it writes where the user may write, and asks with a kernel's grant.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.kernels import grant_for
from tests.support.plain_http import PLAIN
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import EXTENSION, ROUTE, SEVERAL_POLLS_SECONDS, ServerUnderTest
from tests.support.upstream import Upstream

Section = dict[str, Any]


@pytest.fixture
def jp_server_config(settings_file: Path) -> dict[str, Any]:
    assert settings_file.is_file()
    return {"ServerApp": {"jpserver_extensions": {EXTENSION: True}}}


@pytest.fixture
def listener() -> Iterator[Upstream]:
    """The attacker's own API."""
    with Upstream() as listener:
        yield listener


class Cell:
    """Code in a kernel: it has the user's files and a kernel's grant."""

    def __init__(self, server_under_test: ServerUnderTest, file: Path) -> None:
        self._server_under_test = server_under_test
        self._folder = file.parent
        self._grant = grant_for(server_under_test)

    def write(self, providers: Section, name: str = "zz.json") -> None:
        text = json.dumps({"JupyterOIDC": {"providers": providers}})
        (self._folder / name).write_text(text, encoding="utf-8")

    async def ask(self, verb: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._grant}"}
        async with httpx.AsyncClient(
            base_url=self._server_under_test.url, timeout=30, trust_env=False, verify=PLAIN
        ) as client:
            return await client.request(verb, f"jupyter-oidc/{path}", headers=headers, **more)

    async def sign_in(self, provider: str = "corp") -> httpx.Response:
        """Begin a sign-in; where one begins, the person's browser follows, and the provider asks nothing."""
        begun = await self.ask("POST", f"providers/{provider}/sign-in", json={})
        if begun.status_code == 201:
            start = str(httpx.URL(self._server_under_test.url).join(begun.json()["start_url"]))
            await asyncio.to_thread(self._server_under_test.provider.browser().open, start)
        return begun


@pytest.fixture
def cell(server_under_test: ServerUnderTest, settings_file: Path) -> Cell:
    return Cell(server_under_test, settings_file)


def another_api(base: str, _: ScriptedProvider) -> Section:
    return {"corp": {"apis": {"loot": {"base_url": base}}}}


def another_api_with_the_id_token(base: str, _: ScriptedProvider) -> Section:
    return {"corp": {"apis": {"loot": {"base_url": base, "api_bearer_token_source": "id_token"}}}}


def another_host(base: str, _: ScriptedProvider) -> Section:
    return {"corp": {"apis": {"orders": {"base_url": base}}}}


def another_provider_with_the_same_registration(base: str, provider: ScriptedProvider) -> Section:
    same = {"issuer": provider.issuer, "client_id": "jupyter", "allow_insecure_loopback": True}
    return {"loot": {**same, "apis": {"loot": {"base_url": base}}}}


ATTACKS = [another_api, another_api_with_the_id_token, another_host, another_provider_with_the_same_registration]


async def several_looks() -> None:
    await asyncio.sleep(SEVERAL_POLLS_SECONDS)


@pytest.mark.parametrize("attack", ATTACKS, ids=[one.__name__.replace("_", " ") for one in ATTACKS])
async def test_no_token_arrives_at_a_place_that_a_cell_wrote_into_a_file(
    server_under_test: ServerUnderTest,
    cell: Cell,
    provider: ScriptedProvider,
    listener: Upstream,
    attack: Callable[[str, ScriptedProvider], Section],
) -> None:
    """Q8.1: not within several looks at the files, not after a refresh, not after a sign-in that the cell begins."""
    await server_under_test.sign_in()
    cell.write(attack(listener.url, provider))
    await several_looks()

    async def knock() -> None:
        for path in ("api/orders/x", "api/loot/x"):
            await cell.ask("GET", path)

    await knock()
    begun = [(await cell.sign_in(name)).status_code for name in ("corp", "loot")]
    assert begun[0] == 201
    await knock()
    server_under_test.clock.ahead += 3_600
    assert (await cell.ask("GET", "api/orders/x")).status_code == 200
    await cell.ask("POST", "providers/corp/refresh", json={})
    await knock()
    assert listener.seen == []
    assert await server_under_test.state() == ("active", None)


async def test_the_users_own_sign_in_brings_the_changed_settings_into_force(
    server_under_test: ServerUnderTest, cell: Cell, provider: ScriptedProvider, listener: Upstream, upstream: Upstream
) -> None:
    """Q8.1: with the next sign-in, wholly; nothing waits any more.

    Q9.1: the old refresh token is of the same session at the provider, and to revoke it would end the new one.
    """
    await server_under_test.sign_in()
    (old,) = provider.ledger.refresh
    cell.write(another_host(listener.url, provider))
    await several_looks()
    assert (await server_under_test.session())["settings_pending"] is True
    assert await server_under_test.call(1) == [200]
    assert (len(listener.seen), len(upstream.seen)) == (0, 1)
    await server_under_test.sign_in()
    assert (await server_under_test.session())["settings_pending"] is False
    assert await server_under_test.call(1) == [200]
    assert (len(listener.seen), len(upstream.seen)) == (1, 1)
    await asyncio.sleep(0.5)
    assert provider.count("revoke", token=old) == 0
    server_under_test.clock.ahead += 3_600
    assert await server_under_test.call(1) == [200]
    assert provider.reuses == 0


async def test_a_sign_in_that_a_cell_begins_goes_by_the_settings_before(
    server_under_test: ServerUnderTest, cell: Cell, provider: ScriptedProvider, listener: Upstream, upstream: Upstream
) -> None:
    """Q8.1: single sign-on may finish it without a click, so it opens nothing new; waiting settings go on waiting."""
    cell.write(another_host(listener.url, provider))
    await several_looks()
    assert (await cell.sign_in()).status_code == 201
    assert await server_under_test.state() == ("active", None)
    assert (await server_under_test.session())["settings_pending"] is True
    assert (await cell.ask("GET", "api/orders/x")).status_code == 200
    assert (len(listener.seen), len(upstream.seen)) == (0, 1)


async def test_the_first_sign_in_at_a_new_provider_is_not_a_cells(
    server_under_test: ServerUnderTest, cell: Cell, provider: ScriptedProvider, listener: Upstream
) -> None:
    """Q8.1: a provider that has come while the server runs may have the registration of another one."""
    cell.write(another_provider_with_the_same_registration(listener.url, provider))
    await several_looks()
    refused = await cell.sign_in("loot")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert refused.json()["message"] == "The settings of this provider are new since the Jupyter server started."
    assert (await server_under_test.ask("GET", "jupyter-oidc/providers/loot/session")).json()[
        "settings_pending"
    ] is True


async def test_a_session_that_is_restored_after_the_change_opens_what_it_opened_before(
    server_under_test: ServerUnderTest, cell: Cell, provider: ScriptedProvider, listener: Upstream
) -> None:
    """Q8.1: the cell writes its file before the server's first request."""
    assert server_under_test.context.built_services is None
    cell.write(another_api(listener.url, provider))
    await several_looks()
    assert (await cell.ask("GET", "api/loot/x")).status_code == 404
    assert [api.name for api in server_under_test.services.settings.providers[0].apis] == ["orders"]


async def test_what_only_narrows_takes_effect_at_once(
    server_under_test: ServerUnderTest, cell: Cell, settings_file: Path, provider: ScriptedProvider, upstream: Upstream
) -> None:
    """Q8.1: fewer callers; the session goes on, and nothing waits for a sign-in."""
    await server_under_test.sign_in()
    cell.write({"corp": {"apis": {"orders": {"callers": ["browser"]}}}})
    await several_looks()
    assert (await cell.ask("GET", "api/orders/x")).status_code == 403
    assert await server_under_test.call(1) == [200]
    assert (await server_under_test.session())["settings_pending"] is False
    assert provider.count("token") == 1


async def test_a_change_that_narrows_and_widens_is_split(
    server_under_test: ServerUnderTest, cell: Cell, provider: ScriptedProvider, listener: Upstream
) -> None:
    """Q8.1: a removal holds at once, an addition waits."""
    await server_under_test.sign_in()
    apis = {"orders": {"callers": ["browser"], "methods": ["GET", "DELETE"]}, "loot": {"base_url": listener.url}}
    cell.write({"corp": {"apis": apis}})
    await several_looks()
    assert (await cell.ask("GET", "api/orders/x")).status_code == 403
    assert (await server_under_test.ask("DELETE", "jupyter-oidc/api/orders/x")).status_code == 405
    assert (await server_under_test.session())["settings_pending"] is True


async def test_a_sign_in_that_was_begun_under_waiting_settings_ends_with_them(
    server_under_test: ServerUnderTest, cell: Cell, provider: ScriptedProvider, listener: Upstream
) -> None:
    """Q8.1: the person has begun a sign-in, and the file changes once more before it is finished."""
    await server_under_test.sign_in()
    cell.write({"corp": {"max_age": 5, "apis": {"more": {"base_url": listener.url}}}})
    await several_looks()
    started = (await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    cell.write(another_host(listener.url, provider))
    await several_looks()
    start = str(httpx.URL(server_under_test.url).join(started["start_url"]))
    page = await asyncio.to_thread(provider.browser().open, start)
    assert "You are signed in" not in page.text
    assert await server_under_test.call(1) == [200]
    assert listener.seen == []

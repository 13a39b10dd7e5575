"""Which settings a running server listens to: those of system files under a Hub, and none at all with ``reload: False``."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.kernels import grant_for
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import EXTENSION, SEVERAL_POLLS_SECONDS, ServerUnderTest


@pytest.fixture
def first() -> dict[str, Any]:
    """The traits of the section besides the provider, when the server starts."""
    return {}


@pytest.fixture
def jp_server_config(settings_file: Path, first: dict[str, Any]) -> dict[str, Any]:
    document = json.loads(settings_file.read_text(encoding="utf-8"))
    document["JupyterOIDC"] = {**document["JupyterOIDC"], **first}
    settings_file.write_text(json.dumps(document), encoding="utf-8")
    settings_file.chmod(0o664)  # root runs tests, too, and a group may write it now
    return {"ServerApp": {"jpserver_extensions": {EXTENSION: True}}}


@pytest.fixture
def under_a_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")


async def names(server_under_test: ServerUnderTest) -> list[str]:
    return [one["name"] for one in (await server_under_test.ask("GET", "jupyter-oidc/providers")).json()["providers"]]


@pytest.mark.usefixtures("under_a_hub")
@pytest.mark.parametrize("first", [{}, {"settings_sources": "all"}], ids=["by default", "whatever it says itself"])
async def test_under_a_hub_a_file_that_the_user_can_change_does_not_count(server_under_test: ServerUnderTest) -> None:
    """Q8.1, Q10.6: and it cannot switch that off."""
    assert await names(server_under_test) == []


async def test_elsewhere_it_does(server_under_test: ServerUnderTest) -> None:
    """Q8.1: one person, one machine."""
    assert await names(server_under_test) == ["corp"]


@pytest.mark.parametrize("first", [{"reload": False}])
async def test_reloading_can_be_switched_off(server_under_test: ServerUnderTest, settings_file: Path) -> None:
    """Q8.1: the settings of the start stay in force until the next one."""
    document = json.loads(settings_file.read_text(encoding="utf-8"))
    document["JupyterOIDC"]["providers"]["corp"]["apis"] = {}
    settings_file.write_text(json.dumps(document), encoding="utf-8")
    await asyncio.sleep(SEVERAL_POLLS_SECONDS)
    await server_under_test.sign_in()
    assert await server_under_test.call(1) == [200]


@pytest.mark.parametrize("first", [{"audit_person": "no"}])
async def test_a_provider_that_comes_with_a_correction_is_a_new_one(
    server_under_test: ServerUnderTest, settings_file: Path, provider: ScriptedProvider
) -> None:
    """Q8.1: the corrected file may hold an addition, and the stored session is not restored with it."""
    document = json.loads(settings_file.read_text(encoding="utf-8"))
    document["JupyterOIDC"]["audit_person"] = False
    settings_file.write_text(json.dumps(document), encoding="utf-8")
    await asyncio.sleep(SEVERAL_POLLS_SECONDS)
    async with server_under_test.client() as cell:
        cell.headers["Authorization"] = f"Bearer {grant_for(server_under_test)}"
        assert (await cell.post("jupyter-oidc/providers/corp/sign-in", json={})).status_code == 403
    assert provider.received == []
    await server_under_test.sign_in()
    assert await server_under_test.call(1) == [200]

"""A settings file that is lost while people work ends nothing: a running server, real files, a stored session."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import EXTENSION, ROUTE, SEVERAL_POLLS_SECONDS, ServerUnderTest


@pytest.fixture
def jp_server_config(settings_file: Path) -> dict[str, Any]:
    assert settings_file.is_file()
    return {"ServerApp": {"jpserver_extensions": {EXTENSION: True}}}


async def several_looks() -> None:
    await asyncio.sleep(SEVERAL_POLLS_SECONDS)


@pytest.mark.parametrize(
    "lose",
    [
        lambda file: file.write_text("", encoding="utf-8"),
        lambda file: file.unlink(),
        lambda file: file.write_text('{"JupyterOIDC": {"storage": "memory"}}', encoding="utf-8"),
        lambda file: shutil.rmtree(file.parent),
    ],
    ids=["empty", "gone", "without the provider", "folder gone"],
)
async def test_a_lost_file_ends_no_session_and_deletes_nothing(
    server_under_test: ServerUnderTest, settings_file: Path, provider: ScriptedProvider, lose: Callable[[Path], object]
) -> None:
    """Q7.1: absence is not an instruction; the session goes on, and nothing is revoked."""
    await server_under_test.sign_in()
    lose(settings_file)
    await several_looks()
    assert await server_under_test.state() == ("active", None)
    assert await server_under_test.call(1) == [200]
    assert (provider.count("revoke"), len(provider.ledger.refresh)) == (0, 1)


async def test_a_provider_that_is_removed_in_so_many_words_is_signed_out(
    server_under_test: ServerUnderTest, settings_file: Path, provider: ScriptedProvider
) -> None:
    """Q7.1: ``"corp": null`` in a file that weighs more; the refresh token is taken back."""
    await server_under_test.sign_in()
    removal = {"JupyterOIDC": {"providers": {"corp": None}}}
    (settings_file.parent / "zz.json").write_text(json.dumps(removal), encoding="utf-8")
    await several_looks()
    reply = await server_under_test.ask("GET", f"{ROUTE}/session")
    assert (reply.status_code, reply.json()["code"]) == (404, "unknown_provider")
    assert (provider.count("revoke"), provider.ledger.refresh) == (1, {})

"""Every reply of the server under test is shown to the canary; ``server_under_test`` signs in and calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from tests.support.canary import Canary
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ServerUnderTest, configured
from tests.support.upstream import Upstream


@pytest.fixture
def jp_fetch(jp_fetch: Callable[..., Any], canary: Canary) -> Callable[..., Any]:
    """Fetch as pytest-jupyter does, and show the reply to the canary, refusals included."""

    async def fetch(*path: str, **options: Any) -> Any:
        try:
            response = await jp_fetch(*path, **options)
        except HTTPClientError as error:
            if error.response is not None:
                canary.look_at_reply(error.response)
            raise
        canary.look_at_reply(response)
        return response

    return fetch


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider(claims={"sid": "s-1"}) as provider:
        yield provider


@pytest.fixture
def upstream(provider: ScriptedProvider) -> Iterator[Upstream]:
    with Upstream(provider.accepts) as upstream:
        yield upstream


@pytest.fixture
def server_under_test(
    jp_serverapp: Any, http_server: Any, jp_http_port: int, jp_base_url: str, provider: ScriptedProvider
) -> ServerUnderTest:
    return ServerUnderTest(jp_serverapp, provider, f"http://127.0.0.1:{jp_http_port}{jp_base_url}")


@pytest.fixture
def settings_file(jp_config_dir: Path, provider: ScriptedProvider, upstream: Upstream) -> Path:
    """The settings file of the provider, as an administrator writes one; a server has to ask for it before it starts."""
    folder = jp_config_dir / "jupyter_server_config.d"
    folder.mkdir(parents=True)
    file = folder / "corp.json"
    file.write_text(json.dumps({"JupyterOIDC": configured(provider, upstream)["JupyterOIDC"]}), encoding="utf-8")
    return file

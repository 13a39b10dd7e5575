"""How the extension lives inside a Jupyter server: its Authorizer, its configuration, its owner, its import."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import pytest
from jupyter_server.auth import Authorizer
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import AsyncHTTPClient

from jupyter_oidc import contract
from jupyter_oidc.server.late_routes import LateRoutes
from jupyter_oidc.web.access_rule import access_rule_of
from tests.integration.test_access_rules import PROVIDERS, walk


class Reluctant(Authorizer):
    """Allows nothing, and remembers every action and resource."""

    asked: ClassVar[list[tuple[str, str]]] = []

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        self.asked.append((action, resource))
        return False


@pytest.fixture
def jp_server_config(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The configuration in the test's ``server`` marker: ``providers``, and traits of the server."""
    marker = request.node.get_closest_marker("server")
    traits = dict(marker.kwargs) if marker else {}
    providers = traits.pop("providers", PROVIDERS)
    return {
        "ServerApp": {"jpserver_extensions": {"jupyter_oidc": True}, **traits},
        "JupyterOIDC": {"providers": providers, "storage": "memory"},
    }


@pytest.fixture
def ask(
    jp_serverapp: ServerApp, http_server_client: AsyncHTTPClient, jp_base_url: str
) -> Callable[[str, str], Awaitable[Any]]:
    async def fetch(verb: str, path: str) -> Any:
        return await http_server_client.fetch(
            jp_base_url.rstrip("/") + path,
            method=verb,
            headers={"Authorization": f"token {jp_serverapp.identity_provider.token}"},
            body=b"" if verb in ("POST", "PUT", "PATCH") else None,
            raise_error=False,
        )

    return fetch


@pytest.mark.server(authorizer_class=Reluctant)
async def test_every_route_asks_the_authorizer_with_its_own_action(ask: Callable[[str, str], Awaitable[Any]]) -> None:
    for verb, path, rule in walk():
        if "user" not in rule.callers:
            continue
        Reluctant.asked.clear()
        response = await ask(verb, path)
        assert (response.code, response.headers["X-OIDC-Error"]) == (403, "forbidden")
        assert Reluctant.asked == [(rule.action, "jupyter_oidc")]


async def test_under_jupyterhub_only_the_owner_uses_the_session(
    ask: Callable[[str, str], Awaitable[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_USER", "somebody-else")
    response = await ask("GET", "/jupyter-oidc/providers/corp/session")
    assert (response.code, response.headers["X-OIDC-Error"]) == (403, "forbidden")


@pytest.mark.server(providers={"corp": {"issuer": "http://id.example.com", "client_secret": "hunter2hunter2"}})
async def test_mistakes_in_the_settings_are_all_named_and_jupyter_keeps_running(
    ask: Callable[[str, str], Awaitable[Any]],
) -> None:
    """D8: Mistakes in the settings are listed all together."""
    assert (await ask("GET", "/api/status")).code == 200
    for verb, path, rule in walk():
        response = await ask(verb, path)
        if "user" in rule.callers and verb != "HEAD":
            body = contract.check("error", json.loads(response.body))
            assert (verb, path, response.code, body["code"]) == (verb, path, 500, "configuration_invalid")
            for key in ("issuer", "client_id", "client_secret"):
                assert f"providers.corp.{key}" in body["message"]
        assert b"hunter2" not in response.body


@pytest.mark.server(
    providers={"corp": {"issuer": "https://id.example.com", "client_id": "c", "ca_bundle": "/nowhere/bundle.pem"}}
)
async def test_a_bundle_that_is_not_there_is_a_mistake_at_the_start(ask: Callable[[str, str], Awaitable[Any]]) -> None:
    """G-5: and not at the first sign-in."""
    response = await ask("GET", "/jupyter-oidc/providers")
    body = json.loads(response.body)
    assert (response.code, body["code"]) == (500, "configuration_invalid")
    assert "providers.corp.ca_bundle: names a file that does not exist." in body["message"]


@pytest.mark.server(providers={})
async def test_no_provider_at_all_is_an_empty_list(ask: Callable[[str, str], Awaitable[Any]]) -> None:
    response = await ask("GET", "/jupyter-oidc/providers")
    assert json.loads(response.body) == {"providers": [], "default_provider": None}


def test_every_guarded_verb_tells_jupyter_that_it_authenticates() -> None:
    for _, _, rule in walk():
        assert rule is not None
    assert access_rule_of(object()) is None


HEAVY = {"httpx", "joserfc", "cryptography", "keyring", "aiohttp", "yarl", "fastjsonschema", "truststore"}


def test_the_extension_is_loaded_without_anything_heavy() -> None:
    """Goal 18: a server start imports none of the heavy libraries."""
    probe = (
        "import sys, jupyter_server.serverapp, jupyter_events; before = set(sys.modules);"
        "from jupyter_oidc.server.extension import JupyterOIDC;"
        "from jupyter_oidc.settings import read_settings;"
        "from jupyter_oidc.compose import build, system_parts;"
        "print(sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    loaded = set(json.loads(result.stdout.replace("'", '"')))
    assert loaded & HEAVY == set()


def test_a_server_starts_without_the_modules_of_the_routes() -> None:
    """They are imported behind its start, or by the first request (``server.late_routes``)."""
    probe = "import sys, jupyter_oidc.server.extension; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout.split()
    ours = {name for name in loaded if name.startswith("jupyter_oidc.")}
    late = ("server.handlers", "web.routes", "catalogue", "proxy", "protocol", "sessions.service")
    assert {name for name in ours if name.startswith(tuple(f"jupyter_oidc.{part}" for part in late))} == set()


async def test_other_paths_do_not_bring_the_routes_and_the_first_of_ours_does(
    ask: Callable[[str, str], Awaitable[Any]], jp_serverapp: Any
) -> None:
    def waits() -> bool:
        return any(isinstance(rule.target, LateRoutes) for rule in jp_serverapp.web_app.default_router.rules)

    assert (await ask("GET", "/api")).code == 200
    assert waits()
    first, second = await ask("GET", "/jupyter-oidc/providers"), await ask("GET", "/jupyter-oidc/nothing")
    assert (first.code, second.code, waits()) == (200, 404, False)


async def test_routes_that_cannot_be_made_are_tried_again(
    ask: Callable[[str, str], Awaitable[Any]], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An update under way, or too many open files, does not take them away until the next start."""
    with monkeypatch.context() as broken:
        broken.setitem(sys.modules, "jupyter_oidc.server.routes", None)  # so its import fails
        first = await ask("GET", "/jupyter-oidc/providers")
    assert "its routes cannot be made (ModuleNotFoundError at server/late_routes.py" in caplog.text
    second = await ask("GET", "/jupyter-oidc/providers")
    assert (first.code, second.code) == (500, 200)

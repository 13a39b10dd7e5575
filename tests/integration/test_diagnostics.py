"""The route ``diagnostics`` answers with the checks of ``jupyter oidc doctor``, made by the server itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError
from tornado.routing import PathMatches, Rule
from tornado.web import RequestHandler

from jupyter_oidc import contract
from jupyter_oidc.cli.running import running_servers
from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import EXTENSION, ServerUnderTest, configured
from tests.support.upstream import Upstream

ROUTE = ("jupyter-oidc", "diagnostics")


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream, request: pytest.FixtureRequest) -> dict[str, Any]:
    return getattr(request, "param", None) or configured(provider, upstream)


BROWSER = {"Sec-Fetch-Mode": "cors"}


async def checks_of(jp_fetch: Callable[..., Any], **headers: str) -> dict[str, dict[str, Any]]:
    told = contract.check("diagnostics.reply", json.loads((await jp_fetch(*ROUTE, headers=headers)).body))
    return {check["name"]: check for check in told["checks"]}


async def test_a_running_server_knows_its_own_address(jp_fetch: Any, jp_http_port: int, jp_base_url: str) -> None:
    """A30: the redirect URI is that of the address at which a browser asked, if it is a loopback one."""
    checks = await checks_of(jp_fetch, **BROWSER)
    assert checks["redirect URI"]["message"] == (
        "Register exactly this, to the letter: "
        f"http://127.0.0.1:{jp_http_port}{jp_base_url}jupyter-oidc/providers/corp/callback"
    )
    others = {name for name, check in checks.items() if check["status"] != "ok"}
    assert others - {"certificate variables"} == {"audience of orders"}, "nobody is signed in"


async def test_whoever_asks_without_a_browser_does_not_say_where_browsers_are(jp_fetch: Any) -> None:
    """Q9.10: a terminal at this machine asks at a loopback address, wherever the browser is."""
    assert (await checks_of(jp_fetch))["redirect URI"]["status"] == "unknown"
    assert (await checks_of(jp_fetch, **BROWSER))["redirect URI"]["status"] == "ok", "not the answer of a moment ago"


async def test_an_address_that_the_hub_tells_is_not_one_at_which_a_browser_was_seen(
    jp_fetch: Any, server_under_test: ServerUnderTest
) -> None:
    """Q9.10: sibling: a terminal asks, and no browser has come yet."""
    server_under_test.context.browser_location.hub_told = "http://127.0.0.1:9999/"
    assert (await checks_of(jp_fetch))["redirect URI"]["status"] == "unknown"


async def test_the_server_says_where_notebooks_are_converted(jp_fetch: Any) -> None:
    """Q8.2: seen in the routes of this very server."""
    check = (await checks_of(jp_fetch))["conversions"]
    assert (check["status"], check["message"]) == (
        "ok",
        "Notebooks are converted by a process of its own, which holds no token.",
    )


async def test_a_route_that_takes_conversions_over_is_seen(jp_fetch: Any, jp_serverapp: Any, jp_base_url: str) -> None:
    """Q8.2: whichever extension brings it."""
    pattern = f"{jp_base_url}nbconvert/.*"
    jp_serverapp.web_app.default_router.rules.insert(0, Rule(PathMatches(pattern), RequestHandler))
    assert (await checks_of(jp_fetch))["conversions"]["status"] == "problem"


async def test_a_report_is_in_the_language_of_whoever_asks(jp_fetch: Any) -> None:
    """A reply says its language, and the ids of its sentences are the same in every language."""
    english, german = [await jp_fetch(*ROUTE, headers={"Accept-Language": wish}) for wish in ("en", "de-AT, en;q=0.5")]
    assert (english.headers["Content-Language"], german.headers["Content-Language"]) == ("en", "de-DE")
    ids = [[check["message_sentences"] for check in json.loads(told.body)["checks"]] for told in (english, german)]
    assert ids[0] == ids[1]


def elsewhere(provider: ScriptedProvider, upstream: Upstream, **server: Any) -> dict[str, Any]:
    """A server whose redirect URI leads to a host that Jupyter may not know."""
    config = configured(provider, upstream, **server)
    callback = "https://jupyter.example.com/jupyter-oidc/providers/corp/callback"
    config["JupyterOIDC"]["providers"]["corp"]["redirect_uri"] = callback
    return config


class TestAHostOfTheSettings:
    """Q5.6: Jupyter's own answer and ours agree, for a host that it refuses and for one that it knows."""

    @pytest.fixture(
        params=[{}, {"local_hostnames": ["localhost", "jupyter.example.com"]}, {"allow_remote_access": True}]
    )
    def jp_server_config(
        self, provider: ScriptedProvider, upstream: Upstream, request: pytest.FixtureRequest
    ) -> dict[str, Any]:
        return elsewhere(provider, upstream, **request.param)

    async def test_jupyter_answers_there_if_and_only_if_doctor_says_so(self, jp_fetch: Any) -> None:
        """Q5.6: doctor said 'leads to this server' where every callback would have been refused with status 403."""
        status = (await checks_of(jp_fetch))["host name"]["status"]
        answer = await jp_fetch("api", headers={"Host": "jupyter.example.com"}, raise_error=False)
        assert (status, answer.code) in {("ok", 200), ("problem", 403)}

    async def test_a_terminal_asks_the_running_server_itself(self, jp_fetch: Any) -> None:
        """Q5.6: over the wire, with that host, and gets Jupyter's own answer."""
        (server,) = running_servers()
        answer = await jp_fetch("api", headers={"Host": "jupyter.example.com"}, raise_error=False)
        assert await server.answers_at("jupyter.example.com") is (answer.code == 200)
        assert await server.answers_at("127.0.0.1") is True


async def test_the_provider_is_asked_for_metadata_and_keys_once_for_all_who_ask(
    jp_fetch: Any, provider: ScriptedProvider
) -> None:
    """G-6, H-5: and never whether it knows the client."""
    await asyncio.gather(*(checks_of(jp_fetch) for _ in range(5)))
    await checks_of(jp_fetch)
    assert sorted(received.endpoint for received in provider.received) == ["discovery", "jwks"]


async def test_a_signed_in_server_looks_at_its_access_token(
    jp_fetch: Any, server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    assert "nobody is signed in" in (await checks_of(jp_fetch))["audience of orders"]["message"]
    assert server_under_test.provider is provider


@pytest.mark.parametrize(
    "jp_server_config",
    [
        {
            "ServerApp": {"jpserver_extensions": {EXTENSION: True}},
            "JupyterOIDC": {"providers": {"corp": {"issuer": "http://id.example.com", "clientid": "a"}}},
        }
    ],
    indirect=True,
)
async def test_mistakes_in_the_settings_are_answered_as_everywhere(jp_fetch: Any) -> None:
    """D8: one list for every route; ``jupyter oidc doctor`` has it line by line."""
    refused = await refusal(jp_fetch)
    assert refused["code"] == "configuration_invalid"
    for key in ("issuer", "client_id", "clientid"):
        assert f"providers.corp.{key}:" in refused["message"]
    ids = [one["id"] for one in refused["message_sentences"]]
    assert ids[:2] == ["The settings of jupyter_oidc contain mistakes:", "({number}) {key}: {problem}."]
    assert "Did you mean '{nearest}'?" in ids


async def refusal(jp_fetch: Callable[..., Any]) -> dict[str, Any]:
    with pytest.raises(HTTPClientError) as raised:
        await jp_fetch(*ROUTE)
    assert raised.value.response is not None
    return contract.check("error", json.loads(raised.value.response.body))


@pytest.mark.parametrize(
    "jp_server_config",
    [
        {
            "ServerApp": {"jpserver_extensions": {EXTENSION: True}},
            "JupyterOIDC": {"providers": ["corp"], "storage": 7},
        }
    ],
    indirect=True,
)
async def test_even_the_wrong_type_for_everything_leaves_jupyter_running(jp_fetch: Any) -> None:
    """D8: Mistakes in the settings are listed all together."""
    assert (await jp_fetch("api", "status")).code == 200
    message = (await refusal(jp_fetch))["message"]
    assert "(1) providers: is not a mapping." in message
    assert "(2) storage: is not a known storage." in message

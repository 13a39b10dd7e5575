"""``session``, ``api``, ``async_api`` and ``endpoint``: the objects that a notebook gets, and the secrets they hide."""

from __future__ import annotations

import asyncio
import os
import pickle
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from IPython.lib.pretty import pretty

import jupyter_oidc as oidc
from jupyter_oidc.kernel.errors import NotAKernel, ProviderUnclear, ServerNotFound
from jupyter_oidc.kernel.server_connection import server_connection
from tests.support.plain_http import PLAIN
from tests.unit.kernel.fake_server import SIGNED_OUT, SUMMARY, FakeServer, refusal

SESSION = "jupyter-oidc/providers/corp/session"
PROVIDERS = "jupyter-oidc/providers"
ITEMS = "jupyter-oidc/api/orders/items"


def entry(name: str) -> dict[str, str]:
    return {"name": name, "issuer": "https://id.example.com", "state": "active"}


@pytest.fixture
def signed_in(kernel: FakeServer) -> FakeServer:
    kernel.answers("GET", PROVIDERS, {"providers": [entry("corp")]})
    kernel.answers("GET", SESSION, SUMMARY)
    kernel.answers("GET", ITEMS, ["a book"])
    return kernel


# -- which provider ----------------------------------------------------------------------------------------------


def test_the_only_provider_need_not_be_named(signed_in: FakeServer) -> None:
    assert oidc.session().provider == "corp"


def test_one_of_several_providers_must_be_named(signed_in: FakeServer) -> None:
    signed_in.answers("GET", PROVIDERS, {"providers": [entry("corp"), entry("lab")]})
    with pytest.raises(
        ProviderUnclear, match=r"Several providers are configured\. Name one of: 'corp', 'lab'\. For example"
    ):
        oidc.session()


def test_the_default_of_the_settings_is_meant_where_none_is_named(signed_in: FakeServer) -> None:
    signed_in.answers("GET", PROVIDERS, {"providers": [entry("lab"), entry("corp")], "default_provider": "corp"})
    assert oidc.session().provider == "corp"


def test_without_a_provider_the_administrator_is_named(signed_in: FakeServer) -> None:
    signed_in.answers("GET", PROVIDERS, {"providers": []})
    with pytest.raises(ProviderUnclear, match=r"No provider is configured on this server\. Ask your administrator"):
        oidc.session()


def test_the_variable_chooses_among_several_providers(signed_in: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_OIDC_PROVIDER", "corp")
    oidc.session()
    assert signed_in.asked("GET", PROVIDERS) == []


def test_a_named_provider_wins_over_the_variable(signed_in: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_OIDC_PROVIDER", "lab")
    assert oidc.session("corp").provider == "corp"


# -- the session -------------------------------------------------------------------------------------------------


def test_a_session_has_the_state_and_the_time_left(signed_in: FakeServer) -> None:
    summary = oidc.session()
    assert (summary.state, summary.expires_in) == ("active", 284)


def test_a_session_knows_the_person(signed_in: FakeServer) -> None:
    user = oidc.session().user
    assert user is not None
    assert user.email == "ada@example.com"


def test_a_session_knows_the_apis(signed_in: FakeServer) -> None:
    assert [(api.name, api.allowed, api.missing) for api in oidc.session().apis] == [("orders", True, [])]


def test_a_session_of_nobody_has_no_user(signed_in: FakeServer) -> None:
    signed_in.answers("GET", SESSION, SIGNED_OUT)
    assert oidc.session().user is None


def test_a_session_cannot_be_changed(signed_in: FakeServer) -> None:
    with pytest.raises(AttributeError):
        oidc.session().state = "active"  # type: ignore[misc]  # NOTE: the checker refuses it too


def test_a_session_shown_in_a_notebook_keeps_the_mail_address_to_itself(signed_in: FakeServer) -> None:
    summary = oidc.session()
    assert "ada@example.com" not in repr(summary) + str(summary) + summary._repr_html_() + str(pretty(summary))  # type: ignore[no-untyped-call]  # NOTE: IPython's own


# -- the process -------------------------------------------------------------------------------------------------


def test_a_process_has_one_connection(kernel: FakeServer) -> None:
    assert server_connection() is server_connection()


def test_a_forked_child_has_a_connection_of_its_own(kernel: FakeServer) -> None:
    ours = server_connection()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"own" if server_connection() is not ours else b"shared")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"own"


def test_a_process_without_a_server_is_told_so(connection_file: Path) -> None:
    with pytest.raises(ServerNotFound):
        oidc.session()


def test_a_process_that_is_no_kernel_is_told_so(fake_server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_OIDC_URL", fake_server.url)
    with pytest.raises(NotAKernel):
        oidc.session()


def test_after_a_failure_the_connection_is_looked_for_again(
    signed_in: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = signed_in.url
    monkeypatch.delenv("JUPYTER_OIDC_URL")
    with pytest.raises(ServerNotFound):
        oidc.session()
    monkeypatch.setenv("JUPYTER_OIDC_URL", url)
    assert oidc.session().state == "active"


# -- calls -------------------------------------------------------------------------------------------------------


def test_an_api_is_an_httpx_client(signed_in: FakeServer) -> None:
    assert isinstance(oidc.api("orders"), httpx.Client)


def test_an_api_is_called_by_relative_paths(signed_in: FakeServer) -> None:
    assert oidc.api("orders").get("items").json() == ["a book"]


def test_an_asynchronous_api_is_called_by_relative_paths(signed_in: FakeServer) -> None:
    async def call() -> Any:
        async with oidc.async_api("orders") as orders:
            return (await orders.get("items")).json()

    assert asyncio.run(call()) == ["a book"]


def test_two_apis_share_one_grant(signed_in: FakeServer) -> None:
    oidc.api("orders").get("items")
    oidc.session()
    assert len(signed_in.issued) == 1


def test_options_of_an_api_reach_httpx(signed_in: FakeServer) -> None:
    assert oidc.api("orders", timeout=3).timeout == httpx.Timeout(3)


def test_an_api_name_cannot_leave_its_place_in_the_path(signed_in: FakeServer) -> None:
    assert oidc.api("../kernel").base_url.raw_path == b"/jupyter-oidc/api/..%2Fkernel/"


# -- the endpoint for other libraries ----------------------------------------------------------------------------


def test_an_endpoint_is_a_base_url_and_headers(signed_in: FakeServer) -> None:
    base_url, headers = oidc.endpoint("orders")
    assert (base_url, headers) == (
        f"{signed_in.url}jupyter-oidc/api/orders/",
        {"Authorization": "Bearer jog.grant-number-000001"},
    )


def test_the_parts_of_an_endpoint_have_names(signed_in: FakeServer) -> None:
    assert oidc.endpoint("orders").base_url == f"{signed_in.url}jupyter-oidc/api/orders/"


@pytest.mark.parametrize("show", [repr, str, pretty, "{}".format, "{!r}".format], ids=["repr", "str", "ip", "f", "f!r"])
@pytest.mark.parametrize("part", ["endpoint", "headers"])
def test_an_endpoint_does_not_show_its_grant(signed_in: FakeServer, show: Callable[[object], str], part: str) -> None:
    endpoint = oidc.endpoint("orders")
    assert "jog." not in show(endpoint if part == "endpoint" else endpoint.headers)


def test_the_headers_show_which_they_are(signed_in: FakeServer) -> None:
    assert repr(oidc.endpoint("orders").headers) == "{'Authorization': <hidden>}"


def test_copied_headers_do_not_show_the_grant_either(signed_in: FakeServer) -> None:
    headers = oidc.endpoint("orders").headers
    assert "jog." not in repr({**headers}) + repr(headers | {"Accept": "text/plain"})


def test_an_endpoint_serves_requests(signed_in: FakeServer) -> None:
    base_url, headers = oidc.endpoint("orders")
    assert requests.get(base_url + "items", headers=headers, timeout=5).json() == ["a book"]


def test_an_endpoint_serves_the_standard_library(signed_in: FakeServer) -> None:
    base_url, headers = oidc.endpoint("orders")
    with urllib.request.urlopen(urllib.request.Request(base_url + "items", headers=headers)) as response:
        assert response.read() == b'["a book"]'


def test_an_endpoint_serves_a_plain_httpx_client(signed_in: FakeServer) -> None:
    base_url, headers = oidc.endpoint("orders")
    assert httpx.get(base_url + "items", headers=headers, trust_env=False, verify=PLAIN).json() == ["a book"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: oidc.api("orders", patience=5),
        lambda: oidc.async_api("orders"),
        lambda: oidc.auth("orders"),
        lambda: oidc.endpoint("orders").headers,
    ],
    ids=["api", "async_api", "auth", "headers"],
)
def test_what_is_sent_to_another_process_holds_no_grant_and_no_key(
    signed_in: FakeServer, make: Callable[..., Any]
) -> None:
    """Q4.3: the pickle holds the name of the API, and the process that reads it proves itself anew."""
    thing = make()
    oidc.auth("orders").api_key()
    sent = pickle.dumps(thing)
    assert (b"jog." in sent, b"connection-key" in sent, type(pickle.loads(sent))) == (False, False, type(thing))


def test_a_client_that_was_sent_keeps_the_options_that_it_was_made_with(signed_in: FakeServer) -> None:
    """Q4.3, a sibling: Child processes act as their kernel."""
    signed_in.answers("GET", "jupyter-oidc/api/orders/items", ["a book"])
    pickle.loads(pickle.dumps(oidc.api("orders", headers={"X-Team": "blue"}))).get("items")
    assert signed_in.received[-1].headers["x-team"] == "blue"


def test_headers_that_were_sent_keep_what_the_caller_has_added(signed_in: FakeServer) -> None:
    """Q4.3, a sibling: Child processes act as their kernel."""
    headers = oidc.endpoint("orders").headers
    headers["X-Team"] = "blue"
    assert dict(pickle.loads(pickle.dumps(headers))) == {
        "Authorization": "Bearer jog.grant-number-000001",
        "X-Team": "blue",
    }


def test_an_authorization_of_the_callers_own_is_sent_as_it_is(signed_in: FakeServer) -> None:
    """Q4.3, a sibling: Child processes act as their kernel."""
    headers = oidc.endpoint("orders").headers
    headers["Authorization"] = "Basic YWRhOmxvdmVsYWNl"
    assert pickle.loads(pickle.dumps(headers)) == {"Authorization": "Basic YWRhOmxvdmVsYWNl"}


@pytest.mark.parametrize(
    "part",
    [lambda: server_connection().auth, lambda: server_connection().auth._kernel, lambda: server_connection()._client],
)
def test_what_belongs_to_one_process_cannot_be_sent(signed_in: FakeServer, part: Callable[..., Any]) -> None:
    """Q4.3: Child processes act as their kernel."""
    with pytest.raises(TypeError, match=r"stay|sent to another process"):
        pickle.dumps(part())


def test_an_error_can_be_sent_back_from_another_process() -> None:
    """Q4.3: sibling: an error that a worker raises arrives whole."""
    error = pickle.loads(pickle.dumps(NotAKernel("No kernel.", action="Run it in one.", request_id="req-1")))
    assert (type(error), error.message, error.action, error.request_id) == (
        NotAKernel,
        "No kernel.",
        "Run it in one.",
        "req-1",
    )


def test_a_grant_that_the_server_forgot_is_refreshed_before_it_is_handed_out(signed_in: FakeServer) -> None:
    signed_in.answers("GET", PROVIDERS, refusal("grant_invalid"), {"providers": []})
    assert oidc.endpoint("orders").headers == {"Authorization": "Bearer jog.grant-number-000002"}

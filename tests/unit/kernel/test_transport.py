"""The two clients, sync and async alike: where a path leads, which calls carry the grant, and whose error is raised."""

from __future__ import annotations

import asyncio
import copy
import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from jupyter_oidc.demo.environment import free_port
from jupyter_oidc.kernel.errors import (
    CallerForbidden,
    ContractError,
    IdpUnavailable,
    NotSignedIn,
    OIDCError,
    Overloaded,
    ServerNotFound,
    StepUpRequired,
    StorageUnavailable,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from jupyter_oidc.kernel.find import Server
from jupyter_oidc.kernel.grant import GrantAuth
from jupyter_oidc.kernel.transport import AsyncOIDCClient, OIDCClient
from tests.support.certificate import Certificate, of_a_company
from tests.unit.kernel.certificates import signed_by_a_server, write_certificate
from tests.unit.kernel.fake_server import GRANT_PATH, KERNEL, Answer, FakeServer, refusal

ITEMS = "jupyter-oidc/api/orders/items"


def sync_call(
    server: Server,
    method: str,
    path: str,
    *,
    grants: GrantAuth | None = None,
    options: dict[str, Any] | None = None,
    **arguments: Any,
) -> httpx.Response:
    with OIDCClient(server, grants or GrantAuth(server, KERNEL), "jupyter-oidc/api/orders/", **options or {}) as client:
        return client.request(method, path, **arguments)


def async_call(
    server: Server,
    method: str,
    path: str,
    *,
    grants: GrantAuth | None = None,
    options: dict[str, Any] | None = None,
    **arguments: Any,
) -> httpx.Response:
    async def call() -> httpx.Response:
        auth = grants or GrantAuth(server, KERNEL)
        async with AsyncOIDCClient(server, auth, "jupyter-oidc/api/orders/", **options or {}) as client:
            return await client.request(method, path, **arguments)

    return asyncio.run(call())


Call = Callable[..., httpx.Response]


@pytest.fixture(params=[sync_call, async_call], ids=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Call:
    """Make one call: the same test for both clients."""
    made: Call = request.param
    return made


@pytest.fixture
def elsewhere() -> Iterator[FakeServer]:
    """Run another server, which our grant is not for."""
    with FakeServer() as opened:
        opened.answers("GET", "items", [])
        yield opened


# -- where a path leads ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["items", "/items"])
def test_a_relative_path_goes_to_the_api_through_the_proxy(fake_server: FakeServer, call: Call, path: str) -> None:
    fake_server.answers("GET", ITEMS, ["a book"])
    assert call(fake_server.server, "GET", path).json() == ["a book"]


@pytest.mark.parametrize("base_url", ["/", "/user/ada/", "/user/ada%40example.com/"])
def test_the_base_url_of_the_server_comes_first(call: Call, base_url: str) -> None:
    with FakeServer(base_url) as fake_server:
        fake_server.answers("GET", ITEMS, [])
        call(fake_server.server, "GET", "items")
    assert fake_server.received[-1].path == f"{base_url}jupyter-oidc/api/orders/items"


def test_a_query_is_passed_on_as_it_is(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("GET", ITEMS, [])
    call(fake_server.server, "GET", "items", params={"q": "a b&c"})
    assert fake_server.received[-1].query == "q=a+b%26c"


def test_a_server_on_ipv6_is_reached(call: Call) -> None:
    with FakeServer(host="::1") as fake_server:
        fake_server.answers("GET", ITEMS, ["a book"])
        assert call(fake_server.server, "GET", "items").json() == ["a book"]


# -- who gets the grant ------------------------------------------------------------------------------------------


def test_a_url_spelt_differently_is_still_our_server(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("GET", ITEMS, [])
    call(Server(f"HTTP://127.0.0.1:{fake_server.port}/"), "GET", "items")
    assert fake_server.received[-1].bearer == "Bearer jog.grant-number-000001"


def test_an_absolute_url_to_another_host_gets_no_grant(
    fake_server: FakeServer, elsewhere: FakeServer, call: Call
) -> None:
    call(fake_server.server, "GET", elsewhere.url + "items")
    assert elsewhere.received[0].bearer is None


def test_an_absolute_url_to_another_host_asks_for_no_grant(
    fake_server: FakeServer, elsewhere: FakeServer, call: Call
) -> None:
    call(fake_server.server, "GET", elsewhere.url + "items")
    assert fake_server.received == []


def test_a_path_above_the_base_url_gets_no_grant(call: Call) -> None:
    with FakeServer("/user/ada/") as fake_server:
        call(fake_server.server, "GET", f"{fake_server.origin}/user/bob/jupyter-oidc/api/orders/items")
    assert [(got.path, got.bearer) for got in fake_server.received] == [
        ("/user/bob/jupyter-oidc/api/orders/items", None)
    ]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8888@evil.example.com/",
        "http://user@127.0.0.1:8888/user/ada/api",
        "http://127.0.0.1:88889/user/ada/",
        "http://127.0.0.1.evil.example.com:8888/user/ada/",
        "https://127.0.0.1:8888/user/ada/",
        "http://127.0.0.1:8888/user/adam/",
        "http://127.0.0.1:8888/user/ada/../bob/",
        "http://127.0.0.1:8888/",
    ],
)
def test_an_address_that_only_resembles_ours_is_not_ours(url: str) -> None:
    grants = GrantAuth(Server("http://127.0.0.1:8888/user/ada/"), KERNEL)
    assert grants.is_ours(httpx.URL(url)) is False


@pytest.mark.parametrize(
    ("home", "url"),
    [
        ("http://LOCALHOST:80/", "http://localhost/jupyter-oidc/apis"),
        ("https://hub.example.com:443/", "https://hub.example.com/jupyter-oidc/apis"),
        ("http://localhost/jörg/", "http://localhost/j%C3%B6rg/jupyter-oidc/apis"),
        ("http://[::1]:8888/", "http://[::1]:8888/jupyter-oidc/apis"),
    ],
)
def test_an_address_in_normal_form_is_ours_however_the_server_was_written(home: str, url: str) -> None:
    assert GrantAuth(Server(home), KERNEL).is_ours(httpx.URL(url)) is True


def test_a_redirect_is_not_followed(fake_server: FakeServer, elsewhere: FakeServer, call: Call) -> None:
    fake_server.answers("GET", ITEMS, Answer(b"", 302, {"Location": elsewhere.url + "items"}))
    assert call(fake_server.server, "GET", "items").status_code == 302


def test_a_redirect_that_the_caller_follows_takes_no_grant_along(
    fake_server: FakeServer, elsewhere: FakeServer, call: Call
) -> None:
    fake_server.answers("GET", ITEMS, Answer(b"", 302, {"Location": elsewhere.url + "items"}))
    call(fake_server.server, "GET", "items", follow_redirects=True)
    assert elsewhere.received[0].bearer is None


def test_an_authorization_header_of_the_caller_gives_way_to_the_grant(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("GET", ITEMS, [])
    call(fake_server.server, "GET", "items", headers={"Authorization": "Bearer mine"})
    assert fake_server.received[-1].bearer == "Bearer jog.grant-number-000001"


# -- proxies and certificates ------------------------------------------------------------------------------------


@pytest.fixture
def corporate_proxy(elsewhere: FakeServer, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, elsewhere.url)
    return elsewhere


def test_a_proxy_in_the_environment_does_not_see_calls_to_a_local_server(
    fake_server: FakeServer, corporate_proxy: FakeServer, call: Call
) -> None:
    fake_server.answers("GET", ITEMS, [])
    call(fake_server.server, "GET", "items")
    assert corporate_proxy.received == []


def test_a_proxy_in_the_environment_does_not_see_calls_to_a_server_on_this_machine(
    corporate_proxy: FakeServer, call: Call
) -> None:
    with pytest.raises(ServerNotFound):
        call(Server("http://box.invalid:9/", same_machine=True), "GET", "items")
    assert corporate_proxy.received == []


@pytest.fixture
def https(tmp_path: Path) -> Iterator[tuple[FakeServer, Path]]:
    certificate = write_certificate(tmp_path / "server.pem")
    with FakeServer(certificate=str(certificate)) as fake_server:
        fake_server.answers("GET", ITEMS, ["a book"])
        yield fake_server, certificate


def test_a_server_with_its_own_certificate_is_trusted_through_that_certificate(
    https: tuple[FakeServer, Path], call: Call
) -> None:
    fake_server, certificate = https
    assert call(Server(fake_server.url, certificate), "GET", "items").json() == ["a book"]


def test_a_certificate_that_nobody_vouches_for_is_refused_in_plain_words(
    https: tuple[FakeServer, Path], call: Call
) -> None:
    fake_server, _ = https
    with pytest.raises(ServerNotFound, match="shows a certificate that this machine does not trust"):
        call(Server(fake_server.url), "GET", "items")


def test_the_certificate_of_another_server_is_no_help(
    https: tuple[FakeServer, Path], tmp_path: Path, call: Call
) -> None:
    fake_server, _ = https
    with pytest.raises(ServerNotFound, match="does not trust"):
        call(Server(fake_server.url, write_certificate(tmp_path / "other.pem")), "GET", "items")


@pytest.fixture
def company(tmp_path: Path) -> Iterator[tuple[FakeServer, Certificate]]:
    """Run a server with a certificate of an unknown authority, for a name that is not the server's address."""
    made = of_a_company(tmp_path, ["jupyter.example.com"])
    both = tmp_path / "both.pem"
    both.write_bytes(made.certfile.read_bytes() + made.keyfile.read_bytes())
    with FakeServer(certificate=str(both)) as fake_server:
        fake_server.answers("GET", ITEMS, ["a book"])
        fake_server.answers("PUT", ITEMS, ["a book"])
        yield fake_server, made


def test_a_server_that_told_its_certificate_is_believed_by_it_whatever_its_names_and_issuer(
    company: tuple[FakeServer, Certificate], call: Call
) -> None:
    """Q4.1: Kernels trust exactly their server's own certificate."""
    fake_server, made = company
    assert call(Server(fake_server.url, made.certfile, True), "GET", "items").json() == ["a book"]


def test_an_upload_reaches_a_server_that_is_known_by_its_certificate(
    company: tuple[FakeServer, Certificate], tmp_path: Path
) -> None:
    """Q4.1, a sibling: Kernels trust exactly their server's own certificate."""
    fake_server, made = company
    server = Server(fake_server.url, made.certfile, True)
    client = OIDCClient(server, GrantAuth(server, KERNEL), "jupyter-oidc/api/orders/")
    assert client.upload("items", tmp_path / "both.pem", progress=False).json() == ["a book"]


def test_another_certificate_of_the_same_authority_is_not_believed(
    company: tuple[FakeServer, Certificate], tmp_path: Path, call: Call
) -> None:
    """Q4.1: sibling: exactly one certificate is trusted, though both would pass by name and issuer."""
    fake_server, _ = company
    (tmp_path / "other").mkdir()
    other = of_a_company(tmp_path / "other", ["jupyter.example.com"])
    with pytest.raises(ServerNotFound, match="that this machine does not trust"):
        call(Server(fake_server.url, other.certfile, True), "GET", "items")


def test_a_certificate_that_the_pinned_one_has_signed_is_not_believed(tmp_path: Path, call: Call) -> None:
    """Q4.1: sibling: a server's certificate that is an authority's own does not vouch for others."""
    authority, signed = signed_by_a_server(tmp_path)
    with FakeServer(certificate=str(signed)) as fake_server, pytest.raises(ServerNotFound, match="does not trust"):
        call(Server(fake_server.url, authority, True), "GET", "items")


def test_a_renewed_certificate_is_believed_from_the_next_connection_on(
    company: tuple[FakeServer, Certificate], tmp_path: Path, call: Call
) -> None:
    """Q4.1: sibling: the server shows the certificate that is in its file now, and the kernel reads the same file."""
    fake_server, made = company
    (tmp_path / "old").mkdir()
    file = tmp_path / "current.pem"
    file.write_bytes(of_a_company(tmp_path / "old", ["jupyter.example.com"]).certfile.read_bytes())
    server = Server(fake_server.url, file, True)
    with pytest.raises(ServerNotFound):
        call(server, "GET", "items")
    file.write_bytes(made.certfile.read_bytes() + b"\n")
    assert call(server, "GET", "items").json() == ["a book"]


def test_an_expired_certificate_is_called_expired(tmp_path: Path, call: Call) -> None:
    """Q4.1: Kernels trust exactly their server's own certificate."""
    made = of_a_company(tmp_path, [], days=0)
    both = tmp_path / "both.pem"
    both.write_bytes(made.certfile.read_bytes() + made.keyfile.read_bytes())
    with (
        FakeServer(certificate=str(both)) as fake_server,
        pytest.raises(ServerNotFound, match="has expired, or is not valid yet"),
    ):
        call(Server(fake_server.url, made.certfile, True), "GET", "items")


def test_a_certificate_for_another_name_is_called_that(
    company: tuple[FakeServer, Certificate], tmp_path: Path, call: Call
) -> None:
    """Q4.1: where only the address is known, the name counts."""
    fake_server, made = company
    authority = tmp_path / "authority.pem"
    authority.write_text(
        "-----BEGIN" + made.certfile.read_text(encoding="utf-8").split("-----BEGIN")[2], encoding="utf-8"
    )
    with pytest.raises(ServerNotFound, match="for another name than its address"):
        call(Server(fake_server.url, authority), "GET", "items")


def test_a_server_where_nobody_listens_is_called_that(call: Call) -> None:
    """Q4.1: Kernels trust exactly their server's own certificate."""
    with pytest.raises(ServerNotFound, match="nobody listens at its address"):
        call(Server(f"http://127.0.0.1:{free_port()}/"), "GET", "items")


def test_a_server_without_https_is_called_that(fake_server: FakeServer, call: Call) -> None:
    """Q4.1, a sibling: Kernels trust exactly their server's own certificate."""
    with pytest.raises(ServerNotFound, match="does not speak HTTPS"):
        call(Server(fake_server.url.replace("http:", "https:")), "GET", "items")


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_certificate_file_that_cannot_be_read_says_where_to_look(
    tmp_path: Path, call: Call, content: str | None
) -> None:
    path = tmp_path / "server.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ServerNotFound, match="certificate of the Jupyter server cannot be read"):
        call(Server("https://localhost:8888/", path), "GET", "items")


def test_two_clients_share_what_is_slow_to_make(fake_server: FakeServer) -> None:
    one, other = fake_server.client(), fake_server.client()
    first, second = cast("Any", one._transport), cast("Any", other._transport)
    assert first._own._pool._ssl_context is second._own._pool._ssl_context


# -- whose error is whose ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("not_signed_in", 401, NotSignedIn),
        ("step_up_required", 401, StepUpRequired),
        ("caller_forbidden", 403, CallerForbidden),
        ("upstream_timeout", 504, UpstreamTimeout),
    ],
)
def test_an_error_of_ours_is_the_exception_of_its_code(
    fake_server: FakeServer, call: Call, code: str, status: int, kind: type[OIDCError]
) -> None:
    fake_server.answers("GET", ITEMS, refusal(code, status))
    with pytest.raises(kind):
        call(fake_server.server, "GET", "items")


def test_an_error_of_ours_keeps_what_the_server_told(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("GET", ITEMS, refusal("caller_forbidden", 403, message="Not for kernels.", retryable=True))
    with pytest.raises(CallerForbidden) as caught:
        call(fake_server.server, "GET", "items")
    told = caught.value
    assert (told.message, told.action, told.retryable, told.request_id) == (
        "Not for kernels.",
        "Try something else.",
        True,
        "req-12345678",
    )


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 503])
def test_an_error_of_the_api_stays_a_reply(fake_server: FakeServer, call: Call, status: int) -> None:
    fake_server.answers("GET", ITEMS, Answer({"error": "theirs"}, status))
    assert call(fake_server.server, "GET", "items").status_code == status


def test_a_reply_of_another_host_is_not_taken_for_ours(
    fake_server: FakeServer, elsewhere: FakeServer, call: Call
) -> None:
    elsewhere.answers("GET", "items", refusal("not_signed_in"))
    assert call(fake_server.server, "GET", elsewhere.url + "items").status_code == 401


def test_an_error_without_body_is_told_by_its_code(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("HEAD", ITEMS, refusal("caller_forbidden", 403))
    with pytest.raises(CallerForbidden, match="Make the same call with GET to read why"):
        call(fake_server.server, "HEAD", "items")


def test_an_error_without_body_keeps_the_id_that_leads_to_the_log(fake_server: FakeServer, call: Call) -> None:
    """Q5.10: the reply to a HEAD carries its id in a header only."""
    fake_server.answers(
        "HEAD", ITEMS, Answer(b"", 502, {"X-OIDC-Error": "upstream_unreachable", "X-OIDC-Request-Id": "r-7"})
    )
    with pytest.raises(UpstreamUnreachable) as caught:
        call(fake_server.server, "HEAD", "items")
    assert caught.value.request_id == "r-7"
    assert caught.value._render_traceback_()[-1] == "(upstream_unreachable, request r-7)"


@pytest.mark.parametrize(("status", "kind"), [(403, "CallRefused"), (502, "CallFailed")])
def test_an_unknown_code_without_body_is_the_error_of_its_status(
    fake_server: FakeServer, call: Call, status: int, kind: str
) -> None:
    fake_server.answers("HEAD", ITEMS, Answer(b"", status, {"X-OIDC-Error": "novelty"}))
    with pytest.raises(OIDCError, match="The call was refused") as caught:
        call(fake_server.server, "HEAD", "items")
    assert (type(caught.value).__name__, caught.value.code) == (kind, "novelty")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<html>", id="html"),
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'{"code": "novelty", "message": "m", "action": "a"}', id="unknown-code"),
        pytest.param(b"\xff\xfe", id="not-text"),
        pytest.param(b"[" * 200_000, id="deep"),
        pytest.param(json.dumps(refusal("not_signed_in").body).encode() + b" " * 1_000_000, id="endless"),
    ],
)
def test_an_error_of_ours_that_cannot_be_read_says_what_to_do(fake_server: FakeServer, call: Call, body: bytes) -> None:
    fake_server.answers("GET", ITEMS, Answer(body, 401, {"X-OIDC-Error": "not_signed_in"}))
    with pytest.raises(ContractError, match="Install the same version of jupyter_oidc"):
        call(fake_server.server, "GET", "items")


def test_a_large_reply_of_the_api_is_not_cut(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("GET", ITEMS, Answer(b"x" * 3_000_000))
    assert len(call(fake_server.server, "GET", "items").content) == 3_000_000


def test_a_server_that_is_gone_is_named_as_such(call: Call) -> None:
    with FakeServer() as fake_server:
        server = fake_server.server
    with pytest.raises(ServerNotFound, match="after a restart of the server, restart the kernel too"):
        call(server, "GET", "items")


# -- repetitions -------------------------------------------------------------------------------------------------


def test_a_busy_server_is_asked_again_after_the_time_it_names(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("GET", ITEMS, Answer(b"", 503, {"Retry-After": "1"}), ["a book"])
    begun = time.monotonic()
    call(fake_server.server, "GET", "items")
    assert (len(fake_server.asked("GET", ITEMS)), time.monotonic() - begun >= 1.0) == (2, True)


def later(code: str, seconds: str = "0") -> Answer:
    """Return a refusal of the server that passes by itself."""
    refused = refusal(code, 503)
    return Answer(refused.body, 503, {**refused.headers, "Retry-After": seconds})


def test_a_server_that_stays_busy_is_asked_until_patience_is_over(fake_server: FakeServer, call: Call) -> None:
    """The pauses are 0.25 to 0.5, 0.5 to 1 and 1 to 2 seconds; the third does not fit into one second."""
    fake_server.answers("GET", ITEMS, later("overloaded"))
    with pytest.raises(Overloaded):
        call(fake_server.server, "GET", "items", options={"patience": 1.6})
    assert len(fake_server.asked("GET", ITEMS)) == 3


def test_a_caller_without_patience_is_told_at_once(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("GET", ITEMS, later("idp_unavailable"))
    with pytest.raises(IdpUnavailable):
        call(fake_server.server, "GET", "items", options={"patience": 0})
    assert len(fake_server.asked("GET", ITEMS)) == 1


def test_a_call_that_our_server_did_not_pass_on_is_made_again_whatever_it_does(
    fake_server: FakeServer, call: Call
) -> None:
    fake_server.answers("POST", ITEMS, later("idp_unavailable"), ["a book"])
    assert call(fake_server.server, "POST", "items", json={"title": "a book"}).json() == ["a book"]
    assert [got.body for got in fake_server.asked("POST", ITEMS)] == [b'{"title":"a book"}'] * 2


def test_a_store_that_a_person_has_to_unlock_is_not_asked_again(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("GET", ITEMS, later("storage_unavailable"))
    with pytest.raises(StorageUnavailable):
        call(fake_server.server, "GET", "items")
    assert len(fake_server.asked("GET", ITEMS)) == 1


def test_an_api_that_asks_for_fewer_calls_gets_them(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("GET", ITEMS, Answer(b"", 429, {"Retry-After": "1"}), ["a book"])
    begun = time.monotonic()
    assert call(fake_server.server, "GET", "items").json() == ["a book"]
    assert time.monotonic() - begun >= 1.0


def test_an_api_that_asks_for_too_long_a_wait_answers_the_caller(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("GET", ITEMS, Answer(b"", 429, {"Retry-After": "3600"}))
    assert call(fake_server.server, "GET", "items").status_code == 429


REFRESHED = Answer(b"expired", 401, {"X-OIDC-Retryable": "true"})
"""The API's 401 for a call with a body, after the server has got a new token (docs/reference/routes.md)."""


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"json": {"a": 1}}, id="json"),
        pytest.param({"content": io.BytesIO(b"a file")}, id="file"),
        pytest.param({"files": {"f": ("f.txt", io.BytesIO(b"a file"))}, "data": {"a": "1"}}, id="form"),
        pytest.param({"files": [("f", b"1"), ("f", io.BytesIO(b"a file"))]}, id="forms"),
    ],
)
def test_a_body_that_the_server_could_not_repeat_is_sent_again(
    fake_server: FakeServer, call: Call, arguments: dict[str, Any]
) -> None:
    arguments = copy.deepcopy(arguments)
    fake_server.answers("POST", ITEMS, REFRESHED, ["a book"])
    assert call(fake_server.server, "POST", "items", **arguments).json() == ["a book"]
    first, second = fake_server.asked("POST", ITEMS)
    assert (first.body, len(first.body) > 0) == (second.body, True)


def test_a_body_is_sent_again_once_only(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("POST", ITEMS, REFRESHED)
    assert call(fake_server.server, "POST", "items", json={}).status_code == 401
    assert len(fake_server.asked("POST", ITEMS)) == 2


def test_a_body_that_is_made_while_it_is_sent_is_not_sent_again(fake_server: FakeServer) -> None:
    fake_server.answers("POST", ITEMS, REFRESHED)
    with fake_server.client() as client:
        assert client.post("items", content=(piece for piece in [b"a", b"b"])).status_code == 401
    assert len(fake_server.asked("POST", ITEMS)) == 1


def test_a_plain_401_of_the_api_is_not_repeated(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("POST", ITEMS, Answer(b"", 401))
    assert call(fake_server.server, "POST", "items", json={}).status_code == 401
    assert len(fake_server.asked("POST", ITEMS)) == 1


def test_another_servers_wish_for_repetition_means_nothing(
    fake_server: FakeServer, elsewhere: FakeServer, call: Call
) -> None:
    elsewhere.answers("POST", "items", REFRESHED)
    assert call(fake_server.server, "POST", elsewhere.url + "items", json={}).status_code == 401
    assert len(elsewhere.asked("POST", "items")) == 1


def test_a_file_is_sent_from_where_it_stands_with_its_length(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("PUT", ITEMS, [])
    file = io.BytesIO(b"head and body")
    file.seek(9)
    call(fake_server.server, "PUT", "items", content=file)
    got = fake_server.asked("PUT", ITEMS)[0]
    assert (got.body, got.headers["content-length"], "transfer-encoding" in got.headers) == (b"body", "4", False)


@pytest.mark.parametrize("wanted", ["61", "-1", "soon", "²", ""])
def test_a_wait_that_is_long_or_unclear_is_left_to_the_caller(fake_server: FakeServer, call: Call, wanted: str) -> None:
    fake_server.answers("GET", ITEMS, Answer(b"", 503, {"Retry-After": wanted}))
    call(fake_server.server, "GET", "items")
    assert len(fake_server.asked("GET", ITEMS)) == 1


def test_a_call_that_changes_something_is_not_made_again(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("POST", ITEMS, Answer(b"", 503, {"Retry-After": "0"}))
    call(fake_server.server, "POST", "items", json={})
    assert len(fake_server.asked("POST", ITEMS)) == 1


# -- streams and options -----------------------------------------------------------------------------------------


def test_a_streamed_reply_arrives_unread(fake_server: FakeServer) -> None:
    fake_server.answers("GET", ITEMS, Answer(b"one two"))
    with fake_server.client() as client, client.stream("GET", "items") as response:
        assert b"".join(response.iter_bytes()) == b"one two"


def test_an_error_of_ours_is_raised_for_a_stream_too(fake_server: FakeServer) -> None:
    fake_server.answers("GET", ITEMS, refusal("not_signed_in"))
    with fake_server.client() as client, pytest.raises(NotSignedIn), client.stream("GET", "items"):
        pass


def test_a_streamed_reply_arrives_unread_in_an_event_loop(fake_server: FakeServer) -> None:
    fake_server.answers("GET", ITEMS, Answer(b"one two"))

    async def read() -> bytes:
        async with fake_server.async_client() as client, client.stream("GET", "items") as response:
            return b"".join([piece async for piece in response.aiter_bytes()])

    assert asyncio.run(read()) == b"one two"


def test_options_of_httpx_are_the_callers(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("GET", ITEMS, [])
    call(fake_server.server, "GET", "items", options={"headers": {"X-Team": "blue"}})
    assert fake_server.asked("GET", ITEMS)[0].headers["x-team"] == "blue"


def test_more_calls_at_once_than_connections_wait_for_each_other(fake_server: FakeServer) -> None:
    fake_server.answers("GET", ITEMS, Answer([], delay=0.05))

    async def calls() -> list[httpx.Response]:
        async with fake_server.async_client(limits=httpx.Limits(max_connections=2)) as client:
            return await asyncio.gather(*[client.get("items") for _ in range(10)])

    assert {response.status_code for response in asyncio.run(calls())} == {200}


def test_no_call_fails_for_want_of_a_free_connection(fake_server: FakeServer) -> None:
    assert fake_server.client().timeout.pool is None


def test_the_grant_request_asks_nothing_else_of_the_server(fake_server: FakeServer, call: Call) -> None:
    fake_server.answers("GET", ITEMS, [])
    call(fake_server.server, "GET", "items")
    assert [got.path for got in fake_server.received] == [f"/{GRANT_PATH}", f"/{ITEMS}"]

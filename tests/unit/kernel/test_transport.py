"""The two clients, sync and async alike: where a path leads, who gets the grant, and whose error is whose."""

import asyncio
import copy
import io
import json
import time

import httpx
import pytest

from jupyter_oidc.demo.environment import free_port
from jupyter_oidc.kernel.errors import (
    CallerForbidden,
    ContractError,
    IdpUnavailable,
    NotSignedIn,
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
from tests.support.certificate import of_a_company
from tests.unit.kernel.certificates import signed_by_a_server, write_certificate
from tests.unit.kernel.stage import GRANT_PATH, KERNEL, Answer, Stage, refusal

ITEMS = "jupyter-oidc/api/orders/items"


def sync_call(server, method, path, *, grants=None, options=None, **arguments):
    with OIDCClient(server, grants or GrantAuth(server, KERNEL), "jupyter-oidc/api/orders/", **options or {}) as client:
        return client.request(method, path, **arguments)


def async_call(server, method, path, *, grants=None, options=None, **arguments):
    async def call():
        auth = grants or GrantAuth(server, KERNEL)
        async with AsyncOIDCClient(server, auth, "jupyter-oidc/api/orders/", **options or {}) as client:
            return await client.request(method, path, **arguments)

    return asyncio.run(call())


@pytest.fixture(params=[sync_call, async_call], ids=["sync", "async"])
def call(request):
    """Make one call: the same test for both clients."""
    return request.param


@pytest.fixture
def elsewhere():
    """Another server, which our grant is not for."""
    with Stage() as opened:
        opened.answers("GET", "items", [])
        yield opened


# -- where a path leads ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["items", "/items"])
def test_a_relative_path_goes_to_the_api_through_the_proxy(stage, call, path):
    stage.answers("GET", ITEMS, ["a book"])
    assert call(stage.server, "GET", path).json() == ["a book"]


@pytest.mark.parametrize("base_url", ["/", "/user/ada/", "/user/ada%40example.com/"])
def test_the_base_url_of_the_server_comes_first(call, base_url):
    with Stage(base_url) as stage:
        stage.answers("GET", ITEMS, [])
        call(stage.server, "GET", "items")
    assert stage.received[-1].path == f"{base_url}jupyter-oidc/api/orders/items"


def test_a_query_is_passed_on_as_it_is(stage, call):
    stage.answers("GET", ITEMS, [])
    call(stage.server, "GET", "items", params={"q": "a b&c"})
    assert stage.received[-1].query == "q=a+b%26c"


def test_a_server_on_ipv6_is_reached(call):
    with Stage(host="::1") as stage:
        stage.answers("GET", ITEMS, ["a book"])
        assert call(stage.server, "GET", "items").json() == ["a book"]


# -- who gets the grant ------------------------------------------------------------------------------------------


def test_a_url_spelt_differently_is_still_our_server(stage, call):
    stage.answers("GET", ITEMS, [])
    call(Server(f"HTTP://127.0.0.1:{stage.port}/"), "GET", "items")
    assert stage.received[-1].bearer == "Bearer jog.grant-number-000001"


def test_an_absolute_url_to_another_host_gets_no_grant(stage, elsewhere, call):
    call(stage.server, "GET", elsewhere.url + "items")
    assert elsewhere.received[0].bearer is None


def test_an_absolute_url_to_another_host_asks_for_no_grant(stage, elsewhere, call):
    call(stage.server, "GET", elsewhere.url + "items")
    assert stage.received == []


def test_a_path_above_the_base_url_gets_no_grant(call):
    with Stage("/user/ada/") as stage:
        call(stage.server, "GET", f"{stage.origin}/user/bob/jupyter-oidc/api/orders/items")
    assert [(got.path, got.bearer) for got in stage.received] == [("/user/bob/jupyter-oidc/api/orders/items", None)]


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
def test_an_address_that_only_resembles_ours_is_not_ours(url):
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
def test_an_address_in_normal_form_is_ours_however_the_server_was_written(home, url):
    assert GrantAuth(Server(home), KERNEL).is_ours(httpx.URL(url)) is True


def test_a_redirect_is_not_followed(stage, elsewhere, call):
    stage.answers("GET", ITEMS, Answer(b"", 302, {"Location": elsewhere.url + "items"}))
    assert call(stage.server, "GET", "items").status_code == 302


def test_a_redirect_that_the_caller_follows_takes_no_grant_along(stage, elsewhere, call):
    stage.answers("GET", ITEMS, Answer(b"", 302, {"Location": elsewhere.url + "items"}))
    call(stage.server, "GET", "items", follow_redirects=True)
    assert elsewhere.received[0].bearer is None


def test_an_authorization_header_of_the_caller_gives_way_to_the_grant(stage, call):
    stage.answers("GET", ITEMS, [])
    call(stage.server, "GET", "items", headers={"Authorization": "Bearer mine"})
    assert stage.received[-1].bearer == "Bearer jog.grant-number-000001"


# -- proxies and certificates ------------------------------------------------------------------------------------


@pytest.fixture
def corporate_proxy(elsewhere, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, elsewhere.url)
    return elsewhere


def test_a_proxy_in_the_environment_does_not_see_calls_to_a_local_server(stage, corporate_proxy, call):
    stage.answers("GET", ITEMS, [])
    call(stage.server, "GET", "items")
    assert corporate_proxy.received == []


def test_a_proxy_in_the_environment_does_not_see_calls_to_a_server_on_this_machine(corporate_proxy, call):
    with pytest.raises(ServerNotFound):
        call(Server("http://box.invalid:9/", same_machine=True), "GET", "items")
    assert corporate_proxy.received == []


@pytest.fixture
def https(tmp_path):
    certificate = write_certificate(tmp_path / "server.pem")
    with Stage(certificate=str(certificate)) as stage:
        stage.answers("GET", ITEMS, ["a book"])
        yield stage, certificate


def test_a_server_with_its_own_certificate_is_trusted_through_that_certificate(https, call):
    stage, certificate = https
    assert call(Server(stage.url, certificate), "GET", "items").json() == ["a book"]


def test_a_certificate_that_nobody_vouches_for_is_refused_in_plain_words(https, call):
    stage, _ = https
    with pytest.raises(ServerNotFound, match="shows a certificate that this machine does not trust"):
        call(Server(stage.url), "GET", "items")


def test_the_certificate_of_another_server_is_no_help(https, tmp_path, call):
    stage, _ = https
    with pytest.raises(ServerNotFound, match="does not trust"):
        call(Server(stage.url, write_certificate(tmp_path / "other.pem")), "GET", "items")


@pytest.fixture
def company(tmp_path):
    """A server with a certificate of an authority that this machine does not know, for a name that is not its address."""
    made = of_a_company(tmp_path, ["jupyter.example.com"])
    both = tmp_path / "both.pem"
    both.write_bytes(made.certfile.read_bytes() + made.keyfile.read_bytes())
    with Stage(certificate=str(both)) as stage:
        stage.answers("GET", ITEMS, ["a book"])
        stage.answers("PUT", ITEMS, ["a book"])
        yield stage, made


def test_a_server_that_told_its_certificate_is_believed_by_it_whatever_its_names_and_issuer(company, call):
    """Q4.1."""
    stage, made = company
    assert call(Server(stage.url, made.certfile, True), "GET", "items").json() == ["a book"]


def test_an_upload_reaches_a_server_that_is_known_by_its_certificate(company, tmp_path):
    """Q4.1: sibling."""
    stage, made = company
    server = Server(stage.url, made.certfile, True)
    client = OIDCClient(server, GrantAuth(server, KERNEL), "jupyter-oidc/api/orders/")
    assert client.upload("items", tmp_path / "both.pem", progress=False).json() == ["a book"]


def test_another_certificate_of_the_same_authority_is_not_believed(company, tmp_path, call):
    """Q4.1: sibling: exactly one certificate is trusted, though both would pass by name and issuer."""
    stage, _ = company
    (tmp_path / "other").mkdir()
    other = of_a_company(tmp_path / "other", ["jupyter.example.com"])
    with pytest.raises(ServerNotFound, match="that this machine does not trust"):
        call(Server(stage.url, other.certfile, True), "GET", "items")


def test_a_certificate_that_the_pinned_one_has_signed_is_not_believed(tmp_path, call):
    """Q4.1: sibling: an authority's own certificate as the server's does not vouch for others."""
    authority, signed = signed_by_a_server(tmp_path)
    with Stage(certificate=str(signed)) as stage, pytest.raises(ServerNotFound, match="does not trust"):
        call(Server(stage.url, authority, True), "GET", "items")


def test_a_renewed_certificate_is_believed_from_the_next_connection_on(company, tmp_path, call):
    """Q4.1: sibling: the server shows what is in its file now, and so does the kernel believe it."""
    stage, made = company
    (tmp_path / "old").mkdir()
    file = tmp_path / "current.pem"
    file.write_bytes(of_a_company(tmp_path / "old", ["jupyter.example.com"]).certfile.read_bytes())
    server = Server(stage.url, file, True)
    with pytest.raises(ServerNotFound):
        call(server, "GET", "items")
    file.write_bytes(made.certfile.read_bytes() + b"\n")
    assert call(server, "GET", "items").json() == ["a book"]


def test_an_expired_certificate_is_called_expired(tmp_path, call):
    """Q4.1."""
    made = of_a_company(tmp_path, [], days=0)
    both = tmp_path / "both.pem"
    both.write_bytes(made.certfile.read_bytes() + made.keyfile.read_bytes())
    with Stage(certificate=str(both)) as stage, pytest.raises(ServerNotFound, match="has expired, or is not valid yet"):
        call(Server(stage.url, made.certfile, True), "GET", "items")


def test_a_certificate_for_another_name_is_called_that(company, tmp_path, call):
    """Q4.1: where only the address is known, the name counts."""
    stage, made = company
    authority = tmp_path / "authority.pem"
    authority.write_text(
        "-----BEGIN" + made.certfile.read_text(encoding="utf-8").split("-----BEGIN")[2], encoding="utf-8"
    )
    with pytest.raises(ServerNotFound, match="for another name than its address"):
        call(Server(stage.url, authority), "GET", "items")


def test_a_server_where_nobody_listens_is_called_that(call):
    """Q4.1."""
    with pytest.raises(ServerNotFound, match="nobody listens at its address"):
        call(Server(f"http://127.0.0.1:{free_port()}/"), "GET", "items")


def test_a_server_without_https_is_called_that(stage, call):
    """Q4.1: sibling."""
    with pytest.raises(ServerNotFound, match="does not speak HTTPS"):
        call(Server(stage.url.replace("http:", "https:")), "GET", "items")


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_certificate_file_that_cannot_be_read_says_where_to_look(tmp_path, call, content):
    path = tmp_path / "server.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(ServerNotFound, match="certificate of the Jupyter server cannot be read"):
        call(Server("https://localhost:8888/", path), "GET", "items")


def test_two_clients_share_what_is_slow_to_make(stage):
    one, other = stage.client(), stage.client()
    assert one._transport._own._pool._ssl_context is other._transport._own._pool._ssl_context


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
def test_an_error_of_ours_is_the_exception_of_its_code(stage, call, code, status, kind):
    stage.answers("GET", ITEMS, refusal(code, status))
    with pytest.raises(kind):
        call(stage.server, "GET", "items")


def test_an_error_of_ours_keeps_what_the_server_told(stage, call):
    stage.answers("GET", ITEMS, refusal("caller_forbidden", 403, message="Not for kernels.", retryable=True))
    with pytest.raises(CallerForbidden) as caught:
        call(stage.server, "GET", "items")
    told = caught.value
    assert (told.message, told.action, told.retryable, told.request_id) == (
        "Not for kernels.",
        "Try something else.",
        True,
        "req-12345678",
    )


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 503])
def test_an_error_of_the_api_stays_a_reply(stage, call, status):
    stage.answers("GET", ITEMS, Answer({"error": "theirs"}, status))
    assert call(stage.server, "GET", "items").status_code == status


def test_a_reply_of_another_host_is_not_taken_for_ours(stage, elsewhere, call):
    elsewhere.answers("GET", "items", refusal("not_signed_in"))
    assert call(stage.server, "GET", elsewhere.url + "items").status_code == 401


def test_an_error_without_body_is_told_by_its_code(stage, call):
    stage.answers("HEAD", ITEMS, refusal("caller_forbidden", 403))
    with pytest.raises(CallerForbidden, match="Make the same call with GET to read why"):
        call(stage.server, "HEAD", "items")


def test_an_error_without_body_keeps_the_id_that_leads_to_the_log(stage, call):
    """Q5.10: a HEAD has its id in a header only."""
    stage.answers("HEAD", ITEMS, Answer(b"", 502, {"X-OIDC-Error": "upstream_unreachable", "X-OIDC-Request-Id": "r-7"}))
    with pytest.raises(UpstreamUnreachable) as caught:
        call(stage.server, "HEAD", "items")
    assert caught.value.request_id == "r-7"
    assert caught.value._render_traceback_()[-1] == "(upstream_unreachable, request r-7)"


def test_an_unknown_code_without_body_is_a_broken_contract(stage, call):
    stage.answers("HEAD", ITEMS, Answer(b"", 403, {"X-OIDC-Error": "novelty"}))
    with pytest.raises(ContractError):
        call(stage.server, "HEAD", "items")


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
def test_an_error_of_ours_that_cannot_be_read_says_what_to_do(stage, call, body):
    stage.answers("GET", ITEMS, Answer(body, 401, {"X-OIDC-Error": "not_signed_in"}))
    with pytest.raises(ContractError, match="Install the same version of jupyter_oidc"):
        call(stage.server, "GET", "items")


def test_a_large_reply_of_the_api_is_not_cut(stage, call):
    stage.answers("GET", ITEMS, Answer(b"x" * 3_000_000))
    assert len(call(stage.server, "GET", "items").content) == 3_000_000


def test_a_server_that_is_gone_is_named_as_such(call):
    with Stage() as stage:
        server = stage.server
    with pytest.raises(ServerNotFound, match="after a restart of the server, restart the kernel too"):
        call(server, "GET", "items")


# -- once more ---------------------------------------------------------------------------------------------------


def test_a_busy_server_is_asked_again_after_the_time_it_names(stage, call):
    stage.answers("GET", ITEMS, Answer(b"", 503, {"Retry-After": "1"}), ["a book"])
    begun = time.monotonic()
    call(stage.server, "GET", "items")
    assert (len(stage.asked("GET", ITEMS)), time.monotonic() - begun >= 1.0) == (2, True)


def later(code, seconds="0"):
    """A refusal of ours that will pass by itself."""
    refused = refusal(code, 503)
    return Answer(refused.body, 503, {**refused.headers, "Retry-After": seconds})


def test_a_server_that_stays_busy_is_asked_until_patience_is_over(stage, call):
    """Pauses of 0.25 to 0.5, 0.5 to 1 and 1 to 2 seconds; the third does not fit into one second."""
    stage.answers("GET", ITEMS, later("overloaded"))
    with pytest.raises(Overloaded):
        call(stage.server, "GET", "items", options={"patience": 1.6})
    assert len(stage.asked("GET", ITEMS)) == 3


def test_a_caller_without_patience_is_told_at_once(stage, call):
    stage.answers("GET", ITEMS, later("idp_unavailable"))
    with pytest.raises(IdpUnavailable):
        call(stage.server, "GET", "items", options={"patience": 0})
    assert len(stage.asked("GET", ITEMS)) == 1


def test_a_call_that_our_server_did_not_pass_on_is_made_again_whatever_it_does(stage, call):
    stage.answers("POST", ITEMS, later("idp_unavailable"), ["a book"])
    assert call(stage.server, "POST", "items", json={"title": "a book"}).json() == ["a book"]
    assert [got.body for got in stage.asked("POST", ITEMS)] == [b'{"title":"a book"}'] * 2


def test_a_store_that_a_person_has_to_unlock_is_not_asked_again(stage, call):
    stage.answers("GET", ITEMS, later("storage_unavailable"))
    with pytest.raises(StorageUnavailable):
        call(stage.server, "GET", "items")
    assert len(stage.asked("GET", ITEMS)) == 1


def test_an_api_that_asks_for_fewer_calls_gets_them(stage, call):
    stage.answers("GET", ITEMS, Answer(b"", 429, {"Retry-After": "1"}), ["a book"])
    begun = time.monotonic()
    assert call(stage.server, "GET", "items").json() == ["a book"]
    assert time.monotonic() - begun >= 1.0


def test_an_api_that_asks_for_too_long_a_wait_answers_the_caller(stage, call):
    stage.answers("GET", ITEMS, Answer(b"", 429, {"Retry-After": "3600"}))
    assert call(stage.server, "GET", "items").status_code == 429


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
def test_a_body_that_the_server_could_not_repeat_is_sent_again(stage, call, arguments):
    arguments = copy.deepcopy(arguments)
    stage.answers("POST", ITEMS, REFRESHED, ["a book"])
    assert call(stage.server, "POST", "items", **arguments).json() == ["a book"]
    first, second = stage.asked("POST", ITEMS)
    assert (first.body, len(first.body) > 0) == (second.body, True)


def test_a_body_is_sent_again_once_only(stage, call):
    stage.answers("POST", ITEMS, REFRESHED)
    assert call(stage.server, "POST", "items", json={}).status_code == 401
    assert len(stage.asked("POST", ITEMS)) == 2


def test_a_body_that_is_made_while_it_is_sent_is_not_sent_again(stage):
    stage.answers("POST", ITEMS, REFRESHED)
    with stage.client() as client:
        assert client.post("items", content=(piece for piece in [b"a", b"b"])).status_code == 401
    assert len(stage.asked("POST", ITEMS)) == 1


def test_a_plain_401_of_the_api_is_not_repeated(stage, call):
    stage.answers("POST", ITEMS, Answer(b"", 401))
    assert call(stage.server, "POST", "items", json={}).status_code == 401
    assert len(stage.asked("POST", ITEMS)) == 1


def test_another_servers_wish_for_repetition_means_nothing(stage, elsewhere, call):
    elsewhere.answers("POST", "items", REFRESHED)
    assert call(stage.server, "POST", elsewhere.url + "items", json={}).status_code == 401
    assert len(elsewhere.asked("POST", "items")) == 1


def test_a_file_is_sent_from_where_it_stands_with_its_length(stage, call):
    stage.answers("PUT", ITEMS, [])
    file = io.BytesIO(b"head and body")
    file.seek(9)
    call(stage.server, "PUT", "items", content=file)
    got = stage.asked("PUT", ITEMS)[0]
    assert (got.body, got.headers["content-length"], "transfer-encoding" in got.headers) == (b"body", "4", False)


@pytest.mark.parametrize("wanted", ["61", "-1", "soon", "²", ""])
def test_a_wait_that_is_long_or_unclear_is_left_to_the_caller(stage, call, wanted):
    stage.answers("GET", ITEMS, Answer(b"", 503, {"Retry-After": wanted}))
    call(stage.server, "GET", "items")
    assert len(stage.asked("GET", ITEMS)) == 1


def test_a_call_that_changes_something_is_not_made_again(stage, call):
    stage.answers("POST", ITEMS, Answer(b"", 503, {"Retry-After": "0"}))
    call(stage.server, "POST", "items", json={})
    assert len(stage.asked("POST", ITEMS)) == 1


# -- streams and options -----------------------------------------------------------------------------------------


def test_a_streamed_reply_arrives_unread(stage):
    stage.answers("GET", ITEMS, Answer(b"one two"))
    with stage.client() as client, client.stream("GET", "items") as response:
        assert b"".join(response.iter_bytes()) == b"one two"


def test_an_error_of_ours_is_raised_for_a_stream_too(stage):
    stage.answers("GET", ITEMS, refusal("not_signed_in"))
    with stage.client() as client, pytest.raises(NotSignedIn), client.stream("GET", "items"):
        pass


def test_a_streamed_reply_arrives_unread_in_an_event_loop(stage):
    stage.answers("GET", ITEMS, Answer(b"one two"))

    async def read():
        async with stage.async_client() as client, client.stream("GET", "items") as response:
            return b"".join([piece async for piece in response.aiter_bytes()])

    assert asyncio.run(read()) == b"one two"


def test_options_of_httpx_are_the_callers(stage, call):
    stage.answers("GET", ITEMS, [])
    call(stage.server, "GET", "items", options={"headers": {"X-Team": "blue"}})
    assert stage.asked("GET", ITEMS)[0].headers["x-team"] == "blue"


def test_more_calls_at_once_than_connections_wait_for_each_other(stage):
    stage.answers("GET", ITEMS, Answer([], delay=0.05))

    async def calls():
        async with stage.async_client(limits=httpx.Limits(max_connections=2)) as client:
            return await asyncio.gather(*[client.get("items") for _ in range(10)])

    assert {response.status_code for response in asyncio.run(calls())} == {200}


def test_no_call_fails_for_want_of_a_free_connection(stage):
    assert stage.client().timeout.pool is None


def test_the_grant_request_asks_nothing_else_of_the_server(stage, call):
    stage.answers("GET", ITEMS, [])
    call(stage.server, "GET", "items")
    assert [got.path for got in stage.received] == [f"/{GRANT_PATH}", f"/{ITEMS}"]

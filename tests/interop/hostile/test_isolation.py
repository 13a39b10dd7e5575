"""One API's trouble harms no other, nor Jupyter; data of one never reach another (C14, C29, C34, C35)."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from tests.interop.hostile.real_environment import ALL_METHODS, RealEnvironment, start_environment, within
from tests.support.authority import SOMEBODY_ELSE, Authority
from tests.support.raw_upstream import BASE, RawUpstream, reply, silence

CROWD = 130
"""Calls that wait at one API: more than any pool of a hundred connections holds."""


@dataclass
class Neighbours:
    """The APIs beside ``orders``: ``reports`` elsewhere, ``disguised`` behind certificates of an unknown authority."""

    reports: RawUpstream
    disguised: RawUpstream


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbours]:
    unknown = Authority.in_folder(tmp_path_factory.mktemp("authority"))
    with RawUpstream() as reports, RawUpstream(tls=unknown.server(SOMEBODY_ELSE)) as disguised:
        yield Neighbours(reports, disguised)


@pytest.fixture(scope="module")
def shared_environment(tmp_path_factory: pytest.TempPathFactory, neighbours: Neighbours) -> Iterator[RealEnvironment]:
    with RawUpstream() as api, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        own = f"https://{socket.gethostname()}:{neighbours.disguised.port}{BASE}"
        apis = {
            "twin": {"base_url": f"{api.url}twin/", "methods": ["GET"]},
            "reports": {"base_url": neighbours.reports.url, "resource": "https://reports.example"},
            "down": {"base_url": f"http://127.0.0.1:{unused.getsockname()[1]}/", "methods": ALL_METHODS},
            "nowhere": {"base_url": "https://nothing.invalid/"},
            "disguised": {"base_url": neighbours.disguised.url},
            "inward": {"base_url": own},
        }
        with start_environment(tmp_path_factory.mktemp("isolation"), api, apis=apis) as real_environment:
            real_environment.provider.resources["https://reports.example"] = "reports"
            yield real_environment


@contextmanager
def crowded(real_environment: RealEnvironment) -> Iterator[None]:
    """Let a crowd wait at ``orders`` for an answer that does not come."""
    real_environment.api.script("waiting", silence())
    with ExitStack() as crowd:
        for _ in range(CROWD):
            crowd.enter_context(real_environment.raw.sent(real_environment.raw.head("GET", "orders/waiting")))
        assert within(10, lambda: len(real_environment.api.to("waiting")) >= 90)
        yield
    assert within(5, lambda: all(call.closed_at for call in real_environment.api.to("waiting")))


def test_an_api_that_is_saturated_slows_nobody_else(real_environment: RealEnvironment, neighbours: Neighbours) -> None:
    """C29: neither an API elsewhere nor the summary."""
    with crowded(real_environment):
        begun = time.monotonic()
        assert real_environment.raw.ask("GET", "reports/items", patience=5).status == 200
        assert real_environment.summary()["state"] == "active"
        assert time.monotonic() - begun < 2
    assert real_environment.is_alive()


def test_a_saturated_api_does_not_slow_another_on_the_same_host(real_environment: RealEnvironment) -> None:
    """C29: a pool belongs to an API, not to a host name."""
    with crowded(real_environment):
        assert real_environment.raw.ask("GET", "twin/items", patience=3).status == 200


@pytest.mark.parametrize("name", ["down", "nowhere"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_api_that_is_down_is_named_as_such_at_once(
    real_environment: RealEnvironment, name: str, method: str
) -> None:
    """C14: no server listens there, or the name does not exist; and the session has nothing to do with it."""
    begun = time.monotonic()
    answer = real_environment.raw.ask(method, f"{name}/items", body=b"{}" if method == "POST" else b"")
    assert (answer.status, answer.code) == (502, "upstream_unreachable")
    assert time.monotonic() - begun < 8
    assert (real_environment.summary()["state"], real_environment.is_alive()) == ("active", True)


def test_no_error_of_ours_quotes_the_other_side(real_environment: RealEnvironment) -> None:
    """C14: neither an address nor a library's words."""
    told = real_environment.raw.ask("GET", "down/items").body + real_environment.raw.ask("GET", "nowhere/items").body
    assert [word for word in (b"127.0.0.1", b"nothing.invalid", b"Errno", b"aiohttp", b"Connect") if word in told] == []


def test_each_api_gets_its_own_token(real_environment: RealEnvironment, neighbours: Neighbours) -> None:
    """C29, B29: one that asks for its own never sees the other's."""
    neighbours.reports.forget()
    real_environment.raw.ask("GET", "orders/items")
    real_environment.raw.ask("GET", "reports/items")
    (mine,), (theirs,) = real_environment.api.calls, neighbours.reports.calls
    assert mine.bearer is not None
    assert theirs.bearer is not None
    assert mine.bearer != theirs.bearer


def test_a_cookie_of_an_api_goes_nowhere(
    real_environment: RealEnvironment, api: RawUpstream, neighbours: Neighbours
) -> None:
    """C23: not back to it, not to another, not to the browser."""
    api.script("baker", reply("200 OK", b"", "Set-Cookie: a=b; Path=/", "Set-Cookie: c=d; Domain=localhost"))
    assert real_environment.raw.ask("GET", "orders/baker").all("set-cookie") == []
    neighbours.reports.forget()
    for path in ("orders/items", "reports/items", "twin/items"):
        real_environment.raw.ask("GET", path)
    assert [call.names & {"cookie"} for call in (*api.calls, *neighbours.reports.calls)] == [set()] * 4


def test_an_api_with_a_certificate_that_nobody_knows_hears_nothing(
    real_environment: RealEnvironment, neighbours: Neighbours
) -> None:
    """C35: a proxy that opens TLS presents such a one; not a byte of the call is sent, least of all the token."""
    answer = real_environment.raw.ask("GET", "disguised/items")
    assert (answer.status, answer.code) == (502, "tls_untrusted")
    assert neighbours.disguised.calls == []


def test_who_issued_an_untrusted_certificate_is_said(real_environment: RealEnvironment) -> None:
    """C35: so that the administrator knows which authority to trust, or whom to ask."""
    told = real_environment.raw.ask("GET", "disguised/items").json
    assert "issued by" in told["message"] + told["action"]


def test_a_name_that_leads_inside_is_not_called(real_environment: RealEnvironment) -> None:
    """C34: the settings name no private address, yet the name resolves to one: this machine's own."""
    address = socket.gethostbyname(socket.gethostname())
    if not address.startswith(("127.", "10.", "172.", "192.168.")):
        pytest.xfail("this machine's name leads to a public address")
    answer = real_environment.raw.ask("GET", "inward/items")
    assert (answer.status, answer.code) == (403, "route_forbidden")


def test_interleaved_calls_get_their_own_answers(real_environment: RealEnvironment) -> None:
    """C29: sixty at the same time, at three APIs, on connections that are used again."""
    with ExitStack() as open_calls:
        waiting = [
            open_calls.enter_context(real_environment.raw.sent(real_environment.raw.head("GET", f"{name}/n/{number}")))
            for number in range(20)
            for name in ("orders", "reports", "twin")
        ]
        told = [connection.reply().json["target"] for connection in waiting]
    expected = [f"{base}n/{number}" for number in range(20) for base in (BASE, BASE, f"{BASE}twin/")]
    assert told == expected

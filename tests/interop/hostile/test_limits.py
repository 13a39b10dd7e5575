"""Limits that are settings of each API, as the rows want them: times, sizes, places, counters.

The values are small, so that the tests are fast.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from tests.interop.hostile.real_environment import ALL_METHODS, RealEnvironment, deaf, fill, start_environment, within
from tests.support.connect_proxy import ConnectProxy
from tests.support.raw_client import NoReply
from tests.support.raw_upstream import (
    RawUpstream,
    Step,
    forever,
    pause,
    read_body,
    reply,
    send,
    silence,
    slowly,
)

LIMITS = {
    "timeout_connect": 1,
    "timeout_header": 1,
    "timeout_idle": 1,
    "timeout_upload": 1,
    "max_request_bytes": 1_000_000,
    "max_in_flight": 5,
    "max_queue": 5,
}
"""Seconds; bytes; calls at once; calls that wait."""

PROMPT = 3.0
"""Seconds in which a limit of one second must have shown."""

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENTS = CHUNKED.replace(b"text/plain", b"text/event-stream")


@pytest.fixture(scope="module")
def limited_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealEnvironment]:
    with RawUpstream() as api, socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        orders = {"base_url": api.url, "methods": ALL_METHODS, **LIMITS}
        crowded = {"base_url": f"http://127.0.0.1:{full.getsockname()[1]}/", **LIMITS}
        wide = {**orders, "max_request_bytes": None}
        with start_environment(
            tmp_path_factory.mktemp("limits"), api, apis={"orders": orders, "crowded": crowded, "wide": wide}
        ) as real_environment:
            yield real_environment


@pytest.fixture
def limited(limited_environment: RealEnvironment) -> RealEnvironment:
    limited_environment.api.forget()
    limited_environment.api.unscript()
    return limited_environment


@pytest.fixture
def begun() -> float:
    return time.monotonic()


def is_prompt(begun: float) -> bool:
    return time.monotonic() - begun < PROMPT


# -- an API that is slow (C14, C15) --------------------------------------------------------------------------


def test_an_api_that_does_not_take_the_connection_is_unreachable(limited: RealEnvironment, begun: float) -> None:
    """C14: a machine that drops packets looks like this; its queue is full here."""
    host, port = "127.0.0.1", int(limited.process.providers["corp"]["apis"]["crowded"]["base_url"].split(":")[2][:-1])
    with ExitStack() as queue:
        for _ in range(4):
            waiting = queue.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((host, port))
        answer = limited.raw.ask("GET", "crowded/items")
    assert (answer.status, answer.code, is_prompt(begun)) == (502, "upstream_unreachable", True)


SLOW_HEADS = {
    "nothing": (silence(),),
    "one byte after the other": (slowly(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 100, 0.2), silence()),
    "one interim answer after the other": (forever(b"HTTP/1.1 102 Processing\r\n\r\n", 0.2),),
}


@pytest.mark.parametrize("steps", SLOW_HEADS.values(), ids=SLOW_HEADS)
def test_an_api_that_does_not_answer_in_time_is_given_up(
    limited: RealEnvironment, begun: float, steps: tuple[Step | bytes, ...]
) -> None:
    """C15: the limit is for the whole head, not for the silence between two bytes."""
    limited.api.script("slow", *steps)
    answer = limited.raw.ask("GET", "orders/slow", patience=8)
    assert (answer.status, answer.code, is_prompt(begun)) == (504, "upstream_timeout", True)
    assert within(1, lambda: limited.api.to("slow")[0].closed_at)


def test_a_body_that_stops_is_broken_off(limited: RealEnvironment, begun: float) -> None:
    """C15: and never ends cleanly."""
    limited.api.script("stops", send(CHUNKED + b"4\r\nhalf\r\n"), silence())
    answer = limited.raw.ask("GET", "orders/stops", patience=8)
    assert (answer.body, answer.whole, is_prompt(begun)) == (b"half", False, True)
    assert within(1, lambda: limited.api.to("stops")[0].closed_at)


def test_a_body_that_goes_on_may_take_as_long_as_it_likes(limited: RealEnvironment) -> None:
    """C15, C26: no limit is one for the whole answer."""
    limited.api.script("goes-on", send(EVENTS), *[send(b"2\r\nx\n\r\n"), pause(0.3)] * 8, send(b"0\r\n\r\n"))
    answer = limited.raw.ask("GET", "orders/goes-on")
    assert (answer.body, answer.whole) == (b"x\n" * 8, True)


# -- a client that is slow, or sends too much (C16, C17) -------------------------------------------------------


@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_an_upload_that_stops_is_given_up(limited: RealEnvironment, begun: float, framing: str) -> None:
    """C16: the API sees an end in the middle, and the server does not wait for the rest."""
    limited.api.script("upload", read_body(), reply())
    first = b"5\r\nhello\r\n" if "chunked" in framing else b"hello"
    with limited.raw.sent(limited.raw.head("POST", "orders/upload", framing) + first) as connection:
        answer = connection.reply("POST", patience=8)
    assert (answer.status, answer.code, is_prompt(begun)) == (408, "client_too_slow", True)
    assert within(1, lambda: all(call.closed_at and not call.body_ended for call in limited.api.to("upload")))


def test_a_slow_upload_that_goes_on_is_served(limited: RealEnvironment) -> None:
    """C16: slow is not idle."""
    limited.api.script("upload", read_body(), reply())
    with limited.raw.sent(limited.raw.head("POST", "orders/upload", "Content-Length: 10")) as connection:
        connection.slowly(b"0123456789", 0.2)
        assert connection.reply("POST").status == 200


def test_an_upload_that_announces_too_much_is_refused_at_once(limited: RealEnvironment) -> None:
    """C17: before it is sent, and before the API hears of it."""
    with limited.raw.sent(limited.raw.head("POST", "orders/upload", "Content-Length: 1000001")) as connection:
        answer = connection.reply("POST")
    assert (answer.status, answer.code, limited.api.connections) == (413, "body_too_large", 0)


def test_an_expectation_of_too_much_is_not_met(limited: RealEnvironment) -> None:
    """C6, C17: 413 in place of 100."""
    lines = ["Content-Length: 1000001", "Expect: 100-continue"]
    with limited.raw.sent(limited.raw.head("POST", "orders/upload", *lines)) as connection:
        assert connection.reply("POST").status == 413


def test_an_upload_of_unknown_length_is_refused_when_it_is_too_much(limited: RealEnvironment) -> None:
    """C17: in the middle; the API's connection is closed, so that the beginning is not taken for the whole."""
    limited.api.script("upload", read_body(), reply())
    chunk = b"fa00\r\n" + b"x" * 64_000 + b"\r\n"
    with limited.raw.sent(limited.raw.head("POST", "orders/upload", "Transfer-Encoding: chunked")) as connection:
        with suppress(ConnectionError):
            for _ in range(20):
                connection.send(chunk)
        answer = connection.reply("POST")
    assert (answer.status, answer.code) == (413, "body_too_large")
    assert within(1, lambda: [call.body_ended for call in limited.api.to("upload") if call.closed_at] == [False])
    assert limited.api.to("upload")[0].body_bytes <= 1_000_000


def test_an_upload_of_exactly_the_limit_passes(limited: RealEnvironment) -> None:
    """C17: the positive control."""
    assert limited.raw.ask("POST", "orders/upload", body=b"x" * 1_000_000).status == 200


def test_an_upload_to_an_api_that_stops_reading_is_given_up(limited: RealEnvironment) -> None:
    """C18: with the bytes that were on their way; the client may have left long ago."""
    before = limited.links(limited.api)
    with deaf(limited.api, "deaf"), limited.raw.connect() as connection:
        connection.send(limited.raw.head("POST", "wide/deaf", "Content-Length: 100000000"))
        with suppress(ConnectionError):  # the call may be given up while there is still room to send
            fill(connection)
        connection.close()
        assert within(5, lambda: limited.links(limited.api) <= before)


# -- too many at once (C28) ----------------------------------------------------------------------------------


def test_what_finds_no_place_is_refused_at_once_and_the_rest_is_served(limited: RealEnvironment) -> None:
    """C28: five calls at once, five that wait, and the others hear when to come back."""
    limited.api.script("slow", pause(0.5), reply("200 OK", b"fine"))
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: limited.raw.ask("GET", "orders/slow"), range(20)))
    refused = [answer for answer in answers if answer.status == 503]
    assert [answer.status for answer in answers].count(200) == 10
    assert {(answer.code, int(answer.first("retry-after") or 0) >= 1) for answer in refused} == {("overloaded", True)}


def test_a_full_api_does_not_fill_another(limited: RealEnvironment) -> None:
    """C28, C29: nor the summary."""
    with deaf(limited.api, "deaf"), ExitStack() as crowd:
        for _ in range(10):
            crowd.enter_context(limited.raw.sent(limited.raw.head("GET", "orders/deaf")))
        assert within(5, lambda: len(limited.api.to("deaf")) == 5)
        time.sleep(0.2)
        assert limited.raw.ask("GET", "orders/items", patience=2).code == "overloaded"
        assert limited.raw.ask("GET", "crowded/items", patience=3).code != "overloaded"
        assert limited.summary()["state"] == "active"


# -- without settings ----------------------------------------------------------------------------------------


def test_an_overlong_query_has_its_own_status(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C3: URI too long (RFC 9110, 15.5.15)."""
    answer = real_environment.raw.ask("GET", "orders/items?q=" + "a" * 33_000)
    assert (answer.status, api.calls) == (414, [])


def test_a_client_that_leaves_is_counted_as_such(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C18: not as an error."""
    api.script("silent", silence())
    with real_environment.raw.sent(real_environment.raw.head("GET", "orders/silent")):
        assert within(5, lambda: api.to("silent"))
    assert within(2, lambda: "client_abort" in real_environment.jupyter.get("metrics").text)


def test_an_answer_that_breaks_off_is_counted_as_such(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C19: A truncated answer never looks complete."""
    api.script("half", CHUNKED + b"4\r\nhalf\r\n")
    with suppress(NoReply):
        real_environment.raw.ask("GET", "orders/half")
    assert within(2, lambda: "upstream_truncated" in real_environment.jupyter.get("metrics").text)


def test_a_proxy_of_the_company_that_wants_a_password_is_named(tmp_path_factory: pytest.TempPathFactory) -> None:
    """C35: and it is asked once, however often a loop calls."""
    outside = {"outside": {"base_url": "https://api.example.com/"}}
    with RawUpstream() as api, ConnectProxy(password="ada:secret") as proxy:
        environment = {"HTTPS_PROXY": proxy.url, "https_proxy": proxy.url}
        folder = tmp_path_factory.mktemp("proxy")
        with start_environment(folder, api, apis=outside, environment=environment) as real_environment:
            answers = [real_environment.raw.ask("GET", "outside/items") for _ in range(5)]
            assert {(answer.status, answer.code) for answer in answers} == {(502, "egress_proxy_auth")}
            assert proxy.lines == ["CONNECT api.example.com:443 HTTP/1.1"]
            assert real_environment.is_alive()

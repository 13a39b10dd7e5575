"""A used connection dies under the next call: which calls are repeated, and which never are (C14; RFC 9112, 9.3.1)."""

from __future__ import annotations

import pytest

from tests.interop.hostile.real_environment import RealEnvironment
from tests.support.raw_upstream import (
    Conversation,
    RawUpstream,
    Step,
    half_close,
    keep_open,
    pause,
    read_body,
    reply,
    reset,
    send,
)

REPEATABLE = ["GET", "HEAD", "PUT", "DELETE"]
"""Methods whose effect is the same however often the call is made (RFC 9110, 9.2.2), and that the API opens."""

DEATHS: dict[str, tuple[Step, ...]] = {"a close": (), "a reset": (reset(),)}


def only_first(*steps: Step, then: bytes) -> Step:
    """Play ``steps`` for the first call and end its connection; answer ``then`` to the others."""
    calls = 0

    async def step(talk: Conversation) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            await talk.send(then)
            return
        for one in steps:
            await one(talk)

    return step


def warm(real_environment: RealEnvironment) -> int:
    """Make one call whose connection is kept, and return its number."""
    real_environment.api.script("warm", read_body(), reply(), keep_open())
    assert real_environment.raw.ask("GET", "orders/warm").status == 200
    return real_environment.api.to("warm")[-1].connection


@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS)
@pytest.mark.parametrize("method", REPEATABLE)
def test_a_call_that_found_a_used_connection_dead_is_made_again_on_a_new_one(
    real_environment: RealEnvironment, api: RawUpstream, method: str, death: tuple[Step, ...]
) -> None:
    """Q3.7: neither side made a mistake, and a repetition does no harm."""
    used = warm(real_environment)
    api.script("dies", read_body(), only_first(*death, then=reply("200 OK", b"" if method == "HEAD" else b"ok")))
    assert real_environment.raw.ask(method, "orders/dies").status == 200
    first, second = (call.connection for call in api.to("dies"))
    assert (first, second != used) == (used, True)


@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS)
@pytest.mark.parametrize("method", REPEATABLE)
def test_a_call_on_a_new_connection_is_made_once(
    real_environment: RealEnvironment, api: RawUpstream, method: str, death: tuple[Step, ...]
) -> None:
    """Q3.7: an API that accepts and dies has most likely died of this very call."""
    api.script("last", read_body(), reply())
    assert real_environment.raw.ask("GET", "orders/last").status == 200  # and closes, so that no connection is left
    api.script("dies", read_body(), only_first(*death, then=reply()))
    answer = real_environment.raw.ask(method, "orders/dies")
    assert (answer.status, answer.code, len(api.to("dies"))) == (502, "upstream_unreachable", 1)


@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_call_with_a_body_is_made_once(
    real_environment: RealEnvironment, api: RawUpstream, method: str, death: tuple[Step, ...]
) -> None:
    """Q3.7, C30: the body has flowed by."""
    used = warm(real_environment)
    api.script("dies", read_body(), only_first(*death, then=reply()))
    answer = real_environment.raw.ask(method, "orders/dies", body=b"hello")
    assert (answer.status, answer.code) == (502, "upstream_unreachable")
    assert [call.connection for call in api.to("dies")] == [used]


@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_call_that_may_have_had_an_effect_is_made_once(
    real_environment: RealEnvironment, api: RawUpstream, method: str, death: tuple[Step, ...]
) -> None:
    """Q3.7: the API may have carried out the call before the connection died."""
    used = warm(real_environment)
    api.script("dies", read_body(), only_first(*death, then=reply()))
    answer = real_environment.raw.ask(method, "orders/dies")
    assert (answer.status, answer.code) == (502, "upstream_unreachable")
    assert [call.connection for call in api.to("dies")] == [used]


@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS)
@pytest.mark.parametrize("method", REPEATABLE)
def test_a_call_is_made_again_once(
    real_environment: RealEnvironment, api: RawUpstream, method: str, death: tuple[Step, ...]
) -> None:
    """Q3.7: A bodiless reply with a body is its head."""
    warm(real_environment)
    api.script("dies", read_body(), *death)
    answer = real_environment.raw.ask(method, "orders/dies")
    assert (answer.status, answer.code, len(api.to("dies"))) == (502, "upstream_unreachable", 2)


@pytest.mark.parametrize("begun", [b"H", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nContent-Le"])
@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS)
@pytest.mark.parametrize("method", REPEATABLE)
def test_a_call_whose_answer_had_begun_is_made_once(
    real_environment: RealEnvironment, api: RawUpstream, method: str, death: tuple[Step, ...], begun: bytes
) -> None:
    """Q3.7: an API that has begun to answer has received the call, and the connection was not dead."""
    used = warm(real_environment)
    api.script("dies", read_body(), only_first(send(begun), pause(0.1), *death, then=reply()))
    answer = real_environment.raw.ask(method, "orders/dies")
    assert (answer.status, answer.code) == (502, "upstream_unreachable")
    assert [call.connection for call in api.to("dies")] == [used]


def test_a_head_that_breaks_http_after_its_status_line_is_an_answer(
    real_environment: RealEnvironment, api: RawUpstream
) -> None:
    """Q3.7: it is told as such, and the call is not made again."""
    used = warm(real_environment)
    api.script("dies", read_body(), only_first(send(b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"), then=reply()))
    answer = real_environment.raw.ask("GET", "orders/dies")
    assert (answer.status, answer.code) == (502, "upstream_protocol_error")
    assert [call.connection for call in api.to("dies")] == [used]


@pytest.mark.parametrize("method", REPEATABLE)
def test_what_is_left_of_an_earlier_answer_is_no_answer(
    real_environment: RealEnvironment, api: RawUpstream, method: str
) -> None:
    """Q3.7: an API that counts its bytes wrong spoils its own connection, and not the next call."""
    used = warm(real_environment)
    api.script("dies", read_body(), only_first(send(b"the rest of a body\r\n\r\n"), half_close(), then=reply()))
    assert real_environment.raw.ask(method, "orders/dies").status == 200
    first, second = (call.connection for call in api.to("dies"))
    assert (first, second != used) == (used, True)


@pytest.mark.parametrize("number", [2, 5])
def test_connections_that_died_together_cost_nobody_more_than_one_repetition(
    real_environment: RealEnvironment, api: RawUpstream, number: int
) -> None:
    """Q3.7: a restart of the API closes all of them, and the next dead one is no place for a second try."""
    api.script("warm", read_body(), pause(0.3), reply(), keep_open())
    waiting = [real_environment.raw.connect() for _ in range(number)]
    for connection in waiting:
        connection.send(real_environment.raw.head("GET", "orders/warm"))
    for connection in waiting:
        with connection:
            assert connection.reply().status == 200
    assert len({call.connection for call in api.to("warm")}) == number
    api.script("dies", read_body(), only_first(reset(), then=reply()))
    assert real_environment.raw.ask("GET", "orders/dies").status == 200
    assert len(api.to("dies")) == 2

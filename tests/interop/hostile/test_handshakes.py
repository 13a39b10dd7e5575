"""Handshakes of WebSockets that do not lead to one: refused, redirected, pretended, or left by the caller (C27)."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.interop.hostile.stage import Stage, staged, within
from tests.interop.hostile.test_websockets import HANDSHAKE, echo, handshake
from tests.support.raw_client import RawConnection, RawReply
from tests.support.raw_upstream import RawUpstream, pause, reply, send, silence

PLACES = 3


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[RawUpstream]:
    with RawUpstream() as elsewhere:
        yield elsewhere


@pytest.fixture(scope="module")
def narrow_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with RawUpstream() as api:
        orders = {"base_url": api.url, "max_in_flight": PLACES}
        with staged(tmp_path_factory.mktemp("handshakes"), api, apis={"orders": orders}) as stage:
            yield stage


def answered(stage: Stage, *answer: bytes) -> RawReply:
    """Return what the caller hears when the API answers a handshake like that."""
    stage.api.script("socket", send(*answer), reads=False)
    with stage.raw.connect() as connection:
        return handshake(stage, connection)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_no_redirect_of_a_handshake_is_followed(
    stage: Stage, api: RawUpstream, elsewhere: RawUpstream, status: str
) -> None:
    """C10: neither another host nor another path of the same one hears of the call, let alone of the token."""
    elsewhere.forget()
    for location in (f"{elsewhere.url}x", "/v2/admin", f"{api.url}other"):
        assert answered(stage, reply(status, b"", f"Location: {location}")).status == int(status[:3])
    assert elsewhere.connections == 0
    assert {call.target for call in api.calls} == {"/v1/socket"}


def test_a_redirect_of_a_handshake_leads_where_one_of_a_call_does(stage: Stage, api: RawUpstream) -> None:
    """C9, C10: a library that follows redirects of handshakes takes its login along."""
    given = {
        location: answered(stage, reply("307 Temporary Redirect", b"", f"Location: {location}")).first("location")
        for location in ("/v1/other", "/api/kernels", f"http://{stage.raw.host}/api/kernels")
    }
    assert given == {
        "/v1/other": f"{stage.proxy}other",
        "/api/kernels": f"http://127.0.0.1:{api.port}/api/kernels",
        f"http://{stage.raw.host}/api/kernels": None,
    }


@pytest.mark.parametrize(
    "lines",
    [
        ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: bm90IHdoYXQgd2FzIGFza2Vk"],
        ["Upgrade: h2c", "Connection: Upgrade"],
        [],
    ],
)
def test_a_switch_to_something_else_is_no_switch_here(stage: Stage, lines: list[str]) -> None:
    """C20: whoever stands between the caller and us would take 101 for an open tunnel."""
    head = "\r\n".join(["HTTP/1.1 101 Switching Protocols", *lines, "", ""]).encode()
    answer = answered(stage, head)
    assert (answer.status, answer.code) == (502, "upstream_protocol_error")


def test_what_a_header_of_a_refusal_may_hold_comes_down(stage: Stage) -> None:
    """C20, C23: bytes beyond ASCII, a tab, and a repeated name are no fault of anybody's. Q3.3: links lead back here."""
    more = [b"Link: <a>;\trel=x", b"Link: <b>; rel=y", b'Warning: 299 - "Stra\xdfe"']
    answer = answered(stage, reply("403 Forbidden", more=more))
    assert (answer.status, answer.code) == (403, None)
    assert answer.all("link") == [f"<{stage.proxy}a>;\trel=x", f"<{stage.proxy}b>; rel=y"]
    assert answer.all("warning") == ['299 - "Stra\xdfe"']


@pytest.mark.parametrize("leave", [RawConnection.close, RawConnection.reset], ids=["politely", "with a reset"])
def test_a_caller_that_leaves_during_the_handshake_ends_it(stage: Stage, api: RawUpstream, leave) -> None:
    """C18: within a second."""
    api.script("socket", silence())
    with stage.raw.sent(stage.raw.head("GET", "orders/socket", *HANDSHAKE)) as connection:
        assert within(5, lambda: api.to("socket"))
        leave(connection)
    assert within(1.0, lambda: all(call.closed_at for call in api.to("socket")))


def test_a_caller_that_leaves_during_the_handshake_takes_no_place(narrow_stage: Stage) -> None:
    """C18, C28: its socket would be nobody's, and stay open until the server ends."""
    stage, api = narrow_stage, narrow_stage.api

    async def late(talk) -> None:
        await pause(0.3)(talk)
        await echo(talk)

    api.script("socket", late, reads=False)
    for _ in range(PLACES):
        api.forget()
        with stage.raw.sent(stage.raw.head("GET", "orders/socket", *HANDSHAKE)):
            assert within(5, lambda: api.to("socket"))
    time.sleep(1)
    with stage.raw.connect() as connection:
        assert handshake(stage, connection).status == 101

"""Hostile and honest paths and queries on a raw socket, through the whole server (C1, C2, C3)."""

from __future__ import annotations

import pytest

from tests.interop.hostile.real_environment import RealEnvironment
from tests.support.paths import CATEGORIES, HONEST, NAMES, hostile
from tests.support.raw_client import NoReply, RawConnection
from tests.support.raw_upstream import RawUpstream

BATCH = 20


def status_of(
    real_environment: RealEnvironment, connection: RawConnection, path: bytes, name: bytes = b"orders"
) -> tuple[int | None, str | None]:
    """Ask on ``connection``; a reply of ``None`` says that the server ended the connection instead."""
    try:
        connection.send(real_environment.raw.head("GET", name + b"/" + path))
        reply = connection.reply()
    except (NoReply, ConnectionError):
        return None, None
    return reply.status, reply.code


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_hostile_path_opens_no_connection_to_the_api(
    real_environment: RealEnvironment, api: RawUpstream, category: str
) -> None:
    """C1, C2: 400 from us, or 403 or 404 from Jupyter before us; raw line breaks may also cost the connection."""
    for path in hostile(category):
        with real_environment.raw.connect() as connection:
            status, _ = status_of(real_environment, connection, path.raw)
            breaks_the_line = any(byte in b"\r\n \x00" for byte in path.raw)
            assert status in ((None, 400, 403, 404) if breaks_the_line else (400, 403, 404)), (path, status)
            assert (api.connections, api.calls) == (0, []), path


def test_a_hostile_path_does_not_spoil_the_connection(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C1: refusals and honest calls on one connection, each with its own answer."""
    with real_environment.raw.connect() as connection:
        for path in hostile("dot-segments")[:BATCH]:
            assert status_of(real_environment, connection, path.raw) == (400, "bad_path")
            assert status_of(real_environment, connection, b"items/7") == (200, None)
    assert {call.target for call in api.calls} == {"/v1/items/7"}


def test_honest_paths_arrive_byte_for_byte(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """C1: the positive control."""
    with real_environment.raw.connect() as connection:
        for path in HONEST:
            assert status_of(real_environment, connection, path.encode("ascii")) == (200, None), path
    assert [call.target for call in api.calls] == [f"/v1/{path}" for path in HONEST]


def test_names_arrive_byte_for_byte_where_they_are_data(real_environment: RealEnvironment, api: RawUpstream) -> None:
    """Q3.1: Jupyter, tornado and aiohttp leave ``%2F`` and ``//`` as they are."""
    with real_environment.raw.connect() as connection:
        for name in NAMES:
            assert status_of(real_environment, connection, f"items/{name.path}".encode("ascii"), b"names") == (
                200,
                None,
            ), name
    assert [call.target for call in api.calls] == [f"/v1/items/{name.path}" for name in NAMES]


QUERIES = [
    "a=1&a=2&a=1",
    "a;b;c=d",
    "a=b=c&&d&=e",
    "%C3%A4=%c3%a4&plus=a+b%2Bc%20d",
    "$filter=Name%20eq%20'O''Neil'&$top=5",
    "q=https://evil.example/?x=y@z:/",
    "q=../../etc/passwd&r=..%2f..%2f",
    "json={%22a%22:[1,2]}",
    'q=[1]|{2}^`"<>',
    "%zz=%&x=%2",
    "tokens=a&token_hint=b&_xsrf2=c",
    "x=" + "y" * 16_384,
]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query[:24])
def test_a_query_arrives_byte_for_byte(real_environment: RealEnvironment, api: RawUpstream, query: str) -> None:
    """C3: Queries are forwarded byte for byte."""
    assert real_environment.raw.ask("GET", f"orders/items?{query}").status == 200
    assert api.calls[-1].target == f"/v1/items?{query}"


OURS = ["_xsrf=2|abc|def|1", "%5Fxsrf=2", "_%78srf=2", "token=%s", "%74oken=%s", "token=%s&token=%s"]


@pytest.mark.parametrize("ours", OURS)
def test_what_belongs_to_jupyter_is_taken_out_of_the_query(
    real_environment: RealEnvironment, api: RawUpstream, ours: str
) -> None:
    """C3: Jupyter's own parameters, in any spelling that Jupyter reads."""
    token = real_environment.raw.token
    assert real_environment.raw.ask("GET", f"orders/items?a=1&{ours.replace('%s', token)}&b=2").status == 200
    assert api.calls[-1].target == "/v1/items?a=1&b=2"


@pytest.mark.parametrize("ours", ["token=%20%s", "token=+%s", "token=%s%20", "token=%09%s%0a", "token=%E2%80%83%s"])
def test_a_token_with_blanks_around_it_is_jupyters_too(
    real_environment: RealEnvironment, api: RawUpstream, ours: str
) -> None:
    """C3: Jupyter trims a parameter before it compares, so this logs in as well as the bare token does."""
    request = real_environment.raw.head(
        "GET", f"orders/items?{ours.replace('%s', real_environment.raw.token)}", login=False
    )
    with real_environment.raw.sent(request) as connection:
        assert connection.reply().status == 200, "Jupyter no longer takes this for its token: take the case out"
    assert real_environment.raw.token not in api.calls[-1].target


@pytest.mark.parametrize("query", [b"a=b#c", b"a\xc3\xa4", b"a=\x01", b"a=\x7f", b"a=b\xa0"])
def test_a_query_that_could_be_read_in_two_ways_is_refused(
    real_environment: RealEnvironment, api: RawUpstream, query: bytes
) -> None:
    """C3: the stricter reading; a number sign or a raw byte has no place in a request target."""
    assert real_environment.raw.ask("GET", b"orders/items?" + query).status == 400
    assert api.calls == []

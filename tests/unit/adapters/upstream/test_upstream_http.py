"""Calls to the APIs, against a real server on this machine (DESIGN 7, C5, C9, C10, C14, C18 to C20, H-1)."""

from __future__ import annotations

import asyncio
import gc
import gzip
import traceback
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from jupyter_oidc.adapters.network.guarded_resolver import GuardedResolver, PrivateAddress
from jupyter_oidc.adapters.network.public_address import is_public
from jupyter_oidc.adapters.upstream.limited_response import limited_response
from jupyter_oidc.adapters.upstream.read_buffer import ReadBuffer
from jupyter_oidc.adapters.upstream.upstream_http import HttpUpstream, HttpUpstreamReply
from jupyter_oidc.problems import ConfigurationInvalid, Problem
from jupyter_oidc.proxy.ports import SocketRefused, UpstreamCall
from jupyter_oidc.secret import Secret
from jupyter_oidc.settings import Api
from tests.support.authority import SOMEBODY_ELSE, Authority
from tests.support.marker import MARKER
from tests.support.peers import Peer, answer, drip, silence, unused_port

TOKEN = MARKER + "access-token"
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


@asynccontextmanager
async def upstream(read_buffer: type[ReadBuffer] = ReadBuffer) -> AsyncIterator[HttpUpstream]:
    port = HttpUpstream(read_buffer)
    try:
        yield port
    finally:
        await port.aclose()


def api_of(**settings: Any) -> Api:
    return Api("orders", "corp", "https://api.example.com/", **settings)


def call(url: str, **changed: object) -> UpstreamCall:
    parts: dict[str, object] = {
        "api": api_of(),
        "method": "GET",
        "url": url,
        "headers": [],
        "bearer": Secret("at-1"),
        "body": None,
        "length": None,
    }
    return UpstreamCall(**{**parts, **changed})  # type: ignore[arg-type]


async def code_of(sent: UpstreamCall) -> str:
    async with upstream() as port:
        with pytest.raises(Problem) as caught:
            await port.open(sent)
        return caught.value.code


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


# -- what goes out -------------------------------------------------------------------------------------------


async def test_nothing_goes_out_that_nobody_listed() -> None:
    """Law 8, C5: the client sends the listed headers and no others."""
    async with Peer(answer()) as peer, upstream() as port:
        await port.open(call(f"{peer.url}/items", headers=[("Accept", "text/csv"), ("X-Tag", "1"), ("X-Tag", "2")]))
        sent = sorted((name, value) for name, value in peer.seen[0].headers if name != "Host")
        assert sent == [("Accept", "text/csv"), ("Authorization", "Bearer at-1"), ("X-Tag", "1"), ("X-Tag", "2")]


async def test_a_token_that_is_proved_goes_out_by_the_scheme_dpop() -> None:
    """RFC 9449, 7.1; X-3: the scheme of a proved token is ``DPoP``."""
    async with Peer(answer()) as peer, upstream() as port:
        await port.open(call(f"{peer.url}/items", proof=Secret("a.b.c")))
        sent = sorted((name, value) for name, value in peer.seen[0].headers if name != "Host")
        assert sent == [("Authorization", "DPoP at-1"), ("DPoP", "a.b.c")]


async def test_a_handshake_of_a_websocket_is_proved_in_the_same_way() -> None:
    """X-3; X-6: the proof goes along, and the caller can read the API's answer to it."""
    async with Peer(answer(401, DPoP_Nonce="r-1")) as peer, upstream() as port:
        refused = await port.open_socket(call(f"{peer.url}/live", proof=Secret("a.b.c")), ())
        assert isinstance(refused, SocketRefused)
        assert (refused.status, ("dpop-nonce", "r-1") in [(n.lower(), v) for n, v in refused.headers]) == (401, True)
        assert (peer.seen[0].header("Authorization"), peer.seen[0].header("DPoP")) == ("DPoP at-1", "a.b.c")


@dataclass
class Sent:
    """Imitate the request that a response knows."""

    headers: CIMultiDict[str]


@pytest.mark.parametrize(
    ("headers", "again"),
    [({"Authorization": "Bearer at-1"}, True), ({"DPoP": "a.b.c"}, False)],
    ids=["bearer", "proved"],
)
def test_a_call_is_made_again_only_without_a_proof(headers: dict[str, str], again: bool) -> None:
    """X-2; RFC 9449, 11.1: a repetition would carry the same proof a second time. C14."""
    response: Any = object.__new__(limited_response())
    response.method, response._cache = "GET", {"request_info": Sent(CIMultiDict(headers))}
    assert response._may_be_repeated is again


@pytest.mark.parametrize("path", ["/a%2Fb", "/a%20b?q=%C3%A9&r=a+b", "/a;b=1/c", "/%7Euser/~user", "/a%252e"])
async def test_a_path_goes_out_exactly_as_it_was_written(path: str) -> None:
    """DESIGN 7: the client sends exactly the path that was checked."""
    async with Peer(answer()) as peer, upstream() as port:
        await port.open(call(f"{peer.url}{path}"))
        assert peer.seen[0].target == path


async def test_a_body_of_known_length_is_sent_with_its_length() -> None:
    async with Peer(answer()) as peer, upstream() as port:
        await port.open(call(peer.url, method="POST", body=pieces(b"abc", b"def"), length=6))
        assert (peer.seen[0].header("Content-Length"), peer.seen[0].body) == ("6", b"abcdef")


async def test_a_body_of_unknown_length_is_sent_in_chunks() -> None:
    """C17: Uploads of any size flow in constant memory."""
    async with Peer(answer()) as peer, upstream() as port:
        await port.open(call(peer.url, method="POST", body=pieces(b"abc", b"def")))
        seen = peer.seen[0]
        assert (seen.header("Transfer-Encoding"), seen.header("Content-Length")) == ("chunked", None)


async def test_cookies_of_an_api_are_neither_kept_nor_sent() -> None:
    """The test calls by name: a cookie jar refuses the cookies of a bare address anyway."""
    async with Peer(answer(Set_Cookie="session=1; Path=/")) as peer, upstream() as port:
        for _ in range(2):
            (await port.open(call(f"http://localhost:{peer.port}/"))).drop()
        assert [request.header("Cookie") for request in peer.seen] == [None, None]


async def test_the_environments_proxy_is_not_used_for_a_loopback_host(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Peer(answer()) as proxy, Peer(answer()) as peer, upstream() as port:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        await port.open(call(peer.url))
        assert (len(proxy.seen), len(peer.seen)) == (0, 1)


# -- what comes back -----------------------------------------------------------------------------------------


async def test_a_reply_arrives_with_its_status_and_headers_as_received() -> None:
    async with Peer(HEAD + b"X-One: 1\r\nx-ONE: 2\r\nContent-Length: 0\r\n\r\n") as peer, upstream() as port:
        reply = await port.open(call(peer.url))
        assert (reply.status, reply.headers) == (
            200,
            [("Connection", "close"), ("X-One", "1"), ("x-ONE", "2"), ("Content-Length", "0")],
        )


async def test_a_packed_body_is_passed_on_packed() -> None:
    """DESIGN 7: the client never decodes a body."""
    packed = gzip.compress(b"x" * 1_000)
    async with Peer(answer(200, packed, Content_Encoding="gzip")) as peer, upstream() as port:
        reply = await port.open(call(peer.url))
        assert b"".join([chunk async for chunk in reply.chunks()]) == packed


async def test_a_body_arrives_piece_by_piece_and_not_at_its_end() -> None:
    """DESIGN 7: the client never buffers a whole body."""
    async with Peer(drip(HEAD + b"\r\n", b"tick")) as peer, upstream() as port:
        reply = await port.open(call(peer.url))
        first = await asyncio.wait_for(reply.chunks().__anext__(), 2)
        reply.drop()
        assert first.startswith(b"tick")


async def test_a_dropped_reply_closes_the_connection_within_a_second() -> None:
    """C18: A caller that leaves ends the call."""
    async with Peer(drip(HEAD + b"\r\n", b"x" * 1_000)) as peer, upstream() as port:
        reply = await port.open(call(peer.url))
        reply.drop()
        await asyncio.wait_for(peer.gone.wait(), 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_passed_on_and_not_followed(status: int) -> None:
    """C9: Redirects inside an API lead through the proxy.

    C10: Redirects elsewhere are passed on, without a token.
    """
    async with Peer(answer()) as elsewhere, upstream() as port:
        async with Peer(answer(status, Location=f"{elsewhere.url}/x")) as peer:
            reply = await port.open(call(peer.url))
        assert (reply.status, elsewhere.seen) == (status, [])


HASTY = api_of(timeout_header=0.2, timeout_idle=0.2)


async def test_an_api_that_stays_silent_is_given_up() -> None:
    """C15: the API sends no head."""
    async with Peer(silence) as peer:
        assert await code_of(call(peer.url, api=HASTY)) == "upstream_timeout"


async def test_a_head_that_comes_byte_by_byte_is_given_up() -> None:
    """C15: the whole head has a deadline, not only the silence between two of its bytes."""
    trickle = drip(HEAD + b"X-Long: ", b"x", pause=0.05)
    async with Peer(trickle) as peer:
        assert await code_of(call(peer.url, api=HASTY)) == "upstream_timeout"


async def test_the_time_for_the_head_counts_from_the_end_of_an_upload() -> None:
    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(5):
            await asyncio.sleep(0.1)
            yield b"x"

    async with Peer(answer()) as peer, upstream() as port:
        reply = await port.open(call(peer.url, api=HASTY, method="POST", body=slowly(), length=5))
        assert reply.status == 200


async def test_a_caller_that_is_cancelled_is_cancelled_and_not_told_of_a_timeout() -> None:
    async with Peer(silence) as peer, upstream() as port:
        opening = asyncio.ensure_future(port.open(call(peer.url)))
        await asyncio.sleep(0.1)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening


async def test_a_body_that_stops_arriving_is_given_up() -> None:
    """C15: the silence begins in the middle; a partial body is no complete answer."""
    stops = drip(HEAD + b"Content-Length: 10\r\n\r\n12345", b"", pause=30)
    async with Peer(stops) as peer, upstream() as port:
        reply = await port.open(call(peer.url, api=HASTY))
        with pytest.raises(Problem) as caught:
            _ = [piece async for piece in reply.chunks()]
    assert (caught.value.code, caught.value.detail) == ("upstream_unreachable", "upstream.truncated")


async def test_an_api_has_connections_of_its_own() -> None:
    """C29: one connection serves many calls, one after the other."""
    first, second = api_of(), Api("invoices", "corp", "https://api.example.com/")
    async with Peer(answer()) as peer, upstream() as port:
        for api in (first, first, second, second):
            reply = await port.open(call(peer.url, api=api))
            _ = [piece async for piece in reply.chunks()]
            reply.drop()
        assert len(port._pools) == 2


async def test_other_settings_of_an_api_make_a_new_pool_and_keep_calls_going() -> None:
    async with Peer(drip(HEAD + b"Content-Length: 4\r\n\r\nab", b"cd", pause=0.2)) as peer, upstream() as port:
        running = await port.open(call(peer.url))
        other = await port.open(call(peer.url, api=api_of(timeout_header=5)))
        assert b"".join([piece async for piece in running.chunks()]) == b"abcd"
        other.drop()


async def test_a_header_that_repeats_the_token_does_not_come_down() -> None:
    """C25: No reply header repeats our secrets."""
    echo = HEAD + f"X-Echo: Bearer {TOKEN}\r\nX-Other: 1\r\nContent-Length: 0\r\n\r\n".encode()
    async with Peer(echo) as peer, upstream() as port:
        reply = await port.open(call(peer.url, bearer=Secret(TOKEN)))
        assert [name for name, _ in reply.headers if name.startswith("X-")] == ["X-Other"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("::1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:169.254.169.254", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
    ],
)
def test_an_address_is_public_or_not(address: str, public: bool) -> None:
    """C34: A name must not lead into private networks."""
    assert is_public(address) is public


class Names:
    """Resolver in which one name leads to this machine."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(self, host: str, port: int, family: int) -> list[Any]:
        return [
            {"hostname": host, "host": address, "port": port, "family": family, "proto": 0, "flags": 0}
            for address in self.addresses
        ]


async def test_a_name_that_leads_into_a_private_network_is_refused_and_nothing_is_sent() -> None:
    """C34: A name must not lead into private networks."""
    guarded = GuardedResolver()
    guarded._system = Names("127.0.0.1")  # type: ignore[assignment]
    with pytest.raises(PrivateAddress):
        await guarded.resolve("api.example.com", 443)
    assert [one["host"] for one in await guarded.resolve("localhost", 443)] == ["127.0.0.1"]


async def test_of_several_addresses_the_public_ones_are_used() -> None:
    """C34: a name with public and private addresses is connected to a judged one."""
    guarded = GuardedResolver()
    guarded._system = Names("10.0.0.1", "93.184.216.34")  # type: ignore[assignment]
    assert [one["host"] for one in await guarded.resolve("api.example.com", 443)] == ["93.184.216.34"]


async def test_a_private_address_is_a_forbidden_route_with_a_remedy() -> None:
    """C34: A name must not lead into private networks."""
    async with Peer(answer()) as peer, upstream() as port:
        api = api_of()
        pool: Any = port._pool(api)
        resolver = pool.connector._resolver
        resolver._system = Names("127.0.0.1")
        with pytest.raises(Problem) as caught:
            await port.open(call(f"http://api.example.com:{peer.port}/", api=api))
        assert (caught.value.code, "allow_private_network" in caught.value.action) == ("route_forbidden", True)
        assert peer.seen == []
        allowed = api_of(allow_private_network=True)
        assert not isinstance(port._pool(allowed).connector._resolver, GuardedResolver)  # type: ignore[union-attr]


async def test_a_client_that_was_closed_opens_again() -> None:
    async with Peer(answer()) as peer, upstream() as port:
        await port.open(call(peer.url))
        await port.aclose()
        assert (await port.open(call(peer.url))).status == 200


# -- no answer -----------------------------------------------------------------------------------------------


async def test_a_refused_connection_is_an_unreachable_api() -> None:
    """C14: An unreachable API is reported, and rarely called twice."""
    assert await code_of(call(f"http://127.0.0.1:{unused_port()}/")) == "upstream_unreachable"


async def test_a_name_that_does_not_resolve_is_an_unreachable_api() -> None:
    """C14: An unreachable API is reported, and rarely called twice."""
    assert await code_of(call("http://api.invalid/")) == "upstream_unreachable"


async def test_an_api_that_hangs_up_is_unreachable() -> None:
    """C14: An unreachable API is reported, and rarely called twice."""
    async with Peer(b"") as peer:
        assert await code_of(call(peer.url)) == "upstream_unreachable"


@pytest.mark.parametrize(
    "reply",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 2 00 OK\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        HEAD + b"X-Long: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
    ids=["another protocol", "odd status", "two lengths", "long header"],
)
async def test_an_answer_that_breaks_http_is_a_protocol_error(reply: bytes) -> None:
    """C20: An answer that is no HTTP is refused."""
    async with Peer(reply) as peer:
        assert await code_of(call(peer.url)) == "upstream_protocol_error"


@pytest.mark.parametrize(
    "reply",
    [HEAD + b"Content-Length: 100\r\n\r\nhalf", HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhalf"],
    ids=["length", "chunks"],
)
async def test_a_body_that_breaks_off_never_ends_cleanly(reply: bytes) -> None:
    """C19: A truncated answer never looks complete."""
    async with Peer(reply) as peer, upstream() as port:
        opened = await port.open(call(peer.url))
        with pytest.raises(Problem) as caught:
            [chunk async for chunk in opened.chunks()]
        assert (caught.value.code, caught.value.detail) == ("upstream_unreachable", "upstream.truncated")


@pytest.mark.parametrize("address", ["http://127.0.0.1:99999/", "http://xn--/", "http://127.0.0.1:1\0/"])
async def test_an_address_that_cannot_be_called_raises_nothing_but_ours(address: str) -> None:
    assert await code_of(call(address)) in ("upstream_unreachable", "upstream_protocol_error")


async def test_a_failure_shows_neither_the_token_nor_the_library() -> None:
    """T-12: Secrets never reach logs, pages or URLs."""
    async with upstream() as port:
        with pytest.raises(Problem) as caught:
            await port.open(call(f"http://127.0.0.1:{unused_port()}/", bearer=Secret(TOKEN)))
    shown = "".join(traceback.format_exception(caught.value))
    assert (TOKEN in shown, "aiohttp." in shown) == (False, False)


# -- TLS -----------------------------------------------------------------------------------------------------


async def test_a_certificate_of_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    """H-1: TLS is always verified."""
    async with Peer(answer(), tls=Authority.in_folder(tmp_path).server()) as peer:
        assert await code_of(call(peer.url)) == "tls_untrusted"


async def test_a_bundle_makes_its_authority_trusted(tmp_path: Path) -> None:
    """H-1: TLS is always verified."""
    authority = Authority.in_folder(tmp_path)
    async with Peer(answer(), tls=authority.server()) as peer, upstream() as port:
        trusting = api_of(ca_bundle=authority.bundle)
        assert (await port.open(call(peer.url, api=trusting))).status == 200


async def test_a_certificate_for_another_name_is_refused_even_from_a_trusted_authority(tmp_path: Path) -> None:
    """H-1: TLS is always verified."""
    authority = Authority.in_folder(tmp_path)
    async with Peer(answer(), tls=authority.server(SOMEBODY_ELSE)) as peer:
        trusting = api_of(ca_bundle=authority.bundle)
        assert await code_of(call(peer.url, api=trusting)) == "tls_untrusted"


async def test_no_token_is_sent_to_a_server_that_is_not_trusted(tmp_path: Path) -> None:
    """H-1: TLS is always verified."""
    async with Peer(answer(), tls=Authority.in_folder(tmp_path).server()) as peer:
        await code_of(call(peer.url))
        assert peer.seen == []


async def test_a_bundle_that_cannot_be_read_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    """G-5: Mistakes in settings are found without the provider."""
    api = api_of(ca_bundle=str(tmp_path / "bundle.pem"))
    async with upstream() as port:
        with pytest.raises(ConfigurationInvalid, match=r"bundle\.pem' cannot be read"):
            await port.open(call("https://127.0.0.1/", api=api))


async def test_nothing_remembers_a_reply_that_was_dropped_while_it_was_read() -> None:
    """C18: a caller that leaves in the middle, a thousand times a day, leaves no memory behind."""
    endless = drip(HEAD + b"Content-Length: 1000000\r\n\r\n", b"x" * 1000, pause=0.001)
    replies: list[weakref.ref[object]] = []
    async with Peer(endless) as peer, upstream() as port:
        for _ in range(5):
            reply = await port.open(call(peer.url))
            replies.append(weakref.ref(reply._response))
            reading = asyncio.ensure_future(_read_all(reply))
            await asyncio.sleep(0.02)
            reply.drop()
            assert await reading == "upstream.truncated"
            del reply, reading
    await asyncio.sleep(0.05)
    gc.collect()
    assert [kept() for kept in replies] == [None] * 5


async def _read_all(reply: HttpUpstreamReply) -> str:
    try:
        async for _ in reply.chunks():
            pass
    except Problem as problem:
        return problem.detail
    return "whole"

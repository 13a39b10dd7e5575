"""Calls to the provider, against a real server on this machine (section H, T-4, T-6, T-11, T-12, A20, D13)."""

from __future__ import annotations

import asyncio
import base64
import gzip
import logging
import time
import traceback
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from jupyter_oidc.adapters.network.network_route import NetworkRoute
from jupyter_oidc.adapters.provider.provider_http import HttpProvider
from jupyter_oidc.problems import ConfigurationInvalid, DiscoveryFailed, IdpUnavailable, Problem
from jupyter_oidc.protocol.message import BasicCredentials, Call, Reply
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal_bytes
from tests.support.authority import SOMEBODY_ELSE, Authority
from tests.support.marker import MARKER
from tests.support.peers import Peer, Request, answer, drip, silence, unused_port

SECRET = MARKER + "client-secret"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@asynccontextmanager
async def provider(*, timeout: float = 5.0, ca_bundle: str | None = None) -> AsyncIterator[HttpProvider]:
    port = HttpProvider(timeout=timeout, network_route=NetworkRoute("provider", ca_bundle=ca_bundle))
    try:
        yield port
    finally:
        await port.aclose()


async def sent(call: Call, *, timeout: float = 5.0, ca_bundle: str | None = None) -> Reply:
    async with provider(timeout=timeout, ca_bundle=ca_bundle) as port:
        return await port.send(call)


async def request_of(**parts: object) -> Request:
    """Send a call with these parts and return what arrived."""
    async with Peer(answer()) as peer:
        await sent(Call(**{"method": "POST", "url": f"{peer.url}/token", **parts}))  # type: ignore[arg-type]
        return peer.seen[0]


async def refusal_of(call: Call, *, timeout: float = 5.0, ca_bundle: str | None = None) -> tuple[str, str]:
    """Return the code and the detail of the problem that ``call`` meets."""
    with pytest.raises(Problem) as caught:
        await sent(call, timeout=timeout, ca_bundle=ca_bundle)
    return caught.value.code, caught.value.detail


# -- what goes out -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client_id", "client_secret", "credentials"),
    [
        ("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw", "s6BhdRkqt3:7Fjfp0ZBr1KtDRbnfVdmIw"),
        ("c1", "two words", "c1:two+words"),
        ("c1", "1+1=2&3%", "c1:1%2B1%3D2%263%25"),
        ("c:1", "a:b", "c%3A1:a%3Ab"),
        ("c1", "p@ss/w?rd#!", "c1:p%40ss%2Fw%3Frd%23%21"),
        ("https://rp.example.com/", "s", "https%3A%2F%2Frp.example.com%2F:s"),
        ("c1", " %&+£€", "c1:+%25%26%2B%C2%A3%E2%82%AC"),
        ("c1", "A-Z_a.z", "c1:A-Z_a.z"),
    ],
    ids=["plain", "space", "operators", "colon", "punctuation", "URL", "Appendix B", "unreserved"],
)
async def test_id_and_secret_are_form_encoded_one_by_one_before_they_are_joined(
    client_id: str, client_secret: str, credentials: str
) -> None:
    """T-4: RFC 6749, 2.3.1 and Appendix B."""
    arrived = await request_of(basic=BasicCredentials(client_id, Secret(client_secret)))
    scheme, _, encoded = (arrived.header("Authorization") or "").partition(" ")
    assert (scheme, base64.b64decode(encoded, validate=True).decode()) == ("Basic", credentials)


async def test_basic_credentials_look_as_in_the_specification() -> None:
    """T-4: the expected header is the example of RFC 6749, 2.3.1."""
    arrived = await request_of(basic=BasicCredentials("s6BhdRkqt3", Secret("7Fjfp0ZBr1KtDRbnfVdmIw")))
    assert arrived.header("Authorization") == "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"


async def test_a_secret_in_the_header_is_not_in_the_body() -> None:
    """T-4: Basic credentials are form-url-encoded first."""
    arrived = await request_of(
        form=(("grant_type", "refresh_token"),), basic=BasicCredentials("c1", Secret("7Fjfp0ZBr1"))
    )
    assert arrived.body == b"grant_type=refresh_token"


async def test_a_secret_in_the_body_is_form_encoded() -> None:
    """T-6: Other secrets and public clients use the body."""
    arrived = await request_of(
        form=(("grant_type", "refresh_token"), ("client_id", "c 1"), ("client_secret", Secret("p@ss w+rd&=é")))
    )
    assert arrived.body == b"grant_type=refresh_token&client_id=c+1&client_secret=p%40ss+w%2Brd%26%3D%C3%A9"


async def test_a_secret_in_the_body_is_not_in_a_header() -> None:
    """T-6: Other secrets and public clients use the body."""
    arrived = await request_of(form=(("client_id", "c1"), ("client_secret", Secret("7Fjfp0ZBr1"))))
    assert arrived.header("Authorization") is None


async def test_a_field_that_is_a_function_is_made_anew_for_every_request() -> None:
    """T-8: a call that is sent twice carries two assertions."""
    made = iter(["a-1", "a-2"])
    async with Peer(answer()) as peer, provider() as port:
        call = Call("POST", f"{peer.url}/token", form=(("client_assertion", lambda: Secret(next(made))),))
        await port.send(call)
        await port.send(call)
        assert [one.body for one in peer.seen] == [b"client_assertion=a-1", b"client_assertion=a-2"]


async def test_a_form_is_announced_as_what_it_is() -> None:
    """T-1: A code is exchanged by a POST form."""
    arrived = await request_of(form=(("a", "b"),))
    assert (arrived.method, arrived.header("Content-Type"), arrived.header("Accept")) == (
        "POST",
        "application/x-www-form-urlencoded",
        "application/json",
    )


async def test_a_proof_travels_in_a_header_of_its_own() -> None:
    """X-3: a token request carries no access token, so the proof has no ``ath``."""
    arrived = await request_of(proof=Secret("a.b.c"))
    assert (arrived.header("DPoP"), arrived.header("Authorization")) == ("a.b.c", None)


async def test_a_token_that_is_proved_goes_out_by_the_scheme_dpop() -> None:
    """RFC 9449, 7.1; X-3: the scheme of a proved token is ``DPoP``."""
    arrived = await request_of(method="GET", bearer=Secret("at-1"), proof=Secret("a.b.c"))
    assert (arrived.header("DPoP"), arrived.header("Authorization")) == ("a.b.c", "DPoP at-1")


async def test_a_proof_takes_nothing_from_the_client_s_own_credentials() -> None:
    """X-3: Token requests and uses of tokens carry proofs.

    T-4: Basic credentials are form-url-encoded first.
    """
    arrived = await request_of(basic=BasicCredentials("c", Secret("s")), proof=Secret("a.b.c"))
    assert (arrived.header("DPoP"), arrived.header("Authorization")) == ("a.b.c", "Basic Yzpz")


async def test_a_bearer_token_travels_in_the_header_byte_for_byte() -> None:
    """N-5: Tokens are opaque and kept byte for byte."""
    arrived = await request_of(method="GET", bearer=Secret("at ~!#%&+/=odd"))
    assert arrived.header("Authorization") == "Bearer at ~!#%&+/=odd"


async def test_a_get_has_no_body() -> None:
    arrived = await request_of(method="GET")
    assert (arrived.body, arrived.header("Content-Type"), arrived.header("Content-Length")) == (b"", None, None)


async def test_nothing_goes_out_that_nobody_listed() -> None:
    """Law 8: the client sends the listed headers and no others."""
    arrived = await request_of(method="GET")
    assert sorted(name.lower() for name, _ in arrived.headers) == [
        "accept",
        "accept-encoding",
        "connection",
        "host",
        "user-agent",
    ]


async def test_the_user_agent_is_ours() -> None:
    arrived = await request_of(method="GET")
    assert arrived.header("User-Agent") == "jupyter_oidc"


async def test_cookies_are_neither_kept_nor_sent() -> None:
    async with Peer(answer(Set_Cookie="session=1; Path=/")) as peer, provider() as port:
        await port.send(Call("GET", f"{peer.url}/"))
        await port.send(Call("GET", f"{peer.url}/"))
        assert [request.header("Cookie") for request in peer.seen] == [None, None]


# -- what comes back -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 204, 400, 401, 404, 429, 500, 503])
async def test_a_reply_of_any_status_is_left_to_the_reader(status: int) -> None:
    async with Peer(answer(status, b"" if status == 204 else b"{}")) as peer:
        assert (await sent(Call("GET", peer.url))).status == status


@pytest.mark.parametrize("kind", ["text/html", "application/jwt", "nonsense"])
async def test_a_reply_of_any_content_type_is_left_to_the_reader(kind: str) -> None:
    async with Peer(answer(200, b"<html>", Content_Type=kind)) as peer:
        reply = await sent(Call("GET", peer.url))
        assert (reply.media_type, reveal_bytes(reply.body)) == (kind, b"<html>")


async def test_header_names_arrive_in_lower_case() -> None:
    async with Peer(answer(200, b"", RETRY_AFTER="120")) as peer:
        assert (await sent(Call("GET", peer.url))).headers["retry-after"] == "120"


async def test_a_body_arrives_byte_for_byte() -> None:
    """N-5: Tokens are opaque and kept byte for byte."""
    async with Peer(answer(200, bytes(range(256)))) as peer:
        assert reveal_bytes((await sent(Call("GET", peer.url))).body) == bytes(range(256))


async def test_a_client_that_was_closed_opens_again() -> None:
    async with Peer(answer()) as peer, provider() as port:
        await port.send(Call("GET", peer.url))
        await port.aclose()
        assert (await port.send(Call("GET", peer.url))).status == 200


# -- limits --------------------------------------------------------------------------------------------------


async def test_a_body_of_the_largest_size_is_accepted() -> None:
    """A20: Oversized and ambiguous key sets are bounded. H-2: Requests are limited in time and size."""
    async with Peer(answer(200, b"x" * 1_000)) as peer:
        assert len(reveal_bytes((await sent(Call("GET", peer.url, max_bytes=1_000))).body)) == 1_000


async def test_a_body_of_one_byte_more_is_refused() -> None:
    """A20: Oversized and ambiguous key sets are bounded. H-2: Requests are limited in time and size."""
    async with Peer(answer(200, b"x" * 1_001)) as peer:
        assert await refusal_of(Call("GET", peer.url, max_bytes=1_000)) == ("discovery_failed", "too_large")


async def test_a_body_without_an_end_is_cut_off() -> None:
    """A20: Oversized and ambiguous key sets are bounded. H-2: Requests are limited in time and size."""
    async with Peer(drip(HEAD + b"\r\n", b"x" * 65_536, 0)) as peer:
        assert await refusal_of(Call("GET", peer.url)) == ("discovery_failed", "too_large")
        await asyncio.wait_for(peer.gone.wait(), 5)


async def test_a_packed_body_is_unpacked() -> None:
    async with Peer(answer(200, gzip.compress(b'{"issuer": "x"}'), Content_Encoding="gzip")) as peer:
        assert reveal_bytes((await sent(Call("GET", peer.url))).body) == b'{"issuer": "x"}'


async def test_an_empty_body_that_is_called_packed_is_empty() -> None:
    async with Peer(answer(200, b"", Content_Encoding="gzip")) as peer:
        assert (await sent(Call("GET", peer.url))).is_empty


async def test_a_packed_body_of_the_largest_size_is_accepted() -> None:
    """A20: Oversized and ambiguous key sets are bounded. H-2: Requests are limited in time and size."""
    async with Peer(answer(200, gzip.compress(b"x" * 1_000), Content_Encoding="gzip")) as peer:
        assert len(reveal_bytes((await sent(Call("GET", peer.url, max_bytes=1_000))).body)) == 1_000


async def test_a_packed_body_that_is_too_large_when_unpacked_is_refused() -> None:
    """A20: Oversized and ambiguous key sets are bounded. H-2: Requests are limited in time and size."""
    async with Peer(answer(200, gzip.compress(b"x" * 1_001), Content_Encoding="gzip")) as peer:
        assert await refusal_of(Call("GET", peer.url, max_bytes=1_000)) == ("discovery_failed", "too_large")


async def test_a_body_that_unpacks_to_a_hundred_megabytes_takes_no_memory() -> None:
    """A20: Oversized and ambiguous key sets are bounded. H-2: Requests are limited in time and size."""
    bomb = gzip.compress(bytes(100_000_000), 9)
    async with Peer(answer(200, bomb, Content_Encoding="gzip")) as peer, provider() as port:
        await asyncio.sleep(0)
        tracemalloc.start()
        try:
            with pytest.raises(DiscoveryFailed):
                await port.send(Call("GET", peer.url))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize(
    "body",
    [b"not packed at all", gzip.compress(b"x" * 1_000)[:-10], gzip.compress(b"x")[:-8] + bytes(8)],
    ids=["plain", "truncated", "wrong checksum"],
)
async def test_a_packed_body_that_is_broken_counts_as_no_answer(body: bytes) -> None:
    async with Peer(answer(200, body, Content_Encoding="gzip")) as peer:
        assert await refusal_of(Call("GET", peer.url)) == ("idp_unavailable", "idp.unanswered")


async def test_a_body_that_drips_for_ever_is_cut_off_by_the_total_time_limit() -> None:
    """H-2: each read is within its limit, and the whole reply is not."""
    began = time.monotonic()
    async with Peer(drip(HEAD + b"\r\n")) as peer:
        found = await refusal_of(Call("GET", peer.url), timeout=0.3)
    assert (found, 0.55 < time.monotonic() - began < 3) == (("idp_unavailable", "idp.unanswered"), True)


async def test_headers_that_drip_for_ever_are_cut_off_by_the_total_time_limit() -> None:
    """H-2: Requests are limited in time and size."""
    async with Peer(drip(HEAD, b"X-More: 1\r\n")) as peer:
        assert await refusal_of(Call("GET", peer.url), timeout=0.3) == ("idp_unavailable", "idp.unanswered")


async def test_a_provider_that_says_nothing_is_given_up() -> None:
    """H-2: Requests are limited in time and size."""
    began = time.monotonic()
    async with Peer(silence) as peer:
        found = await refusal_of(Call("GET", peer.url), timeout=0.2)
    assert (found, time.monotonic() - began < 3) == (("idp_unavailable", "idp.unanswered"), True)


# -- no answer -----------------------------------------------------------------------------------------------


async def test_a_refused_connection_means_that_nothing_was_sent() -> None:
    """T-10, B6: a call of which nothing was sent may be repeated."""
    call = Call("POST", f"http://127.0.0.1:{unused_port()}/token")
    assert await refusal_of(call) == ("idp_unavailable", "idp.unsent")


async def test_a_name_that_does_not_resolve_means_that_nothing_was_sent() -> None:
    """B6: An outage does not end a session."""
    assert await refusal_of(Call("POST", "https://provider.invalid/token")) == ("idp_unavailable", "idp.unsent")


@pytest.mark.parametrize(
    "reply",
    [b"", b"SSH-2.0-OpenSSH_9.2\r\n", HEAD + b"Content-Length: 100\r\n\r\n{", b"HTTP/1.1 999999 No\r\n\r\n"],
    ids=["nothing", "another protocol", "half a body", "odd status"],
)
async def test_an_answer_that_is_not_http_means_that_the_outcome_is_unknown(reply: bytes) -> None:
    """T-10: A code is exchanged at most once. B5: An unanswered refresh is repeated once, after a second."""
    async with Peer(reply) as peer:
        assert await refusal_of(Call("POST", peer.url)) == ("idp_unavailable", "idp.unanswered")


async def test_a_call_is_sent_once_even_if_it_is_not_answered() -> None:
    """T-10: A code is exchanged at most once."""
    async with Peer(b"") as peer:
        await refusal_of(Call("POST", peer.url))
        assert len(peer.seen) == 1


# -- redirects -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_redirect_is_not_followed_unless_the_call_allows_it(status: int, method: str) -> None:
    """H-4: Redirects are followed for metadata and keys only.

    T-11: The token endpoint's redirects are not followed.
    """
    async with Peer(answer()) as elsewhere, Peer(answer(status, Location=f"{elsewhere.url}/x")) as peer:
        reply = await sent(Call(method, peer.url, bearer=Secret("at-1")))  # type: ignore[arg-type]
        assert (reply.status, elsewhere.seen) == (status, [])


async def test_metadata_may_move_three_times() -> None:
    """H-4: Redirects are followed for metadata and keys only."""
    moved = answer(302, Location="/next")
    async with Peer(moved, moved, moved, answer(200, b"here")) as peer:
        reply = await sent(Call("GET", f"{peer.url}/first", max_redirects=3))
        assert (reveal_bytes(reply.body), [request.target for request in peer.seen]) == (
            b"here",
            ["/first", "/next", "/next", "/next"],
        )


async def test_metadata_may_not_move_a_fourth_time() -> None:
    """H-4: Redirects are followed for metadata and keys only."""
    async with Peer(answer(302, Location="/next")) as peer:
        found = await refusal_of(Call("GET", peer.url, max_redirects=3))
        assert (found, len(peer.seen)) == (("discovery_failed", "redirects"), 4)


@pytest.mark.parametrize("location", ["http://provider.example.com/", "ftp://127.0.0.1/x"])
async def test_metadata_may_not_move_to_anything_but_https(location: str) -> None:
    """H-4: Redirects are followed for metadata and keys only."""
    async with Peer(answer(302, Location=location)) as peer:
        found = await refusal_of(Call("GET", peer.url, max_redirects=3))
        assert found == ("discovery_failed", "redirects")


@pytest.mark.parametrize("location", ["//[x", "http://[::1", "https://xn--/", "javascript:alert(1)", "https://a:b/"])
@pytest.mark.parametrize("redirects", [0, 3])
async def test_a_redirect_to_what_is_no_address_raises_nothing_but_ours(location: str, redirects: int) -> None:
    async with Peer(answer(302, Location=location)) as peer:
        call = Call("POST", peer.url, max_redirects=redirects)
        try:
            assert (await sent(call)).status == 302
        except IdpUnavailable as problem:
            assert problem.detail == "idp.unanswered"  # noqa: PT017 - both ways are right, depending on the address


async def test_a_redirect_without_a_target_is_left_to_the_reader() -> None:
    async with Peer(answer(302)) as peer:
        assert (await sent(Call("GET", peer.url, max_redirects=3))).status == 302


# -- TLS -----------------------------------------------------------------------------------------------------


async def test_a_certificate_of_an_unknown_authority_is_refused(tmp_path: Path) -> None:
    """H-1: TLS is always verified."""
    async with Peer(answer(), tls=Authority.in_folder(tmp_path).server()) as peer:
        assert await refusal_of(Call("GET", peer.url)) == ("tls_untrusted", "tls_untrusted")


async def test_a_bundle_makes_its_authority_trusted(tmp_path: Path) -> None:
    """H-1: TLS is always verified. G-4: What differs between providers is a setting."""
    authority = Authority.in_folder(tmp_path)
    async with Peer(answer(), tls=authority.server()) as peer:
        assert (await sent(Call("GET", peer.url), ca_bundle=authority.bundle)).status == 200


async def test_a_certificate_for_another_name_is_refused_even_from_a_trusted_authority(tmp_path: Path) -> None:
    """H-1: TLS is always verified."""
    authority = Authority.in_folder(tmp_path)
    async with Peer(answer(), tls=authority.server(SOMEBODY_ELSE)) as peer:
        assert (await refusal_of(Call("GET", peer.url), ca_bundle=authority.bundle))[0] == "tls_untrusted"


async def test_an_expired_certificate_is_refused_even_from_a_trusted_authority(tmp_path: Path) -> None:
    """H-1: TLS is always verified."""
    authority = Authority.in_folder(tmp_path)
    async with Peer(answer(), tls=authority.server(days=-1)) as peer:
        assert (await refusal_of(Call("GET", peer.url), ca_bundle=authority.bundle))[0] == "tls_untrusted"


async def test_nothing_is_sent_to_a_server_that_is_not_trusted(tmp_path: Path) -> None:
    """H-1: TLS is always verified."""
    async with Peer(answer(), tls=Authority.in_folder(tmp_path).server()) as peer:
        await refusal_of(Call("POST", peer.url, form=(("client_secret", Secret(SECRET)),)))
        assert peer.seen == []


async def test_a_server_without_tls_is_unreachable_and_not_untrusted() -> None:
    async with Peer(answer()) as peer:
        call = Call("GET", peer.url.replace("http:", "https:"))
        assert await refusal_of(call, timeout=1) == ("idp_unavailable", "idp.unsent")


@pytest.mark.parametrize("content", [None, b"", b"no certificate"], ids=["missing", "empty", "text"])
async def test_a_bundle_that_cannot_be_read_is_a_mistake_in_the_settings(tmp_path: Path, content: bytes | None) -> None:
    """G-5: Mistakes in settings are found without the provider."""
    path = tmp_path / "bundle.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationInvalid, match=r"bundle\.pem' cannot be read"):
        await sent(Call("GET", "https://127.0.0.1/"), ca_bundle=str(path))


# -- the environment's proxy ---------------------------------------------------------------------------------


async def test_the_environments_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Peer(answer()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        await sent(Call("GET", "http://provider.example.com/jwks"))
        assert [request.target for request in proxy.seen] == ["http://provider.example.com/jwks"]


async def test_a_proxy_sees_no_more_of_https_than_the_hosts_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """T-12: Secrets never reach logs, pages or URLs."""
    async with Peer(answer(407)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        await refusal_of(Call("POST", "https://provider.example.com/token", form=(("code", Secret(SECRET)),)))
        seen = proxy.seen[0]
        assert (seen.method, seen.target, seen.body) == ("CONNECT", "provider.example.com:443", b"")


async def test_a_proxy_that_wants_a_password_means_that_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """C35: A forward proxy's refusal has its own code. T-10: A code is exchanged at most once."""
    async with Peer(answer(407)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        call = Call("POST", "https://provider.example.com/token")
        assert await refusal_of(call) == ("egress_proxy_auth", "egress_proxy_auth")


async def test_a_host_that_needs_no_proxy_is_called_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Peer(answer()) as proxy, Peer(answer()) as peer:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        await sent(Call("GET", peer.url))
        assert (len(proxy.seen), len(peer.seen)) == (0, 1)


# -- no secret in logs and errors -----------------------------------------------------------------------------


async def test_no_url_and_no_header_reaches_the_log_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    """D13: Logs at debug level hold no secret either. T-12: Secrets never reach logs, pages or URLs."""
    for name in ("", "httpx", "httpcore", "httpcore.connection", "httpcore.http11"):
        caplog.set_level(logging.DEBUG, name)
    async with Peer(answer(302, Location="/cb?code=c-1")) as peer:
        await sent(Call("GET", f"{peer.url}/userinfo", bearer=Secret("at-1")))
    assert [record.name for record in caplog.records if record.name.startswith(("httpx", "httpcore"))] == []


async def test_nothing_reaches_the_log_at_debug_through_a_proxy(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D13: Logs at debug level hold no secret either."""
    for name in ("", "httpx", "httpcore", "httpcore.connection", "httpcore.http11", "httpcore.proxy"):
        caplog.set_level(logging.DEBUG, name)
    async with Peer(answer(407)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        await refusal_of(Call("GET", "https://provider.example.com/jwks"))
    assert [record.name for record in caplog.records if record.name.startswith(("httpx", "httpcore"))] == []


async def test_warnings_of_the_http_client_still_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with Peer(answer()) as peer:
        await sent(Call("GET", peer.url))
    logging.getLogger("httpcore.connection").warning("something is wrong")
    told = [record.getMessage() for record in caplog.records if record.name.startswith(("httpx", "httpcore"))]
    assert told == ["something is wrong"]


async def test_many_clients_leave_one_filter_on_each_logger() -> None:
    async with Peer(answer()) as peer:
        for _ in range(3):
            await sent(Call("GET", peer.url))
    names = ("httpx", "httpcore", "httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpcore.socks")
    assert [len(logging.getLogger(name).filters) for name in names] == [1, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    "reply",
    [b"", b"garbage\r\n\r\n", silence, answer(200, SECRET.encode() * 100), answer(302, Location="http://[" + SECRET)],
    ids=["closed", "garbage", "silent", "too large", "no address"],
)
async def test_no_secret_is_in_what_is_raised(reply: object) -> None:
    """T-12: Secrets never reach logs, pages or URLs. E-4: Records contain no secrets."""
    call_parts = {
        "form": (("code", Secret(SECRET)), ("client_secret", Secret(SECRET))),
        "basic": BasicCredentials("c1", Secret(SECRET)),
        "max_bytes": 1_000,
        "max_redirects": 1,
    }
    async with Peer(reply) as peer:  # type: ignore[arg-type]
        with pytest.raises(Problem) as caught:
            await sent(Call("POST", peer.url, **call_parts), timeout=0.3)  # type: ignore[arg-type]
    shown = "".join(traceback.format_exception(caught.value))
    link: BaseException | None = caught.value
    while link is not None:
        shown += str(link) + repr(link)
        link = link.__cause__ or link.__context__
    assert SECRET not in shown


async def test_no_third_party_exception_is_shown_as_the_cause() -> None:
    call = Call("POST", f"http://127.0.0.1:{unused_port()}/token")
    with pytest.raises(IdpUnavailable) as caught:
        await sent(call)
    assert "httpx" not in "".join(traceback.format_exception(caught.value))

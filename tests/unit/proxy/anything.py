"""Arbitrary calls against the proxy: the Hypothesis strategies that make them, and the property that holds for each.

Jupyter's credentials stand as ``<token>``, ``<cookie>``, ``<xsrf>`` and ``<grant>`` in what is generated, so that a
report of a failure shows none.
"""

from __future__ import annotations

import asyncio
import posixpath
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import get_args
from urllib.parse import unquote, urlsplit

from hypothesis import strategies as st
from yarl import URL

from jupyter_oidc.problems import Problem
from jupyter_oidc.proxy.headers import Headers
from jupyter_oidc.proxy.ports import SocketRefused, UpstreamCall
from jupyter_oidc.proxy.request import ProxyRequest
from jupyter_oidc.proxy.service import ProxyService
from jupyter_oidc.proxy.target import without_reserved
from jupyter_oidc.sessions.dpop_prover import DPoPProver
from jupyter_oidc.sessions.registry import Sessions
from jupyter_oidc.settings import Api
from jupyter_oidc.settings.model import PathData
from tests.support.marker import MARKER
from tests.support.paths import HONEST, HOSTILE
from tests.support.paths import NAMES as NAME_PATHS
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment

BASE = ("https", "api.example.com", None, "/v1/")
"""Scheme, host, port and prefix of the API that ``SETTINGS`` configure."""

NAMES = Api(
    "names",
    "corp",
    "https://api.example.com/v1/",
    path_prefixes=("/items/", "/v/"),
    path_data=frozenset(get_args(PathData)),
)
"""Second API, of which only a part is open, and whose paths hold names with every kind of path data."""

OPEN = {"orders": ("/v1/",), "names": ("/v1/items/", "/v1/v/")}
"""The open path prefixes of each API."""

CREDENTIALS = {
    "<token>": f"{MARKER}jupyter-token-0123456789",
    "<cookie>": f"{MARKER}login-cookie-0123456789",
    "<xsrf>": f"{MARKER}xsrf-value-0123456789",
    "<grant>": f"jog.{MARKER}kernel-grant-0123456789",
}
_OTHER_ESCAPE = re.compile(r"%[uU]([0-9A-Fa-f]{4})")
NEVER_UP = {
    *("authorization", "cookie", "proxy-authorization", "dpop", "host", "via", "forwarded", "origin", "referer"),
    *("connection", "te", "trailer", "upgrade", "keep-alive", "expect", "transfer-encoding", "content-length"),
}


@dataclass(frozen=True)
class Wish:
    """A client's call, as it reaches the handler."""

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    api: str = "orders"


class EmptyReply:
    """Implement ``UpstreamReply``: 200 and no body."""

    status = 200
    waiting = False
    ended = True

    def __init__(self) -> None:
        self.headers: Headers = []

    def whole(self) -> bytes:
        """Return no bytes."""
        return b""

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield nothing."""
        return
        yield b""

    def drop(self) -> None:
        """Do nothing."""


@dataclass
class RecordingUpstream:
    """Implement ``UpstreamPort``, and remember every call."""

    calls: list[UpstreamCall] = field(default_factory=list)

    async def open(self, call: UpstreamCall) -> EmptyReply:
        """Remember ``call``."""
        self.calls.append(call)
        return EmptyReply()

    async def open_socket(self, call: UpstreamCall, subprotocols: tuple[str, ...]) -> SocketRefused:
        """Remember ``call``, and open nothing."""
        del subprotocols
        self.calls.append(call)
        return SocketRefused(426, [])

    async def aclose(self) -> None:
        """Do nothing."""


class Recorded:
    """A proxy with a signed-in user, before an upstream that remembers."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.upstream = RecordingUpstream()
        self.service = self.loop.run_until_complete(self._signed_in())

    async def _signed_in(self) -> ProxyService:
        fake_environment = FakeEnvironment(replace(SETTINGS, apis=(*SETTINGS.apis, NAMES)))
        await fake_environment.sign_in()
        return ProxyService(
            Sessions([fake_environment.service]),
            self.upstream,
            DPoPProver(fake_environment.clock, fake_environment.entropy),
        )

    def ask(self, wish: Wish) -> tuple[Problem | None, list[UpstreamCall]]:
        """Return the proxy's refusal of ``wish``, if any, and the calls that went out for it."""
        self.upstream.calls.clear()
        request = ProxyRequest(
            api=wish.api,
            method=wish.method,
            raw_path=wish.path,
            raw_query=without_reserved(_real(wish.query), _is_jupyters),
            headers=[(name, _real(value)) for name, value in wish.headers],
            caller="browser",
            proxy_path=f"/jupyter-oidc/api/{wish.api}/",
        )
        try:
            self.loop.run_until_complete(self.service.open(request)).close()
        except Problem as problem:
            return problem, list(self.upstream.calls)
        return None, list(self.upstream.calls)

    def close(self) -> None:
        """Close the loop."""
        self.loop.close()


def check(recorded: Recorded, wish: Wish) -> None:
    """Assert a refusal with 4xx and no call, or one call to the configured place without a credential of Jupyter's."""
    problem, calls = recorded.ask(wish)
    if problem is not None:
        assert (400 <= problem.status < 500, calls) == (True, [])
        return
    (call,) = calls
    places = {place_of(reading, OPEN[wish.api]) for reading in readings(call.url)}
    assert places == {(*BASE[:3], True)}
    names = {name.lower().replace("_", "-") for name, _ in call.headers}
    assert names & NEVER_UP == set()
    assert [name for name in names if name.startswith(("x-forwarded", "x-xsrf", "x-csrf", "sec-", "x-real"))] == []
    assert not any(byte in value for _, value in call.headers for byte in "\r\n\0")
    assert leaked(call) == []


def place_of(url: str, open_to: tuple[str, ...] = OPEN["orders"]) -> tuple[str, str | None, int | None, bool]:
    """Return scheme, host and port of ``url``, and whether its path stays in ``open_to`` when dots are resolved."""
    parts = urlsplit(url)
    resolved = posixpath.normpath(parts.path) + "/"
    return parts.scheme, parts.hostname, parts.port, (resolved + "/").startswith(open_to)


def readings(url: str) -> list[str]:
    """Return the readings of ``url`` by different servers: as it is, by another parser, and decoded once and twice."""
    parts = urlsplit(url)
    once = unquote(parts.path)
    twice = unquote(once)
    origin = f"{parts.scheme}://{parts.netloc}"
    # NOTE: a decoded ? or # ends nothing here; a parser that runs again after decoding has a row in the corpus.
    decoded = (once, twice, *(_OTHER_ESCAPE.sub(_other_character, path) for path in (once, twice)))
    flat = (*decoded, *(path.replace("\\", "/") for path in decoded))
    plain = [path.replace("?", "_").replace("#", "_") for path in (*flat, *map(_without_parameters, flat))]
    return [url, str(URL(url, encoded=True)), *(origin + path for path in plain)]


def leaked(call: UpstreamCall) -> list[str]:
    """Return the names of Jupyter's credentials that go up."""
    sent = "\n".join([call.url, unquote(call.url), *(f"{name}: {value}" for name, value in call.headers)])
    return [name for name, value in CREDENTIALS.items() if value in sent]


def _other_character(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


def _without_parameters(path: str) -> str:
    return "/".join(segment.partition(";")[0] for segment in path.split("/"))


def _real(text: str) -> str:
    for name, value in CREDENTIALS.items():
        text = text.replace(name, value)
    return text


def _is_jupyters(name: str, value: str) -> bool:
    return name == "_xsrf" or (name == "token" and value == CREDENTIALS["<token>"])


# -- strategies ----------------------------------------------------------------------------------------------

_LATIN = st.text(st.characters(min_codepoint=0, max_codepoint=255), max_size=30)
_PIECES = st.sampled_from(
    [
        *(
            ".",
            "..",
            "/",
            "//",
            "\\",
            ";",
            "@",
            ":",
            "?",
            "#",
            "%",
            "%2e",
            "%2E",
            "%252e",
            "%2f",
            "%252F",
            "%5c",
            "%25",
        ),
        *("%255c", "%3b", "%00", "%0d%0a", "%40", "%c0%ae", "%EF%BC%8F", "items", "v1", "x", " ", "~", "é", "http:"),
        *(
            "https://evil.example/",
            "evil.example",
            "127.0.0.1",
            "user:pw@",
            "[::1]",
            "'a'",
            "(",
            ")",
            "$",
            "+",
            "&",
            "=",
        ),
    ]
)
_CORPUS = st.sampled_from(HOSTILE).map(lambda path: path.text)
_HONEST = st.lists(st.sampled_from(["items", "7", "a%20b", "caf%C3%A9", "a;v=1", "@me", "Items('a')"]), max_size=6)
_HONEST_PATHS = st.one_of(_HONEST.map("/".join), st.sampled_from(HONEST))
PATHS = st.one_of(
    _LATIN,
    st.lists(_PIECES, max_size=10).map("".join),
    _CORPUS,
    st.tuples(_HONEST_PATHS, _CORPUS).map("/".join),
    st.tuples(_HONEST_PATHS, _PIECES).map("".join),
    _HONEST_PATHS,
    _HONEST_PATHS.map(lambda path: f"v/{path}"),
    st.lists(_HONEST_PATHS, max_size=3).map("-".join),
)
_PARAMETERS = st.one_of(
    st.sampled_from(
        [
            *("token=<token>", "%74oken=<token>", "tok%65n=<token>", "_xsrf=<xsrf>", "%5fxsrf=<xsrf>", "_xsrf=<token>"),
            *("a=1", "a", "", "token=mine", "=", "a=b=c", "a;b", "q=https://evil.example/", "%zz", "x=%0d%0a", "x=y#z"),
        ]
    ),
    _LATIN,
)
QUERIES = st.lists(_PARAMETERS, max_size=6).map("&".join)
_SECRET_NAMES = st.sampled_from(
    [
        *("Authorization", "Cookie", "X-XSRFToken", "X-CSRFToken", "Proxy-Authorization", "Referer", "Origin", "DPoP"),
        *("X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Via", "Host", "X-Real-IP", "Sec-WebSocket-Protocol"),
        *(
            "X-Original-URL",
            "X-Rewrite-URL",
            "X-HTTP-Method-Override",
            "TE",
            "Trailer",
            "Upgrade",
            "Keep-Alive",
            "Expect",
        ),
        *("Transfer-Encoding", "Content-Length", "Set-Cookie", "X-Jupyter-Token", "Authentication", "WWW-Authenticate"),
    ]
)
_SECRET_VALUES = st.sampled_from(
    [
        *("token <token>", "Bearer <token>", "Bearer <grant>", "bearer  <grant>", "Basic <token>", "<xsrf>", "<token>"),
        *("_xsrf=<xsrf>; username-localhost-8888=<cookie>", "http://localhost:8888/lab?token=<token>", "chunked", "5"),
    ]
)
_HONEST_NAMES = st.sampled_from(
    ["Accept", "Content-Type", "Range", "If-None-Match", "X-Request-ID", "Prefer", "X-Novel"]
)
_HONEST_VALUES = st.one_of(
    st.text(max_size=20), st.sampled_from(["a\r\nX-Evil: 1", "a\nb", "a\0b", "*/*", "caf\xe9", ""])
)


@st.composite
def _spelled(draw: st.DrawFn, names: st.SearchStrategy[str]) -> str:
    """Draw a name in other letter cases, with underscores for hyphens, or with a tail."""
    name = draw(names)
    spelling = draw(st.sampled_from(["as it is", "small", "large", "underscores", "swapped"]))
    return {
        "as it is": name,
        "small": name.lower(),
        "large": name.upper(),
        "underscores": name.replace("-", "_"),
        "swapped": name.swapcase(),
    }[spelling]


_CONNECTION = st.tuples(
    st.just("Connection"), st.lists(_SECRET_NAMES | _HONEST_NAMES, min_size=1, max_size=3).map(", ".join)
)
HEADERS = st.lists(
    st.one_of(
        st.tuples(_spelled(_SECRET_NAMES), _SECRET_VALUES),
        st.tuples(_spelled(_HONEST_NAMES), _HONEST_VALUES),
        _CONNECTION,
    ),
    max_size=8,
).map(tuple)
METHODS = st.sampled_from([*["GET", "HEAD", "POST"] * 8, "DELETE", "TRACE", "CONNECT", "get", "G T", ""])
_NAMES = st.sampled_from([name.path for name in NAME_PATHS])
WISHES = st.one_of(
    st.builds(Wish, METHODS, PATHS, QUERIES, HEADERS),
    st.builds(
        Wish,
        st.just("GET"),
        st.one_of(
            st.tuples(st.sampled_from(["items/", "v/", ""]), PATHS).map("".join),
            st.tuples(st.sampled_from(["items/", "v/", ""]), _NAMES, _PIECES, PATHS).map("".join),
        ),
        QUERIES,
        HEADERS,
        st.just("names"),
    ),
)

"""What a Jupyter server tells its broker about a request that it forwards, as a value and as the text of one header.

The server has authenticated the caller, and the broker believes it, since the server acts for one account and can say
nothing about another.
It refuses to carry any login of Jupyter's: neither its cookies nor its tokens leave the server.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

from jupyter_oidc import contract
from jupyter_oidc.contract import ContractBroken
from jupyter_oidc.contract.version import BROKER_HEADER
from jupyter_oidc.language import N_, Sentence, joined, on_the_wire
from jupyter_oidc.problems import BY_CODE, RequestInvalid
from jupyter_oidc.web.browser_location import BrowserLocation
from jupyter_oidc.web.request import Caller

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jupyter_oidc.problems import Problem
    from jupyter_oidc.sessions.strategy import Browser
    from jupyter_oidc.web.front import SharingMode

FORWARDED: Final = "X-OIDC-Forwarded"
"""The header of a forwarded request with the text of :class:`Forwarded`; a client's own is dropped."""

DROPS: Final = "X-OIDC-Drops"
"""The header of the broker's reply with the names of the headers that the server must not add."""

PROBLEM: Final = "X-OIDC-Problem"
"""The header of the broker's refusal of a proxied call with the problem, which the server raises in its turn."""

_CONTRACT: Final = "forwarded.request"
_COOKIES: Final = "jupyter-oidc-"
_OF_ONE_CONNECTION: Final = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "upgrade"),
        *("transfer-encoding", "host", "expect", BROKER_HEADER.lower()),
    }
)
"""Headers that belong to one connection (RFC 9110, 7.6.1), and that by which a broker is known."""

_NEVER_FORWARDED: Final = frozenset({*_OF_ONE_CONNECTION, "content-length", "authorization", FORWARDED.lower()})
"""Headers of a request that the server writes itself, or keeps to itself."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The facts of one request, each as a :class:`~jupyter_oidc.web.front.Front` answers it.

    ``public_url`` is the address that the Hub has told the server, ``origin`` that at which a browser came last.
    ``grant`` is the text of a worker's grant, which the broker judges.
    """

    caller_kind: Literal["user", "kernel", "worker", "server", "public"]
    caller_name: str
    bears_token: bool
    base_url: str
    protocol: str
    host: str
    browser: Browser
    public_url: str | None
    origin: str | None
    has_own_host: bool
    under_hub: bool
    server_name: str
    has_logins: bool
    sharing_mode: SharingMode
    xsrf_token: str = field(repr=False)
    request_id: str
    grant: str = field(default="", repr=False)

    @classmethod
    def without_browser(
        cls,
        caller_kind: Literal["worker", "server"],
        base_url: str,
        request_id: str,
        **others: Any,
    ) -> Forwarded:
        """Return the facts of a request that no browser, and no kernel, has made; ``others`` are those that are known."""
        said: dict[str, Any] = {
            "caller_name": "",
            "bears_token": False,
            "protocol": "http",
            "host": "",
            "browser": "unknown",
            "public_url": None,
            "origin": None,
            "has_own_host": False,
            "under_hub": True,
            "server_name": "",
            "has_logins": True,
            "sharing_mode": "none",
            "xsrf_token": "",
            **others,
        }
        return cls(caller_kind=caller_kind, base_url=base_url, request_id=request_id, **said)

    @property
    def caller(self) -> Caller:
        """The caller."""
        return Caller(self.caller_kind, self.caller_name, self.bears_token)

    @property
    def kernel_id(self) -> str | None:
        """The id of the kernel that calls, or ``None``."""
        return self.caller_name.removeprefix("kernel:") if self.caller_kind == "kernel" else None

    @property
    def location(self) -> BrowserLocation:
        """The location of the browser, and the address at which it reaches the server."""
        return BrowserLocation(self.browser, self.base_url, self.public_url, self.origin, self.has_own_host)

    def text(self) -> str:
        """Return the text of the header."""
        return json.dumps(contract.check(_CONTRACT, asdict(self)), separators=(",", ":"))


def forwarded_in(text: str) -> Forwarded:
    """Return the facts in the ``text`` of the header; members that are not known here are left out.

    Raises ``RequestInvalid``.
    """
    try:
        said = json.loads(text)
        known = {name: said[name] for name in Forwarded.__dataclass_fields__ if name in said}
        return Forwarded(**contract.check(_CONTRACT, known))
    except (ValueError, TypeError, RecursionError, ContractBroken):
        raise RequestInvalid(
            N_("The request names no Jupyter server that forwards it."),
            action=N_("A broker answers Jupyter servers; call the Jupyter server instead."),
            detail="forwarded",
        ) from None


def headers_to_broker(lines: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers of a request that go to the broker: no login of Jupyter's, and of the cookies only ours."""
    kept: list[tuple[str, str]] = []
    for name, value in lines:
        lower = name.lower()
        if lower == "cookie":
            pairs = (pair.strip() for pair in value.split(";"))
            if ours := "; ".join(pair for pair in pairs if pair.startswith(_COOKIES)):
                kept.append((name, ours))
        elif lower == "referer":
            kept.append((name, _origin_of(value)))
        elif lower not in _NEVER_FORWARDED:
            kept.append((name, value))
    return kept


def _origin_of(address: str) -> str:
    """Return the origin in ``address``, whose query may hold a token of Jupyter's."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}/"


def connection_free(lines: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers of an answer without those of its connection."""
    return [(name, value) for name, value in lines if name.lower() not in _OF_ONE_CONNECTION]


def problem_text(problem: Problem) -> str:
    """Return the text of the header for ``problem``."""
    said = {
        "code": problem.code,
        "message": on_the_wire(problem.message),
        "action": on_the_wire(problem.action),
        "detail": problem.detail,
        "retry_after": problem.retry_after,
        "params": {name: list(fact) if isinstance(fact, tuple) else fact for name, fact in problem.params.items()},
    }
    return json.dumps(said, separators=(",", ":"))


def problem_in(text: str) -> Problem | None:
    """Return the problem in the ``text`` of the header; ``None`` for one that is not known here."""
    try:
        said = json.loads(text)
        params = {name: tuple(fact) if isinstance(fact, list) else fact for name, fact in said["params"].items()}
        return BY_CODE[said["code"]](
            _sentences(said["message"]),
            action=_sentences(said["action"]),
            detail=said["detail"],
            retry_after=said["retry_after"],
            params=params,
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _sentences(wire: list[dict[str, Any]]) -> Sentence:
    return joined(*(Sentence(one["id"], one["params"], one.get("one")) for one in wire))

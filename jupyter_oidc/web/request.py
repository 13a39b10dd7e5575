"""One request to a route, as a value that any front can make, and the readers of its parts.

The value holds no socket and no framework's object, and it shows neither query nor headers nor body: codes, tickets
and cookies are there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

from jupyter_oidc import contract
from jupyter_oidc.contract import ContractBroken
from jupyter_oidc.facts import facts
from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import BodyTooLarge, CsrfFailed, RequestInvalid

MAX_BODY_BYTES: Final = 65_536
"""Bytes of a request body that a front keeps on any route; the proxy keeps none."""

MAX_NUMBER_DIGITS: Final = 18
"""Characters of one number in a body or parameter; with the point, the sign and the exponent."""

MAX_WAIT_SECONDS: Final = 60.0
"""Seconds for which a caller may let its request wait for a change."""

MAX_COOKIES_OF_A_NAME: Final = 8
"""Cookies of one name that are tried: programs at other ports of this host can plant some, at other paths."""

_RULES_OF_WHAT_IS_KNOWN: Final = ("additionalProperties", "enum", "anyOf")
"""Rules that the request of a newer client breaks: it is refused, since what it asks for must not be left out (ADR 48)."""

MAX_FIELDS: Final = 50
FORM_MEDIA_TYPE: Final = "application/x-www-form-urlencoded"


class Headers(Mapping[str, str]):
    """The headers of a request; names have no case, and the values of a repeated name are joined by commas."""

    def __init__(self, lines: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in lines:
            self._values.setdefault(name.lower(), []).append(value)

    def __getitem__(self, name: str) -> str:
        """Return the values of ``name``, joined; raises ``KeyError``."""
        return ",".join(self._values[name.lower()])

    def __contains__(self, name: object) -> bool:
        """Return whether there is a header ``name``."""
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, in lower case."""
        return iter(self._values)

    def __len__(self) -> int:
        """Return the number of different names."""
        return len(self._values)

    def get_all(self, name: str) -> tuple[str, ...]:
        """Return every value of ``name``, in order."""
        return tuple(self._values.get(name.lower(), ()))


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller, whom the front has authenticated; ``public`` is any caller of a public route.

    ``name`` counts its sign-ins and owns them: the kernel, the user, or the worker grant, which has none. All requests with
    the server's own token have the same name.
    ``bears_token`` says that a user is no browser with a login: the request came with that token.
    A ``server`` speaks to its broker for itself.
    """

    kind: Literal["user", "kernel", "worker", "server", "public"]
    name: str = ""
    bears_token: bool = False

    @property
    def is_kernel(self) -> bool:
        """Whether a kernel calls, with its grant."""
        return self.kind == "kernel"


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``query`` is as the caller wrote it, and ``path`` includes the server's base URL.

    ``body`` is ``None`` if there was more than the front keeps.
    """

    method: str
    path: str = field(repr=False)
    caller: Caller
    arguments: tuple[str, ...] = field(default=(), repr=False)
    query: str = field(default="", repr=False)
    headers: Headers = field(default_factory=Headers, repr=False)
    body: bytes | None = field(default=b"", repr=False)


def body_of(request: Request) -> bytes:
    """Return the body; raises ``BodyTooLarge`` beyond 64 KiB."""
    if request.body is None:
        raise BodyTooLarge(params=facts(max_bytes=MAX_BODY_BYTES))
    return request.body


def envelope(request: Request, name: str) -> dict[str, Any]:
    """Return the JSON body if it matches the contract ``name``; an empty body counts as ``{}``.

    Raises ``RequestInvalid``, and ``CsrfFailed`` for a body that is not sent as JSON.
    """
    body = body_of(request)
    if not body:
        return _matching(name, {})
    if _media_type(request) != "application/json":
        # A form of another site could send these types without a preflight (C32).
        raise CsrfFailed(N_("The request body is not sent as application/json."))
    try:
        message = json.loads(body, parse_int=_whole, parse_float=_decimal, parse_constant=_decimal)
    except _NumberTooLong:
        raise RequestInvalid(N_("The request body holds a number that is too long, or none.")) from None
    except (ValueError, RecursionError):
        raise RequestInvalid(N_("The request body is not JSON.")) from None
    return _matching(name, message)


def fields_of(text: str) -> tuple[tuple[str, str], ...] | None:
    """Return the fields of a form or query, in order, repeated ones included; ``None`` beyond 50 or if malformed."""
    try:
        return tuple(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"))
    except ValueError:
        return None


def form_of(request: Request) -> tuple[tuple[str, str], ...] | None:
    """Return the fields of a form in the body as :func:`fields_of` does, or ``None`` if the body is no form."""
    return fields_of(body_of(request).decode("latin-1")) if _media_type(request) == FORM_MEDIA_TYPE else None


def parameter(request: Request, name: str, default: str) -> str:
    """Return the last ``name`` in the query, without spaces around it; raises ``RequestInvalid`` if it is no UTF-8."""
    if not request.query:
        return default
    given = [
        value for found, value in parse_qsl(request.query, keep_blank_values=True, encoding="latin-1") if found == name
    ]
    try:
        return given[-1].encode("latin-1").decode("utf-8").strip() if given else default
    except UnicodeError:
        raise RequestInvalid from None


def seconds_to_wait(request: Request) -> float:
    """Return the ``wait`` query parameter in seconds, 0 to 60; raises ``RequestInvalid``."""
    try:
        seconds = float(parameter(request, "wait", "0"))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_WAIT_SECONDS:
        raise RequestInvalid(N_("'wait' is not a number of seconds from 0 to 60."))
    return seconds


def cookies_of(request: Request) -> list[tuple[str, str]]:
    """Return names and values of all the browser's cookies, in order, as they are written: ours need no quotes."""
    pairs = (pair.strip().partition("=") for line in request.headers.get_all("Cookie") for pair in line.split(";"))
    return [(name, value) for name, _, value in pairs]


def cookies_named(request: Request, name: str) -> tuple[str, ...]:
    """Return the values of the browser's first eight cookies of that ``name``.

    Other cookies are skipped, even malformed ones, because every program on this host, at any port, can set cookies
    here.
    """
    return tuple(value for given, value in cookies_of(request) if given == name)[:MAX_COOKIES_OF_A_NAME]


def _media_type(request: Request) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _matching(name: str, message: object) -> dict[str, Any]:
    try:
        return contract.check(name, message)
    except ContractBroken as broken:
        if broken.rule in _RULES_OF_WHAT_IS_KNOWN:
            raise RequestInvalid(
                sentence(
                    "The request asks for something that this server does not know: {where} ({rule}).",
                    where=broken.where,
                    rule=broken.rule,
                ),
                action=N_("Leave it out, or install a newer jupyter_oidc in the environment of the Jupyter server."),
            ) from None
        raise RequestInvalid(
            sentence("The request does not match its contract: {where} ({rule}).", where=broken.where, rule=broken.rule)
        ) from None


class _NumberTooLong(Exception):
    """A number of a body with too many digits: arithmetic with it would fail, or take long."""


def _whole(digits: str) -> int:
    if len(digits) > MAX_NUMBER_DIGITS:
        raise _NumberTooLong
    return int(digits)


def _decimal(digits: str) -> float:
    number = float(digits) if len(digits) <= MAX_NUMBER_DIGITS else math.inf
    if not math.isfinite(number):
        raise _NumberTooLong
    return number

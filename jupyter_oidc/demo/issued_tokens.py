"""Notes every code and token that the demo provider issues, so that ``demo-check`` knows what to search for.

It exists in check mode only, writes to one file for this user only, and stands in front of the provider: neither
the Jupyter server nor a kernel can reach it. It changes no reply.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_TOKENS: Final = ("access_token", "refresh_token", "id_token")


class IssuedTokenLog:
    """WSGI middleware around the provider."""

    def __init__(self, app: Callable[..., Iterable[bytes]], path: Path) -> None:
        self._app = app
        self._path = path
        path.touch(mode=0o600)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass the request on, and record the codes and tokens in its reply."""
        seen: list[tuple[str, str]] = []

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            seen.extend(headers)
            return start_response(status, headers, *rest)

        reply = self._app(environ, start)
        try:
            body = b"".join(reply)
        finally:
            close = getattr(reply, "close", None)
            if close is not None:
                close()
        self._note(issued(seen, body))
        return [body]

    def _note(self, entries: list[tuple[str, str]]) -> None:
        if entries:
            text = "".join(json.dumps(entry) + "\n" for entry in entries)
            with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_APPEND), "a", encoding="utf-8") as file:
                file.write(text)


def issued(headers: list[tuple[str, str]], body: bytes) -> list[tuple[str, str]]:
    """Return the ``(kind, value)`` pairs that one reply issues: codes in a redirect, tokens in a JSON object."""
    found: list[tuple[str, str]] = []
    fields = {name.lower(): value for name, value in headers}
    query = parse_qs(urlsplit(fields.get("location", "")).query)
    found.extend(("code", value) for value in query.get("code", []))
    if fields.get("content-type", "").startswith("application/json"):
        document = json.loads(body)
        if isinstance(document, dict):
            found.extend((kind, document[kind]) for kind in _TOKENS if isinstance(document.get(kind), str))
    return found


def read_issued_tokens(path: Path) -> list[tuple[str, str]]:
    """Return everything noted so far, without repetitions, in the order of issue."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys((entry[0], entry[1]) for entry in map(json.loads, lines)))

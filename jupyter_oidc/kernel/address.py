"""Resolves the address of a client's call: a path below the API, or an address that the API itself has sent.

The address is checked before httpx normalises it, which would silently leave the API by ``..``.
Characters that RFC 3986 does not allow in a path are encoded here; the server refuses them, since servers read them in
different ways.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

import httpx

from jupyter_oidc.kernel.errors import BadPath
from jupyter_oidc.kernel.grant import is_below
from jupyter_oidc.kernel.plain_text import inside_quotes
from jupyter_oidc.language import _

if TYPE_CHECKING:
    from collections.abc import Callable

_PCHAR: Final = "-._~!$&'()*+,;=:@/%"
"""The characters besides letters and digits that quote() does not encode: RFC 3986, 3.3, and escapes."""

_NO_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ABSOLUTE: Final = re.compile(r"(?:https?:)?//", re.IGNORECASE)
_HOST: Final = re.compile(r"(?:https?:)?//[^/?#]*", re.IGNORECASE)


class Address:
    """Resolves the addresses of one client's calls; its relative paths are below ``home``.

    ``get_base_url`` returns the API's own base URL, with a slash at the end, or ``None`` if the server does not name
    it; it may ask the server. A client without it belongs to no API, and its addresses are not checked.
    """

    def __init__(self, home: httpx.URL, get_base_url: Callable[[], str | None] | None = None) -> None:
        self._home = home
        self._get_base_url = get_base_url

    def normalized(self, url: httpx.URL | str) -> httpx.URL | str:
        """Return ``url`` encoded for httpx; raises ``BadPath`` for one with dot segments."""
        text = str(url)
        path, mark, rest = _split(text)
        if _ABSOLUTE.match(text):
            if text.startswith("//"):
                path = f"{self._scheme()}:{path}"
            scheme, colon, named = path.partition(":")
            # NOTE: httpx knows the default port of a scheme in small letters only
            path = scheme.lower() + colon + named
            host = _HOST.match(path)
            begin = host.end() if host else 0
            _check(path[begin:])
            return path[:begin] + _encoded(path[begin:]) + mark + rest
        _check(path)
        path = _encoded(path)
        own = self._home.raw_path.decode("ascii")
        path = path.removeprefix(own)
        # NOTE: with a slash in front, a colon in the first part is no scheme (RFC 3986, 4.2).
        return ("/" + path.lstrip("/") if path else "") + mark + rest

    def is_outside_proxy(self, url: httpx.URL) -> bool:
        """Return whether ``url`` does not lead through this API's proxy, so that ``behind_proxy`` must be called."""
        return self._get_base_url is not None and not is_below(self._home, url)

    def behind_proxy(self, url: httpx.URL) -> httpx.URL:
        """Return the proxy's address for ``url``, an address of the API itself; raises ``BadPath`` for any other."""
        base_url = self._get_base_url() if self._get_base_url is not None else None
        base = httpx.URL(base_url) if base_url else None
        if base is not None and is_below(base, url):
            return self._home.copy_with(raw_path=self._home.raw_path + url.raw_path[len(base.raw_path) :])
        if base is None:
            message = _(
                "The address at {host} is not one of this API, which is at an address that is not known here.",
                host=url.host,
            )
        else:
            message = _(
                "The address at {host} is not one of this API, which is below {address}.", host=url.host, address=base
            )
        raise BadPath(message, action=_("Call it with another client: this one carries your session to one API only."))

    def _scheme(self) -> str:
        base_url = self._get_base_url() if self._get_base_url is not None else None
        return httpx.URL(base_url).scheme if base_url else self._home.scheme


def _split(text: str) -> tuple[str, str, str]:
    """Return the path, the first ``?`` or ``#``, and the text behind it."""
    found = re.search(r"[?#]", text)
    return (text, "", "") if found is None else (text[: found.start()], found[0], text[found.end() :])


def _check(path: str) -> None:
    """Refuse a path with a dot segment, plain or escaped: httpx would remove it before any check."""
    for part in re.split(r"[/\\]", path):
        if unquote(part) in (".", ".."):
            raise BadPath(
                _(
                    "The path has the part '{part}', which leads to another place than it says.",
                    part=inside_quotes(part),
                ),
                action=_("Write the path from the API's base URL on, without '.' and '..' between slashes."),
            )


def _encoded(path: str) -> str:
    return quote(_NO_ESCAPE.sub("%25", path), safe=_PCHAR)

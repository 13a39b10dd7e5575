"""A proxied call as received, before any decision about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.proxy.ports import Caller
    from jupyter_oidc.sessions.grant import Granted


@dataclass(slots=True)
class Person:
    """The person whose token a call carries: the ``subject``, once the call has a token.

    The session may have ended since.
    """

    subject: str | None = None


class ProxyRequest(NamedTuple):
    """A call as received: ``raw_path`` and ``raw_query`` are undecoded, the path without leading slash.

    ``proxy_path`` is the path under which the caller reaches this API, with a slash at the end, and ``own_host`` the
    host (and port) under which the caller reaches this server. ``person`` receives the subject of the call's token.
    ``grant`` is the id of the worker grant by which it came, and empty for every other call.
    """

    api: str
    method: str
    raw_path: str
    raw_query: str
    headers: Headers
    caller: Caller
    proxy_path: str
    own_host: str = ""
    body: AsyncIterator[bytes] | None = None
    length: int | None = None
    person: Person | None = None
    grant: str = ""

    def carries(self, granted: Granted) -> None:
        """Record the subject of the token that the call carries now."""
        if self.person is not None:
            self.person.subject = granted.subject or None

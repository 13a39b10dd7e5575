"""A call as it reached us, before anything was decided about it."""

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
    """The person whose token a call carries: the provider's ``subject``, once the call has a token; it may have ended since."""

    subject: str | None = None


class ProxyRequest(NamedTuple):
    """A call as it reached us: ``raw_path`` and ``raw_query`` are undecoded, the path without leading slash.

    ``proxy_path`` is the path under which the caller reaches this API, with a slash at the end, and ``own_host`` the host
    (and port) under which the caller reaches us. ``person`` is told whose token the call gets.
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

    def carries(self, granted: Granted) -> None:
        """Note whose token the call carries now."""
        if self.person is not None:
            self.person.subject = granted.subject or None

"""What the proxy needs from the outside: an upstream client, and somebody who writes calls down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.secret import Secret


@dataclass(frozen=True, slots=True)
class UpstreamCall:
    """One request to an API; ``body`` is streamed, ``length`` is its size in bytes if known.

    With a ``proof`` the token in ``bearer`` goes out by the scheme ``DPoP`` (RFC 9449, 7.1).
    """

    method: str
    url: str
    headers: Headers
    bearer: Secret
    body: AsyncIterator[bytes] | None
    length: int | None
    proof: Secret | None = None


class UpstreamReply(Protocol):
    """The head of an API's reply, with its body still to be read."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Headers:
        """The headers as received, in order, repeated ones included."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the raw body; raises ``UpstreamUnreachable`` if it breaks off."""
        ...

    async def drop(self) -> None:
        """Close the connection without reading the rest."""
        ...


class UpstreamPort(Protocol):
    """Sends calls to the APIs."""

    async def open(self, call: UpstreamCall) -> UpstreamReply:
        """Return the head of the reply.

        Raises ``UpstreamUnreachable``, ``UpstreamTimeout``, ``UpstreamProtocolError`` or ``TlsUntrusted``.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One proxied call for the audit trail; ``bytes`` of reply body, ``duration`` in seconds."""

    api: str
    method: str
    status: int
    bytes: int
    duration: float
    caller: Literal["browser", "kernel"]
    kernel_id: str | None
    at: str

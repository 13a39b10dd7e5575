"""The interfaces that the proxy needs from the outside: an upstream client and its replies and sockets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from jupyter_oidc.proxy.headers import Headers
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.settings import Api

Caller = Literal["browser", "kernel"]


class UpstreamCall(NamedTuple):
    """One request to ``api``; ``body`` is streamed, ``length`` is its size in bytes if known.

    With a ``proof`` the token in ``bearer`` is sent with the scheme ``DPoP`` (RFC 9449, 7.1).
    """

    api: Api
    method: str
    url: str
    headers: Headers
    bearer: Secret
    body: AsyncIterator[bytes] | None = None
    length: int | None = None
    proof: Secret | None = None


class UpstreamReply(Protocol):
    """The head of an API's reply, with its body still to be read."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Headers:
        """The headers as received, in order, repeated ones included; none that holds the bearer token (C25)."""
        ...

    @property
    def waiting(self) -> bool:
        """``True`` while the next piece of the body has not arrived."""
        ...

    @property
    def ended(self) -> bool:
        """``True`` once the body has been read to its end."""
        ...

    def whole(self) -> bytes | None:
        """Take the raw body if it has arrived completely, as a small one usually has; else ``None``."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the raw body; raises ``UpstreamUnreachable`` if it breaks off."""
        ...

    def drop(self) -> None:
        """Close the connection without reading the rest; after the last piece, return it to the pool."""
        ...


class UpstreamSocket(Protocol):
    """An open WebSocket to an API."""

    @property
    def status(self) -> int:
        """The HTTP status of the handshake, which is 101."""
        ...

    @property
    def headers(self) -> Headers:
        """The headers of the handshake, as those of ``UpstreamReply``."""
        ...

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the API chose."""
        ...

    def messages(self) -> AsyncIterator[str | bytes]:
        """Yield messages until the API closes."""
        ...

    async def send(self, message: str | bytes) -> None:
        """Send one message; returns when there is room for the next."""
        ...

    @property
    def close_code(self) -> int | None:
        """The close code of the API (RFC 6455, 7.4), or ``None`` if it has not closed."""
        ...

    async def close(self, code: int) -> None:
        """Close; closing twice is no error."""
        ...


@dataclass(frozen=True, slots=True)
class SocketRefused:
    """The API answered a WebSocket handshake with a status instead; ``headers`` as received."""

    status: int
    headers: Headers


class UpstreamPort(Protocol):
    """Sends calls to the APIs."""

    async def open(self, call: UpstreamCall) -> UpstreamReply:
        """Return the head of the reply.

        Raises ``UpstreamUnreachable``, ``UpstreamTimeout``, ``UpstreamProtocolError``, ``RouteForbidden``,
        ``TlsUntrusted`` or ``EgressProxyAuth``.
        """
        ...

    async def open_socket(self, call: UpstreamCall, subprotocols: tuple[str, ...]) -> UpstreamSocket | SocketRefused:
        """Open a WebSocket, or return the API's refusal; raises as :meth:`open` does."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...

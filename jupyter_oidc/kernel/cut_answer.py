"""The body of an answer that our server cuts off in the middle because the session ended: its reader is told so.

The server can only close the connection then, which an HTTP library reports as its own error. The same error comes when
the API or the server itself breaks off, so the session is asked for first.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import httpx

from jupyter_oidc.kernel.errors import NotSignedIn, OIDCError, SessionExpired
from jupyter_oidc.kernel.messages import is_signed_in
from jupyter_oidc.language import _

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from typing import Any

    WhyCut = Callable[[], OIDCError | None]

_CUT: Final = (httpx.ReadError, httpx.RemoteProtocolError)


def lost_session(summary: dict[str, Any]) -> OIDCError | None:
    """Return the exception for an answer that ended with the session of ``summary``; ``None`` if there is a session."""
    if is_signed_in(summary):
        return None
    kind = SessionExpired if summary["state"] == "signed-out-expired" else NotSignedIn
    return kind(
        _("The session ended while the answer was arriving, so the answer is not whole."),
        action=_("Run oidc.sign_in(), then run it again."),
    )


class CutAnswer(httpx.SyncByteStream):
    """The body ``inner`` of one answer; ``why`` returns the exception for its end in the middle, and may ask the server."""

    def __init__(self, inner: httpx.SyncByteStream, why: WhyCut) -> None:
        self._inner = inner
        self._why = why

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._inner
        except _CUT as error:
            lost = self._why()
            if lost is None:
                raise
            raise lost from error

    def close(self) -> None:
        """Close the answer."""
        self._inner.close()


class AsyncCutAnswer(httpx.AsyncByteStream):
    """As :class:`CutAnswer` for an event loop; ``why`` is called in a thread."""

    def __init__(self, inner: httpx.AsyncByteStream, why: WhyCut) -> None:
        self._inner = inner
        self._why = why

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._inner:
                yield piece
        except _CUT as error:
            lost = await asyncio.to_thread(self._why)
            if lost is None:
                raise
            raise lost from error

    async def aclose(self) -> None:
        """Close the answer."""
        await self._inner.aclose()

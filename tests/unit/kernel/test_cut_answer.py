"""An answer that is cut off in the middle tells of the session only where that has ended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from jupyter_oidc.kernel.cut_answer import AsyncCutAnswer, CutAnswer, lost_session
from jupyter_oidc.kernel.errors import NotSignedIn, OIDCError, SessionExpired
from tests.unit.kernel.fake_server import SIGNED_OUT, SUMMARY

CUTS = [httpx.ReadError("reset"), httpx.RemoteProtocolError("incomplete chunked read")]
EXPIRED: dict[str, Any] = {**SIGNED_OUT, "state": "signed-out-expired"}


class Cut(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body whose second piece never comes."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield b"first"
        raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"first"
        raise self._error

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


async def read(answer: AsyncCutAnswer, into: list[bytes]) -> None:
    async for piece in answer:
        into.append(piece)


def told(summary: dict[str, Any]) -> Callable[[], OIDCError | None]:
    return lambda: lost_session(summary)


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: type(cut).__name__)
@pytest.mark.parametrize(("summary", "kind"), [(SIGNED_OUT, NotSignedIn), (EXPIRED, SessionExpired)])
async def test_an_answer_that_ended_with_its_session_says_so(
    cut: Exception, summary: dict[str, Any], kind: type[OIDCError]
) -> None:
    received: list[bytes] = []
    with pytest.raises(kind, match="the answer is not whole") as refused:
        received.extend(CutAnswer(Cut(cut), told(summary)))
    assert (received, refused.value.__cause__) == ([b"first"], cut)
    with pytest.raises(kind) as refused:
        await read(AsyncCutAnswer(Cut(cut), told(summary)), received)
    assert (received, refused.value.__cause__) == ([b"first"] * 2, cut)


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: type(cut).__name__)
async def test_an_answer_that_breaks_off_while_the_session_lives_is_the_librarys_matter(cut: Exception) -> None:
    with pytest.raises(type(cut)) as broken:
        list(CutAnswer(Cut(cut), told(SUMMARY)))
    assert broken.value is cut
    with pytest.raises(type(cut)):
        await read(AsyncCutAnswer(Cut(cut), told(SUMMARY)), [])


def test_another_error_asks_nobody() -> None:
    def nobody() -> OIDCError | None:
        raise AssertionError("the server was asked")

    with pytest.raises(httpx.ReadTimeout):
        list(CutAnswer(Cut(httpx.ReadTimeout("slow")), nobody))


async def test_closing_closes_the_answer() -> None:
    body = Cut(CUTS[0])
    CutAnswer(body, told(SUMMARY)).close()
    await AsyncCutAnswer(body, told(SUMMARY)).aclose()
    assert body.closed == 2

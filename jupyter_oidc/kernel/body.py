"""Request bodies that can be sent again: a call whose token had just expired is repeated from its first byte.

A file is read piece by piece, never as a whole.
"""

from __future__ import annotations

import asyncio
import io
import os
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

CHUNK_BYTES: Final = 64 * 1024
"""Bytes that are read at once."""


class FileBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The rest of an open file, from its present position; ``sent`` is called after each piece with the bytes sent."""

    def __init__(self, file: BinaryIO, sent: Callable[[int], None] | None = None) -> None:
        self._file = file
        self._sent = sent or _ignore_progress
        self._begin = file.tell()
        self.size = max(0, file.seek(0, os.SEEK_END) - self._begin)
        file.seek(self._begin)

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(self._begin)
        self._sent(count := 0)
        while chunk := self._file.read(CHUNK_BYTES):
            yield chunk
            self._sent(count := count + len(chunk))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self._file.seek(self._begin)
        self._sent(count := 0)
        while chunk := await asyncio.to_thread(self._file.read, CHUNK_BYTES):
            yield chunk
            self._sent(count := count + len(chunk))


class _FormBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A multipart form of which every file can be rewound; httpx does that each time it is iterated."""

    def __init__(self, form: Any) -> None:
        self._form = form

    def __iter__(self) -> Iterator[bytes]:
        yield from self._form

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._form:
            yield chunk


def is_replayable(request: httpx.Request) -> bool:
    """Whether the body of ``request`` can be produced a second time."""
    return isinstance(request.stream, httpx.ByteStream | FileBody | _FormBody)


def file_body(content: object) -> FileBody | None:
    """Return ``content`` as a body if it is a file opened for reading bytes that can be rewound."""
    if isinstance(content, FileBody):
        return content
    return FileBody(cast("BinaryIO", content)) if _rewinds(content) else None


def attach(request: httpx.Request, body: FileBody) -> httpx.Request:
    """Set ``body`` as the body of ``request``, which has none, and return the request."""
    request.stream = body
    request.headers["Content-Length"] = str(body.size)
    return request


def keep_form(request: httpx.Request, files: object) -> httpx.Request:
    """Let a multipart form be sent again, if all its ``files`` can be."""
    entries = list(files.values()) if isinstance(files, dict) else [value for _, value in cast("Any", files)]
    contents = [entry[1] if isinstance(entry, tuple) else entry for entry in entries]
    if all(isinstance(content, str | bytes) or _rewinds(content) for content in contents):
        request.stream = _FormBody(request.stream)
    return request


def _rewinds(content: object) -> bool:
    if isinstance(content, io.TextIOBase) or not all(hasattr(content, name) for name in ("read", "seek", "tell")):
        return False
    seekable = getattr(content, "seekable", None)
    return callable(seekable) and bool(seekable())


def _ignore_progress(_: int) -> None:
    """Do nothing."""

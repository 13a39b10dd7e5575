"""A border on a wire: the calls of a protocol as lines of JSON through a Unix socket.

:class:`ServedApi` is the end with the real object, :func:`sessions_over_wire` makes the other end, which holds nothing but the
socket's path and the protocol's type hints. One connection carries one call; a caller that hangs up cancels it.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, cast

from jupyter_oidc.problems import Problem
from jupyter_oidc.sessions.api import SessionApi
from tests.support.plain import from_json, hints_of, to_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

LIMIT_BYTES = 1_000_000


class ServedApi:
    """Serves the methods of ``protocol`` of the object that ``current`` returns; ``lines`` are all that was on the wire."""

    def __init__(self, protocol: type, current: Callable[[], Any]) -> None:
        self._protocol = protocol
        self._current = current
        self.lines: list[str] = []
        self.cancelled = 0

    @asynccontextmanager
    async def at(self, path: Path) -> AsyncIterator[ServedApi]:
        """Listen at ``path`` as long as the block runs."""
        server = await asyncio.start_unix_server(self._connected, path, limit=LIMIT_BYTES)
        try:
            yield self
        finally:
            server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            line = await reader.readline()
            call = asyncio.ensure_future(self._answered(json.loads(line)))
            gone = asyncio.ensure_future(reader.read())
            await asyncio.wait((call, gone), return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            if call.done():
                answer = json.dumps(call.result())
                self.lines += [line.decode(), answer]
                writer.write(answer.encode() + b"\n")
                await writer.drain()
            else:
                self.cancelled += 1
                call.cancel()
        writer.close()

    async def _answered(self, asked: dict[str, Any]) -> dict[str, Any]:
        hints = hints_of(getattr(self._protocol, asked["method"]))
        arguments = {name: from_json(hints[name], told) for name, told in asked["arguments"].items()}
        wanted = inspect.signature(getattr(self._protocol, asked["method"])).parameters.values()
        positional = [
            arguments.pop(one.name) for one in wanted if one.name in arguments and one.kind != one.KEYWORD_ONLY
        ]
        try:
            result = await getattr(self._current(), asked["method"])(*positional, **arguments)
        except Problem as problem:
            return {"problem": to_json(Problem, problem)}
        return {"result": to_json(hints["return"], result)}


class _Remote:
    """Sends every call of ``protocol`` to ``path``."""

    def __init__(self, protocol: type, path: Path) -> None:
        self._protocol = protocol
        self._path = path

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        declared = getattr(self._protocol, method)
        hints, signature = hints_of(declared), inspect.signature(declared)

        async def call(*positional: Any, **named: Any) -> Any:
            given = dict(signature.bind(self, *positional, **named).arguments)
            del given["self"]
            arguments = {name: to_json(hints[name], value) for name, value in given.items()}
            answer = await self._sent({"method": method, "arguments": arguments})
            if "problem" in answer:
                raise from_json(Problem, answer["problem"])
            return from_json(hints["return"], answer["result"])

        return call

    async def _sent(self, asked: dict[str, Any]) -> dict[str, Any]:
        reader, writer = await asyncio.open_unix_connection(self._path, limit=LIMIT_BYTES)
        try:
            writer.write(json.dumps(asked).encode() + b"\n")
            return cast("dict[str, Any]", json.loads(await reader.readline()))
        finally:
            writer.close()


def sessions_over_wire(path: Path) -> SessionApi:
    """Return the other end of the socket at ``path``, behind which a ``SessionApi`` is served."""
    return cast("SessionApi", _Remote(SessionApi, path))

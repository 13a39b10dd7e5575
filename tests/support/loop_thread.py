"""An event loop in a thread, so that any kind of test can call an aiohttp application or a socket that runs on it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine
    from typing import Any

    from typing_extensions import Self


class LoopThread:
    """Context manager: an event loop that runs as long as the block does."""

    def __init__(self, name: str = "served application") -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name=name)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run ``work`` on the loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


class ServedInThread(LoopThread):
    """Context manager: an aiohttp application on a loopback port; ``port`` is known once it is entered."""

    def __init__(self, application: web.Application, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        super().__init__()
        self._application = application
        self._tls = tls
        self._runner: web.AppRunner | None = None
        self.port = port

    def __enter__(self) -> Self:
        super().__enter__()
        self.run(self._start())
        return self

    def __exit__(self, *reason: object) -> None:
        if self._runner is not None:
            self.run(self._runner.cleanup())
        super().__exit__(*reason)

    def stop(self) -> None:
        """Close the port and cut every connection, as a kill does; the application stays as it is."""
        if self._runner is not None:
            self.run(self._runner.cleanup())
            self._runner = None

    def start(self) -> None:
        """Listen again, at the same port."""
        self.run(self._start())

    async def _start(self) -> None:
        self._runner = web.AppRunner(
            self._application, access_log=None, shutdown_timeout=0.05, handler_cancellation=True
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]

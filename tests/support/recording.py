"""Everything that went over the wire between a browser and one server: an HTTP archive and the frames of WebSockets.

The browser itself takes the notes; nothing is intercepted, so nothing is changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, WebSocket

CALLBACK = "the address of a callback"
"""The one place where an authorization code has business (RFC 6749, 4.1.2)."""


@dataclass
class Recording:
    """Give :meth:`options` to the new context, then :meth:`listen`; read it when the context is closed."""

    archive: Path
    frames: list[tuple[str, str | bytes]] = field(default_factory=list, repr=False)
    _entries: list[dict[str, Any]] | None = field(default=None, repr=False)

    def options(self) -> dict[str, Any]:
        """The options of a context that writes the archive."""
        return {"record_har_path": self.archive, "record_har_content": "embed", "record_har_mode": "full"}

    def listen(self, context: BrowserContext) -> None:
        """Note the frames of every WebSocket of every page of ``context``."""
        context.on("page", lambda page: page.on("websocket", self._note))

    def exchanges(self, server: str) -> list[dict[str, Any]]:
        """The archive's entries whose address begins with ``server``."""
        if self._entries is None:
            self._entries = json.loads(self.archive.read_text(encoding="utf-8"))["log"]["entries"]
        return [entry for entry in self._entries if entry["request"]["url"].startswith(server)]

    def texts(self, server: str) -> Iterator[tuple[str, str | bytes]]:
        """Yield the place and the text of every part of every exchange with ``server``, frames included."""
        for entry in self.exchanges(server):
            asked, answered = entry["request"], entry["response"]
            where = f"{asked['method']} {asked['url'].partition('?')[0]}"
            address = CALLBACK if asked["url"].partition("?")[0].endswith("/callback") else f"the address of {where}"
            yield address, f"{asked['url']}\n{json.dumps(asked['queryString'])}"
            yield f"the head of {where}", json.dumps([asked["headers"], asked["cookies"]])
            yield f"the body of {where}", json.dumps(asked.get("postData", {}))
            yield f"the head of the reply to {where}", json.dumps([answered["headers"], answered["cookies"]])
            yield f"the body of the reply to {where}", answered["content"].get("text", "")
        socket = server.replace("http", "ws", 1)
        yield from (
            ("a frame of " + url.partition("?")[0], text) for url, text in self.frames if url.startswith(socket)
        )

    def _note(self, socket: WebSocket) -> None:
        for event in ("framesent", "framereceived"):
            socket.on(event, lambda payload: self.frames.append((socket.url, payload)))

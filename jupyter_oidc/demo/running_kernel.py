"""Runs notebook cells in a kernel of a running Jupyter server, the way a browser does: REST and a WebSocket.

The server starts the kernel, not this module. ``saw`` receives all data that the server sends.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import aiohttp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_MAX_SILENCE_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class CellRun:
    """The outputs of one cell, as a notebook keeps them; ``error`` is the exception's class name."""

    outputs: list[dict[str, Any]]
    error: str | None

    @property
    def text(self) -> str:
        """The readable text of all outputs."""
        return "\n".join(text_of(output) for output in self.outputs)


def text_of(output: dict[str, Any]) -> str:
    """Return the readable parts of one output."""
    data = output.get("data", {})
    parts = [output.get("text", ""), data.get("text/html", ""), data.get("text/markdown", "")]
    parts += [data.get("text/plain", ""), output.get("evalue", ""), *output.get("traceback", [])]
    return "\n".join(part for part in parts if part)


@dataclass(slots=True)
class Server:
    """The Jupyter server's REST API, called as a page of JupyterLab does; ``saw`` receives every body."""

    url: str
    token: str
    saw: Callable[[str, bytes], None]
    client: aiohttp.ClientSession

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return the status and the JSON document of the reply, ``None`` if it is no JSON."""
        headers = {"Authorization": f"token {self.token}", "Referer": f"{self.url}lab"}
        async with self.client.request(method, self.url + path, json=body, headers=headers) as reply:
            content = await reply.read()
            self.saw(f"{method} {path}", repr(list(reply.raw_headers)).encode() + content)
            return reply.status, json.loads(content) if "json" in reply.content_type else None

    async def kernel(self, notebook: str) -> RunningKernel:
        """Let the server start a kernel for ``notebook`` and connect to it."""
        wish = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": "python3"}}
        status, session = await self.call("POST", "api/sessions", wish)
        if status != 201:
            raise ConnectionError(f"The server started no kernel: it answered {status}.")
        kernel_id = session["kernel"]["id"]
        where = f"{self.url}api/kernels/{kernel_id}/channels?session_id={secrets.token_hex(16)}"
        headers = {"Authorization": f"token {self.token}"}
        socket = await self.client.ws_connect(where, headers=headers, max_msg_size=0)
        return RunningKernel(kernel_id, socket, self.saw)


@dataclass(slots=True)
class RunningKernel:
    """A connected kernel."""

    kernel_id: str
    socket: aiohttp.ClientWebSocketResponse[bool]
    saw: Callable[[str, bytes], None]
    _displays: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    async def run(self, code: str, shown: Callable[[str], Awaitable[None]] | None = None) -> CellRun:
        """Run ``code``; ``shown`` receives the readable text of each output as soon as it appears."""
        asked = await self._send("execute_request", {"code": code, "stop_on_error": True, "allow_stdin": False})
        outputs: list[dict[str, Any]] = []
        replied: dict[str, Any] | None = None
        idle = False
        while replied is None or not idle:
            message = await self._receive()
            if message.get("parent_header", {}).get("msg_id") != asked:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "execute_reply":
                replied = content
            elif kind == "status":
                idle = content["execution_state"] == "idle"
            else:
                before = len(outputs)
                self._collect(outputs, kind, content)
                if shown is not None and (len(outputs) > before or kind == "update_display_data"):
                    await shown(text_of(content if kind == "update_display_data" else outputs[-1]))
        return CellRun(outputs, replied.get("ename") if replied["status"] == "error" else None)

    async def aclose(self) -> None:
        """Close the connection; the kernel goes on."""
        await self.socket.close()

    def _collect(self, outputs: list[dict[str, Any]], kind: str, content: dict[str, Any]) -> None:
        """Keep an output as a notebook does: streams grow, a display with a name is replaced."""
        if kind == "stream":
            last = outputs[-1] if outputs else {}
            if last.get("output_type") == "stream" and last.get("name") == content["name"]:
                last["text"] += content["text"]
            else:
                outputs.append({"output_type": "stream", "name": content["name"], "text": content["text"]})
        elif kind == "error":
            outputs.append({"output_type": "error", **{key: content[key] for key in ("ename", "evalue", "traceback")}})
        elif kind in ("display_data", "execute_result"):
            output = {"output_type": kind, "data": content["data"], "metadata": content["metadata"]}
            if kind == "execute_result":
                output["execution_count"] = content["execution_count"]
            outputs.append(output)
            name = content.get("transient", {}).get("display_id")
            if name:
                self._displays.setdefault(name, []).append(output)
        elif kind == "update_display_data":
            for output in self._displays.get(content["transient"]["display_id"], []):
                output.update(data=content["data"], metadata=content["metadata"])
        elif kind == "clear_output":
            outputs.clear()

    async def _send(self, kind: str, content: dict[str, Any]) -> str:
        number = secrets.token_hex(16)
        header = {"msg_id": number, "msg_type": kind, "session": "demo-check", "username": "", "version": "5.4"}
        message = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content}
        await self.socket.send_json({**message, "buffers": []})
        return number

    async def _receive(self) -> dict[str, Any]:
        message = await self.socket.receive(timeout=_MAX_SILENCE_SECONDS)
        if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
            raise ConnectionError("The connection to the kernel has closed.")
        content = message.data if isinstance(message.data, bytes) else message.data.encode()
        self.saw("kernel message", content)
        document: dict[str, Any] = json.loads(content)
        return document

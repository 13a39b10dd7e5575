"""The journey that ``demo-check`` makes: the tutorial's cells, in a real kernel, with a visitor at the provider's page.

It tests only the tutorial's statements; :mod:`jupyter_oidc.demo.check` reports the result and searches for leaks.
"""

from __future__ import annotations

import asyncio
import html
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from jupyter_oidc.demo.browser import Visitor
from jupyter_oidc.demo.environment import NOTEBOOK
from jupyter_oidc.demo.personas import ADA, API, BEN, PROVIDER, READ, WRITE, Persona

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    from jupyter_oidc.demo.running_kernel import CellRun, RunningKernel, Server

_LINK: Final = re.compile(r"https?://[^\s\"'<>]+/jupyter-oidc/start/[^\s\"'<>]+")
_ANY_LINK: Final = re.compile(r"https?://[^\s\"'<>]+")
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*m")

# Runs in the kernel before the tutorial: keeps every reply that the kernel's HTTP clients read.
_TAP: Final = """
import httpx as _httpx
def _tap(path):
    def keep(reply, chunk):
        with open(path, "ab") as file:
            file.write(repr(reply.headers.raw).encode() + chunk)
    plain, awaited = _httpx.Response.iter_bytes, _httpx.Response.aiter_bytes
    def iter_bytes(self, chunk_size=None):
        keep(self, b"")
        for chunk in plain(self, chunk_size):
            keep(self, chunk)
            yield chunk
    async def aiter_bytes(self, chunk_size=None):
        keep(self, b"")
        async for chunk in awaited(self, chunk_size):
            keep(self, chunk)
            yield chunk
    _httpx.Response.iter_bytes, _httpx.Response.aiter_bytes = iter_bytes, aiter_bytes
_tap({path!r})
"""


class StepFailed(Exception):
    """A step of the demo failed; the text describes the observed result."""


def expect(condition: object, otherwise: str) -> None:
    """Raise :class:`StepFailed` with ``otherwise`` unless ``condition`` holds."""
    if not condition:
        raise StepFailed(otherwise)


@dataclass(slots=True)
class Journey:
    """One unattended run of the tutorial; ``passed`` is called after each step with its result."""

    server: Server
    kernel: RunningKernel
    notebook: dict[str, Any]
    passed: Callable[[str], None]
    saw: Callable[[str, bytes], None]
    done: dict[str, CellRun] = field(default_factory=dict)

    @property
    def cells(self) -> list[dict[str, Any]]:
        """The tutorial's cells."""
        cells: list[dict[str, Any]] = self.notebook["cells"]
        return cells

    async def make(self, replies: Path) -> None:
        """Make all steps; replies that the kernel reads are kept in ``replies``."""
        tapped = await self.kernel.run(_TAP.format(path=str(replies)))
        expect(tapped.error is None, f"The kernel could not be observed: {tapped.text}")
        await self._summary()  # NOTE: as an open page does, from which the server learns the browser's location
        await self._sign_in("sign-in", ADA)
        await self._show_session_and_apis()
        await self._find_operation()
        await self._read_and_write()
        await self._loop()
        await self._stream_share_and_download()
        await self._expect_closed_method()
        await self._sign_in("ben", BEN, replaces=ADA)
        await self._expect_refusal()
        await self._sign_out()
        await self._save()

    async def environment(self) -> tuple[int, bytes]:
        """Return the kernel's process id and its whole environment."""
        run = await self.kernel.run("import os as _os\nprint(_os.getpid())\nprint(dict(_os.environ))")
        number, _, rest = run.text.partition("\n")
        return int(number), rest.encode()

    async def _cell(self, name: str, shown: Callable[[str], Any] | None = None) -> CellRun:
        """Run the tutorial's cell ``name``; only a cell that announces an exception may raise one."""
        tags = next(cell["metadata"]["tags"] for cell in self.cells if f"demo:{name}" in _tags(cell))
        run = await self.kernel.run(source_of(self.cells, name), shown)
        self.done[name] = run
        if "raises-exception" not in tags:
            expect(run.error is None, f"the cell '{name}' raised {run.error}:\n{_ANSI.sub('', run.text)}")
        return run

    async def _sign_in(self, name: str, who: Persona, *, replaces: Persona | None = None) -> None:
        """Run the cell, open the link that it shows, and choose ``who`` on the provider's page.

        Where ``who`` replaces another person, the Jupyter server asks for a click in a browser that is logged in to it.
        """
        links: asyncio.Queue[str] = asyncio.Queue()

        async def shown(text: str) -> None:
            found = _LINK.search(html.unescape(text))
            if found:
                await links.put(found.group())

        cell = asyncio.ensure_future(self._cell(name, shown))
        link = asyncio.ensure_future(links.get())
        await asyncio.wait([cell, link], timeout=60, return_when=asyncio.FIRST_COMPLETED)
        if not link.done():
            link.cancel()
            if cell.done():
                await cell
            raise StepFailed(f"the cell '{name}' showed no link to sign in")
        visitor = Visitor(self._capture_jupyter_reply)
        buttons = [("username", who.username), *([("answer", "change")] if replaces else [])]
        try:
            await visitor.open(f"{self.server.url}lab?token={self.server.token}")
            landing = await visitor.sign_in(link.result(), *buttons)
        finally:
            await visitor.aclose()
        expect(who.name in landing.first_page, f"the link led to no choice of people, but to {landing.status}")
        expect(landing.status == 200, f"the sign-in ended with status {landing.status}")
        expect(
            "/jupyter-oidc/" in landing.url, f"the sign-in did not come back to Jupyter: {urlsplit(landing.url).path}"
        )
        expect("You are signed in" in landing.page, "the page at the end does not say 'You are signed in'")
        run = await asyncio.wait_for(cell, 60)
        expect(not _LINK.search(html.unescape(run.text)), "the link to sign in is still in the cell's output")
        summary = await self._summary()
        expect(summary["state"] == "active", f"after the sign-in the session is {summary['state']}")
        expect(summary["user"]["sub"] == who.username, "somebody else is signed in")
        expect(summary["user"]["name"] == who.name, f"the session says {summary['user']['name']}")
        expect(tuple(summary["entitlements"]) == who.roles, f"the entitlements are {summary['entitlements']}")
        ends_in = summary["expires_in"]
        self.passed(
            f"{who.name} signed in on the provider's page{f' in place of {replaces.name}' if replaces else ''}; entitlements {', '.join(who.roles)}; "
            f"the access token ends in {ends_in} s",
        )

    async def _show_session_and_apis(self) -> None:
        card = await self._cell("session")
        expect(ADA.name in card.text, "the session card does not name the user")
        expect("@" not in card.text, "the session card shows an e-mail address, which a saved notebook would keep")
        table = await self._cell("apis")
        for word in (API, "Ready", "orders?status=open"):
            expect(word in table.text, f"the table of APIs does not say {word}: {table.text[:200]}")
        self.passed(f"the session card names {ADA.name}; the API {API} is in the table of APIs, and ready")

    async def _find_operation(self) -> None:
        """Find the operation by its word, and run the cell that the panel inserts for it."""
        found = await self._cell("find")
        expect("/search" in found.text and "/report.csv" not in found.text, f"the word found {found.text[:200]}")
        where = f"jupyter-oidc/apis/{API}/operations/example?method=GET&path=%2Fsearch"
        status, example = await self.server.call("GET", where)
        expect(status == 200, f"the server wrote no cell for the operation: {status}")
        inserted = await self.kernel.run(example["cell"])
        expect(inserted.error is None, f"the inserted cell raised {inserted.error}")
        expect("Brass gears" in inserted.text, f"the inserted cell shows {inserted.text[:200]}")
        self.passed("one operation is found by the word 'search', and the cell that the panel inserts for it runs")

    async def _read_and_write(self) -> None:
        table = await self._cell("table")
        expect("Difference engine" in table.text, f"the table shows no orders: {table.text[:200]}")
        write = await self._cell("write")
        expect(write.text.startswith("201 "), f"ada's order was answered with {write.text[:80]}")
        self.passed("the API's orders are in a table; ada placed an order (201)")

    async def _loop(self) -> None:
        run = await self._cell("loop")
        told = await self.kernel.run("import json as _json\nprint(_json.dumps([seen, time.time()]))")
        seen, ended = json.loads(told.text)
        numbers = [now["token_number"] for now in seen]
        crossed = {now["ends_at"] for now in seen if now["ends_at"] <= ended}
        expect("no failure" in run.text, "the loop did not reach its end")
        expect(len(crossed) >= 2, f"the loop crossed the end of {len(crossed)} access tokens instead of two or more")
        expect(numbers == sorted(numbers), "an older token came back after a newer one")
        expect(min(now["seconds_left"] for now in seen) > 0, "the API accepted a token that had ended")
        self.passed(
            f"the loop made {len(seen)} calls with {len(set(numbers))} access tokens and crossed the end of "
            f"{len(crossed)} of them; no call failed",
        )

    async def _stream_share_and_download(self) -> None:
        stream = await self._cell("stream")
        events = [line for line in stream.text.splitlines() if line.startswith("{")]
        expect(len(events) == 5, f"{len(events)} events arrived instead of 5")
        workers = await self._cell("workers")
        shared = "200 Difference engine\n200 Punched cards\n200 Brass gears\n"
        expect(workers.text == shared, f"the workers' calls were answered with {workers.text[:200]}")
        report = await self._cell("endpoint")
        expect("id,item,quantity,price,status" in report.text, "the report did not arrive through oidc.endpoint()")
        self.passed(
            f"{len(events)} server-sent events arrived, two other processes of the kernel read three orders, and aiohttp a report"
        )

    async def _expect_closed_method(self) -> None:
        closed = await self._cell("closed")
        expect(closed.error == "MethodNotAllowed", f"a method that is not open raised {closed.error}")
        expect("It opens GET, HEAD and POST." in closed.text, "the error does not say which methods are open")
        opened = await self._cell("open")
        expect("Difference engine" in opened.text, f"the open method was answered with {opened.text[:80]}")
        self.passed("DELETE is not open: the error names GET, HEAD and POST, and GET works")

    async def _sign_out(self) -> None:
        await self._cell("sign-out")
        summary = await self._summary()
        expect(summary["state"] == "signed-out", f"after the sign-out the session is {summary['state']}")
        told = await self.kernel.run("print(_.revoked)")
        revoked = told.text.strip()
        expect(revoked == "done", f"the provider did not revoke the session: {_ANSI.sub('', revoked)}")
        self.passed("signed out; the session is signed-out here and revoked at the provider")
        after = await self._cell("after")
        text = _ANSI.sub("", html.unescape(after.text))
        expect(after.error == "NotSignedIn", f"the call after the sign-out raised {after.error}")
        expect("sign in" in text.lower(), "the exception does not say what to do next")
        link = _ANY_LINK.search(text)
        expect(link, "the exception shows no link")
        where = urlsplit(link.group() if link else "")
        expect(where.netloc == urlsplit(self.server.url).netloc, "the exception's link does not lead to JupyterLab")
        self.passed(f"the next call raised NotSignedIn with the link http://{where.netloc}{where.path}")

    async def _expect_refusal(self) -> None:
        refused = await self._cell("refused")
        expect(refused.text.startswith("403 "), f"ben's order was answered with {refused.text[:80]}")
        expect(WRITE in refused.text, "the 403 is not the API's own")
        status, _ = await self.server.call("GET", f"jupyter-oidc/api/{API}/orders")
        expect(status == 200, f"ben may not even read: {status}")
        self.passed(f"ben may read ({READ}), and his order was refused by the API itself (403)")

    async def _save(self) -> None:
        """Save the notebook with its outputs through the server, as the front end does."""
        for cell in self.cells:
            for name, run in self.done.items():
                if f"demo:{name}" in _tags(cell):
                    cell["outputs"] = run.outputs
        body = {"type": "notebook", "format": "json", "content": self.notebook}
        status, _ = await self.server.call("PUT", f"api/contents/{NOTEBOOK}", body)
        expect(status == 200, f"the notebook could not be saved: {status}")
        outputs = sum(len(run.outputs) for run in self.done.values())
        self.passed(f"the notebook is saved with {outputs} outputs of {len(self.done)} cells")

    async def _summary(self) -> dict[str, Any]:
        status, summary = await self.server.call("GET", f"jupyter-oidc/providers/{PROVIDER}/session")
        expect(status == 200, f"the session summary was answered with {status}")
        found: dict[str, Any] = summary
        return found

    def _capture_jupyter_reply(self, reply: httpx.Response) -> None:
        """Keep a reply that the visitor got from Jupyter; the provider's own replies hold the code by design."""
        if reply.url.netloc.decode() == urlsplit(self.server.url).netloc or "/jupyter-oidc/" in reply.url.path:
            self.saw(f"visitor {reply.url.path}", repr(reply.headers.raw).encode() + reply.content)


def source_of(cells: list[dict[str, Any]], name: str) -> str:
    """Return the source of the tutorial's cell tagged ``demo:name``."""
    for cell in cells:
        if f"demo:{name}" in _tags(cell):
            source = cell["source"]
            return "".join(source) if isinstance(source, list) else str(source)
    raise StepFailed(f"the tutorial has no cell '{name}'")


def _tags(cell: dict[str, Any]) -> list[str]:
    tags: list[str] = cell.get("metadata", {}).get("tags", [])
    return tags

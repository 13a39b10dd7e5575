"""The journey of one engine: from a notebook that starts it to the sign-out that ends it."""

from __future__ import annotations

import asyncio
import json
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_oidc.demo.running_kernel import RunningKernel
from tests.e2e.lab_page import new_notebook
from tests.interop.person import Person, at_work, settings_for
from tests.interop.recipes.page import OF_WORKERS, recipe
from tests.support.broker_process import BrokerProcess
from tests.support.certified_provider import CertifiedProvider, ProviderDocument
from tests.support.memory import holders, with_children
from tests.support.recipe_api import RecipeApi
from tests.support.upstream import Upstream
from tests.workers import tasks
from tests.workers.engines import WISH, Engine

LIFETIME_SECONDS = 10
"""Seconds that an access token lives."""

LIFETIMES = 3
"""Access tokens that every worker must outlive."""

ENDED_WITHIN_SECONDS = 5.0
"""Seconds from the sign-out to the end of the last worker's calls."""

SOURCE = Path(tasks.__file__).read_text(encoding="utf-8")


class StepFailed(Exception):
    """A step of the journey did not do what it must; the text says what happened."""


def expect(holds: bool, told: object) -> None:
    """Raise ``StepFailed`` with what was ``told`` unless it ``holds``."""
    if not holds:
        raise StepFailed(str(told)[:3_000])


@dataclass
class Place:
    """A Jupyter server, its provider and its API; ``issued`` holds every token that the provider has given away."""

    folder: Path
    person: Person
    upstream: Upstream
    issued: list[str] = field(repr=False)

    @property
    def work(self) -> Path:
        """The folder of the notebooks."""
        return self.person.process.work

    def tokens_seen(self) -> int:
        """Return how many different access tokens the API has been called with."""
        return len({seen.bearer for seen in self.upstream.seen})

    def logs_with_a_grant(self) -> list[str]:
        """Return the files beside the Jupyter server's own that hold the text of a grant: logs of an engine."""
        files = (file for file in self.folder.rglob("*") if file.is_file() and not file.is_symlink())
        own = self.person.process.folder
        return [str(file) for file in files if own not in file.parents and b"jow." in file.read_bytes()]

    def search(self, processes: set[int]) -> list[str]:
        """Return where a token of the provider is: in one of the ``processes``, in a log or in any other file."""
        named = {f"token {number}": token.encode() for number, token in enumerate(self.issued)}
        found = [f"process {one}: {place}" for one in sorted(processes) for place in holders(one, named)]
        for file in self.folder.rglob("*"):
            if file.is_file() and not file.is_symlink():
                content = file.read_bytes()
                found += [
                    f"{file.relative_to(self.folder)}: {name}" for name, token in named.items() if token in content
                ]
        return found


@contextmanager
def opened(folder: Path, *, with_broker: bool = False, **options: Any) -> Iterator[Place]:
    """Start the server with ``options``, its provider and its APIs, all of which but ``plans`` a grant may open.

    ``with_broker`` the sessions are in a process of its own.
    """
    issued: list[str] = []
    with (
        CertifiedProvider(ProviderDocument(), register=issued.append) as provider,
        Upstream(accepts=lambda token: token in issued) as upstream,
        RecipeApi(lambda token: token in issued) as recipes,
        ExitStack() as stack,
    ):
        apis = {
            **{name: {"base_url": upstream.url, "methods": ["GET", "DELETE"]} for name in ("orders", "plans")},
            "files": {"base_url": recipes.url("orders"), "methods": ["GET", "HEAD"]},
            "models": {"base_url": recipes.url("models"), "methods": ["POST"]},
        }
        if with_broker:
            short = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="broker")))
            broker = BrokerProcess(short, {"corp": settings_for(provider, upstream, apis=apis)})
            stack.enter_context(broker)
            options["extension"] = {"broker": broker.address}
        with at_work(folder, provider, upstream, changes={"apis": apis}, **options) as person:
            provider.set_lifetime(LIFETIME_SECONDS)
            new_notebook(person.process.work)
            (person.process.work / "tasks.py").write_text(SOURCE, encoding="utf-8")
            yield Place(folder, person, upstream, issued)


@dataclass
class Notebook:
    """A notebook with its kernel."""

    kernel: RunningKernel

    async def run(self, code: str) -> str:
        """Run a cell and return its text; raises ``StepFailed`` for an error."""
        cell = await self.kernel.run(code)
        expect(cell.error is None, cell.text)
        return cell.text.strip()

    async def everywhere(self, function: Callable[..., object], *arguments: object) -> list[Any]:
        """Call a function of ``tasks`` in every worker; return the results."""
        call = ", ".join([function.__name__, *map(repr, arguments)])
        told: list[Any] = await self._value(f"everywhere({call})")
        return told

    async def delegated(self, wish: str) -> dict[str, str]:
        """Make a grant by these arguments, as a cell has them; return the variable that holds it."""
        await self.run("import jupyter_oidc as oidc")
        told: dict[str, str] = await self._value(f"oidc.delegate({wish}).environment()")
        return told

    async def _value(self, expression: str) -> Any:
        return json.loads(await self.show(f"__import__('json').dumps({expression})"))

    async def show(self, expression: str) -> str:
        """Return the text of the value of ``expression``, without what else the cell writes."""
        shown = await self.run(f"print('§' + str({expression}))")
        return shown.rpartition("§")[2].partition("\n")[0]


@asynccontextmanager
async def notebook(person: Person) -> AsyncIterator[Notebook]:
    """Open the notebook; its kernel ends at the end."""
    door = person.process.rest(person.jupyter)
    async with door.client:
        kernel = await door.kernel("notebook.ipynb")
        try:
            yield Notebook(kernel)
        finally:
            await kernel.aclose()
            for session in person.jupyter.get("api/sessions").json():
                person.jupyter.delete(f"api/sessions/{session['id']}")


async def make(engine: Engine, place: Place, said: Callable[[str], None]) -> None:
    """Go through all steps with one engine; ``said`` is told each that has passed."""
    place.person.sign_in()
    with engine.beside(place.folder) as names:
        async with notebook(place.person) as cells:
            began = time.monotonic()
            await cells.run(f"import jupyter_oidc as oidc\n{SOURCE}")
            await cells.run(_filled(engine.start, {**names, "wish": WISH}))
            first = await cells.everywhere(tasks.reads)
            processes = {process for process, _ in first}
            expect([word for _, word in first] == ["200"] * len(first), first)
            expect(len(first) > 1, first)
            said(f"{len(first)} workers call ({time.monotonic() - began:.0f} s)")

            before = place.tokens_seen()
            seen = await cells.everywhere(tasks.reads_for, LIFETIMES * LIFETIME_SECONDS + 1.0)
            expect(seen == [["200"]] * len(first), seen)
            renewed = place.tokens_seen() - before
            expect(renewed >= LIFETIMES - 1, f"the API saw {renewed} new tokens")
            said(f"they call for {LIFETIMES} lifetimes of a token")

            if engine.identity == "grant":
                refused = await cells.everywhere(tasks.oversteps)
                wanted = ["GrantInvalid", "Forbidden", "GrantInvalid", "GrantInvalid"]
                expect([one[:4] for one in refused] == [wanted] * len(first), refused)
                expect(engine.are_children or all("200" not in one and "done" not in one for one in refused), refused)
                said("another API, DELETE, sign-out and the session are refused")

            read = await cells.everywhere(tasks.by_libraries)
            expect(read == [tasks.READ] * len(first), read)
            said("httpx, requests, pandas, fsspec, pyarrow and openai call")
            if engine.recipe is not None:
                heading, expression, result = engine.recipe
                await cells.run(recipe(heading, page=OF_WORKERS))
                shown = await cells.show(expression)
                expect(shown == result, shown)
                said(f"the recipe: {heading}")
            await _search(cells, place, processes, said)
            await _ends(cells, place, said)
            await cells.run(engine.stop)


def _filled(code: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        code = code.replace(f"{{{name}}}", value)
    return code


async def _search(cells: Notebook, place: Place, processes: set[int], said: Callable[[str], None]) -> None:
    """Find no token of the provider in workers and files, and what was planted in a worker."""
    running = with_children(processes)
    expect(bool(running), f"none of {processes} runs")
    planted = secrets.token_hex(20)
    await cells.everywhere(tasks.keeps, planted[:20], planted[20:])
    found = [one for one in running if holders(one, {"planted": planted.encode()})]
    expect(bool(found), "the search does not find what is planted")
    leaks = await asyncio.to_thread(place.search, running)
    expect(leaks == [], leaks)
    shown = place.logs_with_a_grant()
    expect(shown == [], shown)
    said(f"no token in the memory and environment of {len(running)} processes, nor in any file; no grant in a log")


async def _ends(cells: Notebook, place: Place, said: Callable[[str], None]) -> None:
    most = 60.0
    calling = asyncio.ensure_future(cells.everywhere(tasks.seconds_until_refused, most))
    await asyncio.sleep(4)
    expect(not calling.done(), "the calls ended before the sign-out")
    left = time.monotonic()
    (await asyncio.to_thread(place.person.post, "sign-out")).raise_for_status()
    lasted = await calling
    ended = time.monotonic() - left
    expect(max(lasted) < most and ended < ENDED_WITHIN_SECONDS, f"{lasted}, {ended:.1f} s after the sign-out")
    said(f"all calls ended {ended:.1f} s after the sign-out")

"""A real Chromium without a window, driven by Playwright."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from tests.support.page_memory import WHOLE_STRINGS

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1",
    WHOLE_STRINGS,
)
"""Nothing leaves this machine, and heap snapshots are whole."""

FINDER = Path(__file__).parents[2] / ".ci" / "find-browser"


def browser_path() -> str:
    """Return the browser's path; raises ``RuntimeError`` with the next step if there is none."""
    named = os.environ.get("JUPYTER_OIDC_BROWSER")
    if named:
        return named
    found = subprocess.run((sys.executable, str(FINDER)), capture_output=True, text=True, check=False, timeout=1800)
    if found.returncode:
        raise RuntimeError(found.stderr)
    return found.stdout.strip()


KEPT = ("Cache", "Code Cache")
"""The folders of a profile that a visitor leaves to the next one: the files of JupyterLab, and its compiled scripts."""


class Chromium:
    """A browser for many visitors, started when it is first needed; each finds nothing of the ones before."""

    def __init__(self, playwright: Playwright, path: str, flags: Sequence[str], folder: Path) -> None:
        self._chromium = playwright.chromium
        self._path = path
        self._flags = flags
        self._folder = folder
        self._free: list[Path] = []
        self._profiles = count()
        self._browser: Browser | None = None

    def new_context(self, **options: Any) -> BrowserContext:
        """Return an empty context of Playwright's; close it."""
        if self._browser is None:
            self._browser = self._chromium.launch(executable_path=self._path, args=self._flags)
        return self._browser.new_context(**options)

    @contextmanager
    def visit(self, **options: Any) -> Iterator[BrowserContext]:
        """Start a browser of its own that has no cookie and no storage, but knows the scripts that earlier ones loaded.

        JupyterLab opens with less work than in an empty context. ``options`` are those of a context.
        """
        profile = self._free.pop() if self._free else self._folder / f"profile-{next(self._profiles)}"
        context = self._chromium.launch_persistent_context(
            profile, executable_path=self._path, args=self._flags, **options
        )
        try:
            yield context
        finally:
            context.close()
            _forget(profile)
            self._free.append(profile)

    def close(self) -> None:
        """End the browser of the contexts, if there is one."""
        if self._browser is not None:
            self._browser.close()


def _forget(profile: Path) -> None:
    """Remove all that a visitor left in ``profile``, except the :data:`KEPT` folders."""
    for entry in [*profile.iterdir(), *(profile / "Default").iterdir()]:
        if entry.name in ("Default", *KEPT):
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


_RUNNING: list[Playwright] = []
"""The Playwright of this process: its interface refuses to start a second one beside it."""


@contextmanager
def chromium(**hosts: int) -> Iterator[Chromium]:
    """Yield a browser that finds each of ``hosts`` at a loopback port, for every port in the URL; end it."""
    flags = [_finding(flag, hosts) for flag in FLAGS]
    with _playwright() as playwright, tempfile.TemporaryDirectory(prefix="profiles-") as folder:
        browser = Chromium(playwright, browser_path(), flags, Path(folder))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def _playwright() -> Iterator[Playwright]:
    """Start Playwright, unless it runs for another browser."""
    if _RUNNING:
        yield _RUNNING[0]
        return
    with sync_playwright() as playwright:
        _RUNNING.append(playwright)
        try:
            yield playwright
        finally:
            _RUNNING.clear()


def _finding(flag: str, hosts: dict[str, int]) -> str:
    """Return ``flag`` with the ``hosts`` put before the rule that nothing is found."""
    maps = "".join(f"MAP {host} 127.0.0.1:{port} , " for host, port in hosts.items())
    return flag.replace("rules=MAP *", f"rules={maps}MAP *")

"""A real Chromium without a window, driven by Playwright."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

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


_RUNNING: list[Playwright] = []
"""The Playwright of this process: its interface refuses to start a second one beside it."""


@contextmanager
def chromium(**hosts: int) -> Iterator[Browser]:
    """Start the browser and end it; it finds each of ``hosts`` at a loopback port, for every port in the URL."""
    flags = [_finding(flag, hosts) for flag in FLAGS]
    with _playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=flags)
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

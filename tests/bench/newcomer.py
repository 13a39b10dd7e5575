"""``python -m tests.bench.newcomer``: how long a newcomer takes from nothing to a first call that works, in the demo.

A browser does what a person does: it opens the address that the terminal shows, signs in by clicks, types a word to find
an operation, inserts its cell and runs it. With ``--with-setup`` it begins with a fresh clone, and sets up the demo there;
that needs the network and a few minutes. It prints seconds and judges none: they say something on a quiet machine only.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from jupyter_oidc.demo.personas import ADA
from tests.e2e.lab_page import SLOW, Lab, answer_demo, visiting
from tests.support.browser import chromium

ROOT = Path(__file__).parents[2]
WORD = "search"
"""What the newcomer types."""

FOUND = "Brass gears"
"""What the API answers, then."""

KEY_MILLISECONDS = 80
"""The pause between two keys."""

ADDRESS = re.compile(r"http://localhost:\d+/\S*tutorial\.ipynb\?token=\S+")
PATIENCE_SECONDS = 180


@dataclass
class Watch:
    """Prints each step with the seconds that it took, and the sum."""

    began: float = field(default_factory=time.perf_counter)
    last: float = field(default_factory=time.perf_counter)

    def step(self, what: str) -> None:
        """Print the step that has just ended."""
        now = time.perf_counter()
        print(f"  {now - self.last:6.1f} s  {what}", flush=True)
        self.last = now

    @property
    def seconds(self) -> float:
        """Seconds from the beginning to the last step."""
        return self.last - self.began


@dataclass(frozen=True)
class Address:
    """A JupyterLab as the terminal names it: the base URL, and Jupyter's own token."""

    url: str
    token: str

    @classmethod
    def of(cls, text: str) -> Address:
        """Read the address that the demo prints."""
        parts = urlsplit(text)
        base = parts.path.partition("lab/tree/")[0]
        return cls(f"{parts.scheme}://{parts.netloc}{base}", parse_qs(parts.query)["token"][0])


@contextmanager
def demo_in_a_terminal(command: Sequence[str], folder: Path, watch: Watch) -> Iterator[Address]:
    """Run the demo as in a terminal, and read the address there; stopped by the interrupt that Ctrl-C sends."""
    log = folder / "terminal"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
        )
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while not (found := ADDRESS.search(log.read_text(encoding="utf-8"))):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text(encoding="utf-8"))
            time.sleep(0.05)
        watch.step("the demo runs, and the terminal shows its address")
        yield Address.of(found.group())
    finally:
        process.send_signal(2)
        process.wait(PATIENCE_SECONDS)


def call_an_operation(lab: Lab, watch: Watch) -> None:
    """Do what the first screen of the demo asks for: sign in, find, insert, run."""
    lab.open()
    watch.step("JupyterLab shows the notebook")
    window = lab.begin()
    answer_demo(window, ADA.name)
    lab.says(ADA.name)
    watch.step(f"signed in as {ADA.name}")
    field = lab.panel.get_by_role("searchbox", name="Find an operation", exact=True)
    field.click()
    field.press_sequentially(WORD, delay=KEY_MILLISECONDS)
    lab.panel.get_by_role("search").get_by_role("button", name="Insert cell for GET /search").click()
    expect(lab.panel.get_by_text("Inserted a cell for GET /search.")).to_be_visible()
    watch.step(f"an operation found by the word '{WORD}', and its cell inserted")
    lab.page.locator(".jp-Cell.jp-mod-active .cm-content").click()
    expect(lab.run_active_cell().first).to_contain_text(FOUND, timeout=SLOW)
    watch.step("the cell has run, and the API has answered")


def newcomer(python: Sequence[str], folder: Path) -> float:
    """Start the demo with ``python``, call an operation, and return the seconds that it took."""
    watch = Watch()
    command = (*python, "-m", "jupyter_oidc.demo", "--no-browser")
    with (
        demo_in_a_terminal(command, folder, watch) as address,
        chromium() as browser,
        visiting(browser, address) as lab,
    ):
        call_an_operation(lab, watch)
    return watch.seconds


def set_up(folder: Path) -> tuple[str, float]:
    """Clone this repository into ``folder`` and set the demo up there; return its Python, and the seconds."""
    watch = Watch()
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    watch.step("cloned")
    kept = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "VIRTUAL_ENV")}
    subprocess.run(["make", "--no-print-directory", ".venv/.demo"], cwd=clone, env=kept, check=True)
    watch.step("set up")
    return str(clone / ".venv" / "bin" / "python"), watch.seconds


def main() -> int:
    """Measure, and print the sums."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.newcomer", description=__doc__)
    parser.add_argument("--with-setup", action="store_true", help="begin with a fresh clone")
    chosen = parser.parse_args()
    expect.set_options(timeout=SLOW)
    with tempfile.TemporaryDirectory(prefix="newcomer-") as name:
        folder = Path(name)
        python, before = set_up(folder) if chosen.with_setup else (sys.executable, 0.0)
        seconds = newcomer([python], folder)
    print(f"first call of an operation that was found by a word: {seconds:.1f} s without the set-up (aim: 30)")
    if chosen.with_setup:
        print(f"from a fresh clone: {before + seconds:.1f} s (aim: 180)")
    return 0


if __name__ == "__main__":
    sys.exit(main())

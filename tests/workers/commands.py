"""Commands that ``jupyter oidc run`` gives an identity: a script, papermill and nbconvert (Q4.4)."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.lab_page import new_notebook
from tests.support.clean_environment import without_jupyter
from tests.support.memory import with_children
from tests.workers.journey import LIFETIME_SECONDS, LIFETIMES, SOURCE, Place, expect

LOOP = """
from pathlib import Path
said = Path("said.txt")
while (told := reads()[1]) == "200":
    with said.open("a") as lines:
        lines.write("200 ")
    time.sleep(0.5)
"""
"""It calls until it is refused, and notes each call beside itself."""

COMMANDS: dict[str, tuple[str, ...]] = {
    "a script": (sys.executable, "loop.py"),
    "papermill": (sys.executable, "-m", "papermill", "loop.ipynb", "out.ipynb", "--no-progress-bar"),
    "nbconvert": (sys.executable, "-m", "nbconvert", "--execute", "--to", "notebook", "loop.ipynb"),
}


@contextmanager
def _running(place: Place, command: tuple[str, ...]) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run the command by ``jupyter oidc run`` in a terminal's place; yield it and what it notes."""
    folder = place.folder / "terminal"
    folder.mkdir(exist_ok=True)
    said = folder / "said.txt"
    said.write_text("")
    code = f"{SOURCE}\nimport time\n{LOOP}"
    (folder / "loop.py").write_text(code, encoding="utf-8")
    new_notebook(folder, "loop.ipynb", [code])
    clean = without_jupyter()
    jupyter = place.person.process.folder
    environment = {**clean, "JUPYTER_RUNTIME_DIR": str(jupyter / "runtime"), "JUPYTER_DATA_DIR": str(folder / "data")}
    with (folder / "terminal.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_oidc.cli", "run", "--", *command],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process, said
        finally:
            process.terminate()
            process.wait()


def make(name: str, place: Place, said: Callable[[str], None]) -> None:
    """Go through all steps with one command; ``said`` is told each that has passed."""
    place.person.sign_in()
    with _running(place, COMMANDS[name]) as (process, noted):
        began = time.monotonic()
        while not noted.read_text(encoding="utf-8"):
            log = (place.folder / "terminal" / "terminal.log").read_text(encoding="utf-8", errors="replace")
            expect(process.poll() is None and time.monotonic() < began + 60, log)
            time.sleep(0.1)
        said(f"the command calls ({time.monotonic() - began:.0f} s)")
        before = place.tokens_seen()
        time.sleep(LIFETIMES * LIFETIME_SECONDS + 1)
        renewed = place.tokens_seen() - before
        expect(process.poll() is None and renewed >= LIFETIMES - 1, f"{renewed} new tokens, {process.poll()}")
        said(f"it calls for {LIFETIMES} lifetimes of a token")
        running = with_children([process.pid])
        leaks = place.search(running)
        expect(leaks == [], leaks)
        said(f"no token in the memory and environment of {len(running)} processes, nor in any file")
        place.person.post("sign-out").raise_for_status()
        left, calls = time.monotonic(), len(noted.read_text(encoding="utf-8"))
        process.wait(timeout=60)
        after = len(noted.read_text(encoding="utf-8")) - calls
        expect(after <= 2 * len("200 "), f"{after} characters were noted after the sign-out")
        said(f"it made no call after the sign-out, and ended {time.monotonic() - left:.1f} s after it")
        expect(process.returncode == 0 or name != "a script", f"exit code {process.returncode}")

"""The server imports modules early: once, in a thread, and never in the way of its start."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_oidc.adapters.system.early_imports import import_everything


def in_a_process(script: str, folder: Path) -> object:
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_whoever_waits_goes_on_when_everything_is_there(tmp_path: Path) -> None:
    """Q8.3: Imports are done before any kernel starts."""
    script = """
import asyncio, json, logging, sys
from jupyter_oidc.adapters.system.early_imports import EarlyImports
imports = EarlyImports(logging.getLogger())
before = "aiohttp" in sys.modules
asyncio.run(imports.done())
print(json.dumps([before, "aiohttp" in sys.modules, "jupyter_oidc.compose" in sys.modules]))
"""
    assert in_a_process(script, tmp_path) == [False, True, True]


def test_what_lies_in_the_working_folder_is_not_what_is_imported(tmp_path: Path) -> None:
    """Q8.3: sibling: the server is started in a folder that another user has filled."""
    (tmp_path / "aiohttp.py").write_text("raise SystemExit('the one of the working folder')", encoding="utf-8")
    script = """
import asyncio, json, logging, sys
from jupyter_oidc.adapters.system.early_imports import EarlyImports
asyncio.run(EarlyImports(logging.getLogger()).done())
print(json.dumps("site-packages" in sys.modules["aiohttp"].__file__))
"""
    assert in_a_process(script, tmp_path) is True


def test_a_module_that_the_settings_name_is_imported_before_its_folder_is_left(tmp_path: Path) -> None:
    """Q8.3: an administrator has put a keyring backend on PYTHONPATH."""
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "named_backend.py").touch()
    script = """
import asyncio, json, logging, sys
from jupyter_oidc.adapters.system.early_imports import EarlyImports
sys.path.insert(0, "{place}")
asyncio.run(EarlyImports(logging.getLogger(), more=["named_backend"]).done())
print(json.dumps(["named_backend" in sys.modules, "{place}" in sys.path]))
"""
    assert in_a_process(script.format(place=tmp_path / "place"), tmp_path) == [True, True]


@pytest.mark.parametrize("name", ["jupyter_oidc_of_nobody", "tests.unit.adapters.system.broken_module"])
def test_what_is_missing_or_broken_stops_nothing(name: str) -> None:
    """The code that needs the module reports it at that time."""
    assert import_everything([name]) == (name,)


def test_a_module_that_wants_to_end_the_process_ends_no_list() -> None:
    """Q8.3: later entries of the list would otherwise be imported when cells have written files."""
    assert import_everything([f"{__package__}.leaving_module", "jupyter_oidc_of_nobody"]) == (
        f"{__package__}.leaving_module",
        "jupyter_oidc_of_nobody",
    )


def test_imports_that_did_not_finish_leave_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Q8.3: sibling: no code waits for the thread's own error, so the log has to name it."""
    from jupyter_oidc.adapters.system.early_imports import EarlyImports

    class Broken(EarlyImports):
        """Import that ends in the middle."""

        def begin(self) -> None:
            """Fail in the caller's thread."""
            self._run()

        def _import(self) -> None:
            raise SystemExit

    Broken(logging.getLogger()).wait()
    assert "the imports did not finish (SystemExit)" in caplog.text


def test_the_event_loop_goes_on_meanwhile(tmp_path: Path) -> None:
    script = """
import asyncio, json, logging
from jupyter_oidc.adapters.system.early_imports import EarlyImports
async def main():
    imports = EarlyImports(logging.getLogger())
    imports.begin()
    turns = 0
    waiting = asyncio.ensure_future(imports.done())
    while not waiting.done():
        turns += 1
        await asyncio.sleep(0.01)
    return turns
print(json.dumps(asyncio.run(main()) > 5))
"""
    assert in_a_process(script, tmp_path) is True


def test_imports_that_never_end_hold_up_no_kernel_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    from jupyter_oidc.adapters.system.early_imports import EarlyImports

    class Stuck(EarlyImports):
        """Import whose file system has stopped."""

        def begin(self) -> None:
            """Return without a result."""

    asyncio.run(Stuck(logging.getLogger("stuck"), timeout=0.01).done())
    assert "not everything is imported after" in caplog.text

"""The demo's processes stop however their parent ends, and a process that fails says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import jupyter_oidc
from jupyter_oidc.demo.child import Child, ChildFailed

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(jupyter_oidc.__file__).parents[1])}
WITH_PARENT_WATCH = "from jupyter_oidc.demo import parent_watch; import time; parent_watch.watch_parent(grace={grace}); {first}; time.sleep(60)"


def child_running(code: str, tmp_path: Path) -> Child:
    return Child.start("The helper", ["-c", code], tmp_path / "helper.log", ENVIRONMENT)


def ready_after(path: Path, tmp_path: Path, *, first: str = "", grace: float = 5) -> Child:
    """Return a child with a watch on its parent that has come as far as writing ``path``."""
    code = WITH_PARENT_WATCH.format(grace=grace, first=f"{first or 'pass'}; open({str(path)!r}, 'w').write('here')")
    child = child_running(code, tmp_path)
    assert child.published(path, within=20) == "here"
    return child


def test_released_child_stops(tmp_path: Path) -> None:
    child = ready_after(tmp_path / "ready", tmp_path)
    child.release()
    assert child.process.wait(10) == -signal.SIGTERM


def test_child_that_ignores_the_request_is_ended_by_its_own_watch(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    child = ready_after(tmp_path / "ready", tmp_path, first=deaf, grace=0.2)
    child.release()
    assert child.process.wait(10) == 70


def test_child_that_does_not_stop_in_time_is_killed(tmp_path: Path) -> None:
    child = child_running("import time; time.sleep(60)", tmp_path)
    child.release()
    child.finish(within=0.1)
    assert child.process.returncode == -signal.SIGKILL


def test_child_stops_when_its_parent_is_killed(tmp_path: Path) -> None:
    inner = WITH_PARENT_WATCH.format(
        grace=5, first=f"open({str(tmp_path / 'pid')!r}, 'w').write(str(__import__('os').getpid()))"
    )
    outer = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {inner!r}], stdin=subprocess.PIPE)\ntime.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", outer], env=ENVIRONMENT)
    until = time.monotonic() + 20
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < until
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    pid = int((tmp_path / "pid").read_text())
    while running(pid):
        assert time.monotonic() < until
        time.sleep(0.05)


def running(pid: int) -> bool:
    """Say whether ``pid`` runs; a process that has ended and was not yet collected does not."""
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(listed.stdout.strip()) and not listed.stdout.startswith("Z")


def test_child_that_ended_by_itself_is_named_with_its_last_words(tmp_path: Path) -> None:
    child = child_running("raise SystemExit('no port left')", tmp_path)
    child.process.wait(20)
    with pytest.raises(ChildFailed, match=r"The helper ended by itself \(exit code 1\)\.\n    \| no port left"):
        child.check()


def test_child_that_never_becomes_ready_is_reported(tmp_path: Path) -> None:
    child = child_running("import time; time.sleep(60)", tmp_path)
    with pytest.raises(ChildFailed, match="The helper did not become ready in 0 seconds"):
        child.published(tmp_path / "ready", within=0.3)
    child.finish(within=0)

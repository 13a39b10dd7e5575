"""A user in a hurry stops the demo; nothing of it is left, its private keys least of all (Q7.6)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_oidc.demo.interrupts import StopRequests

PATIENCE_SECONDS = 120


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Nothing to clean up: the server of these tests is another process."""


class Demo:
    """``python -m jupyter_oidc.demo`` in a process of its own, whose temporary folder is ``place``."""

    def __init__(self, folder: Path) -> None:
        self.place = folder / "tmp"
        self.place.mkdir()
        self._said = folder / "said"
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "jupyter_oidc.demo", "--no-browser"],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=folder,
                env={**os.environ, "TMPDIR": str(self.place), "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._said.read_text(encoding="utf-8")

    def wait_for(self, words: str) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while words not in self.said:
            assert time.monotonic() < until, self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.05)

    @property
    def left(self) -> list[str]:
        return sorted(path.name for path in self.place.iterdir() if path.name.startswith("jupyter-oidc-demo-"))


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = Demo(tmp_path)
    yield demo
    if demo.process.poll() is None:
        demo.process.kill()
        demo.process.wait()


def test_a_second_ctrl_c_does_not_interrupt_the_removal(demo: Demo) -> None:
    """Q7.6: the folder with the provider's private keys is gone, and the demo prints its steps."""
    demo.wait_for("JupyterLab is running at")
    assert any((demo.place / demo.left[0]).rglob("*"))
    demo.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    demo.process.send_signal(signal.SIGINT)
    code = demo.process.wait(PATIENCE_SECONDS)
    assert (demo.left, code) == ([], 0), demo.said
    assert "stopping JupyterLab, the API and the provider, and removing the folder with their keys" in demo.said
    assert "still stopping" in demo.said
    assert "The demo has stopped, and nothing of it is left on this machine." in demo.said
    assert "Traceback" not in demo.said


def test_a_terminal_that_closes_after_ctrl_c_does_not_interrupt_it_either(demo: Demo) -> None:
    """Q7.6: sibling: other signals, again and again, and while everything still starts."""
    demo.wait_for("the provider is running at")
    demo.process.send_signal(signal.SIGINT)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        time.sleep(0.1)
        demo.process.send_signal(number)
    code = demo.process.wait(PATIENCE_SECONDS)
    assert (demo.left, code) == ([], 0), demo.said


HURRIED = """
import os, signal
from jupyter_oidc.demo.interrupts import StopRequests
StopRequests().listen()
for turn in range(3):
    try:
        os.kill(os.getpid(), signal.SIGINT)
        print("went on", flush=True)
    except KeyboardInterrupt:
        print("stopping", flush=True)
"""


def test_only_the_first_request_interrupts(tmp_path: Path) -> None:
    """Q7.6: sibling: at once, before anything has been done about the first."""
    done = subprocess.run(
        [sys.executable, "-c", HURRIED], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert (done.stdout.split("\n")[:3], done.stderr.count("still stopping")) == (["stopping", "went on", "went on"], 2)


ENDING = """
import os, signal
from jupyter_oidc.demo.interrupts import StopRequests
class Late:
    def __init__(self, number, send):
        self.number, self.send, self.own_id = number, send, os.getpid()
    def __del__(self):
        self.send(self.own_id, self.number)
requests = StopRequests()
requests.listen()
late = Late(signal.{name}, os.kill)
requests.ignore_until_exit()
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_request_while_python_exits_changes_no_exit_code(tmp_path: Path, name: str) -> None:
    """Q7.6: sibling: Python has given the signals back to the system, and everything has been removed."""
    ended = subprocess.run(
        [sys.executable, "-c", ENDING.replace("{name}", name)], cwd=tmp_path, timeout=60, check=False
    )
    assert ended.returncode == 0


def test_what_stops_for_another_reason_is_not_interrupted_by_the_first_request() -> None:
    """Q7.6: sibling: a part of the demo has failed, and the user presses Ctrl-C while it is cleared away."""
    before = signal.getsignal(signal.SIGINT)  # NOTE: a shell starts background processes with it ignored
    requests = StopRequests()
    requests.listen()
    try:
        requests.ignore_further()
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
    finally:
        requests.restore()
    assert signal.getsignal(signal.SIGINT) is before

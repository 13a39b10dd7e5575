"""``jupyter oidc run -- COMMAND`` beside a real server (Q4.4)."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from jupyter_oidc.cli.run import Run
from jupyter_oidc.cli.running import RunningServer
from tests.support.command import Command
from tests.support.jupyter_process import JupyterProcess

PROVIDERS = {"here": {"issuer": "https://id.example.com", "client_id": "jupyter"}}
ASK = "import jupyter_oidc as oidc; print(oidc.session().provider)"


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Nothing to clean up: the servers of these tests are other processes."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterProcess]:
    with JupyterProcess(tmp_path_factory.mktemp("server") / "jupyter", PROVIDERS) as process:
        yield process


@pytest.fixture
def command(tmp_path: Path, server: JupyterProcess) -> Command:
    """A terminal on the server's machine."""
    return Command(tmp_path, environment={"JUPYTER_RUNTIME_DIR": str(server.folder / "runtime")})


def left_behind(server: JupyterProcess) -> list[Path]:
    return list((server.folder / "runtime").glob("jupyter-oidc-run-*"))


def test_a_script_calls_what_a_notebook_may(command: Command, server: JupyterProcess) -> None:
    """Q4.4: and so do its child processes."""
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {ASK!r}]); {ASK}"
    said = command.run("run", "--", sys.executable, "-c", child)
    assert (said.code, said.out, said.err, left_behind(server)) == (0, "here\nhere\n", "", [])


def test_a_notebook_is_executed_by_nbconvert(command: Command, tmp_path: Path) -> None:
    """Q4.4: its kernel is started by nbconvert and by no server."""
    cell: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "a",
        "metadata": {},
        "outputs": [],
        "source": ASK,
    }
    python = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    notebook = tmp_path / "nightly.ipynb"
    notebook.write_text(
        json.dumps({"cells": [cell], "metadata": python, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8"
    )
    nbconvert = (sys.executable, "-m", "nbconvert", "--execute", "--to", "notebook", "--inplace", str(notebook))
    said = command.run("run", "--", *nbconvert)
    outputs = json.loads(notebook.read_text(encoding="utf-8"))["cells"][0]["outputs"]
    assert (said.code, [output.get("text") for output in outputs]) == (0, [["here\n"]]), said.err


def test_the_exit_code_is_the_commands(command: Command) -> None:
    """Q4.4: sibling: a scheduler reads it."""
    assert command.run("run", "--", sys.executable, "-c", "raise SystemExit(7)").code == 7


def test_a_command_that_does_not_exist_is_told_as_a_shell_does(command: Command, server: JupyterProcess) -> None:
    """Q4.4, a sibling: A command can run with an identity."""
    said = command.run("run", "--", "no-such-command-anywhere")
    assert (said.code, said.err.splitlines()[0]) == (127, "There is no command 'no-such-command-anywhere'.")
    assert left_behind(server) == []


def test_without_a_command_it_says_how(command: Command) -> None:
    """Q4.4, a sibling: A command can run with an identity."""
    said = command.run("run")
    assert (said.code, said.err.splitlines()[0]) == (1, "There is no command.")


def test_a_signal_to_end_goes_on_to_the_command(command: Command, server: JupyterProcess) -> None:
    """Q4.4: sibling: a scheduler ends the process that it started, and nothing is left."""
    code = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(3)); print('on', flush=True); time.sleep(60)"
    )
    with command.start("run", "--", sys.executable, "-c", code) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "on\n"
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)
    assert (running.returncode, left_behind(server)) == (3, [])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sends a signal to one thread of a process")
def test_a_signal_that_the_wait_does_not_notice_goes_on_to_the_command(command: Command) -> None:
    """One that arrives just before the wait is such; here another thread receives it, which the wait notices no more."""
    code = (
        "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(3)); print('on', flush=True); time.sleep(60)"
    )
    with command.start("run", "--", sys.executable, "-c", code) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "on\n"
        another = next(
            int(task.name) for task in Path(f"/proc/{running.pid}/task").iterdir() if int(task.name) != running.pid
        )
        assert ctypes.CDLL(None).tgkill(running.pid, another, signal.SIGTERM) == 0
        running.communicate(timeout=30)
    assert running.returncode == 3


class StoppedDuring:
    """A running server; the signal ``number`` arrives while it answers ``verb``."""

    def __init__(self, verb: str, number: signal.Signals, folder: Path) -> None:
        self.announced = folder / "announcement.json"
        self.calls: list[str] = []
        self._verb, self._number = verb, number

    def call(self, verb: str, _path: str) -> dict[str, Any]:
        self.calls.append(verb)
        if verb == self._verb:
            signal.raise_signal(self._number)
        return {"command_id": "one", "key": "not-a-key", "expires_in": 60}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("verb", "ran"), [("POST", False), ("DELETE", True)])
def test_a_request_to_end_leaves_nothing_behind(verb: str, ran: bool, number: signal.Signals, tmp_path: Path) -> None:
    """Before the command runs, none is started; behind its end, its exit code is told."""
    server, note, code = StoppedDuring(verb, number, tmp_path), tmp_path / "note", 0 if ran else 128 + number
    run = Run()
    run.extra_args = [sys.executable, "-c", f"open({str(note)!r}, 'w')"]
    assert run.work(cast("RunningServer", server)) == code
    assert (server.calls, note.exists()) == (["POST", "DELETE"], ran)
    assert list(tmp_path.glob("jupyter-oidc-run-*")) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads which signals a process ignores")
def test_a_command_ignores_what_a_shell_lets_it_ignore(command: Command) -> None:
    """A script starts what runs in its background so, and its Ctrl-C is not for that."""
    code = "print(next(line for line in open('/proc/self/status') if line.startswith('SigIgn')).split()[1])"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with command.start("run", "--", sys.executable, "-c", code) as running:
            told, _ = running.communicate(timeout=60)
    finally:
        signal.signal(signal.SIGINT, before)
    assert int(told, 16) & 1 << (signal.SIGINT - 1)


def test_what_a_killed_process_left_behind_is_removed_by_the_next(command: Command, server: JupyterProcess) -> None:
    """Its key is good for nothing any more; one that is in use, here or on another machine, is left alone."""
    runtime = server.folder / "runtime"
    forsaken, used = runtime / "jupyter-oidc-run-forsaken", runtime / "jupyter-oidc-run-used"
    for folder in (forsaken, used):
        folder.mkdir()
        (folder / "kernel-command-x.json").write_text("{}", encoding="utf-8")
    os.utime(forsaken, (0, 0))
    assert command.run("run", "--", sys.executable, "-c", "").code == 0
    assert left_behind(server) == [used]
    shutil.rmtree(used)


def test_what_outlives_its_command_is_nobody(command: Command, tmp_path: Path) -> None:
    """Q4.4: the file with the key has gone, and the server has forgotten the key."""
    left = tmp_path / "left"
    code = (
        "import os, time, jupyter_oidc as oidc\n"
        "oidc.session()\n"
        "open(os.environ['LEFT'] + '.ready', 'w').close()\n"
        "while os.path.exists(os.environ['JUPYTER_OIDC_CONNECTION_FILE']): time.sleep(0.05)\n"
        "time.sleep(1)\n"
        "try: told = oidc.session().provider\n"
        "except oidc.OIDCError as error: told = type(error).__name__\n"
        "open(os.environ['LEFT'] + '.part', 'w').write(told)\n"
        "os.replace(os.environ['LEFT'] + '.part', os.environ['LEFT'])\n"
    )
    start = (
        "import os, subprocess, sys, time\n"
        "quiet = subprocess.DEVNULL\n"
        f"subprocess.Popen([sys.executable, '-c', {code!r}], start_new_session=True, stdout=quiet, stderr=quiet)\n"
        "while not os.path.exists(os.environ['LEFT'] + '.ready'): time.sleep(0.05)\n"
    )
    command.environment["LEFT"] = str(left)
    assert command.run("run", "--", sys.executable, "-c", start).code == 0
    until = time.monotonic() + 30
    while not left.exists() and time.monotonic() < until:
        time.sleep(0.1)
    assert left.read_text(encoding="utf-8") == "GrantInvalid"


def test_only_jupyters_token_begins_a_command(server: JupyterProcess) -> None:
    """Q4.4: a caller without login gets no command's grant, and a kernel gets none either."""
    with server.stranger() as stranger, server.client() as jupyter:
        refused = stranger.post("jupyter-oidc/commands", json={})
        begun = jupyter.post("jupyter-oidc/commands", json={})
        ended = jupyter.delete(f"jupyter-oidc/commands/{begun.json()['command_id']}")
        late = jupyter.post(f"jupyter-oidc/commands/{begun.json()['command_id']}", json={})
    assert (refused.status_code, begun.status_code, ended.json()) == (403, 201, {"expires_in": 0})
    assert (late.status_code, late.json()["code"]) == (401, "grant_invalid")


def test_a_page_that_is_logged_in_by_a_cookie_begins_no_command(tmp_path: Path) -> None:
    """Q4.4: script in JupyterLab's origin has no use for a key."""
    process = JupyterProcess(tmp_path / "jupyter", PROVIDERS, password="correct horse")
    with process, closing(process.client()) as page:
        refused = page.post("jupyter-oidc/commands", json={})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")

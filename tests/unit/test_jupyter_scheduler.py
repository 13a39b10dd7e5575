"""What becomes of jobs whose notebooks call APIs; ``make workers-check`` runs them with the real jupyter-scheduler."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest
from jupyter_server import CallContext
from traitlets import Any as AnyTrait
from traitlets import HasTraits, Unicode

from jupyter_oidc.contract.announcement import KERNEL_VARIABLE, SERVER_VARIABLE
from tests.support.jupyter_process import JupyterProcess
from tests.support.scripted_provider import ScriptedProvider

CALLS = "import jupyter_oidc as oidc\noidc.api('orders').get('items')"


class SchedulerError(Exception):
    """As jupyter-scheduler has it."""


class Scheduler(HasTraits):
    """The part of jupyter-scheduler's class that ours builds on."""

    root_dir = Unicode()
    execution_manager_class = AnyTrait()

    def create_job(self, model: Any) -> str:
        return f"job of {model.input_uri} by {self.execution_manager_class.__name__}"

    def update_job_definition(self, job_definition_id: str, model: Any) -> None:
        """Change nothing."""

    def create_job_definition(self, model: Any) -> str:
        return f"definition of {model.input_uri}"


class Execution:
    """The part of jupyter-scheduler's class that ours builds on; it notes with which variables a notebook runs."""

    def __init__(self, notebook: Path, definition: str | None = None) -> None:
        self.staging_paths = {"input": str(notebook)}
        self.model = SimpleNamespace(job_definition_id=definition)
        self.ran: dict[str, str] | None = None

    def execute(self) -> None:
        self.ran = {name: value for name, value in os.environ.items() if name in (KERNEL_VARIABLE, SERVER_VARIABLE)}
        if KERNEL_VARIABLE in self.ran:
            assert json.loads(Path(self.ran[KERNEL_VARIABLE]).read_text(encoding="utf-8"))["key"]


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Our module, with stand-ins for jupyter-scheduler's."""
    package, scheduler = ModuleType("jupyter_scheduler"), ModuleType("jupyter_scheduler.scheduler")
    exceptions, executors = ModuleType("jupyter_scheduler.exceptions"), ModuleType("jupyter_scheduler.executors")
    vars(scheduler)["Scheduler"] = Scheduler
    vars(exceptions)["SchedulerError"] = SchedulerError
    vars(executors).update(DefaultExecutionManager=Execution, ExecutionManager=Execution)
    vars(package)["scheduler"] = scheduler
    for module in (package, scheduler, exceptions, executors):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delitem(sys.modules, "jupyter_oidc.jupyter_scheduler", raising=False)
    for name in (KERNEL_VARIABLE, SERVER_VARIABLE):
        monkeypatch.setenv(name, "")  # and so the variables of a job are gone behind the test
        monkeypatch.delenv(name)
    yield import_module("jupyter_oidc.jupyter_scheduler")
    sys.modules.pop("jupyter_oidc.jupyter_scheduler", None)


def notebook(folder: Path, *cells: str, kind: str = "code") -> Path:
    path = folder / "report.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": kind, "source": [cell]} for cell in cells]}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("cell", "kind", "calls"),
    [
        (CALLS, "code", True),
        ("%load_ext jupyter_oidc", "code", True),
        ("print(6 * 7)", "code", False),
        ("It uses jupyter_oidc.", "markdown", False),
    ],
)
def test_a_notebook_calls_apis_if_its_code_names_the_package(
    cell: str, kind: str, calls: bool, jobs: Any, tmp_path: Path
) -> None:
    assert jobs.calls_apis(str(notebook(tmp_path, "1", cell, kind=kind))) is calls


@pytest.mark.parametrize("content", [b"", b"[]", b'{"cells": 1}', b"\xff"])
def test_what_is_no_notebook_is_left_to_the_scheduler(content: bytes, jobs: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.ipynb"
    path.write_bytes(content)
    assert not jobs.calls_apis(str(path))
    assert not jobs.calls_apis(str(tmp_path / "none.ipynb"))


def test_a_job_at_a_set_time_is_refused_when_it_is_made(jobs: Any, tmp_path: Path) -> None:
    """Issue 17, 3: and not at three in the morning."""
    scheduler, wish = jobs.Scheduler(root_dir=str(tmp_path)), SimpleNamespace(input_uri="report.ipynb")
    notebook(tmp_path, CALLS)
    with pytest.raises(SchedulerError, match="your session may have ended by then"):
        scheduler.create_job_definition(wish)
    assert scheduler.create_job(wish) == "job of report.ipynb by JobExecution"
    with pytest.raises(SchedulerError, match="your session may have ended by then"):
        scheduler.update_job_definition("nightly", wish)
    scheduler.update_job_definition("nightly", SimpleNamespace(input_uri=None))
    notebook(tmp_path, "print(6 * 7)")
    assert scheduler.create_job_definition(wish) == "definition of report.ipynb"
    scheduler.update_job_definition("nightly", wish)


def test_a_job_of_a_definition_that_got_its_calls_later_does_not_run(jobs: Any, tmp_path: Path) -> None:
    """The definition's notebook can be replaced, by each user of a shared server too."""
    job = jobs.JobExecution(notebook(tmp_path, CALLS), definition="nightly")
    with pytest.raises(jobs.JobNotRun, match="at a set time"):
        job.execute()
    assert job.ran is None


@pytest.mark.parametrize(("user", "admitted"), [("owner", True), ("guest", False), (None, True)])
def test_only_the_owner_of_a_shared_server_creates_a_job_that_calls(
    user: str | None, admitted: bool, jobs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user's job would call as the owner, as a kernel of theirs would (Q8.5)."""
    monkeypatch.setenv("JUPYTERHUB_USER", "owner")
    CallContext.set(CallContext.JUPYTER_HANDLER, SimpleNamespace(current_user=user and SimpleNamespace(username=user)))
    notebook(tmp_path, CALLS)
    scheduler, wish = jobs.Scheduler(root_dir=str(tmp_path)), SimpleNamespace(input_uri="report.ipynb")
    try:
        if admitted:
            assert scheduler.create_job(wish) == "job of report.ipynb by JobExecution"
        else:
            with pytest.raises(SchedulerError, match="Only the owner of this server"):
                scheduler.create_job(wish)
            notebook(tmp_path, "print(6 * 7)")  # which can be changed before it is run
            assert scheduler.create_job(wish) == "job of report.ipynb by JobOfAnotherUser"
            job = jobs.JobOfAnotherUser(notebook(tmp_path, CALLS))
            with pytest.raises(jobs.JobNotRun, match="Only the owner of this server"):
                job.execute()
            assert job.ran is None
    finally:
        CallContext.set(CallContext.JUPYTER_HANDLER, None)


def test_a_job_without_a_server_says_so_before_its_first_cell(
    jobs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    job = jobs.JobExecution(notebook(tmp_path, CALLS))
    with pytest.raises(jobs.JobNotRun, match="does not run any more"):
        job.execute()
    assert job.ran is None
    other = jobs.JobExecution(notebook(tmp_path, "print(6 * 7)"))
    other.execute()
    assert other.ran == {}


def test_a_job_has_an_identity_at_the_server_that_started_it_and_at_no_other(
    jobs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment names: the server may have been started in a terminal of another one."""
    with ScriptedProvider() as provider:
        settings = {"issuer": provider.issuer, "client_id": "jupyter", "allow_insecure_loopback": True}
        with JupyterProcess(tmp_path / "jupyter", {"corp": settings}) as server, server.client() as person:
            runtime = server.folder / "runtime"
            monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
            (announced,) = runtime.glob("jupyter-oidc-*.json")
            monkeypatch.setenv(SERVER_VARIABLE, str(announced))
            job = jobs.JobExecution(notebook(tmp_path, CALLS))
            with pytest.raises(jobs.JobNotRun, match="does not run any more"):
                job.execute()
            here = json.loads(announced.read_text(encoding="utf-8"))
            announced.write_text(json.dumps({**here, "pid": os.getppid()}), encoding="utf-8")
            (runtime / f"jpserver-{server.pid}.json").rename(runtime / f"jpserver-{os.getppid()}.json")
            with pytest.raises(jobs.JobNotRun, match="Nobody is signed in"):
                job.execute()
            assert job.ran is None
            started = person.post("jupyter-oidc/providers/corp/sign-in", json={}).json()
            provider.browser().open(str(httpx.URL(server.url).join(started["start_url"])))
            job.execute()
            assert job.ran is not None
            assert job.ran[SERVER_VARIABLE] == str(announced)
            assert not Path(job.ran[KERNEL_VARIABLE]).exists()  # it was read while the job ran
            assert list(runtime.glob("jupyter-oidc-run-*")) == []

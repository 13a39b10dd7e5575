"""What becomes of jobs whose notebooks call APIs; ``make workers-check`` runs them with the real jupyter-scheduler."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from jupyter_server import CallContext

from jupyter_oidc.contract.announcement import KERNEL_VARIABLE, SERVER_VARIABLE
from tests.support.jupyter_process import JupyterProcess
from tests.support.scheduler import CALLS, SchedulerError, definition_wish, notebook, our_jobs
from tests.support.scripted_provider import ScriptedProvider


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Our module."""
    with our_jobs(monkeypatch) as module:
        yield module


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


async def test_a_job_at_a_set_time_is_refused_when_it_is_made_without_a_broker(
    jobs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Issue 17, 3: and not at three in the morning."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    scheduler, wish = jobs.Scheduler(root_dir=str(tmp_path)), definition_wish()
    notebook(tmp_path, CALLS)
    with pytest.raises(SchedulerError, match="does not run any more"):
        await scheduler.create_job_definition(wish)
    assert scheduler.create_job(wish) == "job of report.ipynb by JobExecution"
    with pytest.raises(SchedulerError, match="does not run any more"):
        await scheduler.update_job_definition("nightly", wish)
    await scheduler.update_job_definition("nightly", definition_wish(input_uri=None))
    notebook(tmp_path, "print(6 * 7)")
    assert await scheduler.create_job_definition(wish) == "definition of report.ipynb"
    await scheduler.update_job_definition("nightly", wish)
    await scheduler.delete_job_definition("nightly")


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

"""Jobs at set times, whose delegations a broker keeps."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.cli.job_delegations import ENDED as JOB_ENDED
from jupyter_oidc.cli.job_delegations import NAME_APIS, JobDelegations, NoDelegation, Wish
from jupyter_oidc.cli.running import RunningServer, server_of_process
from jupyter_oidc.kernel.errors import RequestInvalid, UnknownApi
from jupyter_oidc.kernel.server_connection import WORKER_VARIABLE
from tests.interop.person import Person
from tests.interop.test_broker import Place, place_of
from tests.interop.test_workers import BY_ENVIRONMENT, worker
from tests.support.canary import CANARY
from tests.support.certified_provider import CertifiedProvider
from tests.support.scheduler import CALLS, SchedulerError, definition_wish, notebook, our_jobs
from tests.support.upstream import Upstream

ORDERS = Wish.of({"oidc_apis": "orders", "oidc_hours": "2"})


@pytest.fixture
def place(tmp_path: Path, provider: CertifiedProvider, upstream: Upstream) -> Iterator[Place]:
    with place_of(tmp_path, provider, upstream) as place:
        yield place


@pytest.fixture
def person(place: Place) -> Person:
    person = place.server("here")
    person.sign_in()
    return person


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with our_jobs(monkeypatch) as module:
        yield module


def server_of(person: Person, monkeypatch: pytest.MonkeyPatch) -> RunningServer:
    """The server of ``person``, as the scheduler in its process finds it."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(person.process.folder / "runtime"))
    server = server_of_process(person.process.pid)
    assert server is not None
    return server


def test_the_delegation_of_a_job_goes_on_when_server_and_broker_are_started_again(
    place: Place, person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, server = JobDelegations(tmp_path / "kept"), server_of(person, monkeypatch)
    assert kept.are_possible(server)
    made = kept.make(server, ORDERS, "nightly")
    CANARY.hold(made["grant"])
    kept.keep("definition", made)
    [listed] = person.jupyter.get("jupyter-oidc/grants").json()["grants"]
    assert (listed["name"], listed["methods"], listed["outlives_kernel"]) == ("nightly", ["GET", "HEAD"], True)
    assert worker(person, BY_ENVIRONMENT, **kept.variables("definition", server)) == "200"
    later_person = place.server("later")
    later = server_of(later_person, monkeypatch)
    person.process.__exit__(None, None, None)
    place.broker.stop()
    place.broker.start()
    assert worker(later_person, BY_ENVIRONMENT, **kept.variables("definition", later)) == "200"
    [file] = (tmp_path / "kept" / "jobs").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    kept.end("definition", later)
    assert (list(file.parent.iterdir()), kept.has("definition")) == ([], False)
    with pytest.raises(NoDelegation, match="Name them in its parameters"):
        kept.variables("definition", later)
    assert later_person.jupyter.get("jupyter-oidc/grants").json()["grants"] == []


def test_a_delegation_that_has_ended_is_told_before_the_first_cell(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, server = JobDelegations(tmp_path / "kept"), server_of(person, monkeypatch)
    kept.keep("definition", kept.make(server, ORDERS, "nightly"))
    person.post("sign-out").raise_for_status()
    with pytest.raises(NoDelegation) as refused:
        kept.variables("definition", server)
    assert str(refused.value) == JOB_ENDED
    kept.end("definition", server)


def test_a_delegation_that_cannot_be_is_refused_when_the_job_is_made(
    person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, server = JobDelegations(tmp_path / "kept"), server_of(person, monkeypatch)
    for wish, refusal in [
        (Wish(("unknown",), ("GET",), 1.0), UnknownApi),
        (Wish(("orders",), ("TRACE",), 1.0), RequestInvalid),
        (Wish(("orders",), ("GET",), 721.0), RequestInvalid),
    ]:
        with pytest.raises(refusal):
            kept.make(server, wish, "nightly")
    assert person.jupyter.get("jupyter-oidc/grants").json()["grants"] == []
    runtime = person.process.folder / "runtime"
    assert list(runtime.glob("jupyter-oidc-run-*")) == []


@pytest.mark.parametrize(
    ("parameters", "wish"),
    [
        ({"oidc_apis": "orders"}, Wish(("orders",), ("GET", "HEAD"), None)),
        (
            {"oidc_apis": " orders, plans ", "oidc_methods": "post", "oidc_hours": "12", "day": "x"},
            Wish(("orders", "plans"), ("GET", "HEAD", "POST"), 12.0),
        ),
        ({"oidc_apis": "'orders'", "oidc_hours": '"3"'}, Wish(("orders",), ("GET", "HEAD"), 3.0)),
        (None, None),
        ({"day": "x"}, None),
        ({"oidc_apis": " , "}, None),
        *(({"oidc_apis": "orders", "oidc_hours": hours}, None) for hours in ("long", "nan", "inf", "1e999")),
    ],
)
def test_the_parameters_of_a_job_name_what_it_may_call(parameters: dict[str, str] | None, wish: Wish | None) -> None:
    if wish is None:
        with pytest.raises(NoDelegation) as refused:
            Wish.of(parameters)
        assert str(refused.value) == NAME_APIS
    else:
        assert Wish.of(parameters) == wish


class SchedulerOf:
    """Our scheduler in this process, which ``person``'s server takes itself for, with stand-ins for jupyter-scheduler."""

    def __init__(self, person: Person, jobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        runtime, work = person.process.folder / "runtime", person.process.work
        monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
        monkeypatch.setenv("JUPYTER_DATA_DIR", str(person.process.folder / "data"))
        (announced,) = runtime.glob("jupyter-oidc-*.json")
        here = json.loads(announced.read_text(encoding="utf-8"))
        for pid in (os.getpid(), os.getppid()):  # of the scheduler, and of what starts a job
            (runtime / f"jupyter-oidc-{pid}.json").write_text(json.dumps({**here, "pid": pid}), encoding="utf-8")
            (runtime / f"jpserver-{pid}.json").write_bytes(
                (runtime / f"jpserver-{person.process.pid}.json").read_bytes()
            )
        self.scheduler = jobs.Scheduler(root_dir=str(work))
        self.path = notebook(work, CALLS)
        self.jobs, self.person = jobs, person

    def names(self) -> list[str]:
        listed = self.person.jupyter.get("jupyter-oidc/grants").json()["grants"]
        return [one["name"] for one in listed]

    def run(self, definition: str) -> dict[str, str]:
        """Run a job of the definition; return the variables that its notebook has."""
        job = self.jobs.JobExecution(self.path, definition=definition)
        job.execute()
        assert job.model.parameters == {"day": "1"}, "a cell of the notebook gets its own parameters, and not ours"
        return {WORKER_VARIABLE: os.environ.pop(WORKER_VARIABLE)}


async def test_a_job_definition_carries_a_delegation_and_ends_with_it(
    person: Person, jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = SchedulerOf(person, jobs, monkeypatch)
    with pytest.raises(SchedulerError, match="Name them in its parameters"):
        await at.scheduler.create_job_definition(definition_wish())
    with pytest.raises(SchedulerError, match="unknown"):
        await at.scheduler.create_job_definition(definition_wish(parameters={"oidc_apis": "unknown"}))
    assert at.names() == []
    definition = await at.scheduler.create_job_definition(definition_wish(parameters={"oidc_apis": "orders"}))
    assert at.names() == ["nightly"]
    assert worker(person, BY_ENVIRONMENT, **at.run(definition)) == "200"

    other = definition_wish(input_uri=None, name="weekly", parameters={"oidc_apis": "orders", "oidc_hours": "1"})
    await at.scheduler.update_job_definition(definition, other)
    assert at.names() == ["weekly"]
    await at.scheduler.update_job_definition(definition, definition_wish(input_uri=None))
    assert at.names() == ["weekly"], "another time of the day needs no other delegation"
    assert worker(person, BY_ENVIRONMENT, **at.run(definition)) == "200"

    at.scheduler.changes_parameters = False
    with pytest.raises(SchedulerError, match="only together with its schedule"):
        await at.scheduler.update_job_definition(
            definition, definition_wish(name="daily", parameters={"oidc_apis": "orders"})
        )
    assert at.names() == ["weekly"], "what could not be changed has the delegation that it had"
    notebook(person.process.work, "print(6 * 7)")
    await at.scheduler.update_job_definition(definition, definition_wish())
    assert at.names() == [], "a notebook that calls no API needs none"
    notebook(person.process.work, CALLS)

    await at.scheduler.delete_job_definition(definition)
    assert at.names() == []
    with pytest.raises(jobs.JobNotRun, match="Name them in its parameters"):
        at.run(definition)


async def test_a_job_says_that_its_delegation_has_ended(
    person: Person, jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = SchedulerOf(person, jobs, monkeypatch)
    definition = await at.scheduler.create_job_definition(definition_wish(parameters={"oidc_apis": "orders"}))
    person.post("sign-out").raise_for_status()
    with pytest.raises(jobs.JobNotRun, match="The delegation of this job has ended"):
        at.run(definition)
    await at.scheduler.delete_job_definition(definition)

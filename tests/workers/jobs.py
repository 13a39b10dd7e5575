"""Jobs of jupyter-scheduler, whose notebooks call an API (``jupyter_oidc.jupyter_scheduler``)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import psutil

from jupyter_oidc.jupyter_scheduler import SET_TIME, SIGNED_OUT
from tests.e2e.lab_page import new_notebook
from tests.workers.commands import LOOP
from tests.workers.journey import ENDED_WITHIN_SECONDS, LIFETIME_SECONDS, LIFETIMES, SOURCE, Place, expect

OPTIONS: dict[str, Any] = {
    "as_program": True,  # NOTE: the scheduler starts its processes by the program of this one
    "program": 'c.SchedulerApp.scheduler_class = "jupyter_oidc.jupyter_scheduler.Scheduler"\n',
}
"""A server with our scheduler; jupyter-scheduler itself is enabled by its installation."""

_ENDED = ("COMPLETED", "FAILED")  # NOTE: a job that has not begun is called STOPPED


class Jobs:
    """The jobs of a server, by the routes of jupyter-scheduler."""

    def __init__(self, place: Place) -> None:
        self._http = place.person.jupyter

    def create(self, name: str, notebook: str) -> str:
        """Create a job, which starts at once; return its id."""
        reply = self._http.post("scheduler/jobs", json=self._wish(name, notebook))
        expect(reply.status_code == 200, reply.text)
        return str(reply.json()["job_id"])

    def schedule(self, name: str, notebook: str, schedule: str = "0 3 * * *", **parameters: str) -> httpx.Response:
        """Ask for jobs at set times, every night by default; return the reply."""
        wish = self._wish(name, notebook) | {"schedule": schedule, "timezone": "UTC", "parameters": parameters}
        return self._http.post("scheduler/job_definitions", json=wish)

    def of_definition(self, definition: str) -> list[str]:
        """Return the jobs of a definition, the newest first."""
        listed = self._http.get("scheduler/jobs", params={"job_definition_id": definition}).json()
        return [one["job_id"] for one in listed["jobs"]]

    def run_now(self, definition: str) -> str:
        """Start a job of a definition; return its id."""
        reply = self._http.post(f"scheduler/job_definitions/{definition}/jobs", json={})
        expect(reply.status_code == 200, reply.text)
        return str(reply.json()["job_id"])

    def delete_definition(self, definition: str) -> None:
        """Delete a definition."""
        reply = self._http.delete(f"scheduler/job_definitions/{definition}")
        expect(reply.status_code == 204, reply.text)

    def ended(self, job: str, within: float) -> tuple[str, str, float]:
        """Return status, message and seconds of the wait, once the job has ended; raises ``StepFailed`` if it does not."""
        began = time.monotonic()
        while time.monotonic() - began < within:
            told = self._http.get(f"scheduler/jobs/{job}").json()
            if told["status"] in _ENDED:
                return told["status"], told.get("status_message") or "", time.monotonic() - began
            time.sleep(0.1)
        expect(False, f"the job has not ended after {within:.0f} s")
        raise AssertionError

    def _wish(self, name: str, notebook: str) -> dict[str, Any]:
        return {
            "name": name,
            "input_uri": notebook,
            "runtime_environment_name": "python",
            "output_formats": ["ipynb"],
        }


def make(place: Place, said: Callable[[str], None]) -> None:
    """Go through all steps; ``said`` is told each that has passed."""
    noted = place.folder / "said.txt"
    noted.write_text("")
    code = LOOP.replace('Path("said.txt")', f"Path({str(noted)!r})")
    new_notebook(place.work, "loop.ipynb", [f"{SOURCE}\nimport time\n{code}"])
    new_notebook(place.work, "other.ipynb", ["print(6 * 7)"])
    jobs = Jobs(place)

    status, message, seconds = jobs.ended(jobs.create("early", "loop.ipynb"), within=60)
    expect((status, message) == ("FAILED", str(SIGNED_OUT)), (status, message))
    expect(noted.read_text() == "", noted.read_text())
    said(f"without a session it fails before its first cell, {seconds:.1f} s after it was created: {message}")
    status, message, _ = jobs.ended(jobs.create("other", "other.ipynb"), within=60)
    expect(status == "COMPLETED", message)
    said("a notebook that calls no API needs no session")

    place.person.sign_in()
    refused = jobs.schedule("nightly", "loop.ipynb").text
    expect(str(SET_TIME) in refused, refused)
    said(f"a job at a set time is refused when it is made: {SET_TIME}")
    _calls_until_the_sign_out(place, jobs, said)


def _calls_until_the_sign_out(place: Place, jobs: Jobs, said: Callable[[str], None]) -> None:
    noted, began = place.folder / "said.txt", time.monotonic()
    job = jobs.create("loop", "loop.ipynb")
    while not noted.read_text():
        expect(time.monotonic() < began + 60, place.person.process.log[-3_000:])
        time.sleep(0.1)
    said(f"a job calls ({time.monotonic() - began:.0f} s)")
    before = place.tokens_seen()
    time.sleep(LIFETIMES * LIFETIME_SECONDS + 1)
    renewed = place.tokens_seen() - before
    expect(renewed >= LIFETIMES - 1, f"{renewed} new tokens")
    said(f"it calls for {LIFETIMES} lifetimes of a token")

    started = psutil.Process(place.person.process.pid).children(recursive=True)
    running = {one.pid for one in started if one.status() != psutil.STATUS_ZOMBIE}  # NOTE: the earlier jobs are such
    expect(len(running) > 1, running)  # the job's process and its kernel
    leaks = place.search(running)
    expect(leaks == [], leaks)
    said(f"no token in the memory and environment of {len(running)} processes, nor in any file")

    place.person.post("sign-out").raise_for_status()
    left, calls = time.monotonic(), len(noted.read_text())
    status, message, _ = jobs.ended(job, within=60)
    expect(status == "COMPLETED", message)
    after = len(noted.read_text()) - calls
    expect(after <= 2 * len("200 "), f"{after} characters were noted after the sign-out")
    expect(time.monotonic() - left < 2 * ENDED_WITHIN_SECONDS, f"{time.monotonic() - left:.1f} s")
    left_behind = list((place.person.process.folder / "runtime").glob("jupyter-oidc-run-*"))
    expect(left_behind == [], left_behind)
    said(f"it made no call after the sign-out, and ended {time.monotonic() - left:.1f} s after it; nothing is left")

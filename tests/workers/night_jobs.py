"""Jobs of jupyter-scheduler that run at their own time, by a delegation that a broker keeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from jupyter_oidc.cli.job_delegations import ENDED, NAME_APIS
from tests.e2e.lab_page import new_notebook
from tests.workers.jobs import OPTIONS as OF_JOBS
from tests.workers.jobs import Jobs
from tests.workers.journey import LIFETIME_SECONDS, Place, expect

OPTIONS: dict[str, Any] = {**OF_JOBS, "with_broker": True}

EVERY_MINUTE = "* * * * *"
PATIENCE = 150.0
"""Seconds for a job that runs every minute: the scheduler looks every ten seconds."""

NIGHT = """
import jupyter_oidc as oidc

def word(call):
    try:
        return str(call().status_code)
    except Exception as error:
        return type(error).__name__

with open({noted!r}, "a") as lines:
    lines.write(word(lambda: oidc.api("orders").get("items")) + " ")
    lines.write(word(lambda: oidc.api("orders").delete("items")) + " ")
    lines.write(word(lambda: oidc.api("plans").get("items")) + " ")
    lines.write(word(lambda: oidc.sign_out("corp")) + "\\n")
"""
EXPECTED = "200 Forbidden GrantInvalid GrantInvalid"


def make(place: Place, said: Callable[[str], None]) -> None:
    """Go through all steps; ``said`` is told each that has passed."""
    noted, jobs = place.folder / "said.txt", Jobs(place)
    noted.write_text("")
    new_notebook(place.work, "night.ipynb", [NIGHT.format(noted=str(noted))])

    refused = jobs.schedule("nightly", "night.ipynb", EVERY_MINUTE, oidc_apis="orders").text
    expect("Nobody is signed in" in refused or "not signed in" in refused.lower(), refused)
    said("without a session it is refused when it is made")
    place.person.sign_in()
    refused = jobs.schedule("nightly", "night.ipynb", EVERY_MINUTE).text
    expect(str(NAME_APIS)[:60] in refused, refused)
    said(f"so is one that names no API: {NAME_APIS}")

    made = jobs.schedule("nightly", "night.ipynb", EVERY_MINUTE, oidc_apis="orders", oidc_hours="24")
    expect(made.status_code == 200, made.text)
    definition = str(made.json()["job_definition_id"])
    listed = place.person.jupyter.get("jupyter-oidc/grants").json()["grants"]
    expect([(one["name"], one["outlives_kernel"]) for one in listed] == [("nightly", True)], listed)
    said("with one it gets a delegation, which the list of grants shows")

    began = time.monotonic()
    while not noted.read_text().count("\n"):
        expect(time.monotonic() < began + PATIENCE, place.person.process.log[-3_000:])
        time.sleep(0.2)
    expect(noted.read_text().splitlines()[0] == EXPECTED, noted.read_text())
    said(
        f"it runs at its time ({time.monotonic() - began:.0f} s) and calls its API, not DELETE, no other API, no sign-out"
    )

    before = place.tokens_seen()
    time.sleep(LIFETIME_SECONDS + 1)
    count = noted.read_text().count("\n")
    status, message, _ = jobs.ended(jobs.run_now(definition), within=60)
    expect(status == "COMPLETED", message)
    expect(noted.read_text().count("\n") > count, noted.read_text())
    expect(place.tokens_seen() > before, "no new token")
    said("another one calls with another access token")
    # NOTE: the code, which the server has passed on, is spent; the browser had it, too.
    provider = place.person.provider
    tokens = [text for kind in ("access_token", "refresh_token", "id_token") for text in provider.issued(kind)]
    leaks = replace(place, issued=tokens).search({place.person.process.pid})
    expect(leaks == [], leaks)
    said("no token in the Jupyter server, which runs the scheduler, nor in any file")

    place.person.post("sign-out").raise_for_status()
    left = time.monotonic()
    status, message, seconds = jobs.ended(jobs.run_now(definition), within=60)
    expect((status, message) == ("FAILED", str(ENDED)), (status, message))
    expect(time.monotonic() - left < 60, seconds)
    said(f"after the sign-out it fails before its first cell: {ENDED}")
    jobs.delete_definition(definition)
    expect(not list(place.person.process.folder.rglob("jobs/*.json")), "the delegation is still kept")
    said("its delegation goes with its definition")

"""Signing in by a pasted address at the certified provider, whose redirect leads to a port without a server (A32)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.person import Person, at_work
from tests.support.certified_provider import CertifiedProvider
from tests.support.upstream import Upstream

URI = "http://127.0.0.1/nobody/listens"
PASTED = {"redirect_strategy": "paste", "redirect_uri": URI}
CLIENT = {"native": True, "more": {"redirect_uris": [URI]}}


def signed_in_at_the_provider(person: Person) -> tuple[str, str]:
    """Return the flow, and the address at which the browser ends."""
    started = person.begin()
    assert (started["strategy"], started["device"]) == ("paste", None)
    end = person.browser.sign_in(person.start_url(started), "user1", "any", stop_at=URI)
    return started["flow"], end.headers["location"]


def test_the_whole_way_from_a_copied_address_to_a_renewed_session(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    with at_work(tmp_path, provider, upstream, changes=PASTED, client=CLIENT) as person:
        flow, address = signed_in_at_the_provider(person)
        complete = f"jupyter-oidc/providers/corp/sign-in/{flow}/complete"
        code = address.partition("code=")[2].partition("&")[0]
        bare = person.jupyter.post(complete, json={"redirect_url": code})
        assert (bare.status_code, bare.json()["code"]) == (400, "response_malformed")
        assert code not in bare.text
        done = person.jupyter.post(complete, json={"redirect_url": f"  {address}\n"})
        assert (done.status_code, done.json()["state"]) == (200, "completed")
        assert person.summary()["user"]["name"] == "Example User"
        assert person.post("refresh").json()["state"] == "active"
        again = person.jupyter.post(complete, json={"redirect_url": address})
        assert (again.status_code, again.json()["code"]) == (400, "state_used")
        assert code not in person.process.log


@pytest.mark.parametrize("body", [{}, {"redirect_url": ""}, {"redirect_url": "x" * 8193}, {"code": "c"}])
def test_a_malformed_envelope_is_refused_without_an_echo(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, body: dict[str, str]
) -> None:
    with at_work(tmp_path, provider, upstream, changes=PASTED, client=CLIENT) as person:
        flow = person.begin()["flow"]
        reply = person.jupyter.post(f"jupyter-oidc/providers/corp/sign-in/{flow}/complete", json=body)
        assert (reply.status_code, reply.json()["code"]) == (400, "request_invalid")
        assert "xxxx" not in reply.text

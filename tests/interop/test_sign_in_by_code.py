"""Signing in by code at the certified provider, from the page and from a notebook cell (RFC 8628)."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_oidc.demo.running_kernel import CellRun
from tests.interop.person import Person, at_work
from tests.support.certified_provider import CertifiedProvider
from tests.support.form_sign_in import FormBrowser
from tests.support.upstream import Upstream

BY_CODE = {"redirect_strategy": "device"}
CELL = """
import jupyter_oidc as oidc
print(oidc.sign_in(timeout=60).user.name)
print(oidc.api("orders").get("items").json())
"""


def agree(browser: FormBrowser, url: str) -> None:
    """Confirm the code that the page shows, log in, agree."""
    assert "Sign-in Success" in browser.sign_in(url, "user1", "any").text


def abort(browser: FormBrowser, url: str) -> None:
    """Press *Abort* where the page asks whether this is the code."""
    browser.submit(browser.submit(browser.open(url), {}), {}, press="abort")


async def run_and(person: Person, act: Callable[[FormBrowser, str], None]) -> tuple[CellRun, list[str]]:
    """Run the cell in a kernel and ``act`` on the link that it shows; return the run and the codes that were shown."""
    codes: list[str] = []

    async def look(shown: str) -> None:
        codes.extend(re.findall(r">([A-Z]{4}-[A-Z]{4})</code>", shown))
        links = re.findall(r'href="([^"]*/device[^"]*)"', shown)
        if links and len(codes) == 1:
            await asyncio.to_thread(act, person.browser, html.unescape(links[0]))

    door = person.process.rest(person.jupyter)
    async with door.client:
        kernel = await door.kernel("notebook.ipynb")
        try:
            return await kernel.run(CELL, look), codes
        finally:
            await kernel.aclose()


def test_the_whole_way_from_a_code_to_a_renewed_session(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    with at_work(tmp_path, provider, upstream, changes=BY_CODE) as person:
        started = person.begin()
        assert (started["strategy"], started["start_url"]) == ("device", None)
        agree(person.browser, started["device"]["verification_uri_complete"])
        progress = person.jupyter.get(f"jupyter-oidc/providers/corp/sign-in/{started['flow']}?wait=30").json()
        assert (progress["state"], progress["error"]) == ("completed", None)
        assert person.summary()["user"]["name"] == "Example User"
        assert person.post("refresh").json()["state"] == "active"
        assert person.post("sign-out").json()["revoked"] == "done"


def test_a_cell_shows_a_code_and_goes_on_when_the_person_has_agreed(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    with at_work(tmp_path, provider, upstream, changes=BY_CODE) as person:
        run, codes = asyncio.run(run_and(person, agree))
        assert "Example User" in run.text
        assert "{'path': '/v1/items'}" in run.text
        assert codes[0] not in run.text


def test_a_cell_says_that_the_person_declined(tmp_path: Path, provider: CertifiedProvider, upstream: Upstream) -> None:
    """A31: ``access_denied``."""
    with at_work(tmp_path, provider, upstream, changes=BY_CODE) as person:
        run, _ = asyncio.run(run_and(person, abort))
        assert run.error == "SignInDeclined", run.text
        assert person.summary()["state"] == "signed-out"


def test_an_unused_code_expires_at_the_provider_and_is_said_to(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream
) -> None:
    """A31: ``expired_token``, or our own clock, whichever is first."""
    provider.set_lifetime(7, of="DeviceCode")
    try:
        with at_work(tmp_path, provider, upstream, changes=BY_CODE) as person:
            started = person.begin()
            assert started["expires_in"] <= 7
            progress = person.jupyter.get(f"jupyter-oidc/providers/corp/sign-in/{started['flow']}?wait=20").json()
            assert progress["state"] == "expired"
            assert person.summary()["state"] == "signed-out"
    finally:
        provider.set_lifetime(600, of="DeviceCode")


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
def test_a_confidential_client_signs_in_by_code(
    tmp_path: Path, provider: CertifiedProvider, upstream: Upstream, method: str
) -> None:
    """T-3: the same authentication at both endpoints."""
    secret = "a+b/c: %41 &=?~ and more than thirty-two"
    with at_work(
        tmp_path,
        provider,
        upstream,
        changes={**BY_CODE, "client_secret": "env:CORP_SECRET", "token_endpoint_auth_method": method},
        client={"auth_method": method, "secret": secret},
        environment={"CORP_SECRET": secret},
    ) as person:
        started = person.begin()
        agree(person.browser, started["device"]["verification_uri_complete"])
        progress = person.jupyter.get(f"jupyter-oidc/providers/corp/sign-in/{started['flow']}?wait=30").json()
        assert progress["state"] == "completed"

"""Signing in with a code and by a pasted address, from the panel, in real JupyterLab at the certified provider."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.lab_page import LAUNCHER, Lab, answer_certified, new_notebook, visiting
from tests.e2e.test_accessibility import OURS, nothing_found
from tests.interop.person import SCOPES, at_work
from tests.support.browser import Chromium
from tests.support.certified_provider import CertifiedProvider, ProviderDocument
from tests.support.upstream import Upstream

NOWHERE = "http://127.0.0.1/nobody/listens"


@contextmanager
def at_the_panel(
    browser: Chromium, folder: Path, settings: dict[str, Any], *, client: dict[str, Any] | None = None
) -> Iterator[Lab]:
    """Open the panel of a JupyterLab whose settings name a way; at the end no page of Jupyter's may have complained."""
    with (
        CertifiedProvider(ProviderDocument()) as provider,
        Upstream() as upstream,
        at_work(folder, provider, upstream, app="jupyterlab", changes=settings, client=client) as person,
    ):
        new_notebook(person.process.work)
        with visiting(browser, person.process) as lab:
            lab.open(LAUNCHER)
            lab.show_panel()
            yield lab
            provider.issued()
            assert lab.look_for_secrets() > 5
            assert lab.complaints == []


def confirm(window: Page) -> None:
    """Say at the provider that its page shows the right code, log in, agree."""
    window.get_by_role("button", name="Continue").click()
    answer_certified(window)
    expect(window.get_by_role("heading", name="Sign-in Success")).to_be_visible()


def test_a_person_signs_in_with_a_code_that_the_window_shows_too(browser: Chromium, tmp_path: Path) -> None:
    """RFC 8628, 3.3.1: the person compares the codes; the link and the QR code lead to the same page."""
    with at_the_panel(browser, tmp_path, {"redirect_strategy": "device"}) as lab:
        window = lab.begin()
        code = lab.panel.locator(".jp-oidc-code code")
        expect(code).to_have_text(re.compile(r"^[A-Z]{4}-[A-Z]{4}$"))
        expect(window.get_by_text(code.inner_text())).to_be_visible()
        assert lab.link.get_attribute("href") == f"{window.url}?user_code={code.inner_text()}"
        expect(lab.panel.get_by_role("img", name="The sign-in page as a QR code")).to_be_visible()
        expect(lab.panel.get_by_text("Never enter a code that somebody else sent you.")).to_be_visible()
        nothing_found(lab.page, *OURS, looked=20)
        confirm(window)
        lab.says("Example User")
        assert lab.call_from_page()[0] == 200


def test_a_code_is_declined_at_the_provider_and_another_is_asked_for(browser: Chromium, tmp_path: Path) -> None:
    with at_the_panel(browser, tmp_path, {"redirect_strategy": "device"}) as lab:
        window = lab.begin()
        first = lab.panel.locator(".jp-oidc-code code").inner_text()
        window.get_by_role("button", name="Continue").click()
        window.get_by_role("link", name="Cancel").click()
        expect(lab.alert).to_contain_text("declined", timeout=15_000)
        window.close()
        again = lab.begin()
        second = lab.panel.locator(".jp-oidc-code code")
        expect(second).not_to_have_text(first)
        confirm(again)
        lab.says("Example User")


def test_a_person_signs_in_by_a_pasted_address(browser: Chromium, tmp_path: Path) -> None:
    """A32: an address that is no answer to this sign-in is refused with words and consumes nothing; it stays hidden."""
    settings = {"redirect_strategy": "paste", "redirect_uri": NOWHERE, "scopes": SCOPES}
    client = {"native": True, "more": {"redirect_uris": [NOWHERE]}}
    with at_the_panel(browser, tmp_path, settings, client=client) as lab:
        lab.begin_here()
        with lab.page.context.expect_page() as opened:
            lab.link.click()
        ended: list[str] = []
        opened.value.on("request", lambda request: ended.append(request.url))
        with opened.value.expect_event("requestfailed", lambda request: request.url.startswith(NOWHERE)):
            answer_certified(opened.value)
        address = next(url for url in ended if url.startswith(NOWHERE))
        field = lab.panel.get_by_label("Paste the address here; it stays hidden:")
        nothing_found(lab.page, *OURS, looked=20)
        field.fill(f"{NOWHERE}?code=invented&state=another")
        field.press("Enter")
        expect(lab.alert).to_contain_text("belongs to another sign-in")
        expect(field).to_have_value("")
        field.fill(address)
        lab.button("Continue signing in").click()
        lab.says("Example User")
        assert lab.call_from_page()[0] == 200
        assert "code=" not in lab.page.content()


def test_the_set_up_is_checked_from_the_panel(browser: Chromium, tmp_path: Path) -> None:
    with at_the_panel(browser, tmp_path, {"scopes": ["openid", "unheard.of"]}) as lab:
        lab.button("Check the set-up").click()
        found = lab.panel.get_by_role("region", name="Set-up")
        expect(found.get_by_role("heading", level=3)).to_be_visible(timeout=20_000)
        expect(found).to_contain_text("corp: scopes")
        expect(found).to_contain_text("unheard.of")
        found.get_by_text("checks are fine").click()
        expect(found).to_contain_text("corp: discovery")
        nothing_found(lab.page, *OURS, looked=20)

"""The pages of the demo's provider in a real browser: nothing is loaded, and everybody can use them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.accessibility import checked
from tests.support.browser import Chromium
from tests.support.demo_provider import CALLBACK, DemoProvider, running_demo_provider


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProvider]:
    with running_demo_provider(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


class Visit:
    """A page, with the addresses that it asked for, and what the console said."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        self.said: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url.partition("?")[0]))
        page.on("console", lambda message: self.said.append(message.text))


@pytest.fixture
def visit(browser: Chromium, request: Any) -> Iterator[Visit]:
    context = browser.new_context(**getattr(request, "param", {}))
    yield Visit(context.new_page())
    context.close()


@pytest.mark.parametrize(
    "visit",
    [
        pytest.param({"color_scheme": "light"}, id="light"),
        pytest.param({"color_scheme": "dark"}, id="dark"),
        pytest.param({"color_scheme": "light", "viewport": {"width": 320, "height": 640}}, id="320-pixels"),
        pytest.param({"color_scheme": "dark", "viewport": {"width": 320, "height": 640}}, id="320-pixels-dark"),
        pytest.param({"forced_colors": "active"}, id="forced-colours"),
    ],
    indirect=True,
)
def test_pages_are_accessible_fit_and_load_nothing(visit: Visit, provider: DemoProvider, tmp_path: Path) -> None:
    page = visit.page
    code = page.request.post(
        f"{provider.issuer}/device_authorization", form={"client_id": "jupyter", "scope": "openid"}
    ).json()["user_code"]
    addresses = [
        provider.authorization_url(),
        provider.authorization_url(prompt="select_account", login_hint="ben"),
        f"{provider.issuer}/device",
        f"{provider.issuer}/device?user_code={code}",
        f"{provider.issuer}/logout",
    ]
    for address in addresses:
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        verdict = checked(page)
        assert (verdict.violations, verdict.passed > 20) == ((), True)
        shown, needed = page.evaluate("[document.documentElement.clientWidth, document.documentElement.scrollWidth]")
        assert needed <= shown
    assert visit.asked == [address.partition("?")[0] for address in addresses]
    assert visit.said == []


def test_the_keyboard_is_enough(visit: Visit, provider: DemoProvider) -> None:
    """Two tabs to the second person, a key, and the browser is back with a code."""
    page = visit.page
    page.goto(provider.authorization_url())
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Ada Lovelace")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Ben Herschel")).to_be_focused()
    with page.expect_request(f"{CALLBACK}?code=*") as sent_back:
        page.keyboard.press("Enter")
    assert sent_back.value.method == "GET"
    assert visit.said == []


def test_the_person_of_the_hint_has_the_focus(visit: Visit, provider: DemoProvider) -> None:
    visit.page.goto(provider.authorization_url(login_hint="ben"))
    expect(visit.page.get_by_role("button", name="Ben Herschel")).to_be_focused()
    expect(visit.page.get_by_role("button", name="Ben Herschel")).to_have_accessible_description(
        "reads orders, and may not write any suggested by JupyterLab"
    )


def test_enter_in_the_field_of_the_code_signs_nobody_in(visit: Visit, provider: DemoProvider) -> None:
    """The field and the people stand on two pages: Enter in the field leads to the people."""
    page = visit.page
    code = page.request.post(
        f"{provider.issuer}/device_authorization", form={"client_id": "jupyter", "scope": "openid"}
    ).json()["user_code"]
    page.goto(f"{provider.issuer}/device")
    page.get_by_label("Code").fill(code)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Who is signing in?")).to_be_visible()
    page.get_by_role("button", name="Ada Lovelace").click()
    expect(page.get_by_role("heading", name="JupyterLab is signed in")).to_be_visible()

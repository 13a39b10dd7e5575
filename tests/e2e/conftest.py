"""The stage of the end-to-end tests: the demo's provider and API, a real JupyterLab, a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from jupyter_oidc.demo.cast import PERSONAS, PROVIDER
from jupyter_oidc.demo.stack import Plan, Stack
from tests.support.browser import chromium
from tests.support.canary import CANARY

SLOW = 60_000
"""Milliseconds that the first page of a JupyterLab may take on a busy machine."""


@pytest.fixture
def jp_asyncio_loop() -> None:
    """No event loop of pytest-jupyter's here: Playwright runs one of its own in this thread."""


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Nothing to clean up: the server of these tests is another process."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(Plan(watched=True), say=lambda _: None) as stack:
        yield stack


class Place(Protocol):
    """A running JupyterLab: the demo's, or a process of a test."""

    @property
    def url(self) -> str: ...

    @property
    def token(self) -> str: ...


@dataclass
class Lab:
    """JupyterLab as a person sees it."""

    page: Page
    place: Place
    complaints: list[str] = field(default_factory=list)
    authorization: dict[str, str] = field(default_factory=dict)
    _replies: list[Any] = field(default_factory=list)

    def open(self, path: str = "lab/tree/tutorial.ipynb?reset") -> None:
        """Open JupyterLab and wait until it is ready."""
        self.page.on("console", self._console)
        self.page.on("response", self._keep_reply)
        self.page.context.on("request", self._note_request)
        joint = "&" if "?" in path else "?"
        self.page.goto(f"{self.place.url}{path}{joint}token={self.place.token}")
        expect(self.item).not_to_have_text("Sign-in…", timeout=SLOW)

    @property
    def item(self) -> Any:
        """The status item."""
        return self.page.locator(".jp-oidc-status-item")

    @property
    def panel(self) -> Any:
        """The side panel, which a click on the status item opens."""
        return self.page.locator(".jp-oidc-panel")

    def button(self, name: str) -> Any:
        """The button of the panel whose name begins with ``name``."""
        return self.panel.get_by_role("button", name=re.compile(f"^{name}"))

    def begin(self) -> Page:
        """Press *Sign in* in the panel and return the window that opens."""
        self.item.click()
        with self.page.context.expect_page() as opened:
            self.button("Sign in").click()
        return opened.value

    def says(self, text: str | re.Pattern[str]) -> None:
        """Wait until the status item says ``text``."""
        expect(self.item).to_have_text(text, timeout=20_000)

    def sign_in_in(self, window: Page, name: str = "ada") -> None:
        """Fill in the provider's login form."""
        password = next(persona.password for persona in PERSONAS if persona.username == name)
        window.locator("input[name=username]").fill(name)
        window.locator("input[name=password]").fill(password)
        window.locator("button[type=submit]").first.click()

    def gone(self, window: Page) -> None:
        """Wait until ``window`` has closed itself."""
        if not window.is_closed():
            window.wait_for_event("close")

    def menu(self, *path: str) -> None:
        """Choose an entry of the main menu, the last one by its label."""
        self.page.get_by_role("menuitem", name=path[0], exact=True).click()
        for label in path[1:]:
            entry = self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{label}$"))
            entry.hover()
            last = entry
        last.click()

    def run_code(self, code: str) -> str:
        """Run ``code`` in a new cell and return the text of its output."""
        page = self.page
        page.locator(".jp-Notebook .jp-Cell").first.click()
        for key in ("Escape", "b", "Enter"):  # a new cell below, to type into
            page.keyboard.press(key)
        page.keyboard.insert_text(code)
        page.keyboard.press("Control+Enter")
        output = page.locator(".jp-Cell.jp-mod-active .jp-OutputArea-output")
        expect(output.first).to_be_visible(timeout=SLOW)
        return "\n".join(output.all_inner_texts())

    def look_for_secrets(self) -> int:
        """Show everything that the page holds to the canary; return how many replies were looked at.

        The canary must have been told what was issued.
        """
        looked = 0
        for reply in self._replies:
            if reply.url.startswith(self.place.url) and reply.status == 200 and "/static/" not in reply.url:
                CANARY.look(f"the reply to {reply.url.partition('?')[0]}", reply.body())
                looked += 1
        CANARY.look("the page", self.page.content())
        CANARY.look(
            "the page's storage", self.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
        )
        CANARY.look("the cookies", repr(self.page.context.cookies(self.place.url)))
        return looked

    def _keep_reply(self, reply: Any) -> None:
        self._replies.append(reply)

    def _note_request(self, request: Any) -> None:
        """Keep the parameters of the newest authorization request."""
        query = dict(parse_qsl(urlsplit(request.url).query))
        if "code_challenge" in query:
            self.authorization = query

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)


@contextmanager
def visiting(browser: Browser, place: Place, *, script: str = "", **options: Any) -> Iterator[Lab]:
    """A fresh visitor with nothing in the browser; ``script`` runs in every page before anything else."""
    context: BrowserContext = browser.new_context(viewport={"width": 1280, "height": 800}, **options)
    try:
        if script:
            context.add_init_script(script)
        yield Lab(context.new_page(), place)
    finally:
        context.close()


def sign_out(stack: Stack) -> None:
    """End the session, so that each visitor finds the server as the first one did."""
    headers = {"Authorization": f"token {stack.token}"}
    address = f"{stack.url}jupyter-oidc/providers/{PROVIDER}/sign-out"
    httpx.post(address, json={}, headers=headers, trust_env=False).raise_for_status()


@pytest.fixture
def lab(browser: Browser, stack: Stack) -> Iterator[Lab]:
    with visiting(browser, stack) as lab:
        lab.open()
        yield lab
    sign_out(stack)

"""JupyterLab as a person sees it: every control that the tests touch is named here, and nowhere else.

Controls are found by role and name, as a screen reader finds them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, WebSocket, expect

from tests.support.browser import Chromium
from tests.support.canary import CANARY
from tests.support.recording import Recording

SLOW = 60_000
"""Milliseconds that the first page of a JupyterLab, or of a kernel, may take on a busy machine."""

NOTEBOOK = "lab/tree/notebook.ipynb?reset"
"""The address of the notebook that a journey works in."""

LAUNCHER = "lab?reset"
"""The address of JupyterLab without a notebook, for what needs no kernel."""


class Place(Protocol):
    """A running JupyterLab: the demo's, or a process of a test."""

    @property
    def url(self) -> str: ...

    @property
    def token(self) -> str: ...


EXCUSED = {
    r"\(Bad Request\) at /jupyter-oidc/providers/corp/callback$": "the browser notes every page that comes with an error "
    "status; this one tells the person that the sign-in was declined or given up",
    r"status of 400 \(.* \[state_invalid, request \S+\]\) at /jupyter-oidc/providers/corp/sign-in/[\w-]+/complete$": "the same of an address that is "
    "pasted and is not the one",
    r"^warning: Language pack 'en_US' not installed! at /static/lab/": "JupyterLab 4.2 looks for a language pack of "
    "English, where the server's environment asks for English",
    r"(?s)^warning: (Unsatisfied|No satisfying) version .* at /lab/extensions/(?!@jupyter-oidc/|orders-panel/)": "other "
    "packages in the environment of the tests ask JupyterLab 4.2 for newer parts than it has",
    r"^warning: Plugin @(jupyterlab|jupyter-notebook|jupyter-widgets)/[\w-]+:[\w-]+ (is taking too long to activate\.|"
    r"\(with \d+ dependants\) took [\d.]+ms to activate\.) at ": "JupyterLab times its plugins, and notes one "
    "that takes more than five seconds; on a busy machine any does, and a time is no finding. Ours are not excused",
}
"""Messages that the browser's console may show: a pattern for message and path below the base URL, and the reason."""


@dataclass
class Lab:
    """One tab with JupyterLab; ``complaints`` are the errors and warnings that any page of Jupyter's logged."""

    page: Page
    place: Place
    complaints: list[str] = field(default_factory=list)
    authorization: dict[str, str] = field(default_factory=dict)
    _replies: list[Any] = field(default_factory=list)
    _kernels: list[WebSocket] = field(default_factory=list)

    def __post_init__(self) -> None:
        context = self.page.context
        context.on("console", self._console)
        context.on("weberror", lambda failure: self.complaints.append(str(failure.error)))
        context.on("request", self._note_request)
        self.page.on("response", self._keep_reply)
        self.page.on("websocket", lambda socket: self._kernels.append(socket) if to_kernel(socket) else None)

    def open(self, path: str = "lab/tree/tutorial.ipynb?reset", *, ready: bool = True) -> None:
        """Open JupyterLab and wait until it is there, and ``ready`` to tell about sessions."""
        joint = "&" if "?" in path else "?"
        self.page.goto(f"{self.place.url}{path}{joint}token={self.place.token}")
        expect(self.item).to_be_visible(timeout=SLOW)
        if ready:
            expect(self.item).not_to_have_text("Sign-in…", timeout=SLOW)
        expect(self.page.locator("#jupyterlab-splash")).to_have_count(0, timeout=SLOW)  # the layout is restored
        if path.startswith("lab"):
            # NOTE: what opens first takes the focus when it is loaded, also from a user who is faster than that.
            first = ".jp-Notebook" if ".ipynb" in path else ".jp-Launcher"
            self.page.wait_for_function(f"document.activeElement.closest('{first}') !== null", timeout=SLOW)

    @property
    def item(self) -> Locator:
        """The status item, in the status bar or the top bar; a click opens the panel."""
        return self.page.get_by_role("button", name=re.compile(r"Opens the sign-in panel\.$"))

    @property
    def panel(self) -> Locator:
        """The side panel."""
        return self.page.get_by_role("region", name="Sign-in", exact=True)

    @property
    def notices(self) -> Locator:
        """The notices that are on the page now."""
        return self.page.locator(".Toastify__toast")

    @property
    def news(self) -> Locator:
        """The panel's notice of an action that is under way or done."""
        return self.panel.locator(".jp-oidc-messages")

    @property
    def alert(self) -> Locator:
        """The panel's error."""
        return self.panel.get_by_role("alert")

    @property
    def link(self) -> Locator:
        """The link that stands in for a window."""
        return self.panel.get_by_role("link", name="Open the sign-in page")

    def button(self, name: str) -> Locator:
        """The button of the panel whose name begins with ``name``."""
        return self.panel.get_by_role("button", name=re.compile(f"^{name}"))

    def show_panel(self) -> Locator:
        """Open the panel unless it is open, and return it."""
        if not self.panel.is_visible():
            self.item.click()
        expect(self.panel).to_be_visible()
        return self.panel

    def says(self, text: str | re.Pattern[str]) -> None:
        """Wait until the status item says ``text``."""
        expect(self.item).to_have_text(text, timeout=20_000)

    def begin(self, button: str = "Sign in") -> Page:
        """Press *Sign in* in the panel, and return the window that opens."""
        self.show_panel()
        with self.page.context.expect_page() as opened:
            self.button(button).click()
        return opened.value

    def begin_here(self) -> None:
        """Press *Sign in* where the sign-in goes on in the panel itself; the window that opened is gone at once."""
        self.begin()
        expect(self.button("Cancel")).to_be_visible()

    def sign_in(self, name: str = "user1", person: str = "Example User") -> None:
        """Sign in at the certified provider, in the window."""
        window = self.begin()
        answer_certified(window, name)
        self.says(person)
        self.gone(window)

    def sign_out(self) -> None:
        """Sign out by the menu."""
        self.menu("File", "Identity", "Sign Out")
        self.says("Sign in")

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

    def _settled(self, cells: Locator) -> int:
        """Return how many cells there are, once no more appear: JupyterLab adds those of a file one after the other."""
        expect(cells.first).to_be_visible(timeout=SLOW)
        before, now = -1, cells.count()
        while now != before:
            self.page.wait_for_timeout(300)
            before, now = now, cells.count()
        return now

    def start_code(self, code: str) -> Locator:
        """Run ``code`` in a new cell and return its output, which may still be to come."""
        cells, press = self.page.locator(".jp-Notebook .jp-Cell"), self.page.keyboard.press
        first, new, before = cells.first, cells.nth(1), self._settled(cells)
        first.click()
        press("Escape")
        expect(first).to_be_focused()
        press("b")
        expect(cells).to_have_count(before + 1)
        expect(new).to_be_focused()  # JupyterLab 4.2 moves the focus after it has made the cell
        press("Enter")
        expect(new.locator(".cm-content")).to_be_focused()
        self.page.keyboard.insert_text(code)
        return self.run_active_cell()

    def kernel_is_idle(self) -> None:
        """Wait until the kernel has nothing to do; a cell that is run before the kernel is there is lost.

        JupyterLab calls a kernel idle that it has not asked for yet; a cell that is run then opens a choice of kernels.
        """
        if all(socket.is_closed() for socket in self._kernels):
            self.page.wait_for_event("websocket", to_kernel, timeout=SLOW)
        idle = self.page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
        expect(idle).to_be_visible(timeout=SLOW)

    def run_active_cell(self) -> Locator:
        """Run the cell that is active and return its output, which may still be to come."""
        self.kernel_is_idle()
        self.page.keyboard.press("Control+Enter")
        return self.page.locator(".jp-Cell.jp-mod-active .jp-OutputArea-output")

    def find_insert_and_run_search(self) -> None:
        """Find the search of the demo's API by words of its description, insert its cell, and run it."""
        self.panel.get_by_role("searchbox", name="Find an operation", exact=True).fill("name of their item")
        self.panel.get_by_role("button", name="Insert cell for GET /search", exact=True).click()
        expect(self.panel.get_by_text("Inserted a cell for GET /search.")).to_be_visible()
        self.page.locator(".jp-Cell.jp-mod-active .cm-content").click()
        expect(self.run_active_cell().filter(has_text="Brass gears").first).to_be_visible(timeout=SLOW)

    def run_code(self, code: str) -> str:
        """Run ``code`` in a new cell and return the text of its output."""
        output = self.start_code(code)
        expect(output.first).to_be_visible(timeout=SLOW)
        return "\n".join(output.all_inner_texts())

    def save(self) -> None:
        """Save the notebook, and wait until it is saved."""
        with self.page.expect_response(lambda reply: reply.request.method == "PUT" and "/api/contents/" in reply.url):
            self.page.keyboard.press("Control+s")

    def call_from_page(self, path: str = "items") -> tuple[int, str]:
        """Call the API ``orders`` as an extension's page does; return the status and the body."""
        status, body = self.page.evaluate(
            "async address => { const reply = await fetch(address); return [reply.status, await reply.text()]; }",
            f"{self.place.url}jupyter-oidc/api/orders/{path}",
        )
        return status, body

    @property
    def address(self) -> str:
        """Where the page is, without a query."""
        return self.page.url.partition("?")[0]

    def beside(self) -> Lab:
        """Return a second tab of the same browser."""
        tab = Lab(self.page.context.new_page(), self.place)
        tab.open(LAUNCHER.replace("lab", "lab/workspaces/second"))
        return tab

    def notice(self, text: str) -> Locator:
        """The notices that hold ``text``."""
        return self.notices.filter(has_text=text)

    def card(self, provider: str = "corp") -> Locator:
        """The panel's section about ``provider``."""
        return self.panel.get_by_role("region", name=provider, exact=True)

    def api(self, name: str) -> Locator:
        """The row of an API in the panel."""
        return self.panel.get_by_role("listitem").filter(has_text=re.compile(f"^{name}"))

    def choose_theme(self, theme: str) -> None:
        """Choose the theme by the menu, for this server from now on."""
        self.menu("Settings", "Theme", theme)
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-name", theme)

    def colour_of(self, part: Locator) -> int:
        """How light the background of ``part`` is: the sum of red, green and blue, 0 to 765."""
        told = part.evaluate(
            """node => {
                for (; node; node = node.parentElement) {
                    const colour = getComputedStyle(node).backgroundColor;
                    if (!colour.endsWith(", 0)")) return colour;
                }
            }"""
        )
        return sum(int(number) for number in re.findall(r"\d+", told)[:3])

    def look_for_secrets(self) -> int:
        """Show everything that the page holds to the canary; return how many replies were looked at.

        The canary must have been told the issued secrets.
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
        """Keep the parameters of the newest authorization request; nothing is asked of Jupyter beside its base URL."""
        here = urlsplit(self.place.url)
        asked = urlsplit(request.url)
        if asked.netloc == here.netloc and not asked.path.startswith(here.path):
            self.complaints.append(f"a request beside the base URL: {asked.path}")
        query = dict(parse_qsl(urlsplit(request.url).query))
        if "code_challenge" in query:
            self.authorization = query

    def _console(self, message: ConsoleMessage) -> None:
        if message.page is None or message.type not in ("error", "warning"):
            return
        if message.page.url.startswith(self.place.url):
            source = message.location["url"].partition("?")[0].replace(self.place.url, "/")
            complaint = f"{message.type}: {message.text} at {source}"
            if not any(re.search(excused, complaint) for excused in EXCUSED):
                self.complaints.append(complaint)


def to_kernel(socket: WebSocket) -> bool:
    """Whether ``socket`` is the one by which a page talks to its kernel."""
    return "/api/kernels/" in socket.url


def unfold_all(lab: Lab) -> None:
    """Open every disclosure of the panel; opening one can bring others."""
    closed = lab.panel.locator("details:not([open])")
    while closed.count():
        closed.first.evaluate("one => { one.open = true; }")


def answer_demo(window: Page, name: str = "Ada Lovelace") -> None:
    """Choose a person on the page of the demo's provider."""
    window.get_by_role("button", name=name).click()


def answer_certified(window: Page, name: str = "user1") -> None:
    """Log in at the certified provider, unless its own session still knows the person, and agree."""
    login = window.locator("input[name=login]")
    agree = window.get_by_role("button", name="Continue")
    expect(login.or_(agree)).to_be_visible()
    if login.count():
        login.fill(name)
        window.locator("input[name=password]").fill("any")
        window.locator("button[type=submit]").click()
    agree.click()


@contextmanager
def visiting(
    browser: Chromium, place: Place, *, script: str = "", recording: Recording | None = None, **options: Any
) -> Iterator[Lab]:
    """A fresh visitor with nothing in the browser; ``script`` runs in every page before anything else."""
    noted = recording.options() if recording else {}
    with browser.visit(viewport={"width": 1280, "height": 800}, **noted, **options) as context:
        if script:
            context.add_init_script(script)
        if recording:
            recording.listen(context)
        lab = Lab(context.new_page(), place)
        context.pages[0].close()  # the empty page of a browser that has just started
        try:
            yield lab
        finally:
            context.unroute_all(behavior="ignoreErrors")


def new_notebook(folder: Path, name: str = "notebook.ipynb", cells: Sequence[str] = ()) -> Path:
    """Write a notebook with these ``cells``, or none, into the server's ``folder``."""
    path = folder / name
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    rows: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "source": source,
            "outputs": [],
            "metadata": {},
            "execution_count": None,
        }
        for number, source in enumerate(cells)
    ]
    document = {"cells": rows, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path

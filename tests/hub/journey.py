"""The steps of two people at one Hub, in a real browser, through the Hub's proxy.

A step returns if it succeeded, and raises ``AssertionError`` (or an error of Playwright's) with the observed state
otherwise. Steps build on one another.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, expect

from tests.e2e.lab_page import NOTEBOOK, SLOW, Lab, answer_certified, new_notebook
from tests.hub.hub import RealHub
from tests.hub.labs import SIGN_IN, WAIT_MS, Place, asked, back, lab_of
from tests.support.browser import chromium
from tests.support.certified_provider import CertifiedProvider, ProviderDocument, RegisteredClient
from tests.support.upstream import Upstream

if TYPE_CHECKING:
    from typing_extensions import Self

SESSION = "jupyter-oidc/providers/corp/session"


@dataclass
class Journey:
    """The Hub, its provider and API, and a browser profile of each person."""

    folder: Path
    cache: Path
    people: dict[str, Lab] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self.provider = self._open.enter_context(CertifiedProvider(ProviderDocument()))
        self.api = self._open.enter_context(Upstream(accepts=lambda token: token in self.provider.issued()))
        self.hub = RealHub(self.folder, self.cache)
        self.hub.write_settings(self.provider.issuer, self.api.url)
        self.provider.register_client(RegisteredClient("jupyter", (self.hub.redirect_uri,)))
        self._open.enter_context(self.hub)
        self.browser = self._open.enter_context(chromium())
        return self

    def __exit__(self, *reason: object) -> None:
        self._open.close()

    def at_the_hub(self, name: str, context: BrowserContext | None = None) -> Lab:
        """Log in to the Hub as ``name``, which starts their server, and wait for JupyterLab."""
        home = self.folder / "home" / name
        home.mkdir(parents=True, exist_ok=True)
        new_notebook(home)
        page = (context or self.browser.new_context(viewport={"width": 1280, "height": 800})).new_page()
        lab = self.people[name] = lab_of(name, self.hub, page)
        return lab


def start(journey: Journey) -> None:
    """Ada logs in at the Hub; her page tries to sign in by itself, once, and shows the button."""
    lab = journey.at_the_hub("ada")
    lab.says("Sign in")
    assert urlsplit(lab.page.url).path.startswith("/user/ada/lab")
    tried = lab.page.evaluate("Object.keys(sessionStorage).filter(key => key.startsWith('jupyter-oidc:silent'))")
    assert tried == ["jupyter-oidc:silent:/user/ada/:corp"], tried


def sign_in_from_a_cell(journey: Journey) -> None:
    """The link of a cell leads to the Hub's host, through the one redirect URI, and back to Ada's server (Q10.1, Q10.2)."""
    lab = journey.people["ada"]
    back(lab)
    lab.start_code(SIGN_IN)
    link = lab.page.locator(".jp-OutputArea a", has_text="Open the sign-in page").first
    expect(link).to_be_visible(timeout=SLOW)
    href = link.get_attribute("href") or ""
    assert href.startswith(f"{journey.hub.url}/user/ada/jupyter-oidc/start/"), href
    with lab.page.context.expect_page() as opened:
        link.click()
    answer_certified(opened.value)
    lab.says("Example User")
    lab.gone(opened.value)  # NOTE: its page closes the window, before or after anybody could read it


def call(journey: Journey) -> None:
    """A kernel calls an API."""
    said = journey.people["ada"].run_code("oidc.api('orders').get('items').status_code")
    assert said.strip() == "200", said


def stop_and_start(journey: Journey) -> None:
    """Ada stops her server and starts it again: she is signed in, and a provider of her own does not count (Q10.5, Q10.6)."""
    own = journey.folder / "home" / "ada" / ".jupyter" / "jupyter_server_config.d" / "mine.json"
    own.parent.mkdir(parents=True)
    mine = {"issuer": journey.provider.issuer, "client_id": "mine", "allow_insecure_loopback": True}
    own.write_text(json.dumps({"JupyterOIDC": {"providers": {"mine": mine}}}), encoding="utf-8")
    journey.hub.stop_server("ada")
    lab = journey.people["ada"]
    back(lab)
    lab.says("Example User")
    _, told = asked(lab, "jupyter-oidc/providers")
    assert [one["name"] for one in told["providers"]] == ["corp"], told


def named_server(journey: Journey) -> None:
    """A named server of Ada's takes part, with the same redirect URI (Q10.2)."""
    lab = journey.people["ada"]
    page = lab.page.context.new_page()
    journey.hub.ask("POST", "users/ada/servers/gpu")
    journey.hub.until(lambda: journey.hub.runs("ada", "gpu"), "the named server did not start", within=120)
    gpu = Lab(page, Place(journey.hub.server_url("ada", "gpu")))
    page.goto(f"{gpu.place.url}lab")
    expect(gpu.item).to_be_visible(timeout=WAIT_MS)
    gpu.says("Example User")  # one home, one key: the session is shared
    gpu.sign_out()
    window = gpu.begin()
    answer_certified(window)
    gpu.says("Example User")
    gpu.gone(window)
    page.close()
    journey.hub.ask("DELETE", "users/ada/servers/gpu", json={"remove": True})


def culled(journey: Journey) -> None:
    """The Hub's culler stops an idle server, and its session is there the next time (Q10.5)."""
    lab = journey.people["ada"]
    lab.page.goto("about:blank")
    journey.hub.cull("ada")
    back(lab)
    lab.says("Example User")
    assert lab.run_code("import jupyter_oidc as oidc\noidc.api('orders').get('items').status_code").strip() == "200"


def guest(journey: Journey) -> None:
    """Bob, whom Ada lets in, has no access to her session, nor has a kernel that he starts; Ada is told (Q10.4)."""
    bob = journey.at_the_hub("bob")
    bob.says("Sign in")
    bob.page.goto(f"{journey.hub.url}/user/ada/{NOTEBOOK}")
    authorize = bob.page.get_by_role("button", name="Authorize")
    notebook = bob.page.locator(".jp-Notebook")
    expect(authorize.or_(notebook).first).to_be_visible(timeout=WAIT_MS)
    if authorize.count():
        authorize.click()
    guest_lab = Lab(bob.page, Place(journey.hub.server_url("ada")))
    expect(notebook).to_be_visible(timeout=WAIT_MS)
    status, told = asked(guest_lab, SESSION)
    assert (status, told.get("message")) == (403, "This session belongs to the owner of the server."), told
    said = guest_lab.run_code("import jupyter_oidc as oidc\noidc.session()")
    assert "This server is shared" in said, said
    ada = journey.people["ada"]
    assert asked(ada, SESSION)[1].get("sharing") == "own-kernels"
    ada.show_panel()
    expect(ada.panel.get_by_text("This server is shared")).to_be_visible()


def silent(journey: Journey) -> None:
    """In a browser that the provider knows, the page of another server signs in without a click (Q10.3)."""
    context = journey.people["ada"].page.context
    journey.people["ada"].page.goto(f"{journey.hub.url}/hub/logout")
    journey.hub.stop_server("bob")
    lab = journey.at_the_hub("bob", context)
    lab.says("Example User")
    assert urlsplit(lab.page.url).path.startswith("/user/bob/lab")


STEPS: dict[str, Callable[[Journey], None]] = {
    "log in at the Hub": start,
    "sign in from a cell": sign_in_from_a_cell,
    "call an API": call,
    "stop and start": stop_and_start,
    "named server": named_server,
    "culling": culled,
    "another person": guest,
    "silent sign-in": silent,
}

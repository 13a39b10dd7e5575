"""JupyterLab in the browsers of a Hub's users: how they come to it, and what their servers answer to its pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.e2e.lab_page import NOTEBOOK, Lab

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.hub.hub import RealHub
    from tests.support.jupyterhub_process import HubProcess

SIGN_IN = "import jupyter_oidc as oidc\noidc.sign_in()"
WAIT_MS = 120_000


@dataclass
class Place:
    """The address of one person's server; Jupyter's own token is none of theirs."""

    url: str
    token: str = ""


def lab_of(name: str, hub: RealHub | HubProcess, page: Page) -> Lab:
    """Log in to the Hub as ``name``, which starts their server, and wait for JupyterLab."""
    page.goto(f"{hub.url}/hub/login?next=%2Fhub%2Fuser%2F{name}%2Flab%2Ftree%2Fnotebook.ipynb")
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password]").fill(hub.password)
    page.locator("input[type=submit]").click()
    lab = Lab(page, Place(hub.server_url(name)))
    arrive(lab)
    return lab


def back(lab: Lab) -> None:
    """Open the notebook again; the Hub starts a server that does not run."""
    lab.page.goto(f"{lab.place.url}{NOTEBOOK}")
    arrive(lab)


def arrive(lab: Lab) -> None:
    """Wait for JupyterLab; a server that does not run is started by the Hub's button."""
    start = lab.page.locator("#start")
    expect(lab.item.or_(start)).to_be_visible(timeout=WAIT_MS)
    if start.count():
        start.click()
    expect(lab.item).to_be_visible(timeout=WAIT_MS)


def asked(lab: Lab, path: str) -> tuple[int, dict[str, Any]]:
    """Ask the server of ``lab`` from its page; return status and answer."""
    told = lab.page.evaluate(
        """async address => {
            const token = (document.cookie.match(/(?:^|; )_xsrf=([^;]*)/) ?? ['', ''])[1];
            const reply = await fetch(address, {headers: {'X-XSRFToken': token}});
            return [reply.status, await reply.json().catch(() => ({}))];
        }""",
        f"{lab.place.url}{path}",
    )
    return told[0], told[1]

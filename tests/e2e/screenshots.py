"""Makes the pictures that pages of the documentation show, in both themes, from a real JupyterLab.

``make screenshots`` writes them to ``docs/images``, each with at most 256 colours. The texts in them are invented or
come from the providers of the tests. A picture that no page shows is not made (``tests/laws/test_pictures.py``).
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from PIL import Image
from playwright.sync_api import Route, expect

from jupyter_oidc.language import told
from tests.e2e.lab_page import NOTEBOOK, SLOW, Lab, answer_certified, new_notebook, visiting
from tests.e2e.scenes import CATALOGUE, DESCRIBED, play_catalogue
from tests.e2e.test_languages import PANEL, STATUS, opened
from tests.e2e.world import World, world
from tests.support.browser import Chromium, chromium

IMAGES = Path(__file__).parents[2] / "docs" / "images"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SIGN_IN = "import jupyter_oidc as oidc\n\noidc.sign_in()"
CALL = 'import pandas as pd\n\norders = oidc.api("orders")  # an httpx.Client\npd.DataFrame(orders.get("items").json())'
LIST_ORDERS = """import jupyter_oidc as oidc
import pandas as pd

reply = oidc.api("orders").get("items", params={"limit": 5})
reply.raise_for_status()
pd.DataFrame(reply.json())"""
ORDERS = [
    {"id": 1, "item": "Difference engine", "quantity": 1, "price": 17000.0, "status": "delivered"},
    {"id": 2, "item": "Punched cards", "quantity": 2400, "price": 0.12, "status": "shipped"},
    {"id": 3, "item": "Brass gears", "quantity": 320, "price": 4.5, "status": "open"},
    {"id": 4, "item": "Steam valve", "quantity": 6, "price": 89.9, "status": "open"},
]


@dataclass
class Album:
    """Takes the pictures of one theme."""

    world: World
    browser: Chromium
    theme: str

    def keep(self, name: str, picture: bytes) -> None:
        """Write a picture, with a palette of its own."""
        image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
        path = IMAGES / f"{name}-{self.theme}.png"
        image.save(path, optimize=True)
        print(f"{path.name}: {image.width} x {image.height}, {path.stat().st_size // 1024} KB")

    @contextmanager
    def visit(self, **options: Any) -> Iterator[Lab]:
        """Open JupyterLab with the panel at its side."""
        shape = {"color_scheme": self.theme, "device_scale_factor": 1.5, **options}
        with visiting(self.browser, self.world.process, **shape) as lab:
            lab.page.set_viewport_size({"width": 1120, "height": 900})
            yield lab

    def take(self, chapters: Sequence[str]) -> None:
        """Take the pictures of these ``chapters``."""
        for chapter in chapters:
            self.world.start_anew()
            self.world.choose_theme(THEMES[self.theme])
            CHAPTERS[chapter](self)

    def overview(self) -> None:
        """The whole window: a person, a call, an answer."""
        new_notebook(self.world.process.work, cells=(SIGN_IN, CALL))
        self.world.upstream.plan(orders)
        with self.visit() as lab:
            lab.page.set_viewport_size({"width": 1120, "height": 640})
            lab.open(NOTEBOOK)
            lab.show_panel()
            cells = lab.page.locator(".jp-Notebook .jp-Cell")
            cells.first.click()
            lab.kernel_is_idle()
            lab.page.keyboard.press("Shift+Enter")
            link = cells.first.get_by_role("link", name="Open the sign-in page")
            expect(link).to_be_visible(timeout=SLOW)
            with lab.page.context.expect_page() as opened:
                link.click()
            answer_certified(opened.value)
            lab.gone(opened.value)
            lab.says("Example User")
            expect(cells.first.get_by_text("Signed in as Example User").first).to_be_visible()
            cells.nth(1).click()
            lab.kernel_is_idle()
            lab.page.keyboard.press("Control+Enter")
            expect(cells.nth(1)).to_contain_text("Difference engine", timeout=SLOW)
            expect(lab.notices).to_have_count(0, timeout=SLOW)
            lab.page.mouse.move(0, 0)
            self.keep("overview", lab.page.screenshot(animations="disabled"))

    def notebook7(self) -> None:
        """The same in Notebook 7, while a user is signed in."""
        with self.visit() as lab:
            lab.page.set_viewport_size({"width": 1120, "height": 640})
            lab.open("notebooks/notebook.ipynb")
            lab.sign_in()
            expect(lab.notices).to_have_count(0, timeout=SLOW)
            lab.page.mouse.move(0, 0)
            self.keep("notebook7", lab.page.screenshot(animations="disabled"))

    def operations(self) -> None:
        """An operation that was found by a word, its cell and what it answers."""
        new_notebook(self.world.process.work)
        self.world.upstream.plan(orders)
        with self.visit() as lab:
            lab.page.set_viewport_size({"width": 1120, "height": 640})
            play_catalogue(lab.page.context, CATALOGUE, LIST_ORDERS)
            lab.page.context.route(re.compile(r"/jupyter-oidc/apis(\?.*)?$"), describe)
            lab.open(NOTEBOOK)
            lab.sign_in()
            lab.panel.get_by_role("searchbox", name="Find an operation", exact=True).fill("list")
            lab.panel.get_by_role("button", name="Insert cell for GET /orders", exact=True).click()
            cell = lab.page.locator(".jp-Notebook .jp-Cell").nth(1)
            cell.locator(".cm-content").click()
            lab.run_active_cell()
            expect(cell).to_contain_text("Difference engine", timeout=SLOW)
            expect(lab.notices).to_have_count(0, timeout=SLOW)
            lab.page.mouse.move(0, 0)
            self.keep("operations", lab.page.screenshot(animations="disabled"))

    def workers(self) -> None:
        """The panel with two grants for workers, and the cell that lists them."""
        make = 'import jupyter_oidc as oidc\n\nnightly = oidc.delegate("orders", hours=8, name="nightly report")\n'
        make += 'access = oidc.delegate("orders", methods=["GET", "POST"], name="Dask")\naccess.api().get("items")\noidc.grants()'
        new_notebook(self.world.process.work, cells=(make,))
        with self.visit() as lab:
            lab.page.set_viewport_size({"width": 1120, "height": 760})
            lab.open(NOTEBOOK)
            lab.sign_in()
            cell = lab.page.locator(".jp-Notebook .jp-Cell").first
            cell.click()
            lab.kernel_is_idle()
            lab.page.keyboard.press("Control+Enter")
            expect(cell).to_contain_text("nightly report", timeout=SLOW)
            last = lab.panel.get_by_role("button", name="Revoke the grant Dask")
            expect(last).to_be_visible(timeout=SLOW)
            expect(lab.notices).to_have_count(0, timeout=SLOW)
            last.scroll_into_view_if_needed()
            lab.page.mouse.move(0, 0)
            self.keep("workers", lab.page.screenshot(animations="disabled"))

    def account(self) -> None:
        """The question before another person takes over, in the window of the sign-in."""
        with self.visit() as lab:
            lab.open(NOTEBOOK)
            lab.sign_in()
            window = lab.begin("Use another account")
            # NOTE: the certified provider offers no choice of accounts, so the next attempt asks for a login.
            window.get_by_role("link", name="Try again").click()
            answer_certified(window, "user2")
            window.set_viewport_size({"width": 640, "height": 420})
            expect(window.get_by_role("heading", name="Somebody else is signed in")).to_be_visible()
            self.keep("account", window.screenshot(animations="disabled"))

    def language(self) -> None:
        """JupyterLab in Japanese, while a user is signed in."""
        self.world.choose_language("ja_JP")
        with self.visit(locale="ja-JP") as lab:
            lab.page.set_viewport_size({"width": 1120, "height": 640})
            opened(lab, "ja_JP")
            with lab.page.context.expect_page() as window:
                lab.page.locator(PANEL).get_by_role("button", name=told("Sign in", "ja_JP")).first.click()
            answer_certified(window.value)
            lab.gone(window.value)
            expect(lab.page.locator(STATUS)).to_have_text("Example User")
            expect(lab.notices).to_have_count(0, timeout=SLOW)
            lab.page.mouse.move(0, 0)
            self.keep("language", lab.page.screenshot(animations="disabled"))


def describe(route: Route) -> None:
    """Let the page know how people call the APIs, as the settings would have it."""
    reply = route.fetch()
    listed = {"apis": [{**api, **DESCRIBED.get(api["name"], {})} for api in reply.json()["apis"]]}
    route.fulfill(response=reply, json=listed)


async def orders(_: web.Request) -> web.StreamResponse:
    """Answer with something worth a look."""
    return web.json_response(ORDERS)


CHAPTERS = {
    "overview": Album.overview,
    "notebook7": Album.notebook7,
    "operations": Album.operations,
    "workers": Album.workers,
    "account": Album.account,
    "language": Album.language,
}


def main() -> int:
    """Take the pictures of both themes: of the chapters that are named, or of all."""
    chapters = sys.argv[1:] or list(CHAPTERS)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as company, chromium() as browser:
        for theme in THEMES:
            Album(company, browser, theme).take(chapters)
    return 0


if __name__ == "__main__":
    sys.exit(main())

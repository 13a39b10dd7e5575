"""Makes the pictures of the documentation: every state of the interface in both themes, from a real JupyterLab.

``make screenshots`` writes them to ``docs/images``, each with at most 256 colours. What stands in them is invented or
comes from the providers of the tests.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.lab_page import NOTEBOOK, SLOW, Lab, answer_certified, new_notebook, visiting
from tests.e2e.scenes import play, play_problem, play_set_up, play_sign_in, scenes
from tests.e2e.world import BASE_URL, World, world
from tests.support.browser import chromium

IMAGES = Path(__file__).parents[2] / "docs" / "images"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SIGN_IN = "import jupyter_oidc as oidc\n\noidc.sign_in()"
CALL = 'import pandas as pd\n\norders = oidc.api("orders")  # an httpx.Client\npd.DataFrame(orders.get("items").json())'
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
    browser: Browser
    theme: str

    def keep(self, name: str, picture: bytes) -> None:
        """Write a picture, with a palette of its own."""
        image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
        path = IMAGES / f"{name}-{self.theme}.png"
        image.save(path, optimize=True)
        print(f"{path.name}: {image.width} x {image.height}, {path.stat().st_size // 1024} KB")

    def keep_part(self, name: str, page: Page, *parts: Locator, margin: int = 8, held: bool = False) -> None:
        """Write what ``parts`` cover together, with a margin, and without pointer and focus.

        A notice is ``held`` by the pointer, or it might go before its picture is taken.
        """
        for part in parts:
            part.hover(trial=not held)  # waits until it stands still: a notice flies in
        if not held:
            page.mouse.move(0, 0)
        page.evaluate("document.activeElement?.blur()")
        boxes = [box for part in parts if (box := part.bounding_box())]
        left, top = (min(box[side] for box in boxes) - margin for side in ("x", "y"))
        right = max(box["x"] + box["width"] for box in boxes) + margin
        bottom = max(box["y"] + box["height"] for box in boxes) + margin
        clip = {"x": max(0, left), "y": max(0, top), "width": right - max(0, left), "height": bottom - max(0, top)}
        picture = page.screenshot(clip=clip, animations="disabled")  # type: ignore[arg-type]
        for part in parts:
            expect(part).to_be_visible()
        self.keep(name, picture)

    @contextmanager
    def visit(self, path: str = NOTEBOOK, **options: Any) -> Iterator[Lab]:
        """Open JupyterLab with the panel at its side."""
        shape = {"color_scheme": self.theme, "device_scale_factor": 1.5, **options}
        with visiting(self.browser, self.world.process, **shape) as lab:
            lab.page.set_viewport_size({"width": 1120, "height": 900})
            yield lab

    def content(self, lab: Lab) -> tuple[Locator, Locator]:
        """The heading of the panel and what stands below it."""
        return lab.panel.get_by_role("heading", name="Sign-in", exact=True), lab.panel.locator("section").first

    def take(self, chapters: Sequence[str]) -> None:
        """Take the pictures of these ``chapters``."""
        for chapter in chapters:
            self.world.start_anew()
            self.world.choose_theme(THEMES[self.theme])
            CHAPTERS[chapter](self)

    def states(self) -> None:
        """One card for each state that the server tells."""
        for name, summary in scenes().items():
            with self.visit() as lab:
                told: dict[str, dict[str, Any] | None] = {"corp": summary}
                play(lab.page.context, told)
                lab.open(NOTEBOOK)
                lab.show_panel()
                expect(lab.page.locator(".jp-Notebook .jp-Cell")).to_have_count(1)
                self.keep_part(f"panel-{name}", lab.page, lab.card())
        with self.visit() as lab:
            play(lab.page.context, {"corp": scenes()["active"]})
            lab.open(NOTEBOOK)
            lab.show_panel()
            lab.panel.get_by_text("Details").click()
            self.keep_part("panel-details", lab.page, lab.card())

    def notices(self) -> None:
        """What is told of a session that was well a moment ago."""
        for name in ("ends-soon", "unreachable", "ended"):
            with self.visit() as lab:
                told: dict[str, dict[str, Any] | None] = {"corp": scenes()["active"]}
                play(lab.page.context, told)
                lab.open(NOTEBOOK)
                lab.says("Ada Lovelace")
                told["corp"] = scenes()[name]
                lab.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
                expect(lab.notices).to_have_count(1)
                self.keep_part(f"notice-{name}", lab.page, lab.notices, margin=0, held=True)

    def troubles(self) -> None:
        """Nothing to show yet, nothing configured, or a server that refuses."""
        with self.visit() as lab:
            play(lab.page.context, {"corp": None})
            lab.open(NOTEBOOK, ready=False)
            lab.show_panel()
            self.keep_part("panel-loading", lab.page, *self.content(lab))
        with self.visit() as lab:
            play(lab.page.context, {})
            lab.open(NOTEBOOK)
            lab.show_panel()
            self.keep_part("panel-unconfigured", lab.page, *self.content(lab))
        with self.visit() as lab:
            why = "corp.issuer: http is not enough. Write an address that begins with https://."
            play_problem(lab.page.context, "configuration_invalid", why, "Ask your administrator to correct it.")
            lab.open(NOTEBOOK)
            lab.show_panel()
            self.keep_part("panel-unavailable", lab.page, *self.content(lab))

    def attempts(self) -> None:
        """A sign-in in its window, as a link, and declined."""
        with self.visit() as lab:
            lab.open(NOTEBOOK)
            window = lab.begin()
            expect(lab.button("Use a link")).to_be_visible()
            self.keep_part("panel-window", lab.page, lab.card())
            window.get_by_role("link", name="Cancel").click()
            expect(lab.alert).to_be_visible()
            self.keep_part("panel-declined", lab.page, lab.card())
        with self.visit(script="window.open = () => null") as lab:
            lab.open(NOTEBOOK)
            lab.show_panel()
            lab.button("Sign in").click()
            expect(lab.link).to_be_visible()
            self.keep_part("panel-link", lab.page, lab.card())
        page = "https://id.example.com/device"
        code = {
            "user_code": "WDJB-MJHT",
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code=WDJB-MJHT",
        }
        for name, strategy, started in (
            ("code", "device", {"device": code}),
            ("paste", "paste", {"start_url": f"{BASE_URL}jupyter-oidc/start/scene"}),
        ):
            with self.visit(script="window.open = () => null") as lab:
                play_sign_in(lab.page.context, strategy, **started)
                lab.open(NOTEBOOK)
                lab.show_panel()
                lab.button("Sign in").click()
                expect(lab.link).to_be_visible()
                self.keep_part(f"panel-{name}", lab.page, lab.card())

    def set_up(self) -> None:
        """What was found in the set-up."""
        with self.visit() as lab:
            play(lab.page.context, {"corp": scenes()["active"]})
            play_set_up(lab.page.context)
            lab.page.set_viewport_size({"width": 1120, "height": 1200})
            lab.open(NOTEBOOK)
            lab.show_panel()
            lab.button("Check the set-up").click()
            expect(lab.button("Copy report")).to_be_visible()
            self.keep_part("panel-set-up", lab.page, lab.panel.get_by_role("region", name="Set-up"))

    def overview(self) -> None:
        """The whole window: a person, a call, an answer; and the displays of the kernel helper."""
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
            self.keep_part("cell-sign-in", lab.page, cells.first)
            with lab.page.context.expect_page() as opened:
                link.click()
            answer_certified(opened.value)
            lab.gone(opened.value)
            lab.says("Example User")
            expect(cells.first.get_by_text("Signed in as Example User")).to_have_count(2)
            self.keep_part("cell-signed-in", lab.page, cells.first)
            cells.nth(1).click()
            lab.kernel_is_idle()
            lab.page.keyboard.press("Control+Enter")
            expect(cells.nth(1)).to_contain_text("Difference engine", timeout=SLOW)
            expect(lab.notices).to_have_count(0, timeout=SLOW)
            lab.page.mouse.move(0, 0)
            self.keep("overview", lab.page.screenshot(animations="disabled"))

    def notebook7(self) -> None:
        """The same in Notebook 7, while somebody is signed in."""
        with self.visit() as lab:
            lab.page.set_viewport_size({"width": 1120, "height": 640})
            lab.open("notebooks/notebook.ipynb")
            lab.sign_in()
            expect(lab.notices).to_have_count(0, timeout=SLOW)
            lab.page.mouse.move(0, 0)
            self.keep("notebook7", lab.page.screenshot(animations="disabled"))

    def pages(self) -> None:
        """The pages at the end of a sign-in."""
        with self.visit(script="window.close = () => undefined") as lab:
            lab.page.set_viewport_size({"width": 520, "height": 420})
            lab.page.goto(f"{self.world.process.url}api/status?token={self.world.process.token}")
            start = self.world.person.start_url(self.world.person.begin())
            lab.page.goto(start)
            answer_certified(lab.page)
            expect(lab.page.get_by_role("heading", name="You are signed in")).to_be_visible()
            self.keep("page-signed-in", lab.page.screenshot())
            lab.page.goto(start)
            self.keep("page-used-link", lab.page.screenshot())
            lab.page.goto(f"{self.world.process.url}jupyter-oidc/providers/corp/signed-out")
            self.keep("page-signed-out", lab.page.screenshot())


async def orders(_: web.Request) -> web.StreamResponse:
    """Answer with something worth a look."""
    return web.json_response(ORDERS)


CHAPTERS = {
    "states": Album.states,
    "notices": Album.notices,
    "troubles": Album.troubles,
    "attempts": Album.attempts,
    "set-up": Album.set_up,
    "overview": Album.overview,
    "notebook7": Album.notebook7,
    "pages": Album.pages,
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

"""Makes the pictures of the documentation: every state of the interface in both themes, from a real JupyterLab.

``make screenshots`` writes them to ``docs/images``, each with at most 256 colours. What stands in them is invented or
comes from the providers of the tests.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.lab_page import NOTEBOOK, SLOW, Lab, answer_certified, new_notebook, visiting
from tests.e2e.scenes import play, play_problem, scenes
from tests.e2e.world import World, world
from tests.support.browser import chromium

IMAGES = Path(__file__).parents[2] / "docs" / "images"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
CALL = 'import jupyter_oidc as oidc\n\noidc.api("orders").get("items").json()'
MARGIN = 8


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

    def keep_part(self, name: str, page: Page, *parts: Locator) -> None:
        """Write what ``parts`` cover together, with a margin."""
        for part in parts:  # a notice flies in
            part.evaluate("node => Promise.allSettled(node.getAnimations().map(moving => moving.finished))")
        boxes = [box for part in parts if (box := part.bounding_box())]
        left, top = (min(box[side] for box in boxes) - MARGIN for side in ("x", "y"))
        right = max(box["x"] + box["width"] for box in boxes) + MARGIN
        bottom = max(box["y"] + box["height"] for box in boxes) + MARGIN
        clip = {"x": max(0, left), "y": max(0, top), "width": right - max(0, left), "height": bottom - max(0, top)}
        self.keep(name, page.screenshot(clip=clip, animations="disabled"))  # type: ignore[arg-type]

    @contextmanager
    def visit(self, path: str = NOTEBOOK, **options: Any) -> Iterator[Lab]:
        """Open JupyterLab with the panel at its side."""
        shape = {"color_scheme": self.theme, "device_scale_factor": 1.5, **options}
        with visiting(self.browser, self.world.process, **shape) as lab:
            lab.page.set_viewport_size({"width": 1120, "height": 700})
            yield lab

    def all(self) -> None:
        """Take them all."""
        self.world.choose_theme(THEMES[self.theme])
        self.states()
        self.troubles()
        self.attempts()
        self.overview()
        self.notebook7()
        self.pages()

    def states(self) -> None:
        """One card for each state that the server tells, and the notices that go with some."""
        for name, summary in scenes().items():
            with self.visit() as lab:
                told: dict[str, dict[str, Any] | None] = {"corp": summary}
                play(lab.page.context, told)
                lab.open(NOTEBOOK)
                if name in ("unreachable", "ends-soon"):
                    self.keep_part(f"notice-{name}", lab.page, lab.notices.first)
                lab.show_panel()
                self.keep_part(f"panel-{name}", lab.page, lab.card())
        with self.visit() as lab:
            told = {"corp": scenes()["active"]}
            play(lab.page.context, told)
            lab.open(NOTEBOOK)
            lab.show_panel()
            expect(lab.card()).to_contain_text("Ada Lovelace")
            told["corp"] = scenes()["ended"]
            lab.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            expect(lab.notices).to_have_count(1)
            self.keep_part("notice-ended", lab.page, lab.notices.first)
        with self.visit() as lab:
            play(lab.page.context, {"corp": scenes()["active"]})
            lab.open(NOTEBOOK)
            lab.show_panel()
            lab.panel.get_by_text("Details").click()
            self.keep_part("panel-details", lab.page, lab.card())

    def troubles(self) -> None:
        """Nothing to show yet, nothing configured, or a server that refuses."""
        with self.visit() as lab:
            play(lab.page.context, {"corp": None})
            lab.open(NOTEBOOK, ready=False)
            lab.show_panel()
            self.keep_part("panel-loading", lab.page, lab.panel)
        with self.visit() as lab:
            play(lab.page.context, {})
            lab.open(NOTEBOOK)
            self.keep_part("panel-unconfigured", lab.page, lab.show_panel())
        with self.visit() as lab:
            why = "corp.issuer: http is not enough. Write an address that begins with https://."
            play_problem(lab.page.context, "configuration_invalid", why, "Ask your administrator to correct it.")
            lab.open(NOTEBOOK)
            self.keep_part("panel-unavailable", lab.page, lab.show_panel())

    def attempts(self) -> None:
        """A sign-in in its window, as a link, and declined."""
        self.world.start_anew()
        self.world.choose_theme(THEMES[self.theme])
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

    def overview(self) -> None:
        """The whole window: a person, a call, an answer; and the displays of the kernel helper."""
        self.world.start_anew()
        self.world.choose_theme(THEMES[self.theme])
        new_notebook(self.world.process.work)
        with self.visit() as lab:
            lab.open(NOTEBOOK)
            invitation = lab.start_code('import jupyter_oidc as oidc\n\noidc.sign_in("corp")')
            expect(invitation.get_by_role("link")).to_be_visible(timeout=SLOW)
            self.keep_part("cell-sign-in", lab.page, lab.page.locator(".jp-Cell.jp-mod-active"))
            with lab.page.context.expect_page() as opened:
                invitation.get_by_role("link").click()
            answer_certified(opened.value)
            lab.says("Example User")
            expect(invitation.last).to_contain_text("Signed in as Example User")
            self.keep_part("cell-signed-in", lab.page, lab.page.locator(".jp-Cell.jp-mod-active"))
            expect(lab.start_code(CALL)).to_contain_text("/v1/items")
            lab.show_panel()
            expect(lab.notices).to_have_count(0, timeout=SLOW)
            self.keep("overview", lab.page.screenshot(animations="disabled"))

    def notebook7(self) -> None:
        """The same in Notebook 7, while somebody is signed in."""
        with self.visit() as lab:
            lab.open("notebooks/notebook.ipynb")
            lab.show_panel()
            expect(lab.card()).to_contain_text("Example User")
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


def main() -> int:
    """Take the pictures of both themes."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, world(Path(folder)) as company, chromium() as browser:
        company.start_anew()
        for theme in THEMES:
            Album(company, browser, theme).all()
    return 0


if __name__ == "__main__":
    sys.exit(main())

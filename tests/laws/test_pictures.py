"""Every picture of the documentation is shown by a page and made by ``make screenshots``, and every picture that a page
shows exists.

Proved able to fail: ``test_a_picture_that_no_page_shows_is_noticed`` and ``test_a_picture_that_is_missing_is_noticed``.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.laws.source import ROOT

IMAGES = ROOT / "docs" / "images"
PROGRAM = ROOT / "tests" / "e2e" / "screenshots.py"
SHOWN = re.compile(r"""(?:src|srcset|href)\s*=\s*["']([^"'\s]+)["']|!\[[^\]]*\]\(([^)\s]+)""")
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp")


def pages() -> list[Path]:
    """The pages of the documentation, and those at the top of the tree."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "docs").rglob("*.html")])


def shown(page: Path, text: str) -> set[Path]:
    """The pictures of this tree that ``page`` shows."""
    found = {source or link for source, link in SHOWN.findall(text)}
    return {
        (page.parent / name).resolve() for name in found if name.endswith(SUFFIXES) and not re.match(r"https?:|/", name)
    }


def all_shown() -> set[Path]:
    return set().union(*(shown(page, page.read_text(encoding="utf-8")) for page in pages()))


def pictures() -> set[Path]:
    return {path.resolve() for path in IMAGES.iterdir()}


def test_every_picture_is_shown_by_a_page() -> None:
    assert pictures() - all_shown() == set()


def test_every_picture_that_a_page_shows_exists() -> None:
    assert {path for path in all_shown() if not path.exists()} == set()


def test_the_program_makes_the_pictures_that_pages_show_and_no_others() -> None:
    text = PROGRAM.read_text(encoding="utf-8")
    names = re.findall(r"""self\.keep\(\s*["']([^"']+)["']""", text)
    themes = re.findall(r"""["'](\w+)["']: ["']JupyterLab """, text)
    assert {(IMAGES / f"{name}-{theme}.png").resolve() for name in names for theme in themes} == pictures()


def test_a_picture_that_no_page_shows_is_noticed() -> None:
    page = ROOT / "docs" / "page.md"
    assert IMAGES / "lost.png" not in shown(page, "![A picture](images/overview-light.png) and images/lost.png")


def test_a_picture_that_is_missing_is_noticed() -> None:
    page = ROOT / "README.md"
    text = (
        '![A](docs/images/gone.png) <source srcset="docs/images/gone-dark.png"> <img src="docs/images/gone-light.png">'
    )
    assert {path.name for path in shown(page, text)} == {"gone.png", "gone-dark.png", "gone-light.png"}
    assert not any(path.exists() for path in shown(page, text))

"""Runs axe-core, the accessibility checker, on a page or parts of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.support.node import find_node

FOLDER = Path(__file__).with_name("axe")
_RUN = """async parts => {
    // JupyterLab's body has no height, only what is placed in it; axe would take all texts for clipped away.
    document.body.style.minHeight = "100vh";
    const context = parts.length ? {include: parts.map(part => [part])} : document;
    const {violations, passes} = await axe.run(context, {resultTypes: ["violations", "passes"]});
    const told = violations.flatMap(({id, nodes}) =>
        nodes.map(({target, failureSummary}) => `${id} at ${target.join(" ")}: ${failureSummary}`));
    return [told, passes.reduce((sum, {nodes}) => sum + nodes.length, 0)];
}"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``violations`` are sentences; ``passed`` counts the checks that found no violation."""

    violations: tuple[str, ...]
    passed: int


def checked(page: Page, *parts: str) -> Verdict:
    """Check the elements of ``page`` that the CSS selectors ``parts`` name, or all of it."""
    find_node().install(FOLDER)
    # NOTE: evaluated, not embedded, since the pages under test forbid foreign scripts.
    page.evaluate((FOLDER / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    told: tuple[list[str], Any] = page.evaluate(_RUN, list(parts))
    return Verdict(tuple(told[0]), told[1])

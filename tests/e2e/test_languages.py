"""JupyterLab, the pages of a sign-in and the cells speak the language of the person (ADR 59)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from jupyter_oidc.language import CATALOGUES, tag_of, told
from tests.e2e.lab_page import LAUNCHER, SLOW, Lab, answer_certified, visiting
from tests.e2e.world import World
from tests.support.accessibility import checked
from tests.support.browser import Chromium
from tests.support.catalogues import FRONT_END, merged, templates, texts_of, translated

LANGUAGES = sorted(CATALOGUES.values())
ENOUGH_LETTERS = 5
"""Letters by which a sentence is known, beside its placeholders."""

PANEL, STATUS = "#jupyter-oidc-panel", "#jupyter-oidc-status"

TEXTS = """root => {
    const texts = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let node = root; node; node = walker.nextNode()) {
        if (node.nodeType === Node.TEXT_NODE) texts.push(node.textContent);
        else for (const name of ['aria-label', 'title', 'placeholder']) texts.push(node.getAttribute(name) ?? '');
    }
    return texts.map(text => text.trim()).filter(text => text);
}"""
"""Every text of a part of a page, with what screen readers and tooltips say."""


def english(language: str) -> Iterator[re.Pattern[str]]:
    """Yield what the English sentences of the front end look like that read differently in ``language``."""
    for message in merged(templates(), translated(language), language):
        ids, strings = texts_of(message.id), texts_of(message.string)
        if message.id and ids[0] != strings[0] and any(FRONT_END in place for place, _ in message.locations):
            for text in ids:
                if len(re.sub(r"%\d|\W", "", text)) >= ENOUGH_LETTERS:
                    yield re.compile(re.sub(r"%\d", ".+", re.escape(text)))


def nothing_is_english(page: Page, part: str, language: str) -> None:
    """Fail for a text of ``part`` that has a translation and is shown in English."""
    texts: list[str] = page.locator(part).evaluate(TEXTS)
    patterns = list(english(language))
    assert len(patterns) > 200
    assert [text for text in texts if any(pattern.fullmatch(text) for pattern in patterns)] == []
    assert len(texts) >= 1


def nothing_found(page: Page, *parts: str) -> None:
    """Fail with the checker's sentences."""
    verdict = checked(page, *parts)
    assert verdict.violations == ()
    assert verdict.passed >= 10


def opened(lab: Lab, language: str) -> None:
    """Open JupyterLab and the panel, by what the language calls them."""
    lab.page.goto(f"{lab.place.url}{LAUNCHER}&token={lab.place.token}")
    expect(lab.page.locator(STATUS)).to_have_text(told("Sign in", language), timeout=SLOW)
    expect(lab.page.locator("#jupyterlab-splash")).to_have_count(0, timeout=SLOW)
    lab.page.locator(STATUS).get_by_role("button").click()
    expect(lab.page.locator(PANEL)).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_person_signs_in_and_is_refused_in_their_language(world: World, browser: Chromium, language: str) -> None:
    """No text of ours is left in English, and axe-core finds nothing."""
    world.choose_language(language)
    script = "window.close = () => undefined"
    with visiting(browser, world.process, script=script, locale=tag_of(language)) as lab:
        opened(lab, language)
        nothing_is_english(lab.page, PANEL, language)
        nothing_found(lab.page, PANEL, STATUS)
        sign_in = lab.page.locator(PANEL).get_by_role("button", name=told("Sign in", language), exact=False)
        with lab.page.context.expect_page() as window:
            sign_in.first.click()
        answer_certified(window.value)
        expect(window.value.get_by_role("heading")).to_have_text(told("You are signed in", language))
        assert window.value.locator("html").get_attribute("lang") == tag_of(language)
        nothing_is_english(window.value, "main", language)
        expect(lab.page.locator(STATUS)).to_have_text("Example User")
        for summary in lab.page.locator(f"{PANEL} summary").all():
            summary.click()
        nothing_is_english(lab.page, PANEL, language)
        nothing_found(lab.page, PANEL, STATUS)
        status, body = lab.call_from_page("../nothing/")
        message = json.loads(body)["message"]
        assert (status, message) == (404, told_of("nothing", language))


def told_of(api: str, language: str) -> str:
    """What is said of an API that does not exist, where none is near."""
    return told("No API is called '{api}'.", language).replace("{api}", api)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_a_page_fit_into_a_narrow_panel(world: World, browser: Chromium, language: str) -> None:
    """Nothing is cut off where the panel is 320 pixels wide (WCAG 2.2, 1.4.10)."""
    world.choose_language(language)
    with visiting(browser, world.process, locale=tag_of(language)) as lab:
        opened(lab, language)
        panel = lab.page.locator(PANEL)
        panel.evaluate("node => { node.style.width = '320px'; node.style.minWidth = '0'; }")
        assert panel.evaluate("node => node.scrollWidth <= node.clientWidth + 1")

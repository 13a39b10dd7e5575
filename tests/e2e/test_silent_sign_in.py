"""A page that opens leaves for the provider by itself and comes back: a real browser, a real provider's own cookies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from tests.e2e.lab_page import NOTEBOOK, SLOW, Lab, answer_certified, new_notebook, visiting
from tests.interop.person import Person, at_work
from tests.support.browser import Chromium
from tests.support.certified_provider import CertifiedProvider, ProviderDocument
from tests.support.upstream import Upstream


@contextmanager
def trying(folder: Path, browser: Chromium) -> Iterator[tuple[Lab, Person, list[str]]]:
    """A JupyterLab whose pages try silently; the list holds the ``prompt`` of each authorization request.

    Without offline access, since a provider gives it only after it has asked the user.
    """
    changes = {"silent_sign_in": "auto", "scopes": ["openid", "profile"], "prompt": None}
    with (
        CertifiedProvider(ProviderDocument()) as provider,
        Upstream(accepts=lambda _: True) as upstream,
        at_work(folder, provider, upstream, app="jupyterlab", base_url="/team/jupyter/", changes=changes) as person,
        visiting(browser, person.process) as lab,
    ):
        new_notebook(person.process.work)
        prompts: list[str] = []

        def note(request: object) -> None:
            asked = parse_qs(urlsplit(str(getattr(request, "url", ""))).query)
            if "code_challenge" in asked:
                prompts.extend(asked.get("prompt", [""]))

        lab.page.context.on("request", note)
        yield lab, person, prompts


def test_a_page_signs_in_where_the_provider_knows_the_person_and_falls_back_to_the_button_where_not(
    tmp_path: Path, browser: Chromium
) -> None:
    """Q10.3: once, without a notice, and no loop after a reload; the notebook that was opened is open."""
    with trying(tmp_path, browser) as (lab, person, prompts):
        lab.open(NOTEBOOK)
        lab.says("Sign in")
        assert prompts == ["none"]
        expect(lab.notices).to_have_count(0)
        lab.page.reload()
        lab.says("Sign in")
        assert prompts == ["none"]

        person.provider.set_lifetime(8)
        window = lab.begin()
        answer_certified(window)
        lab.gone(window)
        expect(lab.item).to_have_text("Sign in again", timeout=SLOW)  # its time has run out
        person.provider.set_lifetime(300)
        lab.page.reload()
        lab.says("Example User")
        expect(lab.page.locator(".jp-Notebook")).to_be_visible(timeout=SLOW)
        assert urlsplit(lab.page.url).path.endswith("/lab/tree/notebook.ipynb")
        assert "token=" not in lab.page.url
        assert prompts == ["none", "", "none"]
        # NOTE: it waits for the server's first answer on purpose; JupyterLab notes each plugin that waits five seconds.
        assert [one for one in lab.complaints if "labextension:silent" not in one] == []

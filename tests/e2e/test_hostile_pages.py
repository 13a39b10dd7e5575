"""An API's answer is opened in a real browser that is logged in to Jupyter (C10, C24)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.interop.hostile.real_environment import RealEnvironment, start_environment
from tests.support.browser import Chromium
from tests.support.raw_upstream import RawUpstream, reply

ACT = """
document.title = "ran";
fetch("/api/contents/keep.txt", {method: "DELETE"});
new Image().src = "/api/status?from=script";
"""
PAGES = {
    "a script": ("text/html", f"<title>quiet</title><script>{ACT}</script>"),
    "a handler": ("text/html", f"<title>quiet</title><img src=x onerror='{ACT}'>"),
    "a drawing": (
        "image/svg+xml",
        f'<svg xmlns="http://www.w3.org/2000/svg"><title>quiet</title><script>{ACT}</script></svg>',
    ),
    "a document of XML": (
        "text/xml",
        f'<h:html xmlns:h="http://www.w3.org/1999/xhtml"><h:script>{ACT}</h:script></h:html>',
    ),
    "text that looks like a page": ("text/plain", f"<title>quiet</title><script>{ACT}</script>"),
    "no type at all": ("", f"<title>quiet</title><script>{ACT}</script>"),
    "a form": (
        "text/html",
        "<title>quiet</title><form action=/logout></form><script>document.forms[0].submit()</script>",
    ),
    "a refresh": ("text/html", "<title>quiet</title><meta http-equiv=refresh content='0;url=/logout'>"),
    "a picture of ours": ("text/html", "<title>quiet</title><img src='/api/status?from=img'>"),
    "a frame of ours": ("text/html", "<title>quiet</title><iframe src='/api/status?from=frame'></iframe>"),
    "a style of ours": ("text/html", "<title>quiet</title><link rel=stylesheet href='/api/status?from=link'>"),
    "a base": ("text/html", "<title>quiet</title><base href='https://evil.example/'><img src=x>"),
}


@pytest.fixture(scope="module")
def shared_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealEnvironment]:
    with RawUpstream() as api, start_environment(tmp_path_factory.mktemp("pages"), api) as real_environment:
        yield real_environment


@pytest.fixture
def real_environment(shared_environment: RealEnvironment) -> RealEnvironment:
    shared_environment.api.unscript()
    (shared_environment.process.work / "keep.txt").write_text("keep me", encoding="utf-8")
    return shared_environment


@pytest.fixture
def page(browser: Chromium, real_environment: RealEnvironment) -> Iterator[Page]:
    """A page of a browser that is logged in to Jupyter."""
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(f"{real_environment.process.url}login")
        page.goto(f"{real_environment.process.url}api/status?token={real_environment.process.token}")
        page.goto(f"{real_environment.process.url}no-such-page")
        yield page
    finally:
        context.close()


@pytest.mark.parametrize(("kind", "content"), PAGES.values(), ids=PAGES)
def test_a_page_of_an_api_can_do_nothing_here(
    real_environment: RealEnvironment, page: Page, kind: str, content: str
) -> None:
    """C24: no script, no form, no navigation, no request to Jupyter or elsewhere, although the cookies are there."""
    lines = [f"Content-Type: {kind}"] if kind else []
    real_environment.api.script(
        "page", reply("200 OK", content.encode(), *lines, "Content-Security-Policy: default-src *")
    )
    here = f"{real_environment.process.url}jupyter-oidc/api/orders/page"
    asked: list[str] = []
    page.on("requestfinished", lambda request: asked.append(request.url))
    page.goto(here, wait_until="load")
    page.wait_for_timeout(300)
    assert (page.url, page.title() == "ran") == (here, False)
    assert [url for url in asked if url != here and "favicon" not in url] == [], "the icon is the browser's own wish"
    assert (real_environment.process.work / "keep.txt").exists()


def test_the_same_page_at_the_apis_own_address_does_what_it_likes(
    real_environment: RealEnvironment, page: Page
) -> None:
    """Proof that the test above can fail."""
    real_environment.api.script("page", reply("200 OK", PAGES["a script"][1].encode(), "Content-Type: text/html"))
    page.goto(f"{real_environment.api.url}page", wait_until="load")
    assert page.title() == "ran"


def test_a_script_of_an_api_runs_in_no_page_of_another_origin(real_environment: RealEnvironment, page: Page) -> None:
    """C24: the answer is for this origin only, so another site's page cannot read or include it."""
    real_environment.api.script("data", reply("200 OK", b"window.stolen = 1", "Content-Type: application/javascript"))
    page.goto("about:blank")
    page.set_content(f"<script src='{real_environment.process.url}jupyter-oidc/api/orders/data'></script>")
    page.wait_for_timeout(300)
    assert page.evaluate("window.stolen === undefined") is True


def test_a_redirect_of_an_api_does_not_turn_a_call_into_one_of_jupyters(
    real_environment: RealEnvironment, page: Page
) -> None:
    """C10: a page calls an API with DELETE, the API sends it on, and the browser would delete a file of Jupyter's."""
    real_environment.api.script("item", reply("307 Temporary Redirect", b"", "Location: /api/contents/keep.txt"))
    told = page.evaluate(
        """async () => {
            const xsrf = document.cookie.match(/_xsrf=([^;]*)/)[1];
            const asked = {method: "DELETE", headers: {"X-XSRFToken": xsrf}};
            return await fetch("/jupyter-oidc/api/orders/item", asked).then((reply) => reply.url + reply.status, String);
        }"""
    )
    assert len(real_environment.api.to("item")) == 1, told
    assert (real_environment.process.work / "keep.txt").exists()

"""Signing out at the provider in a real browser gives a script in JupyterLab's origin no token (Q9.8, ADR 39)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Download, Page, Route, expect

from tests.e2e.lab_page import LAUNCHER, SLOW, Lab, new_notebook, visiting
from tests.support.browser import Chromium
from tests.support.jupyter_process import JupyterProcess
from tests.support.strict_provider import StrictProvider

BASE_URL = "/team/jupyter/"
ROUTE = "jupyter-oidc/providers/corp"
WORKER = """
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", event => event.waitUntil((async () => {
    await self.registration.navigationPreload.enable();
    await self.registration.navigationPreload.setHeaderValue("");
    await clients.claim();
})()));
self.addEventListener("fetch", event => {
    if (!/sign-out\\/./.test(event.request.url)) return;
    event.respondWith((async () => {
        const preloaded = await event.preloadResponse;
        const asked = await fetch(event.request);
        const texts = [preloaded && await preloaded.clone().text(), await asked.clone().text()];
        for (const one of await clients.matchAll({includeUncontrolled: true})) one.postMessage(texts);
        return asked;
    })());
});
"""


@dataclass
class Place:
    """A JupyterLab whose provider is the strict one."""

    process: JupyterProcess
    provider: StrictProvider

    @property
    def url(self) -> str:
        return self.process.url

    @property
    def token(self) -> str:
        return self.process.token


@pytest.fixture(scope="module")
def shared_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with StrictProvider() as provider:
        settings = {"issuer": provider.issuer, "client_id": "jupyter", "allow_insecure_loopback": True}
        process = JupyterProcess(
            tmp_path_factory.mktemp("sign-out") / "jupyter",
            {"corp": settings},
            app="jupyterlab",
            base_url=BASE_URL,
            # NOTE: no Jupyter server says so; it gives a service worker more than it can have.
            server={"tornado_settings": {"headers": {"Service-Worker-Allowed": "/"}}},
        )
        provider.redirect_uri = settings["redirect_uri"] = process.callback("corp")
        provider.post_logout_redirect_uri = f"{process.url}{ROUTE}/signed-out"
        settings["post_logout_redirect_uri"] = provider.post_logout_redirect_uri
        with process:
            (process.work / "worker.js").write_text(WORKER, encoding="utf-8")
            new_notebook(process.work)
            yield Place(process, provider)


@pytest.fixture
def place(shared_place: Place) -> Iterator[Place]:
    """The shared server and provider; at the end the provider must have noted no fault."""
    shared_place.provider.forget_everything()
    yield shared_place
    with shared_place.process.client() as jupyter:
        jupyter.post(f"{ROUTE}/sign-out", json={})
    assert shared_place.provider.faults == []


def answer(window: Page) -> None:
    """Log in at the strict provider."""
    window.locator("input[name=login]").fill("ada")
    window.locator("input[name=password]").fill("any")
    window.locator("button").click()


def hint_of(place: Place) -> str:
    """The signature of the ID token, which is in no other text."""
    return place.provider.last_id_token.rpartition(".")[2]


# -- the person --------------------------------------------------------------------------------------------------------


def test_a_person_signs_out_at_the_provider_and_comes_back(place: Place, browser: Chromium) -> None:
    """Q9.8, L-1: by a click in JupyterLab, through the one-time page, to the page that says so."""
    with visiting(browser, place) as lab:
        lab.open(LAUNCHER)
        window = lab.begin()
        answer(window)
        lab.says("ada of the strict provider")
        lab.gone(window)
        end = leave(lab)
        expect(end.get_by_role("heading")).to_have_text("You are signed out")
        assert end.url == place.provider.post_logout_redirect_uri, "the state is out of the address bar"
        (arrived,) = place.provider.signed_out
        told = {name.lower(): value for name, value in arrived.headers.items()}
        assert (arrived.method, told.get("origin"), told.get("referer")) == ("POST", "null", None)
        assert lab.complaints == []


def test_going_back_in_that_window_shows_no_form_again(place: Place, browser: Chromium) -> None:
    """Q9.8: neither from the cache nor from the server."""
    with visiting(browser, place) as lab:
        lab.open(LAUNCHER)
        window = lab.begin()
        answer(window)
        lab.says("ada of the strict provider")
        end = leave(lab)
        expect(end.get_by_role("heading")).to_have_text("You are signed out")
        end.go_back()
        expect(end.get_by_role("heading")).not_to_have_text("Signing out at the provider")
        assert hint_of(place) not in end.content()
        assert len(place.provider.signed_out) == 1


def leave(lab: Lab) -> Page:
    """Sign out in the panel, and press the button of the notice."""
    lab.show_panel()
    lab.button("Sign out").click()
    offer = lab.notice("Signed out at corp.").get_by_role("button", name="Sign out at the provider")
    expect(offer).to_be_visible(timeout=SLOW)
    with lab.page.context.expect_page() as opened:
        offer.click()
    return opened.value


def test_without_script_a_button_does_it(place: Place, browser: Chromium) -> None:
    """Q9.8: the form is there for people whose browser runs no script."""
    with at_jupyter(browser, place) as page, without_script(browser) as quiet:
        address = sign_in_and_out(place, page)
        cookies: Any = page.context.cookies()  # NOTE: what Playwright returns, it takes; its types differ
        quiet.context.add_cookies(cookies)
        quiet.goto(address)
        quiet.get_by_role("button", name="Sign out at the provider").click()
        expect(quiet.get_by_role("heading")).to_have_text("You are signed out")


@contextmanager
def without_script(browser: Chromium) -> Iterator[Page]:
    """A browser with script switched off."""
    context = browser.new_context(java_script_enabled=False)
    try:
        yield context.new_page()
    finally:
        context.close()


# -- script in JupyterLab's origin -------------------------------------------------------------------------------------


@contextmanager
def at_jupyter(browser: Chromium, place: Place, **headers: str) -> Iterator[Page]:
    """A page of Jupyter's origin where a hostile script runs; ``headers`` are those that it came with."""
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(f"{place.url}login?token={place.token}")

        def fulfil(route: Route) -> None:
            route.fulfill(status=200, content_type="text/html", headers=headers, body="<title>script</title>")

        page.route("**/page-with-a-script", fulfil)
        page.goto(f"{place.url}page-with-a-script")
        yield page
    finally:
        context.close()


def sign_in_and_out(place: Place, page: Page) -> str:
    """Sign in as the person does, then let the script sign out; return the address that it is told."""
    sign_in(place, page)
    return sign_out(place, page)


def sign_in(place: Place, page: Page) -> None:
    started = ask(page, f"{BASE_URL}{ROUTE}/sign-in")
    window = page.context.new_page()
    window.goto(place.url.removesuffix(BASE_URL) + started["start_url"])
    answer(window)
    expect(window.get_by_role("heading")).to_have_text("You are signed in")


def sign_out(place: Place, page: Page) -> str:
    return str(ask(page, f"{BASE_URL}{ROUTE}/sign-out")["end_session_url"]).replace(BASE_URL, place.url, 1)


def ask(page: Page, path: str) -> dict[str, Any]:
    told: dict[str, Any] = page.evaluate(
        """async path => {
            const xsrf = document.cookie.match(/_xsrf=([^;]*)/)[1];
            const headers = {"X-XSRFToken": xsrf, "Content-Type": "application/json"};
            return await (await fetch(path, {method: "POST", headers, body: "{}"})).json();
        }""",
        path,
    )
    return told


READERS = {
    "fetch": "async url => (await fetch(url)).text()",
    "fetch as a navigation": """async url => {
        try { return await (await fetch(new Request(url, {mode: "navigate"}))).text(); } catch (error) { return error.name; }
    }""",
    "fetch with headers of a navigation": """async url => {
        const headers = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Accept": "text/html"};
        return (await fetch(url, {headers})).text();
    }""",
    "XMLHttpRequest": """url => new Promise(done => {
        const request = new XMLHttpRequest();
        request.onloadend = () => done(request.responseText);
        request.open("GET", url);
        request.send();
    })""",
    "iframe": """url => new Promise(done => {
        const frame = document.createElement("iframe");
        frame.onload = () => done(frame.contentDocument ? frame.contentDocument.documentElement.outerHTML : "closed");
        frame.src = url;
        document.body.append(frame);
    })""",
    "object": """url => new Promise(done => {
        const part = document.createElement("object");
        const look = () => done(part.contentDocument ? part.contentDocument.documentElement.outerHTML : "closed");
        part.onload = part.onerror = look;
        part.data = url;
        document.body.append(part);
        setTimeout(look, 2000);
    })""",
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_a_script_that_asks_for_the_page_gets_no_token(place: Place, browser: Chromium, reader: str) -> None:
    """Q9.8: the browser itself says that it is not shown as a page, and no script can say otherwise."""
    with at_jupyter(browser, place) as page:
        address = sign_in_and_out(place, page)
        assert hint_of(place) not in str(page.evaluate(reader, address))
        if reader != READERS["fetch as a navigation"]:  # which is not sent at all
            again = page.context.new_page()
            again.goto(address)
            expect(again.get_by_role("heading")).to_have_text("Sign-out did not work")
        assert "id_token_hint" not in page.content()


WATCH = """async url => {
    const seen = new Set(), opened = window.open(url, "_blank"), end = performance.now() + 3000;
    while (performance.now() < end) {
        try { seen.add(opened.document.documentElement.outerHTML); } catch (error) { seen.add(error.name); }
        await new Promise(done => setTimeout(done));
    }
    return [...seen];
}"""


@pytest.mark.parametrize(
    "headers",
    [{}, {"Cross-Origin-Opener-Policy": "same-origin"}, {"Cross-Origin-Opener-Policy": "same-origin-allow-popups"}],
    ids=["a usual page", "a page with the same opener policy as ours", "a page that keeps its popups"],
)
def test_a_script_that_opens_the_window_cannot_read_it(
    place: Place, browser: Chromium, headers: dict[str, str]
) -> None:
    """Q9.8: it looks as often as it can, and the page is of another origin all the time; the sign-out goes on."""
    with at_jupyter(browser, place, **headers) as page:
        address = sign_in_and_out(place, page)
        seen = page.evaluate(WATCH, address)
        assert [text[:200] for text in seen if "id_token_hint" in text or hint_of(place) in text] == []
        assert "SecurityError" in seen
        assert len(place.provider.signed_out) == 1


def test_the_watcher_reads_a_page_of_our_own_origin(place: Place, browser: Chromium) -> None:
    """Q9.8: proof that the test above can fail: another page of Jupyter's is read like this."""
    with at_jupyter(browser, place) as page:
        seen = page.evaluate(WATCH, f"{place.url}api/status")
        assert any("last_activity" in text for text in seen)


def test_a_service_worker_that_hears_the_navigation_gets_no_token(place: Place, browser: Chromium) -> None:
    """Q9.8: a worker's repeated request is no navigation; the browser's headers say so, for any headers it sets."""
    with at_jupyter(browser, place) as page:
        sign_in(place, page)
        page.evaluate(
            """async ([script, scope]) => {
                window.heard = [];
                navigator.serviceWorker.addEventListener("message", event => heard.push(...event.data));
                const registered = await navigator.serviceWorker.register(script, {scope});
                navigator.serviceWorker.startMessages();
                while (!registered.active || registered.active.state !== "activated") {
                    await new Promise(done => setTimeout(done, 50));
                }
            }""",
            [f"{BASE_URL}files/worker.js", BASE_URL],
        )
        address = sign_out(place, page)
        page.evaluate("url => void window.open(url, '_blank', 'noopener')", address)
        page.wait_for_function("heard.length === 2", timeout=SLOW)
        heard = page.evaluate("heard")
        assert [text[:200] for text in heard if "id_token_hint" in (text or "")] == []
        assert "Sign-out did not work" in heard[1]


def test_a_download_of_the_page_holds_no_token(place: Place, browser: Chromium) -> None:
    """Q9.8: a script may have an address saved to a file, which a kernel could read."""
    with at_jupyter(browser, place) as page:
        address = sign_in_and_out(place, page)
        files: list[Download] = []

        def keep(file: Download) -> None:
            files.append(file)

        page.on("download", keep)
        page.evaluate(
            """url => {
                const link = document.createElement("a");
                link.href = url;
                link.download = "page.html";
                document.body.append(link);
                link.click();
            }""",
            address,
        )
        page.wait_for_timeout(2000)
        assert [one for one in files if one.failure() is None and "id_token_hint" in one.path().read_text()] == []
        again = page.context.new_page()
        again.goto(address)
        expect(again.get_by_role("heading")).to_have_text("Sign-out did not work")

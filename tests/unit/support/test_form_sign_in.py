"""The browser without a screen behaves as a real one where the product can tell the difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from tests.support.canary import Canary
from tests.support.form import Field, Form, forms_of, links_of
from tests.support.form_sign_in import FormBrowser
from tests.support.loop_thread import ServedInThread
from tests.support.marker import MARKER

LOGIN = """
<form method="post" action="/login"><input type="hidden" name="xsrf" value="&quot;1&quot;">
<input name="login"><input type="password" name="password"><button>Sign in</button></form>
"""
LOGIN_ALONE = (
    '<form method="post" action="/form"><input name="who" autocomplete="section-a username"><button>Go</button></form>'
)
PASSWORD_ALONE = '<form method="post" action="/home"><input type="password" name="secret"><button>Go</button></form>'
QUESTION = """
<form id="f" method="post" action="/answer"><input type="hidden" name="xsrf" value="2"></form>
<button form="f" name="logout" value="yes">Yes</button><button form="f" name="later">Later</button>
<button>Outside</button><a href="/abort">Cancel</a>
"""


@dataclass
class Site:
    """A site that remembers its requests; ``_answer`` lists its paths."""

    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self.server = ServedInThread(application)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    async def _answer(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.requests.append((request.method, request.path, form))
        self.headers.append(request.headers)
        match request.path:
            case "/form" | "/again":
                return web.Response(text=LOGIN, content_type="text/html", headers={"Set-Cookie": "seen=1; Path=/"})
            case "/login":
                where = "/home" if form["password"] == "right" else "/again"
                return web.Response(status=303, headers={"Location": where})
            case "/login-alone":
                return web.Response(text=LOGIN_ALONE, content_type="text/html")
            case "/password-alone":
                return web.Response(text=PASSWORD_ALONE, content_type="text/html")
            case "/question":
                return web.Response(text=QUESTION, content_type="text/html")
            case "/kept":
                return web.Response(status=307, headers={"Location": "/home"})
            case "/elsewhere":
                return web.Response(status=302, headers={"Location": f"http://localhost:{self.server.port}/home"})
            case "/loop":
                return web.Response(status=302, headers={"Location": "/loop"})
            case "/secret":
                return web.Response(text=f"{MARKER}abc")
        return web.Response(text="home")


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    with made.server:
        yield made


@pytest.fixture
def browser() -> FormBrowser:
    return FormBrowser()


def test_a_form_is_read_with_its_values_unescaped() -> None:
    assert forms_of(LOGIN) == (
        Form(
            "/login",
            "post",
            [
                Field("xsrf", "hidden", '"1"'),
                Field("login", "text", ""),
                Field("password", "password", ""),
                Field("", "submit", ""),
            ],
        ),
    )


def test_a_button_outside_its_form_is_found_by_the_form_s_id() -> None:
    form = forms_of(QUESTION)[0]
    assert form.first_button() == "logout"
    assert form.values("logout") == {"xsrf": "2", "logout": "yes"}


def test_links_are_read_as_written() -> None:
    assert links_of(QUESTION) == ("/abort",)


def test_a_sign_in_fills_the_login_form(site: Site, browser: FormBrowser) -> None:
    page = browser.sign_in(site.url + "/form", "user1", "right")
    assert (page.text, site.requests[1]) == (
        "home",
        ("POST", "/login", {"xsrf": '"1"', "login": "user1", "password": "right"}),
    )


def test_a_login_form_that_comes_back_is_not_filled_twice(site: Site, browser: FormBrowser) -> None:
    page = browser.sign_in(site.url + "/form", "user1", "wrong")
    assert (page.url.path, len(site.requests)) == ("/again", 3)


def test_login_and_password_may_be_on_two_pages(site: Site, browser: FormBrowser) -> None:
    browser.sign_in(site.url + "/login-alone", "user1", "right")
    assert [form for _, _, form in site.requests if form] == [
        {"who": "user1"},
        {"xsrf": '"1"', "login": "user1", "password": "right"},
    ]


def test_a_page_that_knows_the_person_asks_for_the_password_alone(site: Site, browser: FormBrowser) -> None:
    browser.sign_in(site.url + "/password-alone", "user1", "right")
    assert site.requests[1] == ("POST", "/home", {"secret": "right"})


def test_a_field_of_text_alone_is_no_login() -> None:
    code = Form("/code", "post", [Field("user_code", "text", "WDJB")])
    assert code.asked("user1", "right") == {}


def test_a_cookie_comes_back(site: Site, browser: FormBrowser) -> None:
    browser.sign_in(site.url + "/form", "user1", "right")
    assert [headers.get("Cookie") for headers in site.headers] == [None, "seen=1", "seen=1"]


def test_two_browsers_share_no_cookie(site: Site, browser: FormBrowser) -> None:
    browser.open(site.url + "/form")
    FormBrowser().open(site.url + "/form")
    assert "Cookie" not in site.headers[1]


def test_a_307_keeps_the_method_and_the_form(site: Site, browser: FormBrowser) -> None:
    browser._walk("POST", site.url + "/kept", b"a=1", site.url + "/form", "")
    assert site.requests[1] == ("POST", "/home", {"a": "1"})


def test_a_redirect_to_the_place_to_stop_at_is_not_followed(site: Site, browser: FormBrowser) -> None:
    reply = browser.open(site.url + "/elsewhere", stop_at="http://localhost:")
    assert (reply.status_code, len(site.requests)) == (302, 1)


def test_an_endless_redirect_is_given_up(site: Site, browser: FormBrowser) -> None:
    with pytest.raises(AssertionError, match="did not end"):
        browser.open(site.url + "/loop")


@pytest.mark.parametrize(
    ("page", "sites"),
    [
        ("/form", ["none", "same-origin", "same-origin"]),
        ("/elsewhere", ["none", "none"]),
    ],
)
def test_the_server_is_told_from_how_far_a_request_comes(
    site: Site, browser: FormBrowser, page: str, sites: list[str]
) -> None:
    browser.sign_in(site.url + page, "user1", "right")
    assert [headers["Sec-Fetch-Site"] for headers in site.headers] == sites


def test_a_form_sent_to_another_site_comes_from_afar_and_names_its_origin(site: Site, browser: FormBrowser) -> None:
    browser._walk("POST", f"http://localhost:{site.server.port}/home", b"", site.url + "/form", "")
    assert (site.headers[0]["Sec-Fetch-Site"], site.headers[0]["Origin"]) == ("cross-site", site.url)


def test_what_others_reply_is_shown_and_what_the_provider_replies_is_not(site: Site) -> None:
    canary = Canary()
    FormBrowser(site.url, canary.look_at_reply).open(site.url + "/secret")
    own = len(canary.leaks)
    FormBrowser("http://127.0.0.1:1", canary.look_at_reply).open(site.url + "/secret")
    assert (own, len(canary.leaks)) == (0, 1)

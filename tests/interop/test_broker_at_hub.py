"""A broker as a service of a real JupyterHub: one redirect URI for all users, whose browsers and servers the Hub knows."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import httpx
import pytest

from jupyter_oidc.demo.running_kernel import Server
from jupyter_oidc.web.forwarded import FORWARDED
from tests.support.form import forms_of, links_of
from tests.support.form_sign_in import FormBrowser
from tests.support.forwarded_facts import facts_of
from tests.support.jupyterhub_process import PREFIX, BrokerAtHub, HubProcess
from tests.support.strict_provider import StrictProvider
from tests.support.upstream import Upstream

pytestmark = pytest.mark.skipif(os.name != "posix", reason="JupyterHub does not run on Windows")

ROUTE = "jupyter-oidc/providers/corp"


@dataclass
class HubPerson:
    """A user of the Hub: a browser that is logged in there, and a Jupyter server as far as its broker sees it."""

    hub: HubProcess
    provider: StrictProvider
    user: str
    token: str = field(repr=False)
    browser: FormBrowser = field(repr=False)

    def log_in(self) -> None:
        """Log in at the Hub."""
        page = self.browser.open(f"{self.hub.url}/hub/login?next=/hub/home")
        page = self.browser.submit(page, {"username": self.user, "password": self.hub.password})
        assert page.url.path == "/hub/home", page.text

    def ask(self, verb: str, path: str, body: Any = None, **changes: Any) -> httpx.Response:
        """Send what the Jupyter server forwards, through the Hub's proxy."""
        headers = {
            "Authorization": f"token {self.token}",
            FORWARDED: facts_of(self.user, **{"host": httpx.URL(self.hub.url).netloc.decode(), **changes}).text(),
            "Origin": self.hub.url,
            **({} if body is None else {"Content-Type": "application/json"}),
        }
        content = None if body is None else json.dumps(body)
        address = f"{self.hub.broker_url}{path}"
        return httpx.request(verb, address, headers=headers, content=content, trust_env=False, timeout=30)

    def begin(self, **asked: Any) -> str:
        """Begin a sign-in; return the address at which the browser starts: the broker's, which the server leads to."""
        started = self.ask("POST", f"{ROUTE}/sign-in", asked)
        assert started.status_code == 201, started.text
        start = started.json()["start_url"]
        assert start.startswith(f"/user/{self.user}/jupyter-oidc/start/")
        led = self.ask("GET", start.removeprefix(f"/user/{self.user}/"))
        assert led.status_code == 302
        return str(led.headers["Location"])

    def sign_in(self) -> httpx.Response:
        """Sign in at the provider; return the last page."""
        return self.browser.sign_in(self.begin(), self.user, "any")

    @property
    def state(self) -> tuple[str, str | None]:
        """State and reason of the session."""
        told = self.ask("GET", f"{ROUTE}/session").json()
        return told["state"], told["reason"]


@dataclass
class Place:
    """A Hub, its broker, and the provider at which one redirect URI is registered."""

    hub: HubProcess
    broker: BrokerAtHub
    provider: StrictProvider
    upstream: Upstream

    def person(self, user: str) -> HubPerson:
        """Return a user with a browser of their own, who is logged in at the Hub."""
        self.hub.ask("POST", f"users/{user}")
        person = HubPerson(self.hub, self.provider, user, self.hub.token_of(user), FormBrowser(self.provider.issuer))
        person.log_in()
        return person

    def accounts(self) -> list[str]:
        """Return the accounts that have stored sessions."""
        with sqlite3.connect(f"file:{self.broker.folder / 'sessions.sqlite'}?mode=ro", uri=True) as database:
            return [name for (name,) in database.execute("SELECT account FROM oidc_entries WHERE sealed IS NOT NULL")]


@contextmanager
def place_of(folder: Path, **hub: Any) -> Iterator[Place]:
    with ExitStack() as stack:
        provider = stack.enter_context(StrictProvider())
        upstream = stack.enter_context(Upstream(accepts=provider.knows))
        process = HubProcess(folder, **hub)
        short = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="broker")))
        settings = {
            "issuer": provider.issuer,
            "client_id": "jupyter",
            "allow_insecure_loopback": True,
            "post_logout_redirect_uri": f"{process.broker_url}{ROUTE}/signed-out",
            "apis": {"orders": {"base_url": upstream.url}},
        }
        provider.redirect_uri = process.callback("corp")
        provider.post_logout_redirect_uri = settings["post_logout_redirect_uri"]  # type: ignore[assignment]
        provider.backchannel_logout_uri = f"{process.broker_url}{ROUTE}/backchannel-logout"
        # NOTE: first the broker, since the Hub waits for its services.
        broker = stack.enter_context(BrokerAtHub(short, {"corp": settings}, hub=process))
        stack.enter_context(process)
        yield Place(process, broker, provider, upstream)
        assert provider.faults == []


@pytest.fixture(scope="module")
def shared_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place_of(tmp_path_factory.mktemp("hub")) as place:
        yield place


@pytest.fixture
def place(shared_place: Place) -> Place:
    """The shared place, with an empty provider; the test must leave no fault."""
    shared_place.provider.forget_everything()
    return shared_place


def test_people_sign_in_through_one_redirect_uri_and_each_has_their_own_session(place: Place) -> None:
    ada, bob = place.person("ada"), place.person("bob")
    page = ada.sign_in()
    assert "You are signed in" in page.text, page.text
    assert f"{place.hub.url}{PREFIX}" in str(page.url)
    assert 'href="/user/ada/"' in page.text, "it leads back to her server"
    assert (ada.state, bob.state) == (("active", None), ("signed-out", None))
    assert "You are signed in" in bob.sign_in().text
    assert {"hub:ada", "hub:bob"} <= set(place.accounts())
    assert ada.ask("GET", "jupyter-oidc/api/orders/items/1").status_code == 200


def test_a_page_signs_in_by_itself_and_is_shown_again(place: Place) -> None:
    ada = place.person("ada")
    ada.ask("POST", f"{ROUTE}/sign-out", {})
    assert "You are signed in" in ada.sign_in().text  # the provider knows her browser from now on
    place.broker.stop()
    database = place.broker.folder / "sessions.sqlite"
    with sqlite3.connect(database) as opened:
        opened.execute("UPDATE oidc_entries SET sealed = NULL")
    place.broker.start()
    here = "/user/ada/lab/tree/notebook.ipynb"
    assert ada.state == ("signed-out", None)
    start = ada.begin(silent=True, next=here)
    shown = ada.browser.open(start, stop_at=f"{place.hub.url}/user/ada/")
    assert (shown.status_code, shown.headers["Location"]) == (303, here)
    assert ada.state == ("active", None)


def test_a_link_or_an_answer_of_one_user_is_nothing_in_the_browser_of_another(place: Place) -> None:
    """Else a user could lead another one's browser through the provider, and have the tokens of that person."""
    ada, bob = place.person("ada"), place.person("bob")
    ada.ask("POST", f"{ROUTE}/sign-out", {})
    start = ada.begin()
    refused = bob.browser.open(start)
    assert (refused.status_code, "Sign-in did not work" in refused.text) == (400, True)
    callback = place.hub.callback("corp")
    answer = ada.browser.sign_in(start, "ada", "any", stop_at=callback).headers["Location"]
    for name in ada.browser.cookies:  # bob's page can plant cookies at the same host, but no login of hers
        if name.name.startswith("jupyter-oidc-flow-"):
            bob.browser.cookies.set_cookie(name)
    stolen = bob.browser.open(answer)
    assert (stolen.status_code, bob.state[0]) == (400, bob.state[0])
    assert "Sign-in did not work" in stolen.text
    assert ada.state == ("signing-in", None), "her own browser may still come back"
    assert "You are signed in" in ada.browser.open(answer).text


def test_a_login_of_another_user_counts_for_nothing_in_a_browser(place: Place) -> None:
    """A page of another user at this host can add its own login, before that of the person."""
    ada, bob = place.person("ada"), place.person("bob")
    for person in (ada, bob):
        person.browser.open(person.begin(), stop_at=place.provider.issuer)
    theirs = next(one for one in bob.browser.cookies if one.name == "jupyter-oidc-hub")
    theirs.path = f"{PREFIX}jupyter-oidc"
    ada.browser.cookies.set_cookie(theirs)
    assert "You are signed in" in ada.sign_in().text
    bobs = ada.browser.open(bob.begin())
    assert (bobs.status_code, "Sign-in did not work" in bobs.text) == (400, True)


@pytest.mark.parametrize("has_login", [True, False])
def test_the_hubs_answer_to_one_user_logs_no_other_browser_in(place: Place, *, has_login: bool) -> None:
    """Else Bob's page could log Ada's browser in as him, lead it through the provider, and have her identity there."""
    ada, bob = place.person("ada"), place.person("bob")
    if has_login:
        ada.sign_in()
    bob.ask("POST", f"{ROUTE}/sign-out", {})
    before, start = bob.state, bob.begin()
    sent = bob.browser.open(start, stop_at=f"{place.hub.broker_url}oauth_callback")
    for cookie in bob.browser.cookies:
        if cookie.name.startswith("jupyter-oidc-hub-login-"):
            ada.browser.cookies.set_cookie(cookie)
    refused = ada.browser.open(f"{place.hub.url}{sent.headers['Location']}")
    assert (refused.status_code, "was not finished in this browser" in refused.text) == (403, True), refused.text
    assert "You are signed in" in ada.sign_in().text
    assert (ada.state, bob.state) == (("active", None), ("signing-in", None)), before


def test_only_servers_of_a_user_are_believed(place: Place) -> None:
    ada, bob = place.person("ada"), place.person("bob")
    session = f"{ROUTE}/session"
    assert ada.ask("GET", session).status_code == 200
    for token, detail in (
        ("0" * 32, "does not know the server"),
        (place.hub.api_token, "does not know the server"),
        (place.hub.token_of("ada", "read:users!user=ada"), "does not let this server use the broker"),
    ):
        refused = replace(ada, token=token).ask("GET", session)
        assert (refused.status_code, detail in refused.json()["message"]) == (403, True), refused.text
    foreign = ada.ask("GET", session, base_url="/user/bob/")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "forbidden")
    called = replace(bob, token="0" * 32).ask("GET", "jupyter-oidc/api/orders/items/1")
    assert (called.status_code, called.json()["code"]) == (403, "forbidden")


def test_a_logout_token_ends_the_session_of_a_user_who_is_away(place: Place) -> None:
    """B-12, B-15: the stored entry tells whose it is; the token counts once, and one for nobody is no error."""
    ada, bob = place.person("ada"), place.person("bob")
    ada.sign_in(), bob.sign_in()
    place.broker.stop()
    place.broker.start()
    session = place.provider.session_of("ada")
    token = place.provider.logout_token(session)
    assert place.provider.announce(token) == 200
    assert place.provider.announce(token) == 400
    assert (ada.state, bob.state) == (("signed-out-expired", "signed_out_at_provider"), ("active", None))
    assert place.provider.announce(place.provider.logout_token(session)) == 200
    assert place.provider.announce("nonsense") == 400


def test_a_portal_leads_to_the_broker_which_asks_and_signs_in(place: Place) -> None:
    """I-1, I-5: one address for all users; only a click begins a sign-in."""
    ada = place.person("ada")
    ada.ask("POST", f"{ROUTE}/sign-out", {})
    asked = urlencode({"iss": place.provider.issuer, "target_link_uri": f"{place.hub.url}/user/ada/lab"})
    page = ada.browser.open(f"{place.hub.broker_url}{ROUTE}/initiate-login?{asked}")
    assert (page.status_code, "Sign in at corp?" in page.text) == (200, True), page.text
    assert ada.state[0] != "active"
    start = next(link for link in links_of(page.text) if "/start/" in link)
    assert start.startswith(f"{PREFIX}jupyter-oidc/start/")
    assert "You are signed in" in ada.browser.sign_in(f"{place.hub.url}{start}", "ada", "any").text
    assert ada.state == ("active", None)
    form = httpx.post(f"{place.hub.broker_url}{ROUTE}/initiate-login", data={"iss": "x"}, trust_env=False)
    assert (form.status_code, form.headers["Location"]) == (303, f"{PREFIX}{ROUTE}/initiate-login?iss=x")


def test_another_person_is_asked_for_in_the_browser_and_nowhere_else(place: Place) -> None:
    """A26: the form of the page has to come back with what this browser was given."""
    ada = place.person("ada")
    ada.ask("POST", f"{ROUTE}/sign-out", {})
    ada.sign_in()
    other = place.person("ada")  # the same user, in a browser that the provider does not know
    page = other.browser.sign_in(other.begin(), "zoe", "any")
    assert "Somebody else is signed in" in page.text, page.text
    (form,) = forms_of(page.text)
    forged = str(page.url.join(form.action.partition("&_xsrf=")[0]))
    answer = ada.browser._walk("POST", f"{forged}&_xsrf=x", b"answer=change", place.hub.url, "")
    assert answer.status_code in (400, 403), answer.text
    assert ada.ask("GET", f"{ROUTE}/session").json()["user"]["sub"] == "ada"
    done = other.browser.submit(page, {"answer": "change"})
    assert "You are signed in" in done.text, done.text
    assert ada.ask("GET", f"{ROUTE}/session").json()["user"]["sub"] == "zoe"
    ada.ask("POST", f"{ROUTE}/sign-out", {})


def test_a_page_is_for_a_document_and_a_route_is_for_a_server(place: Place) -> None:
    """A script of another user's page at this host reads none, and a browser gets nothing from the servers' routes."""
    ada = place.person("ada")
    ada.sign_in()
    cookies = "; ".join(f"{one.name}={one.value}" for one in ada.browser.cookies)
    address = f"{place.hub.broker_url}{ROUTE}/initiate-login?{urlencode({'iss': place.provider.issuer})}"
    script = {"Cookie": cookies, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"}
    assert httpx.get(address, headers=script, trust_env=False).status_code == 403
    for path in (f"{ROUTE}/session", "jupyter-oidc/api/orders/items/1", "jupyter-oidc/providers", "metrics", ""):
        refused = httpx.get(f"{place.hub.broker_url}{path}", headers={"Cookie": cookies}, trust_env=False)
        assert (refused.status_code, refused.json()["code"]) == (400, "request_invalid"), path
    assert httpx.get(f"{place.hub.broker_url}health/ready", trust_env=False).text == "ok\n"


def test_a_sign_out_goes_to_the_provider_with_the_id_token_which_no_server_of_a_user_has_seen(place: Place) -> None:
    ada = place.person("ada")
    ada.sign_in()
    told = ada.ask("POST", f"{ROUTE}/sign-out", {}).json()
    path = told["end_session_url"].removeprefix("/user/ada/")
    led = ada.ask("GET", path)
    assert (led.status_code, led.headers["Location"]) == (302, f"{place.hub.broker_url}{path}")
    page = ada.browser.sign_out(led.headers["Location"])
    assert "You are signed out" in page.text, page.text
    assert [one.method for one in place.provider.signed_out] == ["POST"]


async def _run(url: str, token: str, cell: str) -> str:
    async with aiohttp.ClientSession(headers={"Authorization": f"token {token}"}) as session:
        server = Server(url, token, lambda *_: None, session)
        kernel = await server.kernel("notebook.ipynb")
        try:
            return (await kernel.run(cell)).text
        finally:
            await kernel.aclose()


def test_a_server_that_the_hub_has_started_hands_everything_to_the_broker(place: Place) -> None:
    """Its settings are one line; it is stopped and started, and its kernels call the API as before."""
    ada = place.person("ada")
    config = place.hub.folder / "etc"
    config.mkdir(exist_ok=True)
    said = {"JupyterOIDC": {"broker": place.hub.broker_url, "close_process": False}}
    (config / "jupyter_server_config.json").write_text(json.dumps(said), encoding="utf-8")
    url = f"{place.hub.url}/user/ada/"
    token = place.hub.token_of("ada", "access:servers!user=ada")

    def ask(path: str) -> httpx.Response:
        return httpx.get(f"{url}{path}", headers={"Authorization": f"token {token}"}, trust_env=False, timeout=30)

    def start() -> None:
        place.hub.ask("POST", "users/ada/server")
        place.hub.until(lambda: ask("api/status").status_code == 200, "Her server did not start")

    start()
    ada.sign_in()
    assert ask(f"{ROUTE}/session").json()["state"] == "active"
    cell = "import jupyter_oidc as oidc\nprint(oidc.api('orders').get('items/1').status_code)"
    assert asyncio.run(_run(url, token, cell)) == "200\n"
    place.hub.ask("DELETE", "users/ada/server")
    place.hub.until(lambda: not place.hub.ask("GET", "users/ada").json()["servers"], "Her server did not stop")
    start()
    assert ask(f"{ROUTE}/session").json()["state"] == "active"
    assert asyncio.run(_run(url, token, cell)) == "200\n"
    place.hub.ask("DELETE", "users/ada/server")


def test_a_hub_that_is_away_leaves_known_users_their_sessions(tmp_path: Path) -> None:
    """DESIGN-2, 7: known identities for a minute, then ``broker_unavailable``."""
    with place_of(tmp_path) as place:
        ada = place.person("ada")
        unknown = replace(ada, token=place.hub.token_of("ada"))
        ada.sign_in()
        place.hub.stop()
        here = BrokerAtHubDirectly(place)
        assert here.ask(ada).json()["state"] == "active"
        refused = here.ask(unknown)
        assert (refused.status_code, refused.json()["code"]) == (503, "broker_unavailable")
        assert refused.headers["Retry-After"] == "2"


@dataclass
class BrokerAtHubDirectly:
    """The broker without the Hub's proxy, which has gone with the Hub."""

    place: Place

    def ask(self, person: HubPerson) -> httpx.Response:
        headers = {"Authorization": f"token {person.token}", FORWARDED: facts_of(person.user).text()}
        address = f"http://127.0.0.1:{self.place.hub.broker_port}{PREFIX}{ROUTE}/session"
        return httpx.get(address, headers=headers, trust_env=False, timeout=30)


def test_the_sessions_of_a_deleted_user_end(place: Place) -> None:
    """The next user of that name finds none."""
    place.hub.ask("POST", "users/eve")
    bob = place.person("bob")
    bob.sign_in()
    place.hub.ask("DELETE", "users/bob")
    place.broker.stop()
    place.broker.start()
    place.hub.until(lambda: "hub:bob" not in place.accounts(), "The session stays")
    again = place.person("bob")
    assert again.state == ("signed-out", None)


# -- workers -----------------------------------------------------------------------------------------------------------


def delegated(person: HubPerson, **wish: Any) -> dict[str, Any]:
    """Let a kernel of the person's make a grant for workers."""
    made = person.ask(
        "POST",
        "jupyter-oidc/grants",
        {"apis": ["orders"], **wish},
        caller_kind="kernel",
        caller_name="kernel:k1",
    )
    assert made.status_code == 201, made.text
    said: dict[str, Any] = made.json()
    return said


def call(made: dict[str, Any], path: str = "api/orders/items/1", verb: str = "GET", **rest: Any) -> httpx.Response:
    """Call as a worker does that has a grant and the address in it, and no login of the Hub's."""
    headers = {"Authorization": f"Bearer {made['grant']}", **rest.pop("headers", {})}
    address = f"{made['address']}jupyter-oidc/{path}"
    return httpx.request(verb, address, headers=headers, trust_env=False, timeout=30, **rest)


def refusal(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.headers.get("X-OIDC-Error", "")


def test_a_worker_calls_the_broker_itself(place: Place) -> None:
    ada = place.person("ada")
    ada.sign_in()
    made = delegated(ada, name="cluster")
    assert (made["address"], made["address_outlives_server"]) == (place.hub.broker_url, True)
    assert call(made).status_code == 200
    assert made["grant"] not in str(place.upstream.seen[-1].headers)
    for path, verb, expected in [
        ("api/orders/items/1", "DELETE", (403, "forbidden")),
        ("api/plans/x", "GET", (403, "forbidden")),
        ("grants", "POST", (401, "grant_invalid")),
        ("grants", "GET", (401, "grant_invalid")),
        (f"grants/{made['id']}", "DELETE", (401, "grant_invalid")),
        ("grant-leases", "POST", (401, "grant_invalid")),
        ("providers", "GET", (401, "grant_invalid")),
        ("providers/corp/session", "GET", (401, "grant_invalid")),
        ("providers/corp/sign-out", "POST", (401, "grant_invalid")),
        ("providers/corp/callback", "GET", (401, "grant_invalid")),
    ]:
        assert refusal(call(made, path, verb)) == expected, (verb, path)
    assert ada.state == ("active", None)
    [listed] = ada.ask("GET", "jupyter-oidc/grants").json()["grants"]
    assert (listed["id"], listed["name"], listed["last_used_at"] is not None) == (made["id"], "cluster", True)
    assert ada.ask("DELETE", f"jupyter-oidc/grants/{made['id']}").json()["grants"] == []
    assert refusal(call(made)) == (401, "grant_invalid")


@pytest.mark.parametrize("text", ["jow.", "jow." + "A" * 43, "jow." + "A" * 9_000, "jow.\xff"])
def test_a_guessed_grant_opens_nothing(place: Place, text: str) -> None:
    made = {"grant": text, "address": place.hub.broker_url}
    assert refusal(call(made, headers={"Authorization": f"Bearer {text}".encode("latin-1")})) == (401, "grant_invalid")


def test_an_offline_delegation_goes_on_without_its_server_and_over_a_restart_of_the_broker(place: Place) -> None:
    ada = place.person("ada")
    ada.sign_in()
    made = delegated(ada, outlives_kernel=True, hours=720)
    place.broker.stop()
    place.broker.start()
    assert call(made).status_code == 200
    assert made["grant"].encode() not in (place.broker.folder / "sessions.sqlite").read_bytes()
    ada.ask("POST", f"{ROUTE}/sign-out", {})
    assert refusal(call(made)) == (401, "grant_invalid")
    ada.sign_in()
    assert refusal(call(made)) == (401, "grant_invalid"), "another session does not bring it back"


def test_a_delegation_ends_with_the_session_that_the_provider_ends(place: Place) -> None:
    """While nobody of the person's is there: no server, no page."""
    ada = place.person("ada")
    ada.sign_in()
    made = delegated(ada, outlives_kernel=True)
    place.broker.stop()
    place.broker.start()
    session = place.provider.session_of("ada")
    assert place.provider.announce(place.provider.logout_token(session)) == 200
    assert refusal(call(made)) == (401, "grant_invalid")


def test_a_grant_is_good_at_no_server_of_another_user(place: Place) -> None:
    ada, bob = place.person("ada"), place.person("bob")
    ada.sign_in()
    grant = delegated(ada)["grant"]
    worker = {"caller_kind": "worker", "caller_name": "worker:", "grant": grant}
    assert ada.ask("GET", "jupyter-oidc/api/orders/items/1", **worker).status_code == 200
    stolen = bob.ask("GET", "jupyter-oidc/api/orders/items/1", **worker)
    assert refusal(stolen) == (401, "grant_invalid")
    assert bob.ask("POST", "jupyter-oidc/grant-leases", {"grants": []}, caller_kind="kernel").status_code == 403


def test_a_server_renews_the_grants_of_its_own_user(place: Place) -> None:
    ada, bob = place.person("ada"), place.person("bob")
    ada.sign_in()
    made = delegated(ada)
    for person, renewed in ((ada, [made["id"]]), (bob, [])):
        reply = person.ask("POST", "jupyter-oidc/grant-leases", {"grants": [made["id"]]}, caller_kind="server")
        assert (reply.status_code, reply.json()) == (200, {"grants": renewed})

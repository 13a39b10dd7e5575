"""The login of a browser at the Hub, as its cookies carry it: sealed, for one use, for some minutes, for one user."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

import pytest

from jupyter_oidc.adapters.storage.storage_key import keys_in
from jupyter_oidc.broker.hub_api import HubUser
from jupyter_oidc.broker.hub_login import LOGIN_SECONDS, MAX_ONWARD_CHARACTERS, MAX_WAYS, RETURN_SECONDS, HubLogin
from jupyter_oidc.broker.hub_place import HubPlace
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.problems import Forbidden, RequestInvalid
from jupyter_oidc.protocol.pkce import challenge_of
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.web.reply import Cookie, Reply
from jupyter_oidc.web.request import Caller, Headers, Request
from tests.unit.adapters.storage.database.replicas import ONE, TWO
from tests.unit.sessions.fake_environment import HandClock

PLACE = HubPlace("oidc", "127.0.0.1", 10101, "/services/oidc/", "https://hub.example.com/services/oidc/", "/")
ONWARD = "/services/oidc/jupyter-oidc/start/t1"


@dataclass
class ScriptedHub:
    """A Hub that knows the user of each token, and gives one for each code."""

    users: dict[str, HubUser] = field(default_factory=lambda: {"t-ada": HubUser("ada", may_use=True, session="s1")})
    codes: dict[str, str] = field(default_factory=lambda: {"c1": "t-ada"})
    verifiers: list[str] = field(default_factory=list)

    async def user_of(self, token: Secret) -> HubUser | None:
        return self.users.get(reveal(token))

    def login_address(self, state: str, verifier: Secret) -> str:
        return f"/hub/api/oauth2/authorize?state={state}&code_challenge={challenge_of(verifier)}"

    async def token_for(self, code: Secret, verifier: Secret) -> Secret | None:
        self.verifiers.append(challenge_of(verifier))
        token = self.codes.pop(reveal(code), None)
        return None if token is None else Secret(token)


@dataclass
class Browser:
    """A login, and the cookies that a browser has of it."""

    place: HubPlace = PLACE
    hub: ScriptedHub = field(default_factory=ScriptedHub)
    clock: HandClock = field(default_factory=HandClock)
    cookies: dict[str, Cookie] = field(default_factory=dict)
    other_sites: bool = False
    keys: str = ONE
    session: str = "s1"

    @property
    def login(self) -> HubLogin:
        keys = keys_in(Secret(self.keys))
        return HubLogin(
            self.hub,  # type: ignore[arg-type]
            self.place,
            keys,
            self.clock,
            SystemEntropy(),
            other_sites=self.other_sites,
        )

    def request(self, query: str = "", extra: str = "") -> Request:
        own = [f"{one.name}={one.value}" for one in self.cookies.values() if one.lifetime]
        sent = "; ".join([*own, *([f"jupyterhub-session-id={self.session}"] if self.session else [])]) + extra
        return Request("GET", ONWARD, Caller("public"), query=query, headers=Headers([("Cookie", sent)]))

    def keep(self, reply: Reply) -> Reply:
        self.cookies |= {one.name: one for one in reply.cookies}
        return reply

    def leave(self) -> str:
        """Go to the Hub; return the state."""
        reply = self.keep(self.login.begin(self.request(), ONWARD))
        return parse_qs(urlsplit(reply.header("Location") or "").query)["state"][0]

    async def come_back(self, state: str, code: str = "c1") -> Reply:
        return self.keep(await self.login.finish(self.request(f"code={code}&state={state}")))

    async def user(self, extra: str = "") -> str | None:
        visitor = await self.login.visitor_of(self.request(extra=extra))
        return None if visitor is None else visitor.user


async def test_a_browser_logs_in_and_goes_on_where_it_wanted_to() -> None:
    browser = Browser()
    assert await browser.user() is None
    reply = await browser.come_back(browser.leave())
    assert (reply.status, reply.header("Location")) == (303, ONWARD)
    assert await browser.user() == "ada"
    (cookie,) = (one for one in browser.cookies.values() if one.name == "jupyter-oidc-hub")
    assert (cookie.path, cookie.secure, cookie.same_site, cookie.lifetime) == (
        "/services/oidc/",
        True,
        "Lax",
        LOGIN_SECONDS,
    )
    assert "t-ada" not in cookie.value


async def test_the_verifier_goes_with_the_code() -> None:
    """RFC 7636: JupyterHub 6 compares them."""
    browser = Browser()
    reply = browser.keep(browser.login.begin(browser.request(), ONWARD))
    asked = parse_qs(urlsplit(reply.header("Location") or "").query)
    await browser.come_back(asked["state"][0])
    assert browser.hub.verifiers == asked["code_challenge"]


async def test_an_answer_counts_in_the_browser_that_asked_and_once() -> None:
    browser, other = Browser(), Browser()
    state = browser.leave()
    with pytest.raises(Forbidden) as caught:
        await other.come_back(state)
    assert caught.value.detail == "hub.state"
    other.leave()
    with pytest.raises(Forbidden):
        await other.come_back(state)
    await browser.come_back(state)
    browser.hub.codes["c1"] = "t-ada"
    with pytest.raises(Forbidden):
        await browser.come_back(state)


@pytest.mark.parametrize("state", ["", "x", "a.b", "A" * 11 + "." + "B" * 43, "é" * 60])
async def test_a_state_of_no_login_is_refused(state: str) -> None:
    browser = Browser()
    browser.leave()
    with pytest.raises(Forbidden):
        await browser.come_back(state)


async def test_a_login_takes_ten_minutes_at_most() -> None:
    browser = Browser()
    state = browser.leave()
    browser.clock.advance(RETURN_SECONDS + 1)
    with pytest.raises(Forbidden) as caught:
        await browser.come_back(state)
    assert (caught.value.detail, browser.hub.verifiers) == ("hub.answer", [])


async def test_a_code_that_the_hub_refuses_logs_nobody_in() -> None:
    browser = Browser()
    with pytest.raises(Forbidden) as caught:
        await browser.come_back(browser.leave(), "other")
    assert caught.value.detail == "hub.code"
    assert await browser.user() is None


async def test_a_cookie_counts_for_its_use_and_with_our_keys() -> None:
    browser = Browser()
    browser.leave()
    (way,) = browser.cookies.values()
    for text in (way.value, "", "x.y.z", "é", "a" * 4_000):
        assert await browser.user(f"; jupyter-oidc-hub={text}") is None
    await browser.come_back(browser.leave())
    assert await browser.user() == "ada"
    browser.keys = TWO
    assert await browser.user() is None
    browser.keys = f"{TWO} {ONE}"
    assert await browser.user() == "ada", "keys are changed without a new login"


async def test_a_user_without_access_and_a_browser_of_two_users_are_refused() -> None:
    browser = Browser()
    await browser.come_back(browser.leave())
    own = browser.cookies["jupyter-oidc-hub"].value
    browser.hub.users["t-bob"] = HubUser("bob", may_use=True, session="s1")
    browser.hub.codes["c2"] = "t-bob"
    with pytest.raises(Forbidden) as caught:
        await browser.come_back(browser.leave(), "c2")
    assert caught.value.detail == "hub.logins"
    del browser.cookies["jupyter-oidc-hub"]
    browser.hub.codes["c2"] = "t-bob"
    await browser.come_back(browser.leave(), "c2")
    assert await browser.user() == "bob"
    for extra in (f"; jupyter-oidc-hub={own}", f"; jupyter-oidc-hub={own}" * 9):
        with pytest.raises(Forbidden) as caught:
            await browser.user(extra)
        assert caught.value.detail == "hub.logins"
    assert await browser.user("; jupyter-oidc-hub=x" * 20) == "bob", "what we did not make is no login"
    browser.hub.users["t-bob"] = HubUser("bob", may_use=False, session="s1")
    with pytest.raises(Forbidden) as caught:
        await browser.user()
    assert caught.value.detail == "hub.scope"


async def test_a_login_is_worth_nothing_in_another_browser_or_after_a_log_out() -> None:
    """Another user's page at this host can plant its login, and its answer of the Hub, in this browser."""
    bob = Browser(session="s-bob")
    bob.hub.users["t-ada"] = HubUser("bob", may_use=True, session="s-bob")
    state = bob.leave()
    ada = Browser(hub=bob.hub, cookies=dict(bob.cookies))
    with pytest.raises(Forbidden) as caught:
        await ada.come_back(state)
    assert (caught.value.detail, "jupyter-oidc-hub" in ada.cookies) == ("hub.session", False)
    bob.hub.codes["c1"] = "t-ada"
    await bob.come_back(bob.leave())
    assert await bob.user() == "bob"
    ada.cookies = dict(bob.cookies)
    assert await ada.user() is None, "her login at the Hub is another one"
    with pytest.raises(Forbidden) as caught:
        await ada.user("; jupyterhub-session-id=s-bob")
    assert caught.value.detail == "hub.logins"
    for session in ("", "s-after"):
        bob.session = session
        assert await bob.user() is None


async def test_a_long_way_is_refused_since_a_cookie_carries_it() -> None:
    with pytest.raises(RequestInvalid):
        Browser().login.begin(Browser().request(), "/" + "a" * MAX_ONWARD_CHARACTERS)


async def test_the_answer_of_a_provider_by_form_brings_the_login_along() -> None:
    browser = Browser(other_sites=True)
    await browser.come_back(browser.leave())
    assert browser.cookies["jupyter-oidc-hub"].same_site == "None"


async def test_where_users_have_hosts_of_their_own_none_can_set_the_cookie() -> None:
    browser = Browser(place=PLACE._replace(user_domain="hub.example.com"))
    await browser.come_back(browser.leave())
    assert browser.cookies["__Host-jupyter-oidc-hub"].path == "/"
    assert {one.path for one in browser.cookies.values()} == {"/"}
    assert all(name.startswith("__Host-") for name in browser.cookies)
    browser.session = "; jupyterhub-session-id=planted"
    assert await browser.user() == "ada", "the Hub's own cookie, which other hosts can set, decides nothing here"


async def test_a_browser_that_never_comes_back_does_not_collect_logins_under_way() -> None:
    """Else its requests would become too long for the broker."""
    browser = Browser()
    for _ in range(6):
        browser.leave()
        ways = [one for one in browser.cookies.values() if "hub-login-" in one.name and one.lifetime]
        assert len(ways) <= MAX_WAYS
    await browser.come_back(browser.leave())
    assert {one.lifetime for one in browser.login.given_up(browser.request())} <= {0}
    assert await browser.user() == "ada"

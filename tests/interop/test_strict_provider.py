"""Both logout profiles with live sessions at a strict provider: RP-Initiated Logout 1.0 and Back-Channel Logout 1.0 (Q9.8).

The provider is written from the specifications and independent of the product; each departure is a fault, and every
test ends without one that it did not cause itself.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.support.canary import CANARY
from tests.support.form import forms_of
from tests.support.form_sign_in import FormBrowser
from tests.support.jupyter_process import JupyterProcess
from tests.support.plain_http import PLAIN
from tests.support.signing_key import SigningKey, signed_by_secret, unsigned
from tests.support.strict_provider import OpSession, StrictProvider, verified

ROUTE = "jupyter-oidc/providers/corp"


@dataclass
class Visit:
    """A user of a Jupyter server whose provider is the strict one; the browser is logged in to Jupyter."""

    process: JupyterProcess
    provider: StrictProvider
    jupyter: httpx.Client
    browser: FormBrowser

    def sign_in(self, name: str = "ada") -> OpSession:
        """Sign in by the provider's form; return the session there."""
        started = self.jupyter.post(f"{ROUTE}/sign-in", json={}).json()
        page = self.browser.sign_in(self.whole(started["start_url"]), name, "any")
        assert "You are signed in" in page.text, (page.text, self.provider.faults)
        return self.provider.session_of(name)

    def sign_out(self) -> str:
        """Sign out here; return the address of the page that goes on to the provider."""
        told = self.jupyter.post(f"{ROUTE}/sign-out", json={}).json()
        return self.whole(told["end_session_url"])

    def whole(self, path: str) -> str:
        return str(httpx.URL(self.process.url).join(path))

    @property
    def state(self) -> tuple[str, str | None]:
        """State and reason."""
        told = self.jupyter.get(f"{ROUTE}/session").json()
        return told["state"], told["reason"]


@pytest.fixture(scope="module")
def shared_visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    with StrictProvider() as provider:
        settings = {"issuer": provider.issuer, "client_id": "jupyter", "allow_insecure_loopback": True}
        process = JupyterProcess(tmp_path_factory.mktemp("strict") / "jupyter", {"corp": settings})
        provider.redirect_uri = process.callback("corp")
        provider.post_logout_redirect_uri = f"{process.url}{ROUTE}/signed-out"
        provider.backchannel_logout_uri = f"{process.url}{ROUTE}/backchannel-logout"
        settings["post_logout_redirect_uri"] = provider.post_logout_redirect_uri
        settings["redirect_uri"] = provider.redirect_uri
        with process, closing(process.client()) as jupyter:
            browser = FormBrowser(provider.issuer)
            browser.open(f"{process.url}login?token={process.token}")
            yield Visit(process, provider, jupyter, browser)
            CANARY.look("the log of the Jupyter server", process.log)


@pytest.fixture
def visit(shared_visit: Visit) -> Iterator[Visit]:
    """The shared visit, with an empty provider; the test must leave no fault."""
    shared_visit.provider.forget_everything()
    yield shared_visit
    shared_visit.jupyter.post(f"{ROUTE}/sign-out", json={})
    assert shared_visit.provider.faults == []


# -- the way in ------------------------------------------------------------------------------------------------------


def test_a_sign_in_and_a_renewal_are_right_to_the_letter(visit: Visit) -> None:
    """Q9.8: one token request a code, PKCE by S256, a nonce, the registered redirect URI, no path that is not published."""
    visit.sign_in()
    assert visit.jupyter.post(f"{ROUTE}/refresh", json={}).json()["state"] == "active"
    assert visit.jupyter.get(f"{ROUTE}/session").json()["user"]["name"] == "ada of the strict provider"


def test_a_callback_that_is_reloaded_makes_no_second_token_request(visit: Visit) -> None:
    """Q9.8, R-3: the provider would count it."""
    started = visit.jupyter.post(f"{ROUTE}/sign-in", json={}).json()
    start, callback = visit.whole(started["start_url"]), visit.provider.redirect_uri
    last = visit.browser.sign_in(start, "ada", "any", stop_at=callback).headers["location"]
    assert [visit.browser.open(last).status_code for _ in range(3)] == [200, 200, 200]
    assert visit.state == ("active", None)


# -- RP-initiated logout ---------------------------------------------------------------------------------------------


def test_a_sign_out_arrives_as_a_form_with_hint_and_state_and_the_way_back_is_judged(visit: Visit) -> None:
    """Q9.8, RP-Initiated Logout 1.0, 2 and 3."""
    session = visit.sign_in()
    page = visit.browser.open(visit.sign_out())
    assert visit.state == ("signed-out", None), "L-4: before the browser leaves"
    end = visit.browser.submit(page, {})
    (arrived,) = visit.provider.signed_out
    assert (arrived.method, arrived.sid, session.live) == ("POST", session.sid, False)
    assert end.url.path == f"/{ROUTE}/signed-out"
    assert "You are signed out" in end.text
    assert arrived.state not in end.text


def test_the_hint_is_the_newest_id_token_unmodified(visit: Visit) -> None:
    """Q9.8, L-2: the one that a refresh brought."""
    visit.sign_in()
    first = visit.provider.last_id_token
    visit.jupyter.post(f"{ROUTE}/refresh", json={})
    page = visit.browser.open(visit.sign_out())
    hint = forms_of(page.text)[0].values("")["id_token_hint"]
    assert (hint == visit.provider.last_id_token, hint == first) == (True, False)
    visit.browser.submit(page, {})
    assert len(visit.provider.signed_out) == 1


def test_the_provider_tells_us_too_and_that_is_a_success(visit: Visit) -> None:
    """Q9.8, B-15: a sign-out there is announced to every client, also to the one that it began at."""
    visit.sign_in()
    visit.browser.submit(visit.browser.open(visit.sign_out()), {})
    assert visit.provider.announced == [200]
    assert visit.state == ("signed-out", None)


def test_after_it_the_provider_asks_who_it_is(visit: Visit) -> None:
    """Q9.8: after the sign-out, the provider's former session signs no user in."""
    before = visit.sign_in()
    visit.browser.submit(visit.browser.open(visit.sign_out()), {})
    after = visit.sign_in("ben")
    assert (before.live, after.live, after.subject) == (False, True, "ben")


def test_each_sign_out_has_a_state_of_its_own(visit: Visit) -> None:
    """Q9.8: and that of the one before is worth nothing any more."""
    states = []
    for _ in range(2):
        visit.sign_in()
        visit.browser.submit(visit.browser.open(visit.sign_out()), {})
        states.append(visit.provider.signed_out[-1].state)
    assert len(set(states)) == 2
    for state in states:
        page = visit.browser.open(f"{visit.provider.post_logout_redirect_uri}?{urlencode({'state': state})}")
        assert ("You are signed out" in page.text, page.headers["X-OIDC-Error"]) == (False, "state_invalid")


def test_a_wrong_state_on_the_way_back_is_not_believed_and_spoils_nothing(visit: Visit) -> None:
    """Q9.8: as the certification's RP-initiated logout plan asks, with another state and with none."""
    visit.sign_in()
    page = visit.browser.open(visit.sign_out())
    back = visit.provider.post_logout_redirect_uri
    for query in (f"?{urlencode({'state': 'x' * 43})}", ""):
        assert "You are signed out" not in visit.browser.open(back + query).text
    assert "You are signed out" in visit.browser.submit(page, {}).text


def test_the_id_token_is_in_no_log(visit: Visit) -> None:
    """Q9.8: neither it nor the ticket."""
    visit.sign_in()
    address = visit.sign_out()
    visit.browser.submit(visit.browser.open(address), {})
    assert (visit.provider.last_id_token in visit.process.log, address.rpartition("/")[2] in visit.process.log) == (
        False,
        False,
    )


# -- back-channel logout ---------------------------------------------------------------------------------------------


def other_key(provider: StrictProvider, session: OpSession) -> str:
    return provider.logout_token(session, key=SigningKey.rsa("another"))


def without_signature(provider: StrictProvider, session: OpSession) -> str:
    return unsigned(provider.logout_claims(session))


def by_the_public_key(provider: StrictProvider, session: OpSession) -> str:
    return signed_by_secret(provider.logout_claims(session), provider.key.public_pem(), kid=provider.key.kid)


def an_id_token(provider: StrictProvider, session: OpSession) -> str:
    return provider.last_id_token


def changed_afterwards(provider: StrictProvider, session: OpSession) -> str:
    """Return a right token of another session, with the body of this one."""
    head, _, signature = provider.logout_token(session, sid="another").split(".")
    body = base64.urlsafe_b64encode(json.dumps(provider.logout_claims(session)).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


def claiming(**changes: Any) -> Callable[[StrictProvider, OpSession], str]:
    return lambda provider, session: provider.logout_token(session, **changes)


NOW = int(time.time())
EVENT_AS_TEXT = {"events": {"http://schemas.openid.net/event/backchannel-logout": "yes"}}
FORGED: dict[str, Callable[[StrictProvider, OpSession], str]] = {
    "another key": other_key,
    "no signature (alg none)": without_signature,
    "the public key taken for a secret (HS256)": by_the_public_key,
    "a body that was changed afterwards": changed_afterwards,
    "another issuer": claiming(iss="http://127.0.0.1:9"),
    "another audience": claiming(aud="another-client"),
    "no audience": claiming(aud=None),
    "a nonce": claiming(nonce="n-0S6_WzA2Mj"),
    "no events": claiming(events=None),
    "another event": claiming(events={"http://schemas.openid.net/event/other": {}}),
    "an event that is no object": claiming(**EVENT_AS_TEXT),
    "an expired one": claiming(iat=NOW - 7_200, exp=NOW - 3_600),
    "an old one that never expires": claiming(iat=NOW - 86_400, exp=NOW + 86_400),
    "one from the future": claiming(iat=NOW + 7_200, exp=NOW + 7_320),
    "neither sub nor sid": claiming(sub=None, sid=None),
    "no jti": claiming(jti=None),
    "an ID token": an_id_token,
}


def test_a_valid_logout_token_ends_the_session(visit: Visit) -> None:
    """Q9.8, Back-Channel Logout 1.0, 2.6 and 2.7."""
    session = visit.sign_in()
    assert visit.provider.announce(visit.provider.logout_token(session)) == 200
    assert visit.state == ("signed-out-expired", "signed_out_at_provider")


@pytest.mark.parametrize("claims", [{"sub": None}, {"sid": None}], ids=["by sid alone", "by sub alone"])
def test_a_session_may_be_named_in_either_way(visit: Visit, claims: dict[str, None]) -> None:
    """Q9.8, Back-Channel Logout 1.0, 2.4: sub, sid, or both."""
    session = visit.sign_in()
    assert visit.provider.announce(visit.provider.logout_token(session, **claims)) == 200
    assert visit.state == ("signed-out-expired", "signed_out_at_provider")


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_forged_logout_token_ends_nothing(visit: Visit, forge: Callable[[StrictProvider, OpSession], str]) -> None:
    """Q9.8, Back-Channel Logout 1.0, 2.6: refused with 400, and the session goes on."""
    session = visit.sign_in()
    assert visit.provider.announce(forge(visit.provider, session)) == 400
    assert visit.state == ("active", None)


def test_a_logout_token_that_comes_again_is_refused(visit: Visit) -> None:
    """Q9.8, B-12: one that was recorded on the way ends no later session."""
    token = visit.provider.logout_token(visit.sign_in(), sid=None)
    assert visit.provider.announce(token) == 200
    visit.sign_in()
    assert visit.provider.announce(token) == 400
    assert visit.state == ("active", None)


@pytest.mark.parametrize(
    "claims", [{"sub": None, "sid": "sid-of-somebody"}, {"sub": "ben", "sid": None}], ids=["sid", "sub"]
)
def test_a_right_token_about_another_session_ends_none(visit: Visit, claims: dict[str, Any]) -> None:
    """Q9.8, B-15: nothing to end is a success."""
    session = visit.sign_in()
    assert visit.provider.announce(visit.provider.logout_token(session, **claims)) == 200
    assert visit.state == ("active", None)


# -- the judge is judged ---------------------------------------------------------------------------------------------


@pytest.fixture
def provider() -> Iterator[StrictProvider]:
    """A strict provider with a client that is not the product."""
    with StrictProvider(
        redirect_uri="https://c.example/cb", post_logout_redirect_uri="https://c.example/out"
    ) as provider:
        yield provider


VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASKED = {
    "client_id": "jupyter",
    "redirect_uri": "https://c.example/cb",
    "response_type": "code",
    "scope": "openid",
    "state": "s" * 22,
    "nonce": "n" * 22,
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def naive(provider: StrictProvider, **changes: str) -> tuple[httpx.Response, dict[str, str]]:
    """Sign in as a client does that is not the product; return the token reply and the request, to make it again."""
    with httpx.Client(base_url=provider.issuer, trust_env=False, verify=PLAIN) as client:
        form = {"asked": json.dumps(ASKED), "login": "ada"}
        location = client.post("/login", data=form).headers["Location"]
        request = {
            "grant_type": "authorization_code",
            "client_id": "jupyter",
            "code": httpx.URL(location).params["code"],
            "redirect_uri": ASKED["redirect_uri"],
            "code_verifier": VERIFIER,
            **changes,
        }
        return client.post("/token", data=request), request


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"code_challenge_method": "plain"}, "the authorization request has no S256 challenge"),
        ({"code_challenge": ""}, "the authorization request has no S256 challenge"),
        ({"redirect_uri": "https://c.example/cb/"}, "the redirect URI is not the registered one, to the letter"),
        ({"nonce": "short"}, "the authorization request has no nonce that nobody can guess"),
        ({"state": ""}, "the authorization request has no state that nobody can guess"),
        ({"scope": "profile"}, "the authorization request is not for a code with openid"),
    ],
)
def test_the_judge_finds_what_is_wrong_with_an_authorization_request(
    provider: StrictProvider, changes: dict[str, str], fault: str
) -> None:
    """Q9.8: proof that the tests above can fail."""
    httpx.get(f"{provider.issuer}/authorize", params={**ASKED, **changes}, trust_env=False, verify=PLAIN)
    assert provider.faults == [fault]


def test_the_judge_counts_token_requests_and_paths(provider: StrictProvider) -> None:
    """Q9.8: A one-time page posts the sign-out hint."""
    reply, request = naive(provider)
    claims = verified(reply.json()["id_token"], provider.key)
    assert (provider.faults, claims["nonce"]) == ([], ASKED["nonce"])
    httpx.post(f"{provider.issuer}/token", data=request, trust_env=False, verify=PLAIN)
    httpx.get(f"{provider.issuer}/.well-known/oauth-authorization-server", trust_env=False, verify=PLAIN)
    assert provider.faults == [
        "a code was used in a second token request",
        "GET /.well-known/oauth-authorization-server is not published",
    ]


def test_the_judge_compares_verifier_and_redirect_uri(provider: StrictProvider) -> None:
    """Q9.8: A one-time page posts the sign-out hint."""
    naive(provider, code_verifier="w" * 43)
    naive(provider, redirect_uri="https://c.example/other")
    assert provider.faults == [
        "the verifier does not fit the challenge",
        "the token request names another redirect URI",
    ]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, None),
        ({"id_token_hint": ""}, "the sign-out has no hint"),
        ({"id_token_hint": "a.b.c"}, "the sign-out's hint is no token that we have signed"),
        ({"state": ""}, "the sign-out has no state that nobody can guess"),
        ({"client_id": "another"}, "the sign-out names another client than its hint"),
        (
            {"post_logout_redirect_uri": "https://c.example/out/"},
            "the sign-out's address to return to is not the registered one, to the letter",
        ),
        ({"logout_hint": "ada"}, "the sign-out says more than it should: logout_hint"),
    ],
)
def test_the_judge_finds_what_is_wrong_with_a_sign_out(
    provider: StrictProvider, changes: dict[str, str], fault: str | None
) -> None:
    """Q9.8: A one-time page posts the sign-out hint."""
    hint = naive(provider)[0].json()["id_token"]
    form = {"id_token_hint": hint, "client_id": "jupyter", "state": "t" * 22}
    form["post_logout_redirect_uri"] = provider.post_logout_redirect_uri
    httpx.post(f"{provider.issuer}/end-session", data={**form, **changes}, trust_env=False, verify=PLAIN)
    assert provider.faults == ([] if fault is None else [fault])


def test_the_judge_finds_a_hint_in_an_address_and_a_session_that_is_over(provider: StrictProvider) -> None:
    """Q9.8: A one-time page posts the sign-out hint."""
    hint = naive(provider)[0].json()["id_token"]
    httpx.get(f"{provider.issuer}/end-session", params={"id_token_hint": hint}, trust_env=False, verify=PLAIN)
    provider.session_of("ada").live = False
    httpx.post(f"{provider.issuer}/end-session", data={"id_token_hint": hint}, trust_env=False, verify=PLAIN)
    assert provider.faults == [
        "the sign-out has its hint in the address",
        "the sign-out's hint names a session that is not there",
    ]

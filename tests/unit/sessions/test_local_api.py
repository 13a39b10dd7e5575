"""What a route may ask of the sessions, and what it gets: plain values, in this process and from another one (ADR 45).

Every test runs twice: on :class:`LocalSessions` itself, and with the border on a wire, where all that a call brings and
takes is a line of JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jupyter_oidc.adapters.storage.grants_memory import MemoryGrants
from jupyter_oidc.problems import (
    IdpUnavailable,
    LogoutTokenInvalid,
    NotSignedIn,
    RequestInvalid,
    ResponseMalformed,
    SessionExpired,
    StateInvalid,
    StateUsed,
    UnknownFlow,
    UnknownProvider,
)
from jupyter_oidc.sessions.api import (
    Departure,
    PersonQuestion,
    SessionApi,
    SignIn,
    SignInRequest,
    SignOutForm,
    StartedSignIn,
)
from jupyter_oidc.sessions.local_api import LocalSessions
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.registry import Sessions
from jupyter_oidc.sessions.summary import ApiAccess
from jupyter_oidc.sessions.worker_grants import WorkerGrants
from jupyter_oidc.settings import Api, Provider
from tests.support.marker import MARKER
from tests.support.wire import ServedApi, sessions_over_wire
from tests.unit.protocol.makers import CLIENT, ISSUER, logout_claims_of, reply, signed
from tests.unit.sessions.fake_environment import DEVICE, GIVEN, SETTINGS, FakeEnvironment, settle

CALLBACK = "https://jupyter.example.com/jupyter-oidc/providers/corp/callback"
PARTNER = Provider(
    "partner",
    "https://partner.example.com",
    CLIENT,
    apis=(Api("tickets", "partner", "https://tickets.example.com/", methods=("GET",), callers=("kernel",)),),
)
ASKED = SignInRequest(caller="user:a", by_user=True, browser="here")
SILENT = replace(ASKED, silent=True)
SECRETS_OF_A_SIGN_IN = ("verifier", "nonce", "state_digest", "binding_digest", "ticket_digest", "proof_key")


class Border:
    """Two providers, ``corp`` and ``partner``; ``api`` is the border of their sessions."""

    def __init__(self, settings: Provider) -> None:
        self.environment = FakeEnvironment(settings)
        partner = FakeEnvironment(PARTNER)
        self.sessions = Sessions((self.environment.service, partner.service))
        environment = self.environment
        self.local = LocalSessions(
            self.sessions,
            environment.pending,
            environment.sign_out_pages,
            WorkerGrants(
                MemoryGrants(),
                self.sessions,
                environment.clock,
                environment.entropy,
                max_hours=24.0,
                is_leased=False,
                spawn=asyncio.ensure_future,
            ),
            environment.clock,
            "i-1",
        )
        self.api: SessionApi = self.local

    async def begun(self, request: SignInRequest = ASKED) -> tuple[StartedSignIn, Departure, str]:
        """Begin a sign-in and send a browser to the provider; return it, the way there and its state."""
        started = await self.api.begin_sign_in("corp", request, under_hub=False)
        sign_in = await self.api.use_ticket(started.ticket or "")
        departure = await self.api.depart("corp", sign_in.flow, CALLBACK)
        query = parse_qs(urlsplit(departure.url).query)
        self.environment.provider.nonce = query["nonce"][0]
        return started, departure, query["state"][0]

    async def signed_in(self) -> SignIn:
        _, departure, state = await self.begun()
        return await self.api.take_answer("corp", (("code", "c-1"), ("state", state)), (departure.binding,))

    async def eve_at_the_door(self) -> tuple[SignIn, Departure]:
        """Sign a person in, and let a sign-in as Eve come back with her tokens."""
        await self.signed_in()
        self.environment.provider.claims = {"sub": "eve"}
        self.environment.provider.userinfo = {"sub": "eve", "name": "Eve"}
        _, departure, state = await self.begun()
        answer = (("code", "c-1"), ("state", state))
        return await self.api.take_answer("corp", answer, (departure.binding,)), departure


Make = Callable[..., Border]


@pytest.fixture(params=["direct", "wire"])
def make(request: pytest.FixtureRequest, tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Make]:
    """Make a border for the settings of ``corp``."""
    borders: list[Border] = []

    def made(settings: Provider = SETTINGS) -> Border:
        border = Border(settings)
        borders.append(border)
        if request.param == "wire":
            border.api = sessions_over_wire(tmp_path / "border")
        return border

    serving = ServedApi(SessionApi, lambda: borders[-1].local).at(tmp_path / "border")
    jp_asyncio_loop.run_until_complete(serving.__aenter__())
    yield made
    jp_asyncio_loop.run_until_complete(serving.__aexit__(None, None, None))


# -- what there is ---------------------------------------------------------------------------------------------------


async def test_every_provider_is_listed_with_its_state(make: Make) -> None:
    border = make()
    await border.signed_in()
    entries = await border.api.providers("here", under_hub=False)
    assert [(one.settings.name, one.settings.issuer, one.state, one.comes_back_silently) for one in entries] == [
        ("corp", ISSUER, "active", False),
        ("partner", "https://partner.example.com", "signed-out", False),
    ]


@pytest.mark.parametrize(
    ("wish", "redirect_uri", "browser", "under_hub", "may"),
    [
        ("auto", CALLBACK, "elsewhere", False, True),
        (None, CALLBACK, "elsewhere", True, True),
        (None, CALLBACK, "elsewhere", False, False),
        ("off", CALLBACK, "elsewhere", True, False),
        ("auto", None, "here", False, True),
        ("auto", None, "elsewhere", False, False),
    ],
)
async def test_a_page_may_try_where_the_settings_wish_it_and_the_browser_comes_back(
    make: Make, wish: Any, redirect_uri: str | None, browser: Any, under_hub: bool, may: bool
) -> None:
    border = make(replace(SETTINGS, silent_sign_in=wish, redirect_uri=redirect_uri))
    entries = await border.api.providers(browser, under_hub=under_hub)
    assert entries[0].comes_back_silently is may


async def test_no_page_tries_while_somebody_is_signed_in(make: Make) -> None:
    border = make(replace(SETTINGS, silent_sign_in="auto"))
    assert (await border.api.providers("here", under_hub=False))[0].comes_back_silently
    await border.signed_in()
    assert not (await border.api.providers("here", under_hub=False))[0].comes_back_silently


async def test_the_settings_say_where_the_browser_comes_back(make: Make) -> None:
    border = make(replace(SETTINGS, redirect_uri=CALLBACK, response_mode="form_post"))
    settings = await border.api.settings("corp")
    assert (settings.redirect_uri, settings.response_mode) == (CALLBACK, "form_post")
    assert (settings.pins_server, settings.pins_callback) == (True, True)


@pytest.mark.parametrize(
    "ask",
    [
        lambda api: api.settings("nobody"),
        lambda api: api.summary("nobody"),
        lambda api: api.begin_sign_in("nobody", ASKED, under_hub=False),
        lambda api: api.sign_in_of_state("nobody", "s"),
        lambda api: api.take_answer("nobody", (("state", "s"),), ()),
        lambda api: api.initiation("nobody", ()),
        lambda api: api.refresh("nobody"),
        lambda api: api.sign_out("nobody", bound=True),
        lambda api: api.sign_out_link("nobody"),
        lambda api: api.sign_out_page_of_ticket("nobody", "t"),
        lambda api: api.sign_out_page_of_state("nobody", "s"),
        lambda api: api.came_back("nobody", "s", ()),
        lambda api: api.end_by_provider("nobody", "t"),
    ],
)
async def test_an_unknown_provider_is_refused(make: Make, ask: Any) -> None:
    with pytest.raises(UnknownProvider):
        await ask(make().api)


async def test_every_api_is_listed_with_the_state_of_its_session(make: Make) -> None:
    border = make()
    await border.signed_in()
    orders, tickets = await border.api.apis()
    assert (orders.name, orders.provider, orders.base_url, orders.state) == (
        "orders",
        "corp",
        "https://api.example.com/v1/",
        "active",
    )
    assert orders.access == ApiAccess("orders", "missing_entitlement", allowed=False, missing=("orders.read",))
    assert (tickets.name, tickets.methods, tickets.callers, tickets.state) == (
        "tickets",
        ("GET",),
        ("kernel",),
        "signed-out",
    )


async def test_a_summary_tells_the_person_and_the_instance(make: Make) -> None:
    border = make()
    await border.signed_in()
    summary = await border.api.summary("corp")
    assert (summary.state, summary.user and summary.user.name, summary.instance) == (
        State.ACTIVE,
        "Example User",
        "i-1",
    )


async def test_a_summary_waits_for_a_change_and_no_longer(make: Make) -> None:
    border = make()
    before = await border.api.summary("corp")
    waiting = asyncio.ensure_future(border.api.summary("corp", since=before.sequence, wait_seconds=30.0))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await border.begun()
    assert (await asyncio.wait_for(waiting, 5)).state is State.SIGNING_IN
    now = await border.api.summary("corp", since=before.sequence, wait_seconds=30.0)
    assert now.sequence > before.sequence


# -- sign-in ---------------------------------------------------------------------------------------------------------


async def test_a_sign_in_begins_with_a_ticket_that_is_good_once(make: Make) -> None:
    border = make()
    request = replace(ASKED, next="/lab/tree/a.ipynb", prompt="login", login_hint="ada@example.com", ui_locales=("de",))
    started = await border.api.begin_sign_in("corp", request, under_hub=False)
    sign_in = started.sign_in
    assert (sign_in.provider, sign_in.strategy, sign_in.state, sign_in.expires_in, sign_in.next) == (
        "corp",
        "server",
        "waiting",
        600,
        "/lab/tree/a.ipynb",
    )
    assert (await border.api.use_ticket(started.ticket or "")).flow == sign_in.flow
    departure = await border.api.depart("corp", sign_in.flow, CALLBACK)
    query = parse_qs(urlsplit(departure.url).query)
    assert [query[name] for name in ("prompt", "login_hint", "ui_locales", "redirect_uri")] == [
        ["login"],
        ["ada@example.com"],
        ["de"],
        [CALLBACK],
    ]
    with pytest.raises(StateInvalid) as refused:
        await border.api.use_ticket(started.ticket or "")
    assert refused.value.detail == "start.ticket"


async def test_a_sign_in_for_an_api_of_another_provider_is_refused_with_the_right_one(make: Make) -> None:
    border = make()
    with pytest.raises(RequestInvalid) as refused:
        await border.api.begin_sign_in("corp", replace(ASKED, api="tickets"), under_hub=False)
    assert (refused.value.message, refused.value.action) == (
        "The API 'tickets' belongs to another provider.",
        "Sign in at 'partner'.",
    )


async def test_a_sign_in_by_code_shows_the_code_and_has_no_ticket(make: Make) -> None:
    border = make()
    border.environment.provider.advertise |= DEVICE
    border.environment.provider.plan("token", *[reply({"error": "authorization_pending"}, status=400)] * 50)
    started = await border.api.begin_sign_in("corp", replace(ASKED, strategy="device"), under_hub=False)
    code = started.sign_in.code
    assert (started.ticket, started.sign_in.strategy, started.sign_in.expires_in) == (None, "device", 300)
    assert code is not None
    assert (code.user_code, code.verification_uri) == (GIVEN["user_code"], GIVEN["verification_uri"])
    cancelled = await border.api.cancel_sign_in("corp", started.sign_in.flow)
    assert cancelled.state == "cancelled"
    await settle()


async def test_a_silent_sign_in_asks_the_person_nothing_and_is_short(make: Make) -> None:
    border = make(replace(SETTINGS, silent_sign_in="auto"))
    started, departure, _ = await border.begun(SILENT)
    assert (started.sign_in.silent, started.sign_in.expires_in) == (True, 60)
    assert parse_qs(urlsplit(departure.url).query)["prompt"] == ["none"]


@pytest.mark.parametrize(
    ("wish", "request_"), [("off", SILENT), ("auto", replace(SILENT, by_user=False, caller="kernel:k"))]
)
async def test_no_silent_sign_in_begins_where_it_is_off_or_for_a_kernel(
    make: Make, wish: Any, request_: SignInRequest
) -> None:
    """Q10.3: a kernel has no page that could come back."""
    border = make(replace(SETTINGS, silent_sign_in=wish))
    with pytest.raises(RequestInvalid) as refused:
        await border.api.begin_sign_in("corp", request_, under_hub=True)
    assert refused.value.detail == "silent.not_now"


async def test_a_caller_that_waits_hears_of_the_end_at_once(make: Make) -> None:
    border = make()
    started, departure, state = await border.begun()
    waiting = asyncio.ensure_future(border.api.sign_in("corp", started.sign_in.flow, wait_seconds=30.0))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await border.api.take_answer("corp", (("code", "c-1"), ("state", state)), (departure.binding,))
    assert (await asyncio.wait_for(waiting, 5)).state == "completed"


async def test_a_caller_that_waits_in_vain_hears_that_it_still_waits(make: Make) -> None:
    border = make()
    started, _, _ = await border.begun()
    assert (await border.api.sign_in("corp", started.sign_in.flow, wait_seconds=0.01)).state == "waiting"


async def test_every_sign_in_under_way_is_shown_and_can_be_cancelled_whoever_began_it(make: Make) -> None:
    """The panel shows what a cell or a terminal has begun, and a person stops it there; a session beside it stays."""
    border = make()
    await border.signed_in()
    assert not (await border.api.summary("corp")).sign_in_under_way
    by_cell = replace(ASKED, caller="kernel:k", by_user=False, prompt="login")
    flows = [
        (await border.api.begin_sign_in("corp", request, under_hub=False)).sign_in.flow
        for request in (by_cell, replace(ASKED, prompt="select_account"))
    ]
    shown = await border.api.summary("corp")
    assert (shown.state, shown.sign_in_under_way) == (State.ACTIVE, True)
    told = len(border.environment.notes.kinds)
    after = await border.api.cancel_sign_ins("corp")
    assert (after.state, after.sign_in_under_way, after.sequence > shown.sequence) == (State.ACTIVE, False, True)
    assert [(await border.api.sign_in("corp", flow)).state for flow in flows] == ["cancelled", "cancelled"]
    assert border.environment.notes.kinds[told:] == ["sign-in-abandoned"]
    again = await border.api.cancel_sign_ins("corp")
    assert (again.sequence, border.environment.notes.kinds[told + 1 :]) == (after.sequence, [])


async def test_a_sign_in_without_a_session_is_cancelled_for_all_who_wait(make: Make) -> None:
    border = make()
    started, _, _ = await border.begun(replace(ASKED, caller="kernel:k", by_user=False))
    waiting = asyncio.ensure_future(border.api.sign_in("corp", started.sign_in.flow, wait_seconds=30.0))
    await asyncio.sleep(0.05)
    assert (await border.api.summary("corp")).sign_in_under_way
    assert (await border.api.cancel_sign_ins("corp")).state is State.SIGNED_OUT
    assert (await asyncio.wait_for(waiting, 5)).state == "cancelled"


async def test_a_sign_in_that_succeeds_is_not_under_way_any_more(make: Make) -> None:
    border = make()
    _, departure, state = await border.begun()
    await border.api.begin_sign_in("corp", ASKED, under_hub=False)
    await border.api.take_answer("corp", (("code", "c-1"), ("state", state)), (departure.binding,))
    shown = await border.api.summary("corp")
    assert (shown.state, shown.sign_in_under_way) == (State.ACTIVE, False)


@pytest.mark.parametrize(
    "ask",
    [
        lambda api, provider, flow: api.sign_in(provider, flow),
        lambda api, provider, flow: api.cancel_sign_in(provider, flow),
        lambda api, provider, flow: api.complete_sign_in(provider, flow, "user:a", CALLBACK),
        lambda api, provider, flow: api.depart(provider, flow, CALLBACK),
        lambda api, provider, flow: api.fail_sign_in(provider, flow, IdpUnavailable()),
        lambda api, provider, flow: api.ended_sign_in(provider, flow, ("b",)),
        lambda api, provider, flow: api.retry_ticket(provider, flow),
        lambda api, provider, flow: api.question(provider, flow, ("b",)),
        lambda api, provider, flow: api.answer_question(provider, flow, ("b",), change=True),
    ],
)
async def test_a_sign_in_is_known_at_its_own_provider_only(make: Make, ask: Any) -> None:
    border = make()
    started, _, _ = await border.begun()
    for provider, flow in (("partner", started.sign_in.flow), ("corp", "made-up"), ("nobody", started.sign_in.flow)):
        with pytest.raises(UnknownFlow):
            await ask(border.api, provider, flow)
    assert (await border.api.sign_in("corp", started.sign_in.flow)).state == "waiting"


def test_no_secret_of_a_sign_in_is_told() -> None:
    assert {one.name for one in fields(SignIn)}.isdisjoint(SECRETS_OF_A_SIGN_IN)


async def test_a_provider_that_is_slow_ends_the_wait_of_a_page(make: Make) -> None:
    border = make()
    border.environment.provider.advertise |= {
        "pushed_authorization_request_endpoint": ISSUER + "/par",
        "require_pushed_authorization_requests": True,
    }
    border.environment.provider.plan("push", asyncio.Event())
    started = await border.api.begin_sign_in("corp", ASKED, under_hub=False)
    with pytest.raises(IdpUnavailable) as late:
        await border.api.depart("corp", started.sign_in.flow, CALLBACK, timeout_seconds=0.01)
    assert late.value.detail == "silent.slow"
    await border.api.fail_sign_in("corp", started.sign_in.flow, late.value)
    ended = await border.api.sign_in("corp", started.sign_in.flow)
    assert (ended.state, ended.problem and ended.problem.code, ended.problem and ended.problem.detail) == (
        "failed",
        "idp_unavailable",
        "silent.slow",
    )


async def test_the_name_of_a_server_of_the_hub_stands_at_the_end_of_the_state(make: Make) -> None:
    border = make()
    started = await border.api.begin_sign_in("corp", ASKED, under_hub=True)
    departure = await border.api.depart("corp", started.sign_in.flow, CALLBACK, server_name="two")
    assert parse_qs(urlsplit(departure.url).query)["state"][0].endswith(".two")


async def test_an_answer_with_its_state_and_cookie_makes_a_session(make: Make) -> None:
    border = make()
    ended = await border.signed_in()
    assert (ended.state, ended.asks, ended.overtaken) == ("completed", False, False)
    assert border.environment.service.state is State.ACTIVE


async def test_an_answer_without_the_cookie_consumes_nothing(make: Make) -> None:
    """R-2: another browser cannot end the sign-in."""
    border = make()
    _, departure, state = await border.begun()
    answer = (("code", "c-1"), ("state", state))
    for wrong in ((), ("another",)):
        with pytest.raises(StateInvalid):
            await border.api.take_answer("corp", answer, wrong)
    assert (await border.api.take_answer("corp", answer, (departure.binding,))).state == "completed"


async def test_an_answer_that_arrives_elsewhere_counts_for_the_expected_sign_in_only(make: Make) -> None:
    """A33: a listener ends its own sign-in, and a forgotten one is answered like a wrong state."""
    border = make()
    first, _, _ = await border.begun()
    _, departure, state = await border.begun()
    answer, bindings = (("code", "c-1"), ("state", state)), (departure.binding,)
    for only in (first.sign_in.flow, "forgotten"):
        with pytest.raises(StateInvalid) as refused:
            await border.api.take_answer("corp", answer, bindings, only=only)
        assert refused.value.detail == "callback.state"
    assert border.environment.provider.calls["token"] == 0


async def test_a_state_leads_to_its_sign_in_at_its_own_provider(make: Make) -> None:
    border = make()
    started, _, state = await border.begun()
    found = await border.api.sign_in_of_state("corp", state)
    assert found is not None
    assert found.flow == started.sign_in.flow
    assert (await border.api.sign_in_of_state("partner", state), await border.api.sign_in_of_state("corp", "x")) == (
        None,
        None,
    )


async def test_an_answer_in_a_wrong_form_ends_the_sign_in_of_its_own_browser(make: Make) -> None:
    border = make()
    _, departure, state = await border.begun()
    problem = ResponseMalformed(detail="callback.method")
    with pytest.raises(ResponseMalformed):
        await border.api.refuse_answer("corp", (("state", state),), ("another",), problem)
    ended = await border.api.refuse_answer("corp", (("state", state),), (departure.binding,), problem)
    assert (ended.state, ended.problem and ended.problem.detail) == ("failed", "callback.method")


async def test_only_its_own_browser_learns_how_a_sign_in_ended(make: Make) -> None:
    border = make()
    _, departure, state = await border.begun()
    ended = await border.api.take_answer("corp", (("code", "c-1"), ("state", state)), (departure.binding,))
    assert await border.api.ended_sign_in("corp", ended.flow, ("another",)) is None
    shown = await border.api.ended_sign_in("corp", ended.flow, ("another", departure.binding))
    assert (shown and shown.state) == "completed"


async def test_a_failed_sign_in_can_be_tried_again_like_it_was(make: Make) -> None:
    border = make()
    started, _, _ = await border.begun(replace(ASKED, next="/lab"))
    await border.api.fail_sign_in("corp", started.sign_in.flow, IdpUnavailable())
    again = await border.api.use_ticket(await border.api.retry_ticket("corp", started.sign_in.flow))
    assert (again.flow == started.sign_in.flow, again.next, again.state) == (False, "/lab", "waiting")


async def test_a_pasted_address_ends_the_sign_in_of_its_caller_only(make: Make) -> None:
    landing = "https://landing.example.com/signed-in"
    border = make(replace(SETTINGS, redirect_strategy="paste", redirect_uri=landing))
    started = await border.api.begin_sign_in("corp", ASKED, under_hub=False)
    flow = (await border.api.use_ticket(started.ticket or "")).flow
    query = parse_qs(urlsplit((await border.api.depart("corp", flow, landing)).url).query)
    border.environment.provider.nonce = query["nonce"][0]
    pasted = f"{landing}?code=c-1&state={query['state'][0]}"
    with pytest.raises(UnknownFlow):
        await border.api.complete_sign_in("corp", flow, "user:b", pasted)
    assert (await border.api.complete_sign_in("corp", flow, "user:a", pasted)).state == "completed"


async def test_the_question_is_put_to_the_browser_of_the_sign_in(make: Make) -> None:
    """A26: a browser without the cookie neither reads nor answers it."""
    border = make()
    sign_in, departure = await border.eve_at_the_door()
    assert (sign_in.state, sign_in.asks) == ("waiting", True)
    for wrong in ((), ("another",)):
        with pytest.raises(StateInvalid) as refused:
            await border.api.question("corp", sign_in.flow, wrong)
        assert refused.value.detail == "person.binding"
        with pytest.raises(StateInvalid):
            await border.api.answer_question("corp", sign_in.flow, wrong, change=True)
    question = await border.api.question("corp", sign_in.flow, (departure.binding,))
    assert question == PersonQuestion("Example User", "Eve", is_over=False)


async def test_the_answer_changes_the_person_once(make: Make) -> None:
    border = make()
    sign_in, departure = await border.eve_at_the_door()
    ended = await border.api.answer_question("corp", sign_in.flow, (departure.binding,), change=True)
    user = (await border.api.summary("corp")).user
    assert (ended.state, ended.asks, user and user.name) == ("completed", False, "Eve")
    with pytest.raises(StateUsed):
        await border.api.answer_question("corp", sign_in.flow, (departure.binding,), change=False)
    with pytest.raises(StateUsed):
        await border.api.question("corp", sign_in.flow, (departure.binding,))


async def test_the_answer_no_keeps_the_person(make: Make) -> None:
    border = make()
    sign_in, departure = await border.eve_at_the_door()
    ended = await border.api.answer_question("corp", sign_in.flow, (departure.binding,), change=False)
    user = (await border.api.summary("corp")).user
    assert (ended.state, ended.problem and ended.problem.detail, user and user.name) == (
        "failed",
        "sign_in.person_kept",
        "Example User",
    )


async def test_a_third_party_is_read_and_begins_nothing(make: Make) -> None:
    border = make()
    asked = (("iss", ISSUER), ("login_hint", "ada"), ("target_link_uri", "/lab"))
    read = await border.api.initiation("corp", asked)
    assert (read.settings.name, read.login_hint, read.target) == ("corp", "ada", "/lab")
    with pytest.raises(RequestInvalid):
        await border.api.initiation("corp", (("iss", "https://other.example.com"),))
    assert (await border.api.summary("corp")).state is State.SIGNED_OUT


async def test_an_offered_sign_in_begins_when_its_ticket_is_used(make: Make) -> None:
    border = make()
    ticket = await border.api.offer_sign_in("corp", "initiated:user:a", "here", next_path="/lab", login_hint="ada")
    assert (await border.api.summary("corp")).state is State.SIGNED_OUT
    sign_in = await border.api.use_ticket(ticket or "")
    departure = await border.api.depart("corp", sign_in.flow, CALLBACK)
    assert parse_qs(urlsplit(departure.url).query)["login_hint"] == ["ada"]
    assert (sign_in.next, (await border.api.summary("corp")).state) == ("/lab", State.SIGNING_IN)


async def test_no_sign_in_is_offered_that_a_link_cannot_begin(make: Make) -> None:
    border = make(replace(SETTINGS, redirect_strategy="paste", redirect_uri=CALLBACK))
    assert await border.api.offer_sign_in("corp", "x", "here", next_path=None, login_hint=None) is None


# -- the session -----------------------------------------------------------------------------------------------------


async def test_a_refresh_answers_with_the_new_summary(make: Make) -> None:
    border = make()
    await border.signed_in()
    summary = await border.api.refresh("corp")
    assert (summary.state, summary.instance, border.environment.provider.calls["token"]) == (State.ACTIVE, "i-1", 2)


async def test_a_refresh_without_a_session_says_why(make: Make) -> None:
    border = make()
    with pytest.raises(NotSignedIn):
        await border.api.refresh("corp")
    await border.signed_in()
    border.environment.provider.plan("token", reply({"error": "invalid_grant"}, status=400))
    with pytest.raises(SessionExpired):
        await border.api.refresh("corp")


async def test_a_refresh_that_has_to_wait_says_how_long(make: Make) -> None:
    border = make()
    await border.signed_in()
    border.environment.clock.advance(400)
    border.environment.provider.plan("token", *[reply(b"", status=503)] * 5)
    with pytest.raises(IdpUnavailable) as later:
        await border.api.refresh("corp")
    assert later.value.retry_after is not None
    assert later.value.retry_after > 0


async def test_a_sign_out_ends_the_session_and_gives_a_page_for_this_browser(make: Make) -> None:
    border = make(replace(SETTINGS, post_logout_redirect_uri="https://jupyter.example.com/out"))
    await border.signed_in()
    result = await border.api.sign_out("corp", bound=True)
    assert (result.settings.name, result.revoked, border.environment.service.state) == (
        "corp",
        "done",
        State.SIGNED_OUT,
    )
    assert (result.end_session_url or "").startswith(ISSUER + "/logout?client_id=")
    assert result.ticket is not None
    assert await border.api.sign_out_page_of_ticket("corp", result.ticket.value) == result.ticket.page
    assert await border.api.sign_out_page_of_ticket("partner", result.ticket.value) is None
    with pytest.raises(StateInvalid):
        await border.api.open_sign_out_page("corp", result.ticket.value, (), "document")
    form = await border.api.open_sign_out_page("corp", result.ticket.value, (result.ticket.binding or "",), "document")
    assert (form.action, form.method, form.link, form.origins) == (
        ISSUER + "/logout",
        "post",
        f"{result.end_session_url}&state={dict(form.fields)['state']}",
        ("https://id.example.com", "https://jupyter.example.com"),
    )
    assert [name for name, _ in form.fields] == ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"]
    assert await border.api.sign_out_page_of_ticket("corp", result.ticket.value) is None
    await came_back_once(border, form)


async def came_back_once(border: Border, form: SignOutForm) -> None:
    state = dict(form.fields)["state"]
    assert await border.api.sign_out_page_of_state("corp", "another") is None
    assert await border.api.sign_out_page_of_state("partner", state) is None
    assert await border.api.sign_out_page_of_state("corp", state) == form.page
    assert await border.api.came_back("corp", state, ("another",)) is False
    assert await border.api.came_back("corp", state, (form.binding,)) is True
    assert await border.api.came_back("corp", state, (form.binding,)) is False


async def test_a_browser_that_could_read_the_page_gets_a_form_without_the_token(make: Make) -> None:
    """Q9.8: the query of the provider's page goes into the fields of that form, since GET would drop it."""
    border = make()
    border.environment.provider.advertise |= {"end_session_endpoint": ISSUER + "/logout?realm=a"}
    await border.signed_in()
    result = await border.api.sign_out("corp", bound=False)
    assert result.ticket is not None
    assert result.ticket.binding is None
    form = await border.api.open_sign_out_page("corp", result.ticket.value, (), "unknown")
    assert (form.action, form.method, form.fields) == (
        ISSUER + "/logout",
        "get",
        (("realm", "a"), ("client_id", CLIENT)),
    )
    assert MARKER not in repr(form)


async def test_the_way_to_the_providers_sign_out_is_known_without_a_session(make: Make) -> None:
    border = make()
    await border.signed_in()
    await border.api.sign_out("corp", bound=False)
    link = await border.api.sign_out_link("corp")
    assert link == f"{ISSUER}/logout?client_id={CLIENT}"
    assert await border.api.sign_out_link("partner") is None


async def test_the_provider_ends_the_session_by_its_own_token_only(make: Make) -> None:
    border = make()
    await border.signed_in()
    with pytest.raises(LogoutTokenInvalid):
        await border.api.end_by_provider("corp", "made-up")
    before = border.environment.service.state
    now = border.environment.clock.now().wall
    await border.api.end_by_provider("corp", signed(logout_claims_of(iat=now, exp=now + 120)))
    assert (before, border.environment.service.state) == (State.ACTIVE, State.SIGNED_OUT_EXPIRED)


# -- settings that have changed meanwhile ------------------------------------------------------------------------------


async def test_a_link_opens_no_sign_in_under_other_settings_than_its_own(make: Make) -> None:
    """ADR 30: a kernel cannot bring the settings of a new provider into force by an earlier link."""
    border = make()
    started, _, _ = await border.begun()
    retry = await border.api.retry_ticket("corp", started.sign_in.flow)
    offered = await border.api.offer_sign_in("corp", "initiated:user:a", "here", next_path=None, login_hint=None)
    other = FakeEnvironment(replace(SETTINGS, client_id="another"))
    border.sessions.install(other.service)
    for ticket in (retry, offered or ""):
        with pytest.raises(StateInvalid) as refused:
            await border.api.use_ticket(ticket)
        assert refused.value.detail == "start.settings"

"""One-time pages for the provider's sign-out: once, for a minute, in one browser, never for a script (Q9.8, ADR 39)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from jupyter_oidc.problems import StateInvalid
from jupyter_oidc.protocol.logout import LogoutRequest
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.api import Shown, SignOutTicket
from jupyter_oidc.sessions.sign_out_pages import SignOutPages
from jupyter_oidc.settings import Provider
from tests.unit.sessions.fake_environment import (
    SETTINGS,
    CountingEntropy,
    FakeEnvironment,
    HandClock,
    HandScheduler,
    settle,
    text_of,
)

REQUEST = LogoutRequest("https://id.example.com/logout", (("client_id", "jupyter"),), ("https://id.example.com",), True)
STATE = "state-1"
WITH_WAY_BACK = replace(SETTINGS, post_logout_redirect_uri="https://jupyter.example.com/out")


class Room:
    """The store of pages, and the clock that a test moves."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.scheduler = HandScheduler(self.clock)
        self.pages = SignOutPages(self.clock, CountingEntropy(), self.scheduler)

    def offer(self, *, bound: bool = True, provider: str = "corp", state: str = STATE) -> SignOutTicket:
        return self.pages.offer(provider, REQUEST, Secret("the-id-token"), state, bound=bound)

    def open(self, ticket: SignOutTicket, *, cookie: str | None = None, shown: Shown = "document") -> str | None:
        """Open with the ticket's own cookie unless ``cookie`` names another; return the hint."""
        brought = [cookie or ticket.binding or ""]
        opened = self.pages.open("corp", ticket.value, brought, shown)
        return None if opened.id_token_hint is None else text_of(opened.id_token_hint)

    def refused(self, ticket: SignOutTicket, *, cookie: str | None = None, shown: Shown = "document") -> str:
        with pytest.raises(StateInvalid) as refusal:
            self.open(ticket, cookie=cookie, shown=shown)
        return refusal.value.detail


def test_the_id_token_comes_out_once() -> None:
    """Q9.8: A one-time page posts the sign-out hint."""
    room = Room()
    ticket = room.offer()
    assert room.open(ticket) == "the-id-token"
    assert room.refused(ticket) == "sign-out.ticket"


def test_the_id_token_is_forgotten_after_a_minute_by_itself() -> None:
    """Q9.8: no request needs to look for that."""
    room = Room()
    ticket = room.offer()
    assert room.scheduler.due_in == [60.0]
    room.clock.advance(59)
    assert [one.id_token_hint is None for one in room.pages._pages] == [False]
    room.clock.advance(1)
    room.scheduler.timers[0].callback()
    assert [one.id_token_hint is None for one in room.pages._pages] == [True]
    assert room.refused(ticket) == "sign-out.ticket"


def test_a_timer_that_is_late_gives_nobody_more_time() -> None:
    """Q9.8: a laptop slept, and its timer is late."""
    room = Room()
    ticket = room.offer()
    room.clock.advance(61)
    assert room.refused(ticket) == "sign-out.ticket"


def test_another_browser_gets_nothing_and_spoils_nothing() -> None:
    """Q9.8: the address alone is worth nothing, and another browser cannot use up the person's page."""
    room = Room()
    ticket = room.offer()
    assert room.refused(ticket, cookie="another") == "sign-out.ticket"
    assert room.refused(ticket, cookie="another", shown="elsewhere") == "sign-out.ticket"
    assert room.open(ticket) == "the-id-token"


def test_a_script_that_asks_uses_the_page_up() -> None:
    """Q9.8: only script of JupyterLab's own origin brings the right cookie in the wrong way; it gets one attempt."""
    room = Room()
    ticket = room.offer()
    assert room.refused(ticket, shown="elsewhere") == "sign-out.script"
    assert [one.id_token_hint for one in room.pages._pages] == [None]
    assert room.refused(ticket) == "sign-out.ticket"


def test_a_browser_that_does_not_say_how_it_shows_the_page_gets_it_without_the_token() -> None:
    """Q9.8: over plain http to another machine, or in an old browser, script could read that page."""
    room = Room()
    assert room.open(room.offer(), shown="unknown") is None


def test_a_page_for_a_kernel_needs_no_cookie() -> None:
    """Q9.8: a kernel has no browser; the handler asks for the person's login."""
    room = Room()
    assert room.open(room.offer(bound=False)) == "the-id-token"


def test_the_page_of_one_provider_is_not_opened_at_another() -> None:
    """Q9.8: A one-time page posts the sign-out hint."""
    room = Room()
    ticket = room.offer(provider="partner")
    assert room.refused(ticket) == "sign-out.ticket"


def test_the_way_back_is_believed_once_and_in_the_browser_that_went_out() -> None:
    """Q9.8, RP-Initiated Logout 1.0, 3: ``state`` comes back with the redirect."""
    room = Room()
    ticket = room.offer()
    assert not room.pages.came_back("corp", STATE, ["x"]), "nobody has gone out"
    opened = room.pages.open("corp", ticket.value, [ticket.binding or ""], "document")
    assert not room.pages.came_back("corp", STATE, [])
    assert not room.pages.came_back("corp", STATE, [ticket.binding or ""]), "that one was for the way out"
    assert not room.pages.came_back("corp", "another", [opened.binding])
    assert not room.pages.came_back("partner", STATE, [opened.binding])
    assert room.pages.came_back("corp", STATE, [opened.binding])
    assert not room.pages.came_back("corp", STATE, [opened.binding]), "again"


def test_the_way_back_may_take_ten_minutes() -> None:
    """Q9.8: A one-time page posts the sign-out hint."""
    room = Room()
    ticket = room.offer()
    room.clock.advance(50)
    opened = room.pages.open("corp", ticket.value, [ticket.binding or ""], "document")
    room.clock.advance(601)
    assert not room.pages.came_back("corp", STATE, [opened.binding])


def test_no_more_than_twenty_pages_are_remembered() -> None:
    """Q9.8: a kernel that signs out in a loop fills no memory."""
    room = Room()
    tickets = [room.offer() for _ in range(21)]
    assert len(room.pages._pages) == 20
    assert room.refused(tickets[0]) == "sign-out.ticket"
    assert room.open(tickets[20]) == "the-id-token"


def test_nothing_shows_what_a_ticket_holds() -> None:
    """Q9.8: no log and no traceback shows it."""
    room = Room()
    ticket = room.offer()
    opened = room.pages.open("corp", ticket.value, [ticket.binding or ""], "document")
    assert (ticket.value in repr(ticket), opened.binding in repr(opened)) == (False, False)
    assert "the-id-token" not in repr(opened)


# -- the session that signs out ---------------------------------------------------------------------------------------


async def signed_in(settings: Provider = SETTINGS) -> FakeEnvironment:
    fake_environment = FakeEnvironment(settings)
    await fake_environment.sign_in()
    return fake_environment


def held(fake_environment: FakeEnvironment) -> list[bool]:
    """Say for each remembered page whether it holds an ID token."""
    return [one.id_token_hint is not None for one in fake_environment.sign_out_pages._pages]


async def test_a_sign_out_hands_the_id_token_over_and_keeps_none() -> None:
    """Q9.8, L-4: the token is read before the session ends."""
    fake_environment = await signed_in(WITH_WAY_BACK)
    newest = fake_environment.service.current.data.id_token
    assert newest is not None
    result = await fake_environment.service.sign_outs.sign_out(bound=True)
    assert result.ticket is not None
    binding = result.ticket.binding or ""
    opened = fake_environment.sign_out_pages.open("corp", result.ticket.value, [binding], "document")
    assert opened.id_token_hint == newest.secret
    names = [name for name, _ in opened.request.fields]
    assert names == ["client_id", "post_logout_redirect_uri", "state"]
    assert fake_environment.service.current.data.id_token is None
    assert held(fake_environment) == [False]


async def test_after_a_restart_the_page_has_no_id_token() -> None:
    """Q9.8, L-8: no store holds the ID token, so the same request goes without it."""
    fake_environment = await signed_in()
    fake_environment.service = fake_environment.new_service()
    await fake_environment.service.view.summary()
    await settle()
    session = fake_environment.service.current.live
    assert session is not None
    session.data = replace(session.data, id_token=None)  # as after a refresh that brings none
    result = await fake_environment.service.sign_outs.sign_out()
    assert result.ticket is not None
    assert fake_environment.sign_out_pages.open("corp", result.ticket.value, [], "document").id_token_hint is None


async def test_the_stored_entry_holds_no_id_token() -> None:
    """Q9.8: the token is in memory only."""
    fake_environment = await signed_in()
    entry = await fake_environment.vault.load()
    assert entry is not None
    token = fake_environment.service.current.data.id_token
    assert token is not None
    fields = [getattr(entry, name) for name in entry.__slots__]
    assert [one for one in fields if one == token.secret] == []


async def test_whoever_signs_in_again_finds_no_old_page_open() -> None:
    """Q9.8: the page would end the new session at the provider, perhaps of another person."""
    fake_environment = await signed_in()
    await fake_environment.service.sign_outs.sign_out()
    assert held(fake_environment) == [True]
    await fake_environment.sign_in()
    assert held(fake_environment) == [False]


async def test_the_way_of_a_link_gets_no_page_and_keeps_no_id_token() -> None:
    """Q9.8: the token is kept only as long as a page needs it."""
    fake_environment = await signed_in(replace(SETTINGS, sign_out_method="link"))
    assert fake_environment.service.current.data.id_token is None
    result = await fake_environment.service.sign_outs.sign_out()
    assert (result.ticket, result.end_session_url) == (None, "https://id.example.com/logout?client_id=jupyter")


async def test_who_wants_none_of_it_is_led_nowhere() -> None:
    """Q9.8: A one-time page posts the sign-out hint."""
    fake_environment = await signed_in(replace(SETTINGS, sign_out_method="none"))
    result = await fake_environment.service.sign_outs.sign_out()
    assert (result.ticket, result.end_session_url, held(fake_environment)) == (None, None, [])


async def test_an_api_that_is_called_with_the_id_token_keeps_it_whatever_a_sign_out_does() -> None:
    """Q9.8: A one-time page posts the sign-out hint."""
    api = replace(SETTINGS.apis[0], bearer_token_source="id_token")
    fake_environment = await signed_in(replace(SETTINGS, sign_out_method="link", apis=(api,)))
    assert fake_environment.service.current.data.id_token is not None


async def test_settings_that_end_a_session_offer_no_page() -> None:
    """Q9.8: no user is left who could open it."""
    fake_environment = await signed_in()
    result = await fake_environment.service.sign_outs.sign_out(spared=())
    assert (result.ticket, result.end_session_url, held(fake_environment)) == (None, None, [])


async def test_who_signs_in_while_the_provider_is_told_is_not_led_out_again() -> None:
    """Q9.8: the page would belong to the session before."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("revoke", gate := asyncio.Event())
    leaving = asyncio.ensure_future(fake_environment.service.sign_outs.sign_out())
    await settle()
    await fake_environment.sign_in()
    gate.set()
    result = await leaving
    assert (result.ticket, held(fake_environment)) == (None, [])

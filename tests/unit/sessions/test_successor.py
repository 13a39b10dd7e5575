"""The refresh token that replaces a spent one is kept before anything else of the answer is judged (ADR 0025)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from jupyter_oidc.adapters.storage.vault_memory import MemoryVault
from jupyter_oidc.protocol.message import Call, Reply
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted, SignInNeeded, TokenKey, TryLater
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.ports import Entry
from tests.support.marker import MARKER
from tests.unit.protocol.makers import claims_of, reply, signed
from tests.unit.sessions.fake_environment import FakeEnvironment, form_of, settle, text_of


async def signed_in(vault: MemoryVault | None = None) -> FakeEnvironment:
    fake_environment = FakeEnvironment(vault=vault)
    await fake_environment.sign_in()
    fake_environment.clock.advance(400)
    return fake_environment


def rotate(
    fake_environment: FakeEnvironment, *, media: str = "application/json", status: int = 200, **changes: object
) -> str:
    """Let the provider spend the token and answer with ``changes``; ``...`` leaves a member out."""
    return rotate_raw(fake_environment, json.dumps, media=media, status=status, **changes)


def rotate_raw(
    fake_environment: FakeEnvironment,
    write: Any,
    *,
    media: str = "application/json",
    status: int = 200,
    **changes: object,
) -> str:
    fake_environment.provider.issued += 1
    fake_environment.provider.current = f"{MARKER}rt-{fake_environment.provider.issued}"
    body = {
        "access_token": f"{MARKER}at-{fake_environment.provider.issued}",
        "token_type": "Bearer",
        "expires_in": 300,
        "refresh_token": fake_environment.provider.current,
        **changes,
    }
    kept = {name: value for name, value in body.items() if value is not ...}
    fake_environment.provider.plan("token", reply(write(kept), media=media, status=status))
    return fake_environment.provider.current.removeprefix(MARKER)


async def stored(fake_environment: FakeEnvironment) -> str | None:
    entry = await fake_environment.vault.load()
    return None if entry is None else text_of(entry.refresh_token)


def sent(fake_environment: FakeEnvironment) -> list[str]:
    """Return every refresh token that the provider was shown, in order."""
    forms = [form_of(call) for call in fake_environment.provider.sent if call.url.endswith("/token")]
    return [form["refresh_token"].removeprefix(MARKER) for form in forms if form["grant_type"] == "refresh_token"]


HARMLESS: list[Any] = [
    pytest.param({"scope": ["openid", "profile"]}, id="scope is an array"),
    pytest.param({"scope": 7}, id="scope is a number"),
    pytest.param({"id_token": ""}, id="id_token is empty"),
    pytest.param({"token_type": ...}, id="no token_type"),
    pytest.param({"token_type": ""}, id="token_type is empty"),
    pytest.param({"media": "text/plain"}, id="text/plain"),
    pytest.param({"media": ""}, id="no media type"),
    pytest.param({"error": "", "error_description": None}, id="error is empty"),
]


@pytest.mark.parametrize("change", HARMLESS)
async def test_an_answer_with_a_harmless_oddity_is_a_refresh(change: dict[str, Any]) -> None:
    """Q1.2: an array is a list, an empty text is absent, and an unneeded media type decides nothing."""
    fake_environment = await signed_in()
    rotate(fake_environment, **change)
    granted = await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    assert isinstance(granted, Granted)
    assert (text_of(granted.secret), await stored(fake_environment)) == ("at-2", "rt-2")


async def test_an_empty_refresh_token_leaves_the_old_one_in_force() -> None:
    """Q1.2; RFC 6749, 6: without a new refresh token, the old one stays."""
    fake_environment = await signed_in()
    fake_environment.provider.rotate = False
    rotate(fake_environment, refresh_token="")
    assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), Granted)
    assert await stored(fake_environment) == "rt-1"


UNUSABLE: list[Any] = [
    pytest.param({"token_type": "mac"}, id="another token_type"),
    pytest.param({"token_type": 7}, id="token_type is a number"),
    pytest.param({"access_token": ...}, id="no access token"),
    pytest.param({"access_token": ["at"]}, id="access token in a list"),
    pytest.param({"id_token": 7}, id="id_token is a number"),
    pytest.param({"status": 201}, id="status 201"),
]


@pytest.mark.parametrize("change", UNUSABLE)
async def test_what_cannot_be_used_still_hands_over_the_next_token(change: dict[str, Any]) -> None:
    """Q1.2, F-4: the session waits, and the next attempt spends the successor and never the spent token."""
    fake_environment = await signed_in()
    rotate(fake_environment, **change)
    assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), TryLater)
    summary = await fake_environment.service.view.summary()
    assert (summary.state, summary.reason) == (State.REFRESH_FAILED, "token_response_invalid")
    assert (await stored(fake_environment), fake_environment.lock.marked) == ("rt-2", False)
    await fake_environment.scheduler.pass_time(61)
    assert (sent(fake_environment), fake_environment.service.state) == (["rt-1", "rt-2"], State.ACTIVE)


def with_a_member_twice(body: dict[str, Any]) -> str:
    return '{"expires_in": 1, "token_type": "mac", ' + json.dumps(body)[1:]


def with_a_byte_order_mark(body: dict[str, Any]) -> str:
    return "\ufeff" + json.dumps({**body, "token_type": "mac"})


def with_no_number(body: dict[str, Any]) -> str:
    return json.dumps({**body, "token_type": "mac", "expires_in": float("nan")})


@pytest.mark.parametrize("write", [with_a_member_twice, with_a_byte_order_mark, with_no_number])
async def test_a_successor_is_found_in_an_answer_that_no_judge_would_take(write: Any) -> None:
    """Q1.2, siblings: faults elsewhere in the document do not hide the member that must not be lost."""
    fake_environment = await signed_in()
    rotate_raw(fake_environment, write)
    assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), TryLater)
    await fake_environment.scheduler.pass_time(61)
    assert (sent(fake_environment), fake_environment.service.state) == (["rt-1", "rt-2"], State.ACTIVE)


def cut_off(body: dict[str, Any]) -> str:
    return json.dumps(body)[:-3]


def named_twice(body: dict[str, Any]) -> str:
    return '{"refresh_token": "another", ' + json.dumps(body)[1:]


def a_number(body: dict[str, Any]) -> str:
    return json.dumps({**body, "refresh_token": 7})


def with_a_line_break(body: dict[str, Any]) -> str:
    return json.dumps({**body, "refresh_token": "rt\r\n2"})


@pytest.mark.parametrize("write", [cut_off, named_twice, a_number, with_a_line_break])
async def test_a_successor_that_cannot_be_read_ends_the_session_and_spends_nothing_twice(write: Any) -> None:
    """Q1.2: the provider has replaced the token, so no server may show the old one again."""
    fake_environment = await signed_in()
    rotate_raw(fake_environment, write)
    assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY) == SignInNeeded("session_expired")
    summary = await fake_environment.service.view.summary()
    assert (summary.state, summary.reason) == (State.SIGNED_OUT_EXPIRED, "successor_unreadable")
    assert (await stored(fake_environment), fake_environment.lock.marked) == (None, False)
    await fake_environment.scheduler.pass_time(400)
    assert sent(fake_environment) == ["rt-1"]


async def test_the_successor_is_stored_before_its_companions_are_judged() -> None:
    """Q1.2, B3, B14: a server that dies while it waits for UserInfo has not lost the session."""
    fake_environment = await signed_in()
    hanging = asyncio.Event()
    fake_environment.provider.plan("userinfo", hanging)
    renewing = asyncio.ensure_future(fake_environment.service.tokens.bearer(SIGN_IN_KEY))
    await settle()
    assert (await stored(fake_environment), fake_environment.lock.marked, renewing.done()) == ("rt-2", False, False)
    hanging.set()
    assert isinstance(await renewing, Granted)


async def test_one_refresh_writes_to_the_store_once() -> None:
    """Q1.2: a keyring is slow, and may ask the person."""

    class Counting(MemoryVault):
        saves = 0

        async def save(self, entry: Entry) -> None:
            self.saves += 1
            await super().save(entry)

    vault = Counting()
    fake_environment = await signed_in(vault)
    vault.saves = 0
    assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), Granted)
    assert vault.saves == 1


async def test_an_answer_about_somebody_else_takes_its_successor_along() -> None:
    """Q1.2, F-6, B4: the successor is kept first, and then removed with the session; the next start finds nothing."""
    fake_environment = await signed_in()
    claims = claims_of(
        nonce=...,
        sub="somebody-else",
        iat=fake_environment.clock.now().wall,
        exp=fake_environment.clock.now().wall + 60,
    )
    rotate(fake_environment, id_token=signed(claims))
    assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY) == SignInNeeded("session_expired")
    await settle()
    assert (await stored(fake_environment), fake_environment.provider.revoked) == (None, ["rt-2"])


async def test_a_successor_that_comes_for_an_api_of_its_own_is_kept_as_well() -> None:
    """Q1.2: this holds for a refresh with any audience."""
    fake_environment = await signed_in()
    rotate(fake_environment, token_type="mac")
    assert isinstance(
        await fake_environment.service.tokens.bearer(TokenKey(audience="https://other.example")), TryLater
    )
    assert await stored(fake_environment) == "rt-2"


async def test_the_tokens_of_a_sign_in_whose_answer_is_refused_are_taken_back() -> None:
    """Q1.2, A17: the provider issued the tokens, even if others of the answer are wrong."""
    fake_environment = FakeEnvironment()
    _, state, binding = await fake_environment.begin()
    rotate(fake_environment, token_type="mac")
    await fake_environment.service.sign_ins.callback([("code", "c-1"), ("state", state)], [binding])
    await settle()
    assert (fake_environment.service.state, fake_environment.provider.revoked) == (State.SIGNED_OUT, ["rt-1"])


async def test_an_answer_without_a_refresh_token_gives_back_its_access_token() -> None:
    """Q1.2, A17: every token of a refused sign-in that can be revoked is revoked."""
    fake_environment = FakeEnvironment()
    _, state, binding = await fake_environment.begin()
    rotate(fake_environment, refresh_token=..., id_token=...)
    await fake_environment.service.sign_ins.callback([("code", "c-1"), ("state", state)], [binding])
    await settle()
    assert fake_environment.provider.revoked == ["at-1"]


async def test_a_reply_from_something_in_between_is_silence_and_no_successor() -> None:
    """B6: a page of HTML says nothing about the token, so the next attempt sends the same one."""
    fake_environment = await signed_in()
    send = fake_environment.provider.send
    pages = [reply(b"<html>refresh_token</html>", media="text/html")]

    async def portal(call: Call) -> Reply:
        return pages.pop() if call.url.endswith("/token") and pages else await send(call)

    fake_environment.provider.send = portal  # type: ignore[method-assign]
    assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), TryLater)
    await fake_environment.scheduler.pass_time(61)
    assert (fake_environment.service.state, await stored(fake_environment)) == (State.ACTIVE, "rt-2")

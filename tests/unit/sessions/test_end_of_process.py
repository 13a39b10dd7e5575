"""When the process ends, a stored session lives on, and a session in memory ends at the provider too (Q10.5)."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from jupyter_oidc.adapters.storage.vault_memory import MemoryVault
from jupyter_oidc.contract.storage import StorageKind
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.ports import Entry
from jupyter_oidc.sessions.registry import Sessions
from tests.unit.protocol.makers import reply
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment, settle, text_of
from tests.unit.test_two_providers import World


class Durable(MemoryVault):
    """Store that outlives processes; while ``full``, it accepts no write."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False

    async def kind(self) -> StorageKind:
        return "encrypted-file"

    async def save(self, entry: Entry) -> None:
        if self.full:
            raise StorageUnavailable
        await super().save(entry)


async def stopped(fake_environment: FakeEnvironment) -> FakeEnvironment:
    """End the process of ``fake_environment``, as a server that stops does."""
    await Sessions([fake_environment.service]).aclose()
    return fake_environment


async def test_a_session_in_memory_is_taken_back_at_the_provider() -> None:
    """Q10.5: otherwise each cull of a server leaves a live refresh token for an attacker to find."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    await stopped(fake_environment)
    assert (fake_environment.provider.revoked, fake_environment.service.state, fake_environment.notes.kinds[-1]) == (
        ["rt-1"],
        State.SIGNED_OUT,
        "signed-out",
    )


async def test_a_session_that_is_stored_lives_on() -> None:
    """Q10.5: the next start goes on with it."""
    fake_environment = FakeEnvironment(vault=Durable())
    await fake_environment.sign_in()
    await stopped(fake_environment)
    entry = await fake_environment.stored()
    assert (fake_environment.provider.revoked, text_of(entry.refresh_token)) == ([], "rt-1")


async def test_a_session_that_no_store_ever_took_is_taken_back() -> None:
    """Q10.5: sibling: an ``unsaved`` session is in memory only."""
    vault = Durable()
    vault.full = True
    fake_environment = FakeEnvironment(vault=vault)
    await fake_environment.sign_in()
    await stopped(fake_environment)
    assert fake_environment.provider.revoked == ["rt-1"]


async def test_a_stored_session_whose_newest_token_could_not_be_stored_is_left_alone() -> None:
    """Q10.5: sibling: other servers may share the entry, and many providers revoke a token's whole grant."""
    vault = Durable()
    fake_environment = FakeEnvironment(vault=vault)
    await fake_environment.sign_in()
    vault.full = True
    fake_environment.clock.advance(400)
    await fake_environment.service.tokens.refresh()
    assert (await fake_environment.service.view.summary()).storage == "unsaved"
    await stopped(fake_environment)
    assert fake_environment.provider.revoked == []


async def test_a_session_that_an_earlier_process_stored_lives_on() -> None:
    """Q10.5: sibling: this process found the session at its start, and has not refreshed it yet."""
    fake_environment = FakeEnvironment(vault=Durable())
    await fake_environment.sign_in()
    fake_environment.service = fake_environment.new_service()
    await fake_environment.service.view.summary()
    await stopped(fake_environment)
    assert fake_environment.provider.revoked == []


async def test_a_refresh_that_is_under_way_ends_first_and_its_successor_is_taken_back() -> None:
    """Q10.5: sibling: the spent token is worth nothing."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    held = asyncio.Event()
    fake_environment.provider.plan("token", held)
    fake_environment.clock.advance(400)
    refreshing = asyncio.ensure_future(fake_environment.service.tokens.refresh())
    await settle()
    stopping = asyncio.ensure_future(stopped(fake_environment))
    await settle()
    before = list(fake_environment.provider.revoked)
    held.set()
    await asyncio.gather(refreshing, stopping)
    assert (before, fake_environment.provider.revoked) == ([], ["rt-2"])


async def test_a_provider_that_does_not_answer_holds_up_the_stop_for_a_few_seconds_only() -> None:
    """Q10.5: sibling: a platform that stops a server kills it soon after."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.plan("revoke", asyncio.Event())
    began = time.monotonic()
    await stopped(fake_environment)
    assert time.monotonic() - began < 8


async def test_a_provider_that_refuses_is_asked_once_and_the_log_says_so() -> None:
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.plan("revoke", *[reply({"error": "server_error"}, status=503)] * 3)
    await stopped(fake_environment)
    assert (fake_environment.provider.calls["revoke"], fake_environment.notes.refusals[-1]) == (
        1,
        ("idp_unavailable", "revocation"),
    )


async def test_a_provider_that_does_not_answer_leaves_a_line_in_the_log() -> None:
    """Q10.5: sibling: a token may live on at the provider, and the administrator should know."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.plan("revoke", asyncio.Event())
    await stopped(fake_environment)
    assert fake_environment.notes.refusals == [("idp_unavailable", "revocation")]


async def test_a_store_that_works_again_does_not_take_what_was_just_revoked() -> None:
    """Q10.5: sibling: the next start would go on with a dead token."""
    vault, answers = Durable(), asyncio.Event()
    vault.full = True
    fake_environment = FakeEnvironment(vault=vault)
    await fake_environment.sign_in()
    fake_environment.provider.plan("revoke", answers)
    stopping = asyncio.ensure_future(stopped(fake_environment))
    await settle()
    vault.full = False
    answers.set()
    await stopping
    assert (fake_environment.provider.revoked, await vault.load()) == (["rt-1"], None)


async def test_the_tokens_of_a_question_that_nobody_has_answered_are_revoked() -> None:
    """Q10.5, Q8.9: sibling: the tokens belong to no session yet, and only this process knows of them."""
    fake_environment = FakeEnvironment(vault=Durable())
    await fake_environment.sign_in()
    fake_environment.provider.claims, fake_environment.provider.userinfo = {"sub": "eve"}, {"sub": "eve", "name": "Eve"}
    pending = await fake_environment.sign_in()
    assert pending.question is not None
    await stopped(fake_environment)
    assert fake_environment.provider.revoked == ["rt-2"]


@pytest.mark.parametrize("process_ends", [True, False])
async def test_a_closed_service_begins_no_session_with_tokens_that_still_come(process_ends: bool) -> None:
    """Q10.5: sibling: no later step would end that session, so its tokens are revoked."""
    fake_environment, held = FakeEnvironment(), asyncio.Event()
    _, state, binding = await fake_environment.begin()
    fake_environment.provider.plan("token", held)
    answer = [("code", "c-1"), ("state", state)]
    signing_in = asyncio.ensure_future(fake_environment.service.sign_ins.callback(answer, [binding]))
    await settle()
    closing = asyncio.ensure_future(stopped(fake_environment) if process_ends else fake_environment.service.aclose())
    await settle()
    held.set()
    await asyncio.gather(signing_in, closing)
    assert (
        fake_environment.provider.revoked,
        fake_environment.service.origin,
        await fake_environment.vault.load(),
    ) == (["rt-1"], None, None)


async def test_a_session_that_gave_way_is_taken_back_before_the_process_ends() -> None:
    """Q10.5: sibling: the settings changed a moment before the stop."""
    services = World().services
    ended: list[str] = []

    async def last_call() -> None:
        await asyncio.sleep(0.1)
        ended.append("revoked")

    services.handovers.start(last_call())
    await services.aclose()
    assert ended == ["revoked"]


@pytest.mark.parametrize(("sid", "revoked"), [("s-1", []), ("s-2", ["rt-1"])], ids=["the same", "another"])
async def test_a_session_that_lives_on_beside_it_is_not_harmed(sid: str, revoked: list[str]) -> None:
    """Q10.5, Q9.1: another name has the same registration, and its stored session is of the same provider session."""
    first, second = FakeEnvironment(), FakeEnvironment(replace(SETTINGS, name="other"), vault=Durable())
    first.provider.claims, second.provider.claims = {"sid": "s-1"}, {"sid": sid}
    await first.sign_in()
    await second.sign_in()
    await Sessions([first.service, second.service]).aclose()
    assert (first.provider.revoked, second.provider.revoked) == (revoked, [])


async def test_a_service_that_is_closed_because_another_takes_its_place_takes_nothing_back() -> None:
    """The settings were reloaded, and the process goes on."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    await fake_environment.service.aclose()
    assert fake_environment.provider.revoked == []


async def test_where_nobody_is_signed_in_no_provider_is_asked() -> None:
    fake_environment = FakeEnvironment()
    await stopped(fake_environment)
    assert fake_environment.provider.calls == {}

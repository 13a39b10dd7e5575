"""The service reports a defect in background work by type and place, and the session goes on trying."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from jupyter_oidc.adapters.storage.vault_memory import MemoryVault
from jupyter_oidc.adapters.telemetry.event_log import JupyterEventLog
from jupyter_oidc.background import Background, Defect, defect_of
from jupyter_oidc.problems import Overloaded, Problem, StorageUnavailable
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted, TryLater
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.ports import Entry
from tests.unit.sessions.fake_environment import FakeEnvironment, settle

TELLTALE = "CANARY-9d1e7b-in-the-text-of-a-defect"


class Faulty(MemoryVault):
    """Fail with a defect while ``broken``."""

    broken = False

    async def load(self) -> Entry | None:
        if self.broken:
            raise ZeroDivisionError(TELLTALE)
        return await super().load()

    async def save(self, entry: Entry) -> None:
        if self.broken:
            raise ZeroDivisionError(TELLTALE)
        await super().save(entry)


async def unheard_of_by_the_loop(work: Any) -> list[dict[str, Any]]:
    """Return the errors of unawaited tasks that the event loop would log while ``work`` runs."""
    loop, heard = asyncio.get_running_loop(), []
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: heard.append(context))
    try:
        await work
        await settle()
        await settle()
    finally:
        loop.set_exception_handler(before)
    return heard


async def test_a_defect_in_a_refresh_is_told_by_its_place_and_the_timer_is_armed_again() -> None:
    """Q6.3: asyncio once logged the defect's text, the timer was gone, and the state stayed active for ever."""
    vault = Faulty()
    fake_environment = FakeEnvironment(vault=vault)
    await fake_environment.sign_in()
    vault.broken = True
    assert await unheard_of_by_the_loop(fake_environment.scheduler.pass_time(241)) == []
    summary = await fake_environment.service.view.summary()
    assert (summary.state, summary.reason) == (State.REFRESH_FAILED, "internal_error")
    (defect,) = fake_environment.notes.defects
    assert defect.kind == "ZeroDivisionError"
    assert defect.place.startswith("sessions/test_defects.py:")
    vault.broken = False
    await fake_environment.scheduler.pass_time(2)
    assert fake_environment.service.state is State.ACTIVE


async def test_whoever_waits_for_a_refresh_with_a_defect_is_told_to_come_again() -> None:
    """Q6.3: the caller does not get an expired token."""
    vault = Faulty()
    fake_environment = FakeEnvironment(vault=vault)
    await fake_environment.sign_in()
    fake_environment.clock.advance(400)
    vault.broken = True
    assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY) == TryLater(1.0, "internal_error")


async def test_a_defect_after_an_answer_leaves_the_successor_in_force() -> None:
    """Q6.3, Q1.2: the stored refresh token stays in force."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.clock.advance(400)
    fake_environment.provider.plan("userinfo", ZeroDivisionError(TELLTALE))
    assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), TryLater)
    await fake_environment.scheduler.pass_time(2)
    assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), Granted)


async def test_a_defect_in_a_revocation_is_told_and_harms_nobody() -> None:
    """Q6.3: no caller waits for a revocation."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.claims, fake_environment.provider.userinfo = (
        {"sub": "somebody-else"},
        {"sub": "somebody-else"},
    )
    fake_environment.provider.plan("revoke", ZeroDivisionError(TELLTALE))
    pending = await fake_environment.sign_in()
    assert await unheard_of_by_the_loop(fake_environment.service.sign_ins.answer(pending, change=True)) == []
    assert [defect.kind for defect in fake_environment.notes.defects] == ["ZeroDivisionError"]
    assert fake_environment.service.state is State.ACTIVE


async def test_a_defect_while_storing_again_is_followed_by_another_attempt() -> None:
    """Q6.3, B15: the token is in memory only until then."""
    vault = Faulty()
    fake_environment = FakeEnvironment(vault=vault)
    save = vault.save

    async def full(entry: Entry) -> None:
        raise StorageUnavailable

    vault.save = full  # type: ignore[method-assign]
    await fake_environment.sign_in()
    vault.save, vault.broken = save, True  # type: ignore[method-assign]
    await fake_environment.scheduler.pass_time(2)
    assert [defect.kind for defect in fake_environment.notes.defects] == ["ZeroDivisionError"]
    vault.broken = False
    await fake_environment.scheduler.pass_time(5)
    assert await vault.load() is not None


async def test_a_defect_at_the_first_look_into_storage_says_so() -> None:
    """Q6.3: a session that could not be looked up is not simply absent."""
    vault = Faulty()
    vault.broken = True
    fake_environment = FakeEnvironment(vault=vault)
    with pytest.raises(ZeroDivisionError):
        await fake_environment.service.view.summary()
    summary = await fake_environment.service.view.summary()
    assert (summary.state, summary.reason) == (State.SIGNED_OUT, "internal_error")


async def test_an_expected_refusal_is_no_defect() -> None:
    """Q6.3: the caller that waits gets the refusal."""
    defects: list[Defect] = []
    background = Background(defects.append, expected=Problem)

    async def refuse() -> None:
        raise Overloaded

    assert await unheard_of_by_the_loop(asyncio.wait([background.start(refuse())])) == []
    assert defects == []


def test_a_defect_is_told_without_its_text() -> None:
    """Q6.3, T-12: the text may quote a token."""
    try:
        raise KeyError(TELLTALE)
    except KeyError as error:
        defect = defect_of(error)
    assert TELLTALE not in repr(defect)
    assert defect.kind == "KeyError"


def test_the_line_of_a_defect_names_type_and_place(caplog: pytest.LogCaptureFixture) -> None:
    """Q6.3: A defect in the background does not stop refreshes."""
    event_log = JupyterEventLog(None, logging.getLogger("defects"), None)  # type: ignore[arg-type]
    event_log.defect("provider corp", Defect("KeyError", "sessions/service.py:7"))
    assert caplog.messages == [
        "jupyter_oidc: provider corp: a defect in background work: KeyError at sessions/service.py:7"
    ]

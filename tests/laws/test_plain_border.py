"""The border of the sessions is plain: every argument and result of ``SessionApi`` can be written as JSON (ADR 45).

Proved able to fail: ``test_a_type_that_is_not_plain_is_noticed`` seeds a method with an event, a secret, a callback, a
dataclass that can change, and one that holds a secret further inside.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.api import SessionApi
from jupyter_oidc.sessions.local_api import LocalSessions
from tests.support.plain import check_plain, hints_of

METHODS = [name for name, _ in inspect.getmembers(SessionApi, inspect.isfunction) if not name.startswith("_")]


@dataclass
class Mutable:
    text: str


@dataclass(frozen=True)
class Hidden:
    inside: tuple[Secret, ...]


class Leaky(Protocol):
    async def event(self, done: asyncio.Event) -> None: ...
    async def secret(self) -> Secret | None: ...
    async def callback(self, changed: Callable[[], None]) -> None: ...
    async def mutable(self) -> tuple[Mutable, ...]: ...
    async def hidden(self) -> Hidden: ...
    async def anything(self, value: Any) -> None: ...
    async def mapping(self) -> dict[str, str]: ...


def faults(protocol: type, method: str) -> list[str]:
    hints = hints_of(getattr(protocol, method))
    return [fault for name, hint in hints.items() for fault in check_plain(hint, name)]


@pytest.mark.parametrize("method", METHODS)
def test_every_argument_and_result_is_plain(method: str) -> None:
    assert faults(SessionApi, method) == []


@pytest.mark.parametrize("method", METHODS)
def test_every_argument_and_result_has_a_hint_and_every_method_can_be_awaited(method: str) -> None:
    declared = getattr(SessionApi, method)
    assert set(hints_of(declared)) == {*inspect.signature(declared).parameters, "return"} - {"self"}
    assert inspect.iscoroutinefunction(declared)


def test_the_sessions_of_this_process_answer_exactly_the_border() -> None:
    offered = [name for name, _ in inspect.getmembers(LocalSessions, inspect.isfunction) if not name.startswith("_")]
    assert offered == METHODS


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("event", "done: Event"),
        ("secret", "return: Secret"),
        ("callback", "changed: Callable"),
        ("mutable", "return: Mutable"),
        ("hidden", "return.inside: Secret"),
        ("anything", "value: Any"),
        ("mapping", "return: dict"),
    ],
)
def test_a_type_that_is_not_plain_is_noticed(method: str, fault: str) -> None:
    assert faults(Leaky, method) == [fault]

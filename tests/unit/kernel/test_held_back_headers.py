"""A cell warns of request headers that the server has held back (Q3.4)."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Iterator

import pytest

import jupyter_oidc as oidc
from jupyter_oidc.kernel.held_back_headers import HeldBackWarning, _WarnedNames
from tests.support.warned import warnings_of
from tests.unit.kernel.fake_server import Answer, FakeServer

ITEMS = "jupyter-oidc/api/orders/items"


@pytest.fixture(autouse=True)
def new_cell() -> None:
    """Begin a cell that has shown no warning yet."""
    _WarnedNames.names = frozenset()


@pytest.fixture
def held_back(kernel: FakeServer) -> FakeServer:
    """Script an API's answer in which the server says that it has held two headers back."""
    kernel.answers("GET", ITEMS, Answer([], headers={"X-OIDC-Held-Back": "X-Team, X-Cost-Centre"}))
    return kernel


def warned(call: Callable[[], object]) -> list[warnings.WarningMessage]:
    """Return the warnings of our kind that ``call`` gave."""
    return warnings_of(HeldBackWarning, call)


def test_each_header_is_named_once_however_often_the_call_is_made(held_back: FakeServer) -> None:
    """Q3.4: Request headers held back are named."""

    def call() -> None:
        for _ in range(3):
            oidc.api("orders").get("items")

    assert [str(one.message).split(": ")[0] for one in warned(call)] == [
        "The header 'X-Team' did not reach the API",
        "The header 'X-Cost-Centre' did not reach the API",
    ]


def test_the_warning_points_to_the_line_that_made_the_call(held_back: FakeServer) -> None:
    """Q3.4: the warning does not point into this package or httpx."""
    first, _ = warned(lambda: oidc.api("orders").get("items"))
    assert first.filename == __file__


def test_an_asynchronous_call_is_told_too(held_back: FakeServer) -> None:
    """Q3.4, a sibling: Request headers held back are named."""

    async def call() -> None:
        await oidc.async_api("orders").get("items")

    assert {one.filename for one in warned(lambda: asyncio.run(call()))} == {__file__}


def test_a_name_that_is_no_header_name_is_not_repeated(kernel: FakeServer) -> None:
    """Q3.4: sibling: the warning is shown to a person."""
    kernel.answers("GET", ITEMS, Answer([], headers={"X-OIDC-Held-Back": "<b>x</b>, X-Team,, a b"}))
    assert len(warned(lambda: oidc.api("orders").get("items"))) == 1


def test_another_server_cannot_say_it(kernel: FakeServer, elsewhere: FakeServer) -> None:
    """Q3.4: sibling: only the kernel's own server knows which headers it held back."""
    elsewhere.answers("GET", "items", Answer([], headers={"X-OIDC-Held-Back": "X-Team"}))
    kernel.answers("GET", ITEMS, Answer(b"", 302, {"Location": f"{elsewhere.url}items"}))
    assert warned(lambda: oidc.api("orders", follow_redirects=True).get("items")) == []


def test_an_answer_that_holds_nothing_back_warns_of_nothing(kernel: FakeServer) -> None:
    """Q3.4: Request headers held back are named."""
    kernel.answers("GET", ITEMS, [])
    assert warned(lambda: oidc.api("orders").get("items")) == []


def test_the_warning_can_be_silenced_by_its_name() -> None:
    """Q3.4, a sibling: Request headers held back are named."""
    assert issubclass(HeldBackWarning, oidc.OIDCWarning)


@pytest.fixture
def elsewhere() -> Iterator[FakeServer]:
    with FakeServer() as opened:
        yield opened

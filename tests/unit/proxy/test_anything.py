"""The proxy refuses an arbitrary call or keeps it in its place, and hands on no credential (C1, C2, C3, C5, C6).

``make fuzz`` runs the same property for as long as you like, and shares its examples with this test.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings

from tests.fuzz.proxy import KEPT, property_of
from tests.support.paths import HONEST, NAMES, NamePath
from tests.unit.proxy.anything import OPEN, WISHES, Recorded, Wish, check, place_of, readings


@pytest.fixture(scope="module")
def recorded() -> Iterator[Recorded]:
    recorded = Recorded()
    yield recorded
    recorded.close()


def test_any_call_is_refused_or_stays_where_it_may_go(recorded: Recorded) -> None:
    """C1: A path leads to one place however read.

    C2: A path cannot name another host.
    C3: Queries are forwarded byte for byte.
    C5: No credential of the caller reaches an API.
    C6: Hop-by-hop request headers stop here.
    """
    settings(database=KEPT, max_examples=200, deadline=None)(given(WISHES)(property_of(recorded)))()


@pytest.mark.parametrize("path", HONEST[:40])
def test_an_honest_call_is_made(recorded: Recorded, path: str) -> None:
    """The proxy does not keep the property by refusing every call."""
    problem, calls = recorded.ask(Wish("GET", path, "a=1", (("Accept", "*/*"),)))
    assert (problem, [call.url for call in calls]) == (None, [f"https://api.example.com/v1/{path}?a=1"])


@pytest.mark.parametrize("name", NAMES)
def test_an_honest_name_is_a_name(recorded: Recorded, name: NamePath) -> None:
    """Q3.1: the proxy does not keep the property by refusing every name either."""
    problem, calls = recorded.ask(Wish("GET", f"items/{name.path}", "", (), "names"))
    assert (problem, [call.url for call in calls]) == (None, [f"https://api.example.com/v1/items/{name.path}"])


def test_a_name_that_leaves_its_prefix_would_be_noticed() -> None:
    """The property can fail: this name leaves its prefix."""
    places = {
        place_of(reading, OPEN["names"]) for reading in readings("https://api.example.com/v1/items/a%5C..%2F../x")
    }
    assert ("https", "api.example.com", None, False) in places


def test_a_credential_that_goes_up_would_be_noticed(recorded: Recorded) -> None:
    """The property can fail: Jupyter does not read this parameter, so the proxy does not remove it."""
    with pytest.raises(AssertionError):
        check(recorded, Wish("GET", "items", "other=<token>", ()))


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/v2/x",
        "https://api.example.com/v1/../v2/x",
        "https://api.example.com.evil.example/v1/x",
        "https://api.example.com:8443/v1/x",
        "http://api.example.com/v1/x",
        "https://user@evil.example/v1/x",
    ],
)
def test_a_place_outside_would_be_noticed(url: str) -> None:
    """The property can fail: these addresses are outside."""
    assert place_of(url) != ("https", "api.example.com", None, True)

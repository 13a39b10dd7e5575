"""A secret that an API gets beside the token, and that no notebook ever sees (Q3.4)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.hostile.real_environment import RealEnvironment, start_environment
from tests.support.canary import CANARY
from tests.support.marker import MARKER
from tests.support.raw_upstream import RawUpstream, reply

NAME = "Ocp-Apim-Subscription-Key"
KEY = f"{MARKER}subscription-key-0123456789"


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealEnvironment]:
    """A server whose API ``orders`` wants a key that lies in a file."""
    folder: Path = tmp_path_factory.mktemp("keyed")
    file = folder / "key"
    file.write_text(KEY + "\n", encoding="ascii")
    CANARY.hold(KEY)
    with RawUpstream() as api:
        orders = {"base_url": api.url, "headers": {NAME: f"file:{file}"}}
        missing = {"base_url": api.url, "headers": {NAME: f"file:{file}.missing"}}
        with start_environment(folder, api, apis={"orders": orders, "missing": missing}) as real_environment:
            yield real_environment
    file.unlink()


def test_the_secret_goes_up_and_a_callers_own_does_not(keyed: RealEnvironment) -> None:
    """Q3.4: Request headers held back are named."""
    answer = keyed.raw.ask("GET", "orders/items", f"{NAME.lower()}: mine")
    (call,) = keyed.api.to("items")
    assert (answer.status, call.all(NAME), answer.all("x-oidc-held-back")) == (200, [KEY], [NAME])


def test_a_reply_header_with_the_secret_stays_here(keyed: RealEnvironment) -> None:
    """Q3.4: Request headers held back are named. C25: No reply header repeats our secrets."""
    keyed.api.script("echo", reply("200 OK", b"ok", f"X-Request-ID: got {KEY}", "X-Total-Count: 1"))
    answer = keyed.raw.ask("GET", "orders/echo")
    assert (answer.all("x-request-id"), answer.all("x-total-count")) == ([], ["1"])


def test_a_secret_that_is_not_there_is_a_mistake_in_the_settings(keyed: RealEnvironment) -> None:
    """Q3.4: nothing goes out without it."""
    before = len(keyed.api.calls)
    answer = keyed.raw.ask("GET", "missing/items")
    assert (answer.status, answer.code, len(keyed.api.calls)) == (500, "configuration_invalid", before)

"""Puts a broker between the routes of the server under test and its sessions."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broker_under_test import BrokerUnderTest, through_broker
from tests.support.server_under_test import ServerUnderTest

_OF_THE_BROKER = "of a setting that counts at the broker, whatever the Jupyter server says"
_SETTINGS = "of the settings of a Jupyter server; a broker does not start with a mistake in its own"
ELSEWHERE = {
    "test_even_the_wrong_type_for_everything_leaves_jupyter_running": _SETTINGS,
    "test_mistakes_in_the_settings_are_answered_as_everywhere": _SETTINGS,
    "test_settings_switch_worker_grants_off": _OF_THE_BROKER,
    "test_a_grant_goes_on_over_many_access_tokens": "of a clock set hours ahead, while a server renews by the minute",
    "test_an_api_that_stops_reading_before_the_very_end_is_given_up": "of the queue that only a Jupyter server has",
}
"""Tests that say nothing about a broker, and why."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    items[:] = [item for item in items if item.path.parent != here or item.name.partition("[")[0] not in ELSEWHERE]


@pytest.fixture(autouse=True)
def broker(server_under_test: ServerUnderTest, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[BrokerUnderTest]:
    """The broker; NOTE: the path of its socket has to be shorter than those of pytest's folders."""
    with tempfile.TemporaryDirectory(prefix="broker") as folder:
        through = through_broker(server_under_test.context, Path(folder) / "socket", jp_asyncio_loop)
        yield jp_asyncio_loop.run_until_complete(through.__aenter__())
        jp_asyncio_loop.run_until_complete(through.__aexit__(None, None, None))

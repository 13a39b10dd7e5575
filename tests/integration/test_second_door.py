"""Another front gives the program its parts through ``create_context``; without it they are the real ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from jupyter_server.serverapp import ServerApp

from jupyter_oidc.clock import SystemClock
from jupyter_oidc.compose import system_parts
from jupyter_oidc.server.config import Configured
from jupyter_oidc.server.extension import JupyterOIDC, create_context
from tests.support.server_under_test import ShiftedClock

if TYPE_CHECKING:
    from jupyter_oidc.adapters.telemetry.event_log import JupyterEventLog
    from jupyter_oidc.compose import Parts
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.settings import Settings

SAID = Configured(
    providers={"corp": {"issuer": "https://id.example.com", "client_id": "jupyter"}},
    choices=("memory", None, None),
    sources="all",
    reload=False,
)


class Front:
    """A front with a clock of its own; it notes each time that it makes parts."""

    def __init__(self) -> None:
        self.clock = ShiftedClock()
        self.made = 0

    def create_parts(self, settings: Settings, event_log: JupyterEventLog, storage_key: Secret | None) -> Parts:
        self.made += 1
        return replace(system_parts(settings, event_log, storage_key), clock=self.clock)


async def test_a_front_gives_its_own_parts_when_they_are_needed_first(jp_serverapp: ServerApp) -> None:
    front = Front()
    context = create_context(jp_serverapp, SAID, front.create_parts)
    before = front.made
    assert context.services is not None
    assert (before, front.made, context.services.clock is front.clock) == (0, 1, True)
    await context.aclose()


async def test_without_parts_they_are_the_real_ones(jp_serverapp: ServerApp) -> None:
    context = create_context(jp_serverapp, SAID)
    assert context.services is not None
    assert isinstance(context.services.clock, SystemClock)
    await context.aclose()


async def test_mistakes_in_the_settings_make_no_parts(
    jp_serverapp: ServerApp, caplog: pytest.LogCaptureFixture
) -> None:
    front = Front()
    context = create_context(jp_serverapp, replace(SAID, providers={"corp": {}}), front.create_parts)
    assert (context.services, front.made) == (None, 0)
    assert "jupyter_oidc is off until this is corrected" in caplog.text


def test_no_setting_can_name_other_parts() -> None:
    """ADR 51: else a configuration file could take the place of the keyring."""
    assert JupyterOIDC.create_parts is None
    assert not JupyterOIDC.class_traits().keys() & {"create_parts", "parts"}

"""Streams end with the run of their kernel, and with nothing else (Q8.12)."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.server.kernel_grants import GRANT_LIFETIME_SECONDS, KernelGrants, KernelRun, proof_of
from jupyter_oidc.web.caller_streams import CHECK_INTERVAL_SECONDS, CallerStreams
from tests.support.kernels import Kernels
from tests.unit.sessions.fake_environment import HandClock

KEY = b"the key in the connection file"
NONCE = "abcdefghijklmnopqrstuv"


def running(kernels: Kernels, clock: HandClock) -> tuple[KernelGrants, KernelRun]:
    """Return grants, and the run of the kernel ``k1``, which has one."""
    grants = KernelGrants(clock, SystemEntropy(), kernels)
    now = int(clock.now().wall)
    grant, _ = grants.issue("k1", now, NONCE, proof_of(KEY, "k1", now, NONCE))
    return grants, grants.run_of(grant)


async def test_a_stream_that_begins_late_is_not_cut_because_the_grant_of_its_call_has_expired() -> None:
    """Q8.12: a long upload or a slow API ends after the grant that admitted it; the kernel lives."""
    clock = HandClock()
    grants, kernel = running(Kernels({"k1": KEY}), clock)
    clock.advance(GRANT_LIFETIME_SECONDS + 1)
    cut: list[str] = []
    stop = CallerStreams().watch(lambda: grants.lasts(kernel), lambda: cut.append("cut"))
    stop()
    assert cut == []


async def test_a_stream_of_a_kernel_that_is_gone_is_cut_at_once() -> None:
    kernels = Kernels({"k1": KEY})
    grants, kernel = running(kernels, HandClock())
    del kernels["k1"]
    cut: list[str] = []
    CallerStreams().watch(lambda: grants.lasts(kernel), lambda: cut.append("cut"))
    assert cut == ["cut"]


async def test_a_kernel_manager_that_fails_stops_no_later_check(caplog: pytest.LogCaptureFixture) -> None:
    """Q8.12: streams are checked again when the kernel manager answers again."""
    kernels = Kernels({"k1": KEY})
    grants, kernel = running(kernels, HandClock())
    cut: list[str] = []
    CallerStreams().watch(lambda: grants.lasts(kernel), lambda: cut.append("cut"))
    kernels.defect = OSError("the kernel manager cannot be reached")
    await asyncio.sleep(CHECK_INTERVAL_SECONDS + 0.2)
    kernels.defect = None
    del kernels["k1"]
    await asyncio.sleep(CHECK_INTERVAL_SECONDS + 0.2)
    assert cut == ["cut"]
    assert "the kernel manager cannot be reached" in caplog.text

"""Remove every proxy between a test and a provider on this machine."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback needs no proxy, even if the machine that runs the tests does."""
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")

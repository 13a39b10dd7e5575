"""A keyring that never answers, like one that waits for a prompt which the user does not see."""

from __future__ import annotations

import time

from keyring.backend import KeyringBackend
from keyring.compat import properties

HANGS = 60.0
"""Seconds of each call."""


class HangingRing(KeyringBackend):
    """Hangs in every call."""

    @properties.classproperty
    def priority(cls) -> float:  # noqa: N805  # NOTE: how keyring declares it
        """A real store, by its own account."""
        return 9.0

    def get_password(self, service: str, username: str) -> str | None:
        """Hang."""
        time.sleep(HANGS)
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        """Hang."""
        time.sleep(HANGS)

    def delete_password(self, service: str, username: str) -> None:
        """Hang."""
        time.sleep(HANGS)

"""A keyring of the test's choice in place of this machine's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import keyring
import pytest
from keyring.backend import KeyringBackend

_Ring = TypeVar("_Ring", bound=KeyringBackend)
UseRing = Callable[[_Ring], _Ring]


@pytest.fixture
def use_ring() -> Iterator[UseRing[KeyringBackend]]:
    """Make a backend the configured one until the test ends, and return it."""
    before = keyring.get_keyring()

    def use(ring: KeyringBackend) -> KeyringBackend:
        keyring.set_keyring(ring)
        return ring

    yield use
    keyring.set_keyring(before)

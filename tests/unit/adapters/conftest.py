"""Put a keyring of the test's choice in place of this machine's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from keyring.backend import KeyringBackend

from jupyter_oidc.adapters.storage.keyring_backends import use_backend

_Ring = TypeVar("_Ring", bound=KeyringBackend)
UseRing = Callable[[_Ring], _Ring]


@pytest.fixture
def use_ring() -> Iterator[UseRing[KeyringBackend]]:
    """Return a function that puts a keyring in place until the test ends, and returns it."""

    def use(ring: KeyringBackend) -> KeyringBackend:
        use_backend(ring)
        return ring

    yield use
    use_backend(None)

"""The stores of refresh tokens as a type, for settings, sessions and adapters.

``session.reply`` has the same words, and ``unsaved``; a test in ``tests/laws`` compares them.
This module refuses to say what a store does: the table is ``jupyter_oidc.adapters.storage.stores``.
"""

from __future__ import annotations

from typing import Literal

LocalStorage = Literal["keyring", "encrypted-file", "memory"]
"""The stores of one machine."""

StorageKind = Literal[LocalStorage, "database"]
"""All stores; the ``database`` is a broker's."""

RequestedStorage = Literal["auto", LocalStorage]
"""The wish of the settings; ``auto`` takes the first store that works."""

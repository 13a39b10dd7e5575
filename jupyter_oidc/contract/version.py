"""The number of the contract, which every reply of our routes carries, and what another number means to a reader.

The number grows only when a member changes its meaning or goes; a new member, word or code leaves it as it is (ADR 48).
"""

from __future__ import annotations

import re
from typing import Final, Literal

CONTRACT_VERSION: Final = 1
"""The contract that this version writes."""

CONTRACT_HEADER: Final = "X-OIDC-Contract"
"""The header with the number; an API's answer never has it."""

BROKER_HEADER: Final = "X-OIDC-Broker"
"""The header with the number in every answer of a broker, by which a Jupyter server tells it from that of a proxy."""

UNNUMBERED_VERSION: Final = 0
"""The contract of a server that sends no number: 0.1.0."""

ServerAge = Literal["same", "newer", "older"]
"""The age of a server's contract, seen from its reader."""

_NUMBER: Final = re.compile(r"[0-9]{1,9}\Z")


def version_in(header: str | None) -> int:
    """Return the number in ``header``; 0 if it is missing or no number."""
    return int(header) if header is not None and _NUMBER.match(header) else UNNUMBERED_VERSION


def server_age(version: int) -> ServerAge:
    """Return whether a server that writes contract ``version`` is newer or older than this reader."""
    if version == CONTRACT_VERSION:
        return "same"
    return "newer" if version > CONTRACT_VERSION else "older"

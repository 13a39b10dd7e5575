"""Identifies this machine, so that an entry that roamed here from another machine is not used (B34).

The answer is a digest: neither the host's name nor its machine id leaves this module.
"""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path
from typing import Final

_MACHINE_ID: Final = Path("/etc/machine-id")
"""Random, and the same until the system is installed anew (machine-id(5))."""


def machine_id() -> str:
    """Return 16 hexadecimal digits that stay the same on this machine and differ on another."""
    try:
        machine = _MACHINE_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        machine = ""
    return hashlib.sha256(f"jupyter_oidc installation {machine or platform.node()}".encode()).hexdigest()[:16]

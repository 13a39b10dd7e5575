"""Closes the server process to other processes of the same user, as far as the operating system allows.

The threat model says what this protects and what it does not; it is one more obstacle, not a security boundary.
"""

from __future__ import annotations

import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4
"""From prctl(2): whether memory, environment and descriptors of a process are open to its own user."""

_WITHOUT_LIMIT: Final = 1_048_576


def close_to_others() -> bool:
    """Make this process undumpable and leave no core file; return whether the system agreed.

    On Linux no process of the same user can then attach to it, read its memory, or read ``/proc/PID/environ``.
    Programs that it starts are not affected. Elsewhere nothing happens.
    """
    if not sys.platform.startswith("linux"):
        return False
    import ctypes
    import resource

    try:
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
        return bool(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
    except (OSError, ValueError, AttributeError):
        return False


def open_files() -> int:
    """Allow this process as many open files as the system lets it have, and return how many those are."""
    try:
        import resource
    except ImportError:  # Windows
        return _WITHOUT_LIMIT
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WITHOUT_LIMIT if hard == resource.RLIM_INFINITY else hard
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        wanted = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return wanted

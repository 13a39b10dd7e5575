"""Pickle a client as the call that makes it again in another process of the kernel; never a grant or a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MadeBy = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function and its arguments; the process that calls it proves its identity and gets its own grant."""


def by_name(made_by: MadeBy | None) -> MadeBy:
    """Return ``made_by`` for ``__reduce__``; raises ``TypeError`` for a client that belongs to this process only."""
    if made_by is None:
        raise TypeError("Only what oidc.api(), oidc.auth() and their like return can be sent to another process.")
    return made_by

"""Tells the frames of the author's own code from those of this package and of the HTTP libraries that it works in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

PACKAGES: Final = frozenset({"jupyter_oidc", "httpx", "httpcore", "requests", "urllib3", "contextlib"})
"""The packages, by their whole first name, that stand between a line of the author and a warning of ours."""


def level_of_caller() -> int:
    """Return the ``stacklevel`` of the first line that belongs neither to this package nor to an HTTP library."""
    frame, level = sys._getframe(1), 1  # noqa: SLF001 - the documented way before Python 3.12
    while frame.f_back is not None and _is_library(frame):
        frame, level = frame.f_back, level + 1
    return level


def _is_library(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in PACKAGES

"""Writes the line of a defect for the log."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from jupyter_oidc.background import short_path

if TYPE_CHECKING:
    from types import TracebackType


def defect_text(kind: type[BaseException], where: TracebackType | None) -> str:
    """Return the log line of a defect: its type, files and lines, since its text could quote a secret (D14)."""
    frames = " <- ".join(
        f"{frame.name} ({short_path(frame.filename)}:{frame.lineno})" for frame in reversed(traceback.extract_tb(where))
    )
    return f"defect {kind.__name__} at {frames}"

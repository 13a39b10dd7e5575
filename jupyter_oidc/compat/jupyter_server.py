"""Private names of Jupyter Server: the mark of open verbs, and where the contents manager keeps a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

SEEN: Final = ("2.14.0", "2.21.1")

UNAUTHENTICATED_MARK: Final = "__allow_unauthenticated"
"""Attribute of a verb that Jupyter reads before it runs it: whether it may be called without a login.

``allow_unauthenticated``, its public decorator, can set it but not deny it; ours sets both.
"""


def path_of_file(contents: Any, path: str) -> Path | None:
    """Return where ``contents`` keeps the file at its ``path``; ``None`` where it keeps files in no folder."""
    find = getattr(contents, "_get_os_path", None)
    return None if find is None else Path(find(path))

"""Reads a JSON object in a file that may be anything.

It is examined by its descriptor and read only if it is a regular file below a size limit, because a user who may write
to the folder may put a pipe there as well.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jupyter_oidc.language import N_

MAX_FILE_BYTES: Final = 4_194_304


def read_json_object(path: str) -> Mapping[str, Any] | str:
    """Return the JSON object in the file at ``path``, or the reason why there is none."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            return N_("is no regular file")
        with open(path, "rb", opener=_without_waiting) as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        return N_("is gone") if isinstance(error, FileNotFoundError) else N_("cannot be read")
    if len(raw) > MAX_FILE_BYTES:
        return N_("is too large")
    if not raw.strip():
        return N_("is empty")
    try:
        document = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return N_("is not JSON")
    return document if isinstance(document, Mapping) else N_("is not a JSON object")


def _without_waiting(path: str, flags: int) -> int:
    """Open ``path`` without blocking, even if it is a pipe now, on which a plain ``open`` would wait for ever."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))

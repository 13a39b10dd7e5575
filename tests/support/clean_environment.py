"""The environment of this process without what belongs to a Jupyter server or kernel that may have started it."""

from __future__ import annotations

import os


def without_jupyter() -> dict[str, str]:
    """Return a copy of it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_"))}

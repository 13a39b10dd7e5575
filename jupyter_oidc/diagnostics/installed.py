"""Reads which of our distributions are in this environment, once, when it is imported.

It is imported where a report is made, which costs a server's start nothing, and with all other modules before user code
runs, because whatever finds distributions imports more (Q8.3).
"""

from __future__ import annotations

from importlib import metadata
from typing import Final

from jupyter_oidc.diagnostics.installation import HELPER, WHOLE


def _versions() -> dict[str, str]:
    named = [(name, next(iter(metadata.distributions(name=name)), None)) for name in (WHOLE, HELPER)]
    return {name: found.version for name, found in named if found is not None}


INSTALLED: Final = _versions()
"""The versions of our distributions, by their names."""

"""Warns in the cell of request headers that the server has held back, since the API cannot report them missing."""

from __future__ import annotations

import re
import sys
import warnings
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.kernel.errors import OIDCWarning
from jupyter_oidc.kernel.library_frames import level_of_caller
from jupyter_oidc.kernel.plain_text import inside_quotes
from jupyter_oidc.language import _

if TYPE_CHECKING:
    import httpx

    from jupyter_oidc.kernel.grant import GrantAuth

HEADER: Final = "X-OIDC-Held-Back"
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}\Z")  # RFC 9110, 5.6.2
MAX_NAMES: Final = 50
"""Names of one answer that are reported."""


class HeldBackWarning(OIDCWarning):
    """A request header that did not reach the API."""


class _WarnedNames:
    """The names of which the running cell was warned."""

    cell: object = None
    names: frozenset[str] = frozenset()


def warn_of_held_back(grants: GrantAuth, response: httpx.Response) -> None:
    """Warn once in each cell of each name in ``X-OIDC-Held-Back`` of our own server, at the line that made the call."""
    text = response.headers.get(HEADER)
    if text is None or not grants.is_ours(response.url):
        return
    cell = _running_cell()
    if cell != _WarnedNames.cell:
        _WarnedNames.cell, _WarnedNames.names = cell, frozenset()
    names = [name for part in text.split(",")[:MAX_NAMES] if _NAME.match(name := part.strip())]
    level = level_of_caller()
    for name in names:
        if name.lower() in _WarnedNames.names:
            continue
        _WarnedNames.names |= {name.lower()}
        warnings.warn(
            _(
                "The header '{header}' did not reach the API: its settings at the Jupyter server do not let it through. "
                "Your administrator can allow it for this API.",
                header=inside_quotes(name),
            ),
            HeldBackWarning,
            stacklevel=level,
        )


def _running_cell() -> object:
    """Return an identifier of the running cell; always the same outside a notebook."""
    shell: Any = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    return getattr(running, "execution_count", None)

"""Signing in by pasting the address to which the provider redirected the browser, in a cell and at a terminal.

The prompt hides its input as one for a password does: no part of it is shown, or kept in a notebook or in the history.
The input goes to the Jupyter server at once and is not kept here.
"""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.kernel.errors import RequestInvalid, ResponseMalformed, StateInvalid
from jupyter_oidc.language import N_, _, told

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_ATTEMPTS: Final = 3
"""Attempts to paste the right address."""

MAX_PASTED_CHARACTERS: Final = 8192

PROMPT: Final = N_("Paste the address at which the browser ended (it stays hidden), then press Enter: ")

NOBODY_CAN_TYPE: Final = N_("Nobody can type here, and this sign-in needs an address to be pasted.")


def paste(
    ask: Callable[[], str], complete: Callable[[str], dict[str, Any]], again: Callable[[str], None]
) -> dict[str, Any]:
    """Return the sign-in's progress after the text that ``ask`` returns has gone to the server by ``complete``.

    ``again`` shows why another attempt is needed. Any error but a wrong text, and Ctrl-C, is the caller's: the sign-in
    is under way still.
    """
    for attempt in range(1, MAX_ATTEMPTS + 1):
        pasted = ask().strip()
        try:
            # NOTE: an empty or too long text is "-" for the server, which says what is wrong with it.
            return complete(pasted if 0 < len(pasted) <= MAX_PASTED_CHARACTERS else "-")
        except (ResponseMalformed, StateInvalid) as refused:
            if attempt == MAX_ATTEMPTS:
                raise
            again(f"{refused.message} {refused.action}")
    raise AssertionError  # pragma: no cover - the loop returns or raises


def ask_in_cell() -> str:
    """Return the user's input for the server to judge; raises ``RequestInvalid`` if there is no frontend for it."""
    try:
        return getpass.getpass(told(PROMPT))
    except (EOFError, NotImplementedError):
        raise RequestInvalid(
            told(NOBODY_CAN_TYPE),
            action=_("Sign in from JupyterLab, or run this in a notebook that is open in a browser."),
        ) from None

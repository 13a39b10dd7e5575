"""Signing in by pasting the address to which the provider redirected the browser.

The prompt hides its input as one for a password does: no part of it is shown, or kept in a notebook or in the history.
The input goes to the Jupyter server at once and is not kept here.
"""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.kernel.errors import OIDCError, RequestInvalid, ResponseMalformed, StateInvalid
from jupyter_oidc.kernel.server_connection import is_waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.kernel.server_connection import ServerConnection

MAX_ATTEMPTS: Final = 3
"""Attempts to paste the right address."""

MAX_PASTED_CHARACTERS: Final = 8192

PROMPT: Final = "Paste the address at which the browser ended (it stays hidden), then press Enter: "


def paste(connection: ServerConnection, started: dict[str, Any], again: Callable[[str], None]) -> dict[str, Any]:
    """Ask for the address and return the sign-in's last progress; ``again`` shows why another attempt is needed.

    Ctrl-C, and an error that another attempt cannot correct, cancel the sign-in.
    Raises ``RequestInvalid`` if there is no terminal or browser for input, and the errors that the server answers.
    """
    finished = False
    try:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                progress = connection.complete(started, _ask_for_address())
            except (ResponseMalformed, StateInvalid) as refused:
                if attempt == MAX_ATTEMPTS:
                    raise
                again(f"{refused.message} {refused.action}")
            else:
                finished = not is_waiting(progress)
                return progress
    finally:
        if not finished:
            _cancel(connection, started)
    raise AssertionError  # pragma: no cover - the loop returns or raises


def _ask_for_address() -> str:
    """Return the user's input for the server to judge; ``-`` for an empty or too long one, which it would not read."""
    try:
        typed = getpass.getpass(PROMPT).strip()
    except (EOFError, NotImplementedError):
        raise RequestInvalid(
            "Nobody can type here, and this sign-in needs an address to be pasted.",
            action="Sign in from JupyterLab, or run this in a notebook that is open in a browser.",
        ) from None
    return typed if 0 < len(typed) <= MAX_PASTED_CHARACTERS else "-"


def _cancel(connection: ServerConnection, started: dict[str, Any]) -> None:
    try:
        connection.cancel(started)
    except OIDCError:
        return  # NOTE: the sign-in also ends by itself, and the reason of the cancellation must not be hidden

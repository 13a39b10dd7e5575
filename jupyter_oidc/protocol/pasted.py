"""Reads the address to which the provider redirected the browser, copied and pasted by the user (A32).

It has to be a whole address that begins with the redirect URI of the sign-in: without the state the code belongs to no
known sign-in, and another address is the answer to another sign-in.
The pasted text holds a code, so it is a secret until it has been parsed, and no refusal repeats any of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import ResponseMalformed
from jupyter_oidc.secret_access import reveal

if TYPE_CHECKING:
    from jupyter_oidc.secret import Secret

MAX_ADDRESS_CHARACTERS: Final = 8192
"""Characters of an address; a longer one is no address of ours."""

_MAX_FIELDS: Final = 50
_PORTS: Final = {"http": 80, "https": 443}


def read_pasted(pasted: Secret, redirect_uri: str) -> list[tuple[str, str]]:
    """Return the parameters of the answer in ``pasted``, in order, repeated ones included.

    Spaces around it, and angle brackets or quotes as mail programs add them, are removed; a space inside is not, since
    a broken line is a broken code.
    Raises :class:`ResponseMalformed`, which tells the user what to copy.
    """
    parameters = _parameters(reveal(pasted), redirect_uri)
    if parameters is None:
        # NOTE: raised here, so that the traceback has no frame with a variable of a piece of the address.
        raise ResponseMalformed(
            N_("What was pasted is not the address at which the provider left the browser."),
            action=sentence(
                "Copy everything in the browser's address bar after signing in, from the beginning to the "
                "end; it begins with {redirect_uri}.",
                redirect_uri=redirect_uri,
            ),
            detail="paste.address",
        )
    return parameters


def _parameters(text: str, redirect_uri: str) -> list[tuple[str, str]] | None:
    text = text.strip().strip("<>\"'").strip()
    if (
        not text
        or len(text) > MAX_ADDRESS_CHARACTERS
        or not text.isascii()
        or not text.isprintable()
        or " " in text
        or "\\" in text
    ):
        return None
    try:
        here, expected = urlsplit(text), urlsplit(redirect_uri)
        if _place(here) != _place(expected) or "@" in here.netloc:
            return None
        return parse_qsl(here.query, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        return None


def _place(parts: SplitResult) -> tuple[str, str, int | None, str]:
    """Return scheme, host, port and path in a normal form, as browsers write an address in different ways."""
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme), parts.path or "/"

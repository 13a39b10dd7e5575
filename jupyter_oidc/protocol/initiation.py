"""Reads a third party's request for a sign-in (OpenID Connect Core 1.0, 4).

An attacker can send such a request, so its only effect is a question to the user.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import N_
from jupyter_oidc.problems import RequestInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIELDS: Final = ("iss", "login_hint", "target_link_uri")
_MAX_VALUE_CHARACTERS: Final = 2048


@dataclass(frozen=True, slots=True)
class Initiation:
    """A request for a sign-in: ``login_hint`` goes to the provider unchanged (I-3).

    ``target`` is not judged yet (I-4).
    """

    login_hint: str | None
    target: str | None


def read_initiation(parameters: Sequence[tuple[str, str]], issuer: str) -> Initiation:
    """Return the known parameters of the request; every other one is ignored (I-5).

    Raises :class:`RequestInvalid` unless ``iss`` is exactly ``issuer`` (I-2), and for a parameter that occurs twice, is
    too long or not printable.
    """
    asked: dict[str, str] = {}
    for name, value in parameters:
        if name in _FIELDS:
            if name in asked or len(value) > _MAX_VALUE_CHARACTERS or not value.isprintable():
                raise RequestInvalid(
                    N_("The request to sign in is malformed."),
                    action=N_("Sign in from JupyterLab instead."),
                    detail="initiate.malformed",
                )
            asked[name] = value
    if asked.get("iss") != issuer:
        raise RequestInvalid(
            N_("The request to sign in names another provider than the one in the settings, or none."),
            action=N_("Sign in from JupyterLab instead."),
            detail="initiate.iss",
        )
    return Initiation(asked.get("login_hint") or None, asked.get("target_link_uri") or None)

"""Reads an API's ``WWW-Authenticate`` for a call that it refused (RFC 6750, 3; RFC 9470, 3).

The values come from the API; only those that may go into an authorization request or a header of ours are kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from jupyter_oidc.sessions.step_up import StepUp

if TYPE_CHECKING:
    from collections.abc import Iterable

_PARAMETER: Final = re.compile(r'([A-Za-z_]{1,40})\s*=\s*(?:"((?:[^"\\]|\\.){0,1024})"|([^\s,"]{1,256}))')
_WORD: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}\Z")  # RFC 6749, 3.3, as in scope and acr
_MAX_WORDS: Final = 20
_MAX_AGE_SECONDS: Final = 31_536_000


def requested_step_up(headers: Iterable[tuple[str, str]]) -> StepUp | None:
    """Return the step-up that the API demands, or ``None`` (C12)."""
    for value in _challenges(headers):
        parameters = _parameters(value)
        if parameters.get("error") == "insufficient_user_authentication":
            age = parameters.get("max_age", "")
            return StepUp(
                acr_values=_words(parameters.get("acr_values", "")),
                max_age=min(int(age), _MAX_AGE_SECONDS) if age.isascii() and age.isdigit() and len(age) < 12 else None,
            )
    return None


def missing_scopes(headers: Iterable[tuple[str, str]]) -> tuple[str, ...] | None:
    """Return the scopes that the API misses; empty if it names none, ``None`` if its error is another one."""
    for value in _challenges(headers):
        parameters = _parameters(value)
        if parameters.get("error") == "insufficient_scope":
            return _words(parameters.get("scope", ""))
    return None


def rejects_token(headers: Iterable[tuple[str, str]]) -> bool:
    """Return whether the API's challenge refuses the token itself (``invalid_token``)."""
    return any(_parameters(value).get("error") == "invalid_token" for value in _challenges(headers))


def _challenges(headers: Iterable[tuple[str, str]]) -> list[str]:
    return [value for name, value in headers if name.lower() == "www-authenticate"]


def _parameters(challenge: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, quoted, bare in _PARAMETER.findall(challenge[:8192]):
        found.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or bare)
    return found


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split(" ")[:_MAX_WORDS] if _WORD.match(word))

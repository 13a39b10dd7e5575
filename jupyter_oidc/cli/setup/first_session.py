"""Compares what was asked for with what the first session got; one check for each thing, in doctor's form.

What the running server says of its session is taken from its own checks; this module adds what only a first sign-in
makes interesting: what is known of the person, and how long a token lives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.diagnostics.check import Check, Subject

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHORT_LIFE_SECONDS: Final = 60
_TOLD_PREFIXES: Final = ("session", "audience of ", "entitlements", "sign-in of ")
"""Beginnings of the names of the server's checks that are about a session."""


def judge(summary: Mapping[str, Any], told: Sequence[Check]) -> tuple[Check, ...]:
    """Return the checks of a session, by its ``summary`` and by what its server ``told`` about every provider."""
    name = str(summary["provider"])
    about_it = [check for check in told if check.provider == name and check.name.startswith(_TOLD_PREFIXES)]
    return _person(summary, name), _lifetime(summary, name), _storage(summary, name), *about_it


def _person(summary: Mapping[str, Any], name: str) -> Check:
    about, user = Subject("person", name), summary["user"] or {}
    missing = [what for what, claim in (("a name", "name"), ("an e-mail address", "email")) if not user.get(claim)]
    if not missing:
        return about.ok("The provider told name and e-mail address.")
    scopes = " and ".join(
        scope for what, scope in (("a name", "profile"), ("an e-mail address", "email")) if what in missing
    )
    return about.warning(
        f"The provider told neither {' nor '.join(missing)}."
        if len(missing) == 2
        else f"The provider told no {missing[0][2:].strip()}.",
        f"If it should be shown here: allow this client the scope {scopes}, and see that the account has it.",
        "provider",
    )


def _lifetime(summary: Mapping[str, Any], name: str) -> Check:
    about, seconds = Subject("lifetime", name), summary["expires_in"]
    if seconds is None:
        return about.unknown(
            "The provider does not say how long an access token lives.",
            "Ask for 'expires_in' in its answers; without it a token counts until an API refuses it.",
            "provider",
        )
    lives = f"An access token lives {_duration(seconds)}"
    if not summary["refreshable"]:
        return about.warning(
            f"{lives}, and the session ends with it.", "See the line about the refresh token.", "provider"
        )
    if seconds < _SHORT_LIFE_SECONDS:
        return about.warning(
            f"{lives}, which makes the provider renew it all the time.",
            "Let access tokens live five minutes or more, if that is not meant.",
            "provider",
        )
    return about.ok(f"{lives} and is renewed before it ends.")


def _storage(summary: Mapping[str, Any], name: str) -> Check:
    about = Subject("kept in", name)
    if summary["storage"] == "memory":
        return about.warning(
            "The session is kept in memory, and ends with the server.",
            "To keep it over a restart, give the server a keyring or a key: 'Keep sessions over a restart'.",
        )
    where = "the keyring" if summary["storage"] == "keyring" else "an encrypted file"
    return about.ok(f"The session is kept in {where}, and goes on after a restart of the server.")


def _duration(seconds: int) -> str:
    """Return a duration in the unit that fits; a token has lived a moment when it is looked at, so it is rounded."""
    if seconds < 90:
        return f"{seconds} seconds"
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{round(minutes / 60)} hours"

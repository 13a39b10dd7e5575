"""Compares what was asked for with what the first session got; one check for each thing, in doctor's form.

What the running server says of its session is taken from its own checks; this module adds what only a first sign-in
makes interesting: what is known of the person, and how long a token lives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.language import Sentence, counted, sentence

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
    about, user = Subject(sentence("person"), name), summary["user"] or {}
    scopes = tuple(scope for claim, scope in (("name", "profile"), ("email", "email")) if not user.get(claim))
    if not scopes:
        return about.ok(sentence("The provider told name and e-mail address."))
    if len(scopes) == 2:
        message = sentence("The provider told neither a name nor an e-mail address.")
    elif user.get("email"):
        message = sentence("The provider told no name.")
    else:
        message = sentence("The provider told no e-mail address.")
    action = sentence(
        "If it should be shown here: allow this client the scope {scopes}, and see that the account has it.",
        scopes=scopes,
    )
    return about.warning(message, action, "provider")


def _lifetime(summary: Mapping[str, Any], name: str) -> Check:
    about, seconds = Subject(sentence("lifetime"), name), summary["expires_in"]
    if seconds is None:
        return about.unknown(
            sentence("The provider does not say how long an access token lives."),
            sentence("Ask for 'expires_in' in its answers; without it a token counts until an API refuses it."),
            "provider",
        )
    time = _duration(seconds)
    if not summary["refreshable"]:
        return about.warning(
            sentence("An access token lives {time}, and the session ends with it.", time=time),
            sentence("See the line about the refresh token."),
            "provider",
        )
    if seconds < _SHORT_LIFE_SECONDS:
        return about.warning(
            sentence("An access token lives {time}, which makes the provider renew it all the time.", time=time),
            sentence("Let access tokens live five minutes or more, if that is not meant."),
            "provider",
        )
    return about.ok(sentence("An access token lives {time} and is renewed before it ends.", time=time))


def _storage(summary: Mapping[str, Any], name: str) -> Check:
    about = Subject(sentence("kept in"), name)
    if summary["storage"] == "memory":
        return about.warning(
            sentence("The session is kept in memory, and ends with the server."),
            sentence("To keep it over a restart, give the server a keyring or a key: 'Keep sessions over a restart'."),
        )
    return about.ok(
        sentence("The session is kept in the keyring, and goes on after a restart of the server.")
        if summary["storage"] == "keyring"
        else sentence("The session is kept in an encrypted file, and goes on after a restart of the server.")
    )


def _duration(seconds: int) -> Sentence:
    """Return a duration in the unit that fits; a token has lived a moment when it is looked at, so it is rounded."""
    if seconds < 90:
        return counted(seconds, "{number} second", "{number} seconds")
    minutes = round(seconds / 60)
    if minutes < 120:
        return counted(minutes, "{number} minute", "{number} minutes")
    return counted(round(minutes / 60), "{number} hour", "{number} hours")

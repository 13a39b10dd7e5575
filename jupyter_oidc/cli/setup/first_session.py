"""Compares what was asked for with what the first session got; one check for each thing, in doctor's form.

What the running server says of its session is taken from its own checks; this module adds what only a first sign-in
makes interesting: what is known of the person, and how long a token lives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.language import _, counted, told

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
    about, user = Subject(_("person"), name), summary["user"] or {}
    scopes = tuple(scope for claim, scope in (("name", "profile"), ("email", "email")) if not user.get(claim))
    if not scopes:
        return about.ok(_("The provider told name and e-mail address."))
    if len(scopes) == 2:
        message = _("The provider told neither a name nor an e-mail address.")
    elif user.get("email"):
        message = _("The provider told no name.")
    else:
        message = _("The provider told no e-mail address.")
    action = _(
        "If it should be shown here: allow this client the scope {scopes}, and see that the account has it.",
        scopes=scopes,
    )
    return about.warning(message, action, "provider")


def _lifetime(summary: Mapping[str, Any], name: str) -> Check:
    about, seconds = Subject(_("lifetime"), name), summary["expires_in"]
    if seconds is None:
        return about.unknown(
            _("The provider does not say how long an access token lives."),
            _("Ask for 'expires_in' in its answers; without it a token counts until an API refuses it."),
            "provider",
        )
    time = _duration(seconds)
    if not summary["refreshable"]:
        return about.warning(
            _("An access token lives {time}, and the session ends with it.", time=time),
            _("See the line about the refresh token."),
            "provider",
        )
    if seconds < _SHORT_LIFE_SECONDS:
        return about.warning(
            _("An access token lives {time}, which makes the provider renew it all the time.", time=time),
            _("Let access tokens live five minutes or more, if that is not meant."),
            "provider",
        )
    return about.ok(_("An access token lives {time} and is renewed before it ends.", time=time))


def _storage(summary: Mapping[str, Any], name: str) -> Check:
    about = Subject(_("kept in"), name)
    if summary["storage"] == "memory":
        return about.warning(
            _("The session is kept in memory, and ends with the server."),
            _("To keep it over a restart, give the server a keyring or a key: 'Keep sessions over a restart'."),
        )
    return about.ok(
        _("The session is kept in the keyring, and goes on after a restart of the server.")
        if summary["storage"] == "keyring"
        else _("The session is kept in an encrypted file, and goes on after a restart of the server.")
    )


def _duration(seconds: int) -> str:
    """Return a duration in the unit that fits; a token has lived a moment when it is looked at, so it is rounded."""
    if seconds < 90:
        return told(counted(seconds, "{number} second", "{number} seconds"))
    minutes = round(seconds / 60)
    if minutes < 120:
        return told(counted(minutes, "{number} minute", "{number} minutes"))
    return told(counted(round(minutes / 60), "{number} hour", "{number} hours"))

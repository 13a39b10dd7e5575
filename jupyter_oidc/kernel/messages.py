"""Messages about a session in a notebook: the sentences of the panel in JupyterLab, to the letter.

The next actions differ, since a cell has no button. A test in ``tests/contract`` compares the two.
Values in, values out: this module knows neither HTML nor the network nor the time of day.
The tables are the English templates; what the functions return is in the language of the process.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from jupyter_oidc.contract.reader import OTHER, word_in
from jupyter_oidc.language import N_, _, counted, told

HEADLINES: Final = {
    "signed-out": N_("Not signed in"),
    "signing-in": N_("Signing in"),
    "active": N_("Signed in"),
    "refresh-failed": N_("Signed in, provider unreachable"),
    "signed-out-expired": N_("The session has ended"),
    "other": N_("State not known"),
}
"""The headline for each state."""

REFRESH_FAILS: Final = N_("Signed in, renewal fails")
"""The headline of ``refresh-failed`` if the provider can be reached but refuses, or sends an unusable response."""

_REFUSES: Final = "renewal-refused"

_HEADLINES_AT: Final = {
    "signed-out": N_("Not signed in at {provider}."),
    "signing-in": N_("Signing in at {provider}."),
    "active": N_("Signed in at {provider}."),
    "refresh-failed": N_("Signed in at {provider}, provider unreachable."),
    _REFUSES: N_("Signed in at {provider}, renewal fails."),
    "signed-out-expired": N_("The session has ended at {provider}."),
    "other": N_("State not known at {provider}."),
}
_HEADLINES_AS: Final = {
    "signed-out": N_("Not signed in as {person}"),
    "signing-in": N_("Signing in as {person}"),
    "active": N_("Signed in as {person}"),
    "refresh-failed": N_("Signed in as {person}, provider unreachable"),
    _REFUSES: N_("Signed in as {person}, renewal fails"),
    "signed-out-expired": N_("The session has ended as {person}"),
    "other": N_("State not known as {person}"),
}
_HEADLINES_AT_AS: Final = {
    "signed-out": N_("Not signed in at {provider} as {person}."),
    "signing-in": N_("Signing in at {provider} as {person}."),
    "active": N_("Signed in at {provider} as {person}."),
    "refresh-failed": N_("Signed in at {provider} as {person}, provider unreachable."),
    _REFUSES: N_("Signed in at {provider} as {person}, renewal fails."),
    "signed-out-expired": N_("The session has ended at {provider} as {person}."),
    "other": N_("State not known at {provider} as {person}."),
}

REASONS: Final = {
    # Reasons that ended a session.
    "session_ended_by_provider": N_("The provider ended it."),
    "interaction_required": N_("The provider wants to hear from you again."),
    "consent_required": N_("The provider wants you to consent again."),
    "login_required": N_("The provider wants you to log in again."),
    "rotation_lost": N_("A renewal was interrupted, and the provider does not accept what was kept from before."),
    "successor_unreadable": N_("The provider renewed it with a token that cannot be read."),
    "identity_changed": N_("The provider answered about another person, so the session was closed."),
    "id_token_rejected": N_("The provider renewed it with an ID token that did not pass a check."),
    "userinfo_rejected": N_("What the provider told about you at a renewal did not pass a check."),
    "signed_in_elsewhere": N_("Somebody else has signed in on another Jupyter server that shares this storage."),
    "not_refreshable": N_("Its time ran out, and the provider does not let it be renewed."),
    "signed_out_at_provider": N_("You were signed out at the provider."),
    "signed_out_elsewhere": N_("You signed out on another Jupyter server that shares this storage."),
    # Reasons that delay a refresh.
    "idp_unavailable": N_("The provider cannot be reached."),
    "token_response_invalid": N_("The provider gives an answer that cannot be used."),
    "discovery_failed": N_("The description that the provider gives of itself cannot be used."),
    "issuer_mismatch": N_("The provider is not the one in the settings: its name differs."),
    "tls_untrusted": N_("The certificate of the provider is not trusted on the Jupyter server."),
    "egress_proxy_auth": N_(
        "The proxy on the way to the provider wants a login that the Jupyter server does not have."
    ),
    "configuration_invalid": N_("A file or secret that the settings name is gone."),
    "clock_skew": N_("The clocks of the Jupyter server and of the provider differ too much."),
    "storage_unavailable": N_("The place where the session is stored cannot be used."),
    "provider_configuration": N_("The provider refuses this Jupyter server as it is set up."),
    "provider_error": N_("The provider reports an error of its own."),
    "internal_error": N_("Something went wrong in the Jupyter server itself."),
    "renewal_refused": N_("The provider refuses to renew it."),
    # Reasons why a session cannot be stored or restored.
    "keyring_locked": N_("The keyring of the system is locked."),
    "keyring_timeout": N_("The keyring of the system does not answer."),
    "keyring_stuck": N_("The keyring of the system does not answer."),
    "keyring_failed": N_("The keyring of the system reports an error."),
    "keyring_unsafe": N_("The keyring of the system would not keep a session safe, so it is not used."),
    "storage_corrupt": N_("What was stored of the last session is damaged."),
    "storage_key": N_("The key of the session file does not fit."),
    "storage_unsafe": N_("Others could read the session file, so it is not used."),
    "storage_read_only": N_("The session file cannot be written."),
    "storage_no_home": N_("There is no folder for the session file."),
    "storage_full": N_("The disk is full, so the session cannot be stored."),
    "storage_failed": N_("The session file cannot be read or written."),
}
"""The sentence for each reason code of the contract."""

UNKNOWN: Final = N_("The server gives a reason that is not known here.")
NO_WORD: Final = N_("The server does not say more.")
NOT_STORED: Final = N_("The session could not be stored.")
FOLDER: Final = N_('Run "jupyter oidc doctor" where the Jupyter server runs: it names the folder.')
KEYRING_OR_FOLDER: Final = N_(
    'Unlock the keyring of your system, or run "jupyter oidc doctor" where the Jupyter server runs: it names the folder.'
)
_STORAGE_NEXT: Final = {
    "storage_unavailable": KEYRING_OR_FOLDER,
    **dict.fromkeys(
        (
            "storage_key",
            "storage_unsafe",
            "storage_read_only",
            "storage_no_home",
            "storage_full",
            "storage_failed",
        ),
        FOLDER,
    ),
}
"""The action that resolves a storage problem, by reason code (Q7.5, Q8.8)."""

STILL: Final = N_("Calls still work; it is tried again by itself.")
NOT_NOW: Final = N_("Calls do not work until it is renewed, which is tried again by itself.")
SETTINGS_PENDING: Final = N_("Settings have changed; they take effect when you sign in again.")
"""It means a sign-in in JupyterLab or a terminal: one that a cell begins uses the old settings."""

SHARING: Final = {
    "own-kernels": N_("This server is shared: kernels that others start or use cannot call APIs as you."),
    "all-kernels": N_("This server is shared: kernels that others start or use call APIs as you, too."),
    "other": N_("This server may be shared: whose kernels call APIs as you is not known here."),
}
"""The sentence for each value of the summary's ``sharing``; a server that is not shared (``none``) has none."""

ACCESS: Final = {
    "ready": N_("Ready"),
    "sign_in_needed": N_("Sign in first"),
    "expired": N_("Sign in again first"),
    "renewal_delayed": N_("Waits for the provider"),
    "refused": N_("The provider gives no token for it"),
    "missing_entitlement": N_("Missing"),
    "unreachable": N_("The last call could not reach it"),
    "other": N_("Whether a call works is not known here"),
}
"""The text for each value of an API's ``readiness``."""

NOT_LISTED: Final = N_("unknown: the provider did not list them")

_NEXT: Final = {
    "signed-out": N_("Run oidc.sign_in() to sign in."),
    "signing-in": N_("Finish the sign-in in the window that was opened."),
    "signed-out-expired": N_("Run oidc.sign_in() to sign in again."),
    "other": N_("Calls may work; run oidc.sign_in() if they do not."),
}


@dataclass(frozen=True, slots=True)
class SessionMessage:
    """The texts about a session; ``reason``, ``lasts`` and ``next`` are ``None`` if there is no text for them."""

    headline: str
    reason: str | None
    lasts: str | None
    next: str | None


def session_message(summary: dict[str, Any]) -> SessionMessage:
    """Return the texts for a session summary."""
    message = _session_message(summary)
    if not summary["settings_pending"]:
        return message
    return replace(message, next=_together(message.next, told(SETTINGS_PENDING)))


def headline_as(summary: dict[str, Any], person: str | None) -> str:
    """Return the headline with the name of the ``person``, if there is one."""
    if person is None:
        return session_message(summary).headline
    return _(_HEADLINES_AS[_headline(summary)], person=person)


def headline_at(summary: dict[str, Any], person: str | None) -> str:
    """Return the headline as a sentence with the provider, and with the name of the ``person``, if there is one."""
    key, provider = _headline(summary), summary["provider"]
    if person is None:
        return _(_HEADLINES_AT[key], provider=provider)
    return _(_HEADLINES_AT_AS[key], provider=provider, person=person)


def _headline(summary: dict[str, Any]) -> str:
    state: str = summary["state"]
    return _REFUSES if state == "refresh-failed" and summary["reason"] not in (None, "idp_unavailable") else state


def _session_message(summary: dict[str, Any]) -> SessionMessage:
    state, code = summary["state"], summary["reason"]
    reason = None if code is None else told(REASONS.get(code, UNKNOWN))
    headline = told(REFRESH_FAILS if _headline(summary) == _REFUSES else HEADLINES[state])
    remedy = told(_STORAGE_NEXT[code]) if code in _STORAGE_NEXT else None
    if state == "refresh-failed":
        left = summary["expires_in"]
        return SessionMessage(
            headline,
            reason or told(REASONS["idp_unavailable"]),
            _remaining_text(left),
            _together(told(NOT_NOW if left == 0 else STILL), remedy),
        )
    if state == "active":
        unsaved = told(NOT_STORED) if summary["storage"] == "unsaved" else None
        return SessionMessage(
            headline,
            reason or unsaved,
            _lifetime_text(summary["expires_in"], refreshable=summary["refreshable"]),
            remedy,
        )
    if state == OTHER:
        reason = reason or unknown_word_message(word_in(summary, "state"))
    return SessionMessage(headline, reason, None, told(_NEXT[state]))


def sharing_message(summary: dict[str, Any]) -> str | None:
    """Return the sentence about a server that is shared; ``None`` for one that is not."""
    said = SHARING.get(summary["sharing"])
    return None if said is None else told(said)


def access_message(api: dict[str, Any]) -> str:
    """Return the text for an API's ``readiness``."""
    readiness, word = api["readiness"], word_in(api, "readiness")
    if readiness == OTHER and word:
        return _("Whether a call works is not known here ({word})", word=word)
    if readiness == "missing_entitlement":
        return _("Missing: {names}", names=", ".join(api["missing"]))
    return told(ACCESS[readiness])


def unknown_word_message(word: str | None) -> str:
    """Return the sentence about a ``word`` of a newer server; ``None`` if an older one has none."""
    return told(NO_WORD) if word is None else _('The server calls it "{word}".', word=word)


def is_signed_in(summary: dict[str, Any]) -> bool:
    """Return whether a session exists; in a state that is not known here, if it has a user."""
    state = summary["state"]
    return state in ("active", "refresh-failed") or (state == OTHER and summary["user"] is not None)


def entitlement_message(summary: dict[str, Any]) -> str:
    """Return the text about the person's entitlements; none is called missing if the list is incomplete."""
    listed, more = ", ".join(summary["entitlements"]), summary["entitlements_more"]
    if not summary["entitlements_known"]:
        unknown = told(NOT_LISTED)
        return _("{names}, and others: {unknown}", names=listed, unknown=unknown) if listed else unknown
    if more:
        return told(
            counted(more, "{names}, and {number} more", "{names}, and {number} more").knowing({"names": listed})
        )
    return listed or _("none")


def duration(seconds: float) -> str:
    """Return whole minutes, hours or days, rounded down, so that the text never promises more time than is left."""
    if seconds < 60:
        return _("less than a minute")
    if seconds < 3_600:
        return _minutes(int(seconds // 60))
    if seconds >= 2 * 86_400:
        return told(counted(int(seconds // 86_400), "{number} day", "{number} days"))
    number, rest = divmod(int(seconds // 60), 60)
    hours = told(counted(number, "{number} hour", "{number} hours"))
    return _("{hours} {minutes}", hours=hours, minutes=_minutes(rest)) if rest else hours


def _lifetime_text(left: float | None, *, refreshable: bool) -> str:
    if left is None:
        return _("The provider does not say how long it lasts.")
    if refreshable:
        if left == 0:
            return _("Renewed by itself when it is needed.")
        return _("Renewed by itself, within {time}.", time=duration(left))
    if left == 0:
        return _("Its time ran out, and it cannot be renewed.")
    return _("Ends in {time}, and cannot be renewed.", time=duration(left))


def _remaining_text(left: float | None) -> str | None:
    if left is None:
        return None
    return _("Its time ran out.") if left == 0 else _("Calls work for another {time}.", time=duration(left))


def _minutes(number: int) -> str:
    return told(counted(number, "{number} minute", "{number} minutes"))


def _together(*texts: str | None) -> str:
    return " ".join(text for text in texts if text)

"""Messages about a session in a notebook: the sentences of the panel in JupyterLab, to the letter.

The next actions differ, since a cell has no button. A test in ``tests/contract`` compares the two.
Values in, values out: this module knows neither HTML nor the network nor the time of day.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from jupyter_oidc.contract.reader import OTHER, word_in

HEADLINES: Final = {
    "signed-out": "Not signed in",
    "signing-in": "Signing in",
    "active": "Signed in",
    "refresh-failed": "Signed in, provider unreachable",
    "signed-out-expired": "The session has ended",
    "other": "State not known",
}
"""The headline for each state."""

REFRESH_FAILS: Final = "Signed in, renewal fails"
"""The headline of ``refresh-failed`` if the provider can be reached but refuses, or sends an unusable response."""

REASONS: Final = {
    # Reasons that ended a session.
    "session_ended_by_provider": "The provider ended it.",
    "interaction_required": "The provider wants to hear from you again.",
    "consent_required": "The provider wants you to consent again.",
    "login_required": "The provider wants you to log in again.",
    "rotation_lost": "A renewal was interrupted, and the provider does not accept what was kept from before.",
    "successor_unreadable": "The provider renewed it with a token that cannot be read.",
    "identity_changed": "The provider answered about another person, so the session was closed.",
    "id_token_rejected": "The provider renewed it with an ID token that did not pass a check.",
    "userinfo_rejected": "What the provider told about you at a renewal did not pass a check.",
    "signed_in_elsewhere": "Somebody else has signed in on another Jupyter server that shares this storage.",
    "not_refreshable": "Its time ran out, and the provider does not let it be renewed.",
    "signed_out_at_provider": "You were signed out at the provider.",
    "signed_out_elsewhere": "You signed out on another Jupyter server that shares this storage.",
    # Reasons that delay a refresh.
    "idp_unavailable": "The provider cannot be reached.",
    "token_response_invalid": "The provider gives an answer that cannot be used.",
    "discovery_failed": "The description that the provider gives of itself cannot be used.",
    "issuer_mismatch": "The provider is not the one in the settings: its name differs.",
    "tls_untrusted": "The certificate of the provider is not trusted on the Jupyter server.",
    "egress_proxy_auth": "The proxy on the way to the provider wants a login that the Jupyter server does not have.",
    "configuration_invalid": "A file or secret that the settings name is gone.",
    "clock_skew": "The clocks of the Jupyter server and of the provider differ too much.",
    "storage_unavailable": "The place where the session is stored cannot be used.",
    "provider_configuration": "The provider refuses this Jupyter server as it is set up.",
    "provider_error": "The provider reports an error of its own.",
    "internal_error": "Something went wrong in the Jupyter server itself.",
    "renewal_refused": "The provider refuses to renew it.",
    # Reasons why a session cannot be stored or restored.
    "keyring_locked": "The keyring of the system is locked.",
    "keyring_timeout": "The keyring of the system does not answer.",
    "keyring_stuck": "The keyring of the system does not answer.",
    "keyring_failed": "The keyring of the system reports an error.",
    "keyring_unsafe": "The keyring of the system would not keep a session safe, so it is not used.",
    "storage_corrupt": "What was stored of the last session is damaged.",
    "storage_key": "The key of the session file does not fit.",
    "storage_unsafe": "Others could read the session file, so it is not used.",
    "storage_read_only": "The session file cannot be written.",
    "storage_no_home": "There is no folder for the session file.",
    "storage_full": "The disk is full, so the session cannot be stored.",
    "storage_failed": "The session file cannot be read or written.",
}
"""The sentence for each reason code of the contract."""

UNKNOWN: Final = "The server gives a reason that is not known here."
NO_WORD: Final = "The server does not say more."
NOT_STORED: Final = "The session could not be stored."
FOLDER: Final = 'Run "jupyter oidc doctor" where the Jupyter server runs: it names the folder.'
KEYRING_OR_FOLDER: Final = 'Unlock the keyring of your system, or run "jupyter oidc doctor" where the Jupyter server runs: it names the folder.'
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

STILL: Final = "Calls still work; it is tried again by itself."
NOT_NOW: Final = "Calls do not work until it is renewed, which is tried again by itself."
SETTINGS_PENDING: Final = "Settings have changed; they take effect when you sign in again."
"""It means a sign-in in JupyterLab or a terminal: one that a cell begins uses the old settings."""

SHARING: Final = {
    "own-kernels": "This server is shared: kernels that others start or use cannot call APIs as you.",
    "all-kernels": "This server is shared: kernels that others start or use call APIs as you, too.",
    "other": "This server may be shared: whose kernels call APIs as you is not known here.",
}
"""The sentence for each value of the summary's ``sharing``; a server that is not shared (``none``) has none."""

ACCESS: Final = {
    "ready": "Ready",
    "sign_in_needed": "Sign in first",
    "expired": "Sign in again first",
    "renewal_delayed": "Waits for the provider",
    "refused": "The provider gives no token for it",
    "missing_entitlement": "Missing",
    "unreachable": "The last call could not reach it",
    "other": "Whether a call works is not known here",
}
"""The text for each value of an API's ``readiness``."""

NOT_LISTED: Final = "unknown: the provider did not list them"

_NEXT: Final = {
    "signed-out": "Run oidc.sign_in() to sign in.",
    "signing-in": "Finish the sign-in in the window that was opened.",
    "signed-out-expired": "Run oidc.sign_in() to sign in again.",
    "other": "Calls may work; run oidc.sign_in() if they do not.",
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
    return replace(message, next=f"{message.next} {SETTINGS_PENDING}" if message.next else SETTINGS_PENDING)


def _session_message(summary: dict[str, Any]) -> SessionMessage:
    state, code = summary["state"], summary["reason"]
    reason = None if code is None else REASONS.get(code, UNKNOWN)
    if state == "refresh-failed":
        headline = HEADLINES[state] if code in (None, "idp_unavailable") else REFRESH_FAILS
        left = summary["expires_in"]
        still = NOT_NOW if left == 0 else STILL
        remedy = _STORAGE_NEXT.get(code or "")
        return SessionMessage(
            headline,
            reason or REASONS["idp_unavailable"],
            _remaining_text(left),
            f"{still} {remedy}" if remedy else still,
        )
    if state == "active":
        unsaved = NOT_STORED if summary["storage"] == "unsaved" else None
        return SessionMessage(
            HEADLINES[state],
            reason or unsaved,
            _lifetime_text(summary["expires_in"], refreshable=summary["refreshable"]),
            _STORAGE_NEXT.get(code or ""),
        )
    if state == OTHER:
        reason = reason or unknown_word_message(word_in(summary, "state"))
    return SessionMessage(HEADLINES[state], reason, None, _NEXT[state])


def access_message(api: dict[str, Any]) -> str:
    """Return the text for an API's ``readiness``."""
    said, word = ACCESS[api["readiness"]], word_in(api, "readiness")
    if api["readiness"] == OTHER:
        return f"{said} ({word})" if word else said
    return f"{said}: {', '.join(api['missing'])}" if api["readiness"] == "missing_entitlement" else said


def unknown_word_message(word: str | None) -> str:
    """Return the sentence about a ``word`` of a newer server; ``None`` if an older one has none."""
    return NO_WORD if word is None else f'The server calls it "{word}".'


def is_signed_in(summary: dict[str, Any]) -> bool:
    """Return whether a session exists; in a state that is not known here, if it has a user."""
    state = summary["state"]
    return state in ("active", "refresh-failed") or (state == OTHER and summary["user"] is not None)


def entitlement_message(summary: dict[str, Any]) -> str:
    """Return the text about the person's entitlements; none is called missing if the list is incomplete."""
    listed, more = ", ".join(summary["entitlements"]), summary["entitlements_more"]
    if not summary["entitlements_known"]:
        return f"{listed}, and others: {NOT_LISTED}" if listed else NOT_LISTED
    return f"{listed}, and {more} more" if more else listed or "none"


def duration(seconds: float) -> str:
    """Return whole minutes, hours or days, rounded down, so that the text never promises more time than is left."""
    if seconds < 60:
        return "less than a minute"
    if seconds < 3_600:
        return _count(int(seconds // 60), "minute")
    if seconds >= 2 * 86_400:
        return _count(int(seconds // 86_400), "day")
    hours, rest = divmod(int(seconds // 60), 60)
    return f"{_count(hours, 'hour')} {_count(rest, 'minute')}" if rest else _count(hours, "hour")


def _lifetime_text(left: float | None, *, refreshable: bool) -> str:
    if left is None:
        return "The provider does not say how long it lasts."
    if refreshable:
        return "Renewed by itself when it is needed." if left == 0 else f"Renewed by itself, within {duration(left)}."
    return (
        "Its time ran out, and it cannot be renewed."
        if left == 0
        else f"Ends in {duration(left)}, and cannot be renewed."
    )


def _remaining_text(left: float | None) -> str | None:
    if left is None:
        return None
    return "Its time ran out." if left == 0 else f"Calls work for another {duration(left)}."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"

"""Computes when to refresh, how long to wait after a failure, and which failures end a session: all pure.

Only a definite OAuth error ends a session at once; transient failures (time-outs, 5xx, DNS, captive portals)
never do (F-8).
Some providers refuse without saying that the session has ended; refreshes are tried until calls fail anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_oidc.protocol import id_token, userinfo
from jupyter_oidc.sessions.oauth_errors import category_of

if TYPE_CHECKING:
    from jupyter_oidc.problems import IdTokenRejected, UserinfoRejected

MAX_BACKOFF_SECONDS: Final = 60.0
"""Seconds; the ceiling of the exponential backoff (B6)."""

CONFIGURATION_PAUSE_SECONDS: Final = 300.0
"""Seconds without an automatic attempt after the provider refused the client itself (B8)."""

FIRST_REFUSAL_PAUSE_SECONDS: Final = 2.0
"""Seconds after an ambiguous refusal; doubled for each further one, up to ``CONFIGURATION_PAUSE_SECONDS``."""

MAX_REFUSALS: Final = 3
"""Refusals in a row that end a session whose access token has expired."""

MIN_REFRESH_INTERVAL_SECONDS: Final = 10.0
"""Seconds between two refreshes without an expiry: the user presses *refresh*, or a clock jumps (B25)."""

MIN_FORCED_REFRESH_INTERVAL_SECONDS: Final = 30.0
"""Seconds during which an upstream 401 causes no second forced refresh (B27)."""

RETRY_DELAY_SECONDS: Final = 1.0
"""Seconds after which a refresh without an answer is tried once more with the same token (B5)."""

MAX_LOCK_HOLD_SECONDS: Final = 20.0
"""Seconds after which a refresh makes no further attempt, so that waiting servers get the lock in time (B12)."""

_INTERACTION_ERRORS: Final = frozenset({"interaction_required", "consent_required", "login_required"})
"""Errors that a session's reason names; any other demand for interaction becomes ``interaction_required``."""

_TRANSIENT_ERRORS: Final = frozenset({"slow_down", "invalid_dpop_proof", "use_dpop_nonce"})
_REQUEST_ERRORS: Final = frozenset({"invalid_scope", "invalid_request", "access_denied", "other"})
"""Errors of providers, besides ``invalid_target``, for an unknown audience, resource or scope (B30)."""


def margin(lifetime: float) -> float:
    """Return how many seconds before expiry a token of ``lifetime`` seconds is refreshed (B26)."""
    return min(300.0, max(5.0, 0.2 * lifetime))


def proactive_delay(lifetime: float, jitter: float) -> float:
    """Return the seconds from now until the proactive refresh of a fresh token.

    ``jitter`` in ``[0, 1)`` moves it up to a tenth of the margin earlier, so that many servers that were
    restarted together do not refresh together.
    A lifetime shorter than its margin refreshes at half of it, at least one second from now: never a loop.
    """
    ahead = margin(lifetime)
    if lifetime <= ahead:
        return max(1.0, lifetime / 2)
    return max(1.0, lifetime - ahead * (1.0 + 0.1 * jitter))


def reserve(lifetime: float | None) -> float:
    """Return the seconds of lifetime that a token needs to be sent: it must not expire on the way to the API."""
    return 0.0 if lifetime is None else min(2.0, 0.1 * lifetime)


def backoff(failures: int, jitter: float) -> float:
    """Return the seconds to wait after ``failures`` failures in a row: 1, 2, 4 ... 60, less up to a fifth."""
    return min(MAX_BACKOFF_SECONDS, 2.0 ** min(max(failures, 1) - 1, 10)) * (1.0 - 0.2 * jitter)


def refusal_pause(refusals: int, jitter: float) -> float:
    """Return the seconds to wait after ``refusals`` in a row: 2, 4, 8 ... 300, less up to a fifth."""
    pause = FIRST_REFUSAL_PAUSE_SECONDS * 2.0 ** min(max(refusals, 1) - 1, 10)
    return min(CONFIGURATION_PAUSE_SECONDS, pause) * (1.0 - 0.2 * jitter)


@dataclass(frozen=True, slots=True)
class Ends:
    """The provider ended the session; ``reason`` is ours and stable.

    With ``token_is_good`` the refresh token is still valid, but the provider demands an interaction (B9).
    """

    reason: str
    token_is_good: bool = False


@dataclass(frozen=True, slots=True)
class Pauses:
    """The session stays; no attempt for ``seconds`` (``None``: by backoff)."""

    reason: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The provider refuses, and the refresh token may be invalid or not: the session ends when calls fail anyway."""

    reason: str = "renewal_refused"


@dataclass(frozen=True, slots=True)
class RefusesAudience:
    """Only this API's token is refused; the session and all other tokens stay (B30)."""


def reason_of_rejection(problem: IdTokenRejected | UserinfoRejected) -> str:
    """Return why a refused identity at a refresh ends the session: another person, or a failed check (F-6, Q5.3)."""
    if problem.detail in id_token.OTHER_SUBJECT_DETAILS | userinfo.OTHER_SUBJECT_DETAILS:
        return "identity_changed"
    return problem.code


def judge_oauth_error(error: str, *, for_api: bool = False) -> Ends | Pauses | Ambiguous | RefusesAudience:
    """Classify the ``error`` of a refused refresh by the table of all errors (RFC 6749, 5.2; F-8, B8, B9, B30).

    ``for_api`` says that one API's own token was requested: an error that can concern that API is taken to concern it
    alone. An error of the session as well appears at the sign-in's own refresh.
    """
    if error == "invalid_grant":
        return Ends("session_ended_by_provider")
    category = category_of(error)
    if category == "person":
        return Ends(error if error in _INTERACTION_ERRORS else "interaction_required", token_is_good=True)
    if for_api and (category == "audience" or error in _REQUEST_ERRORS):
        return RefusesAudience()
    if category in ("scope", "set-up") and error != "invalid_request":
        return Pauses("provider_configuration", CONFIGURATION_PAUSE_SECONDS)
    if category == "transient" or error in _TRANSIENT_ERRORS:
        return Pauses("provider_error")
    return Ambiguous()

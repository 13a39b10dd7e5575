"""The summary of a session for clients: values without a token, and the choice of claims in them.

Claims are chosen one by one; no claim reaches a summary only because a provider sent it (law 8).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.sessions.entitlements import Entitlements
    from jupyter_oidc.sessions.machine import State
    from jupyter_oidc.sessions.readiness import Readiness

_MAX_TEXT_CHARACTERS: Final = 1024

MAX_STORED_TEXT_CHARACTERS: Final = 256
"""Characters of a text about the person that is stored with a session."""


@dataclass(frozen=True, slots=True)
class User:
    """The person, as the provider's claims describe them; every text is cut at 1,024 characters."""

    sub: str
    name: str | None
    username: str | None
    email: str | None
    email_verified: bool
    picture: str | None


@dataclass(frozen=True, slots=True)
class Profile:
    """The stored part of a person's claims, for a summary after a restart, before the provider has answered."""

    user: User
    entitlements: Entitlements


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """Soft gating for one API: the entitlements in ``missing`` are required by its settings and not held.

    ``readiness`` tells in one word whether it can be called.
    """

    name: str
    readiness: Readiness
    allowed: bool
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """One session as a client sees it; times are wall seconds, ``expires_in`` whole seconds.

    ``entitlements`` are limited in number, and ``entitlements_more`` counts the others; without ``entitlements_known``
    the provider did not list them.
    ``settings_pending`` says that other settings wait for the next sign-in (ADR 30).
    ``sign_in_under_way`` says that a sign-in waits for the person, also beside a session (ADR 55).
    Sequence numbers can be compared within one ``instance`` only: a process between two changes of its settings.
    """

    provider: str
    issuer: str
    state: State
    reason: str | None
    sequence: int
    user: User | None
    entitlements: tuple[str, ...]
    entitlements_more: int
    entitlements_known: bool
    scopes: tuple[str, ...]
    missing_scopes: tuple[str, ...]
    signed_in_at: float | None
    access_expires_at: float | None
    expires_in: int | None
    refreshable: bool
    storage: str
    retry_at: float | None
    apis: tuple[ApiAccess, ...]
    settings_pending: bool = False
    sign_in_under_way: bool = False
    instance: str = ""


def user_of(subject: str, claims: Mapping[str, Any]) -> User:
    """Choose the claims that a summary shows; ``email_verified`` is true only for the JSON value true (U-9)."""
    return User(
        sub=subject,
        name=_text(claims.get("name")),
        username=_text(claims.get("preferred_username")) or _text(claims.get("nickname")),
        email=_text(claims.get("email")),
        email_verified=claims.get("email_verified") is True,
        picture=_picture(claims.get("picture")),
    )


def name_of(user: User) -> str:
    """Return the name of a person for use in a sentence."""
    return user.name or user.username or user.email or user.sub


def stored_user(user: User) -> User:
    """Return ``user`` with texts short enough to be stored; a long address is dropped, as a cut one would be wrong."""
    return replace(
        user,
        name=user.name and user.name[:MAX_STORED_TEXT_CHARACTERS],
        username=user.username and user.username[:MAX_STORED_TEXT_CHARACTERS],
        email=_whole(user.email),
        picture=_whole(user.picture),
    )


def _text(value: object) -> str | None:
    return value[:_MAX_TEXT_CHARACTERS] if isinstance(value, str) and value else None


def _picture(value: object) -> str | None:
    """Return the picture's address if it is https, else ``None``: the page loads it."""
    url = _text(value)
    return url if url and url.startswith("https://") else None


def _whole(value: str | None) -> str | None:
    return value if value is None or len(value) <= MAX_STORED_TEXT_CHARACTERS else None

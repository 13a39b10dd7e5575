"""What the outside may know about a session: values without a token, and the claims they are made from.

Claims are chosen one by one; nothing reaches a summary because a provider happened to send it (law 8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_oidc.sessions.machine import State
    from jupyter_oidc.settings import Api

_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class User:
    """The person, as far as the provider told; every text is cut at 1,024 characters."""

    sub: str
    name: str | None
    username: str | None
    email: str | None
    email_verified: bool
    picture: str | None


@dataclass(frozen=True, slots=True)
class ApiAccess:
    """Soft gating for one API: the entitlements in ``missing`` are required by its settings and not held."""

    name: str
    allowed: bool
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """One session as a client sees it; times are wall seconds, ``expires_in`` whole seconds.

    ``settings_pending`` says that other settings wait for the next sign-in (ADR 30).
    """

    provider: str
    issuer: str
    state: State
    reason: str | None
    sequence: int
    user: User | None
    entitlements: tuple[str, ...]
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


def entitlements_of(claims: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    """Collect entitlements from the claims called ``names``: a list of texts, or a space-separated text.

    A dotted name reaches into objects (``realm_access.roles``).
    """
    found: dict[str, None] = {}
    for name in names:
        value = claims.get(name, _reach(claims, name))
        if isinstance(value, str):
            value = value.split()
        if isinstance(value, list):
            found.update((word, None) for item in value if (word := _text(item)))
    return tuple(found)


def access_to(apis: tuple[Api, ...], entitlements: tuple[str, ...]) -> tuple[ApiAccess, ...]:
    """Say for each API which required entitlements are missing."""
    return tuple(
        ApiAccess(api.name, allowed=not missing, missing=missing)
        for api in apis
        for missing in [tuple(need for need in api.requires if need not in entitlements)]
    )


def _reach(claims: Mapping[str, Any], dotted: str) -> Any:
    value: Any = claims
    for part in dotted.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def _text(value: object) -> str | None:
    return value[:_LONGEST] if isinstance(value, str) and value else None


def _picture(value: object) -> str | None:
    """Only an https picture is passed on: the page would load whatever stands here."""
    url = _text(value)
    return url if url and url.startswith("https://") else None

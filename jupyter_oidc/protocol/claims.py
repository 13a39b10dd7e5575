"""Checks the JSON types of the claims that this package reads (OpenID Connect Core 1.0, 2 and 5.1).

A claim about a person with another type counts as absent: no decision depends on it (ADR 0028).
A claim about the token itself with another type refuses the token (V-11).
Claims that are not listed are passed on unjudged, for the entitlements that the settings may name.
NOTE: ``updated_at`` is left out deliberately: no code reads it, and large providers send a text where the
specification wants a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.protocol.json_value import texts, writable

if TYPE_CHECKING:
    from collections.abc import Mapping

PROTOCOL: Final = frozenset(
    {
        "acr",
        "amr",
        "at_hash",
        "aud",
        "auth_time",
        "azp",
        "c_hash",
        "exp",
        "iat",
        "iss",
        "jti",
        "nbf",
        "nonce",
        "s_hash",
        "sid",
    },
)
"""Claims about a token, not about a person; only an ID token may make them."""

_PERSON: Final[dict[str, type]] = {
    "address": dict,
    "email": str,
    "email_verified": bool,
    "family_name": str,
    "given_name": str,
    "locale": str,
    "middle_name": str,
    "name": str,
    "nickname": str,
    "phone_number": str,
    "phone_number_verified": bool,
    "picture": str,
    "preferred_username": str,
    "profile": str,
    "website": str,
    "zoneinfo": str,
}
"""Claims about the person (OpenID Connect Core 1.0, 5.1).

NOTE: Amazon Cognito and others write ``"email_verified": "true"``; it proves nothing, but costs no sign-in (U-9).
"""


def well_typed(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``claims`` without those that are ``null``, or about the person and of another JSON type (U-9)."""
    return {
        name: value
        for name, value in claims.items()
        if value is not None and isinstance(value, _PERSON.get(name, object)) and writable(value) and writable(name)
    }


def mistyped_claim(claims: Mapping[str, Any]) -> str | None:
    """Return the name of a claim about the token with the wrong JSON type; ``null`` counts as missing (V-11)."""
    for name in ("acr", "sid"):
        if not isinstance(claims.get(name), str | None):
            return name
    if claims.get("amr") is not None and texts(claims["amr"]) is None:
        return "amr"
    return None

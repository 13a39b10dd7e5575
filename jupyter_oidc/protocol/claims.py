"""The JSON types of the claims that somebody here reads (OpenID Connect Core 1.0, 2 and 5.1).

Claims that are not listed are passed on unjudged, for the entitlements that the settings may name.
NOTE: ``updated_at`` is left out deliberately: nothing reads it, and large providers send a text where the
specification wants a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.protocol.json_value import texts

if TYPE_CHECKING:
    from collections.abc import Mapping

FLAGS: Final = frozenset({"email_verified", "phone_number_verified"})

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

_TEXTS: Final = frozenset(
    {
        "acr",
        "email",
        "family_name",
        "given_name",
        "locale",
        "name",
        "nickname",
        "phone_number",
        "picture",
        "preferred_username",
        "profile",
        "sid",
        "zoneinfo",
    },
)


def mistyped(claims: Mapping[str, Any]) -> str | None:
    """Return the name of a listed claim with the wrong JSON type; ``null`` counts as missing (V-11, U-9)."""
    for name, value in claims.items():
        if value is None:
            continue
        if name in _TEXTS and not isinstance(value, str):
            return name
        if name in FLAGS and not isinstance(value, bool):
            return name
        if name == "amr" and texts(value) is None:
            return name
        if name == "address" and not isinstance(value, dict):
            return name
    return None

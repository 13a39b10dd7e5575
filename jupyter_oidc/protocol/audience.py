"""Reads the audience of an access token: the one thing in it that this package reads (ADR 0021).

Diagnostics show it, and sessions compare it to notice a provider that ignored the requested API.
The signature is not checked, because no access depends on the result; the API decides.
This module refuses to return any other claim.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from jupyter_oidc.protocol.json_value import texts
from jupyter_oidc.protocol.message import ReplyUnusable, parse_object
from jupyter_oidc.secret_access import reveal

if TYPE_CHECKING:
    from jupyter_oidc.secret import Secret


def audience_of(access_token: Secret) -> tuple[str, ...] | None:
    """Return the audience of ``access_token``, empty if it names none; ``None`` if it is not a JWT (RFC 9068, 2.2)."""
    parts = reveal(access_token).split(".")
    if len(parts) != 3:
        return None
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)).decode()
        value = parse_object(payload).get("aud")
    except (ValueError, ReplyUnusable):
        return None
    return (value,) if isinstance(value, str) else tuple(texts(value) or ())

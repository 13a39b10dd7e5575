"""Reads the audience of an access token: the one thing in it that this package reads (ADR 0021).

It is read to advise, and to notice that a provider has ignored for which API a token was to be.
The signature is not checked, because nothing is granted on the strength of it; the API decides.
This module refuses to return anything but the audience.
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

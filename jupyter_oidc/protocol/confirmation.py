"""Reads the thumbprint of the certificate that an access token is bound to (RFC 8705, 3.1).

Sessions compare it to notice an unbound token, or one that is bound to an interceptor's certificate.
The signature is not checked, because no access depends on the result; the API decides.
This module refuses to return any other claim of a token.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from jupyter_oidc.protocol.message import ReplyUnusable, parse_object
from jupyter_oidc.secret_access import reveal

if TYPE_CHECKING:
    from jupyter_oidc.secret import Secret


def certificate_of(access_token: Secret) -> str | None:
    """Return the ``x5t#S256`` of ``access_token``, empty if it names none; ``None`` if it is not a JWT."""
    parts = reveal(access_token).split(".")
    if len(parts) != 3:
        return None
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)).decode()
        confirmation = parse_object(payload).get("cnf")
    except (ValueError, ReplyUnusable):
        return None
    told = confirmation.get("x5t#S256") if isinstance(confirmation, dict) else None
    return told.rstrip("=") if isinstance(told, str) else ""

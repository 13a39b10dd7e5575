"""Proof Key for Code Exchange: the challenge that belongs to a code verifier.

Only ``S256``; this module refuses to know ``plain`` (RFC 7636, 4.2; A-7).
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Final

from jupyter_oidc.secret_access import reveal

if TYPE_CHECKING:
    from jupyter_oidc.secret import Secret

_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def challenge_of(verifier: Secret) -> str:
    """Return ``base64url(SHA-256(verifier))`` without padding (RFC 7636, 4.2).

    Raises ``TypeError`` if ``verifier`` is not 43 to 128 unreserved characters: a defect of ours.
    """
    # NOTE: no variable holds the text before it is checked, so a traceback with locals cannot show it.
    if not _VERIFIER.fullmatch(reveal(verifier)):
        raise TypeError("a code verifier has 43 to 128 unreserved characters")
    digest = hashlib.sha256(reveal(verifier).encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

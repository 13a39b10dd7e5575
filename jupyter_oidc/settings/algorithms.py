"""The signing algorithms that settings may name (RFC 7518, 3.1; RFC 8037; RFC 9864)."""

from __future__ import annotations

from typing import Final

SECRET_ALGORITHMS: Final = ("HS256", "HS384", "HS512")
KEY_ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)
ALGORITHMS: Final = (*KEY_ALGORITHMS, *SECRET_ALGORITHMS)

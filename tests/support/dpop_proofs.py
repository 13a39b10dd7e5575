"""Judges DPoP proofs as a server does (RFC 9449, 4.3), with code of its own: no JOSE library, nothing of the product's."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

WINDOW = 60.0
"""Seconds by which ``iat`` may be off."""


class ProofRefused(Exception):
    """A proof is not acceptable; ``error`` is the code to answer (RFC 9449, 5, 8)."""

    def __init__(self, why: str, error: str = "invalid_dpop_proof") -> None:
        super().__init__(why)
        self.error = error


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof whose signature is right: its parts, and the thumbprint of the key that it shows (RFC 7638)."""

    header: dict[str, Any]
    claims: dict[str, Any]
    thumbprint: str


def read_proof(text: str) -> Proof:
    """Take a proof apart and verify it with the key in its header (RFC 9449, 4.3, 1 to 7)."""
    try:
        first, second, third = text.split(".")
        header, claims = json.loads(_decoded(first)), json.loads(_decoded(second))
        signature = _decoded(third)
    except ValueError:
        raise ProofRefused("it is no compact JWS") from None
    if (header.get("typ"), header.get("alg")) != ("dpop+jwt", "ES256"):
        raise ProofRefused("its type or algorithm is wrong")
    jwk = header.get("jwk", {})
    if set(jwk) != {"kty", "crv", "x", "y"} or (jwk["kty"], jwk["crv"]) != ("EC", "P-256"):
        raise ProofRefused("its key is not a public one for ES256")
    x, y = (int.from_bytes(_decoded(jwk[name]), "big") for name in ("x", "y"))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    pair = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        key.verify(pair, f"{first}.{second}".encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise ProofRefused("its signature does not verify") from None
    members = f'{{"crv":"P-256","kty":"EC","x":"{jwk["x"]}","y":"{jwk["y"]}"}}'
    return Proof(header, claims, digest(members))


@dataclass
class ProofJudge:
    """One server's memory of proofs. ``nonce`` is demanded in each of them, if it is set."""

    nonce: str = ""
    seen: list[Proof] = field(default_factory=list)

    def judge(self, text: str | None, method: str, url: str, *, now: float, token: str | None = None) -> str:
        """Return the thumbprint of the key, or raise :class:`ProofRefused` (RFC 9449, 4.3, 8 to 12)."""
        if text is None:
            raise ProofRefused("there is none")
        proof = read_proof(text)
        claims = proof.claims
        if (claims.get("htm"), claims.get("htu")) != (method, url.partition("?")[0]):
            raise ProofRefused("it is for another request")
        if not isinstance(claims.get("iat"), int) or abs(now - claims["iat"]) > WINDOW:
            raise ProofRefused("it is of another time")
        if claims.get("ath") != (None if token is None else digest(token)):
            raise ProofRefused("it is for another access token")
        if claims.get("jti") in {one.claims["jti"] for one in self.seen} or not claims.get("jti"):
            raise ProofRefused("it was seen before")
        self.seen.append(proof)
        if self.nonce and claims.get("nonce") != self.nonce:
            raise ProofRefused("it holds another nonce", "use_dpop_nonce")
        return proof.thumbprint


def digest(text: str) -> str:
    """Return the SHA-256 digest in base64url, as ``ath`` and thumbprints have it."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

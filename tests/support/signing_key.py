"""Keys and signatures of the scripted provider, made with ``cryptography`` alone.

NOTE: independent of the library that the product verifies with, so that the two cannot share a mistake.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

if TYPE_CHECKING:
    from collections.abc import Mapping


DIFFERENT_KEYS = 8
"""The RSA keys of one process."""

_TURNS = count()


@cache
def _rsa_key(_: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its ``kid``; RSA signs RS256, P-256 signs ES256."""

    kid: str
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def rsa(cls, kid: str) -> SigningKey:
        """Return an RSA key of 2048 bits under this ``kid``: the next one of a few that this process has.

        To make one takes longer than most tests that need one. No two of ``DIFFERENT_KEYS`` calls in a row share a key.
        """
        return cls(kid, _rsa_key(next(_TURNS) % DIFFERENT_KEYS))

    @classmethod
    def ec(cls, kid: str) -> SigningKey:
        """Return a new key on P-256."""
        return cls(kid, ec.generate_private_key(ec.SECP256R1()))

    @property
    def alg(self) -> str:
        """The algorithm's name (RFC 7518, 3.1)."""
        return "RS256" if isinstance(self.private, rsa.RSAPrivateKey) else "ES256"

    def public_jwk(self) -> dict[str, Any]:
        """Return the public key as a key set publishes it (RFC 7517, RFC 7518, 6)."""
        members = {"kid": self.kid, "use": "sig", "alg": self.alg}
        if isinstance(self.private, rsa.RSAPrivateKey):
            numbers = self.private.public_key().public_numbers()
            return {**members, "kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
        point = self.private.public_key().public_numbers()
        return {**members, "kty": "EC", "crv": "P-256", "x": _number(point.x, 32), "y": _number(point.y, 32)}

    def private_pem(self) -> bytes:
        """Return the private key as a PEM file holds it (RFC 5958)."""
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def public_pem(self) -> bytes:
        """Return the public key in PEM, the text that a confused verifier takes for a shared secret."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, claims: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
        """Return a JWS of ``claims``; ``header`` takes the place of the usual one."""
        told = {"alg": self.alg, "kid": self.kid, "typ": "JWT"} if header is None else header
        signing_input = _signing_input(told, claims)
        if isinstance(self.private, rsa.RSAPrivateKey):
            signature = self.private.sign(signing_input.encode(), padding.PKCS1v15(), hashes.SHA256())
        else:
            r, s = decode_dss_signature(self.private.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256())))
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return f"{signing_input}.{base64url(signature)}"


def unsigned(claims: Mapping[str, Any]) -> str:
    """Return a JWT without a signature: ``alg`` is ``none`` (RFC 7519, 6.1)."""
    return _signing_input({"alg": "none", "typ": "JWT"}, claims) + "."


def signed_by_secret(claims: Mapping[str, Any], secret: bytes, *, kid: str = "") -> str:
    """Return a JWS made with HS256 and ``secret``, such as a public key's PEM."""
    signing_input = _signing_input({"alg": "HS256", "typ": "JWT", **({"kid": kid} if kid else {})}, claims)
    return f"{signing_input}.{base64url(hmac.digest(secret, signing_input.encode(), hashlib.sha256))}"


def base64url(value: bytes) -> str:
    """Encode as RFC 7515, 2 does: without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _signing_input(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    return f"{base64url(json.dumps(header).encode())}.{base64url(json.dumps(claims).encode())}"


def _number(value: int, size: int = 0) -> str:
    return base64url(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))

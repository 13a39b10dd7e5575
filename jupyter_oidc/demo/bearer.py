"""Checks access tokens for the demo API, with code that shares nothing with the product.

If both sides of the demo used the same verifier, one mistake would hide on both. This one is written from the
specifications (RFC 7515, 7517, 7519, 9068) on top of ``cryptography`` alone, knows one algorithm, and has no
leeway: a token that ends now is over.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

if TYPE_CHECKING:
    from collections.abc import Mapping


class Refused(Exception):
    """The token is not accepted; the text gives the reason and never quotes the token."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller, proved by a token: the subject, the roles, and the token's expiry (POSIX seconds)."""

    subject: str
    roles: frozenset[str]
    ends_at: int


def key_id(token: str) -> str:
    """Return the ``kid`` in the token's header; raises :class:`Refused` if it is no RS256 JWT."""
    header = _document(token.partition(".")[0])
    if token.count(".") != 2 or header.get("alg") != "RS256" or "crit" in header:
        raise Refused("The token is not signed with RS256.")
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise Refused("The token does not name its key.")
    return kid


def keys_of(document: object) -> dict[str, rsa.RSAPublicKey]:
    """Return the RSA signing keys of a JSON Web Key Set by their ids."""
    entries = document.get("keys") if isinstance(document, dict) else None
    keys: dict[str, rsa.RSAPublicKey] = {}
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("kty") == "RSA" and entry.get("use", "sig") == "sig":
            numbers = rsa.RSAPublicNumbers(e=_integer(entry["e"]), n=_integer(entry["n"]))
            keys[str(entry["kid"])] = numbers.public_key()
    return keys


def judge(
    token: str,
    keys: Mapping[str, rsa.RSAPublicKey],
    *,
    issuer: str,
    audience: str,
    now: float,
) -> Caller:
    """Return the caller of ``token``; raises :class:`Refused` unless signature and every claim are right."""
    key = keys.get(key_id(token))
    if key is None:
        raise Refused("The token is signed with an unknown key.")
    signed, _, signature = token.rpartition(".")
    try:
        key.verify(_bytes(signature), signed.encode("ascii"), padding.PKCS1v15(), SHA256())
    except (InvalidSignature, UnicodeEncodeError):
        raise Refused("The signature of the token is wrong.") from None
    claims = _document(signed.partition(".")[2])
    audiences = claims.get("aud")
    if claims.get("iss") != issuer:
        raise Refused("The token was issued by somebody else.")
    if audience not in (audiences if isinstance(audiences, list) else [audiences]):
        raise Refused("The token is meant for another API.")
    if claims.get("token_use") != "access":
        raise Refused("The token is not an access token.")
    ends_at, subject, roles = claims.get("exp"), claims.get("sub"), claims.get("roles", [])
    if not isinstance(ends_at, int) or isinstance(ends_at, bool) or ends_at <= now:
        raise Refused("The token has expired.")
    if not isinstance(subject, str) or not isinstance(roles, list):
        raise Refused("The token does not say who calls.")
    return Caller(subject, frozenset(role for role in roles if isinstance(role, str)), ends_at)


def _bytes(segment: str) -> bytes:
    try:
        return base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Refused("The token is not well formed.") from None


def _document(segment: str) -> dict[str, Any]:
    try:
        document = json.loads(_bytes(segment))
    except ValueError:
        raise Refused("The token is not well formed.") from None
    if not isinstance(document, dict):
        raise Refused("The token is not well formed.")
    return document


def _integer(text: str) -> int:
    return int.from_bytes(_bytes(text), "big")

"""The provider's public keys, parsed once, and the choice of those that may verify a given token.

Keys come only from ``jwks_uri``; this module never reads a key out of a token (K-1).
Only public members are taken over, so a private key that was published by mistake does no further harm here.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import DiscoveryFailed
from jupyter_oidc.protocol.json_value import texts
from jupyter_oidc.protocol.message import Call, ReplyUnusable, tolerant_object

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.protocol.message import Reply

MAX_CANDIDATE_KEYS: Final = 10
"""Keys with which the verification of one token is tried (K-5, A20)."""

KEY_TYPES_BY_ALGORITHM: Final[dict[str, frozenset[tuple[str, str]]]] = {
    **{alg: frozenset({("RSA", "")}) for alg in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")},
    "ES256": frozenset({("EC", "P-256")}),
    "ES384": frozenset({("EC", "P-384")}),
    "ES512": frozenset({("EC", "P-521")}),
    "EdDSA": frozenset({("OKP", "Ed25519")}),
    "Ed25519": frozenset({("OKP", "Ed25519")}),
}
"""Key type and curve for each asymmetric signature algorithm (RFC 7518, 3.1; RFC 8037; RFC 9864)."""

_MEMBERS: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_KEY_TYPES: Final = frozenset().union(*KEY_TYPES_BY_ALGORITHM.values())
MIN_RSA_BITS: Final = 2048
"""Bits (RFC 7518, 3.3)."""

_MAX_RSA_BITS: Final = 8192
_BASE64: Final = re.compile(r"([A-Za-z0-9_-]+|[A-Za-z0-9+/]+)={0,2}")
_TO_URL: Final = str.maketrans("+/", "-_")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One usable verification key; ``curve`` is empty for RSA."""

    kty: str
    curve: str
    kid: str | None
    alg: str | None
    material: RSAKey | ECKey | OKPKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys of one provider; a newly fetched set replaces the old one as a whole (K-8)."""

    keys: tuple[PublicKey, ...] = field(repr=False)

    def candidates(self, alg: str, kid: str | None) -> tuple[PublicKey, ...]:
        """Return the keys that may verify a token signed with the pinned ``alg`` (K-4, K-5).

        Several keys may share a ``kid``, and a token without one fits every key of the right type.
        The caller has to refuse more than :data:`MAX_CANDIDATE_KEYS`.
        """
        shapes = KEY_TYPES_BY_ALGORITHM.get(alg, frozenset())
        return tuple(
            key
            for key in self.keys
            if (key.kty, key.curve) in shapes and key.alg in (None, alg) and (kid is None or key.kid == kid)
        )


def jwks_call(metadata: Metadata) -> Call:
    """Build the call for the key set of the metadata in force (D-8)."""
    return Call(
        "GET",
        metadata.jwks_uri,
        accept="application/jwk-set+json, application/json",
        max_redirects=3,
        endpoint="keys",
    )


def read_jwks_reply(reply: Reply) -> KeySet:
    """Accept a key set and skip, one by one, the keys that cannot be used (RFC 7517, 5; K-2, K-3, K-10).

    An empty set is no error: the token that needs a key fails then.
    Raises :class:`DiscoveryFailed` if the reply is no key set.
    """
    if reply.status != 200:
        raise DiscoveryFailed(
            sentence("The provider answered status {status} where its keys should be.", status=reply.status),
            detail="jwks.status",
        )
    try:
        document = tolerant_object(reply)
    except ReplyUnusable as unusable:
        raise DiscoveryFailed(
            sentence("The provider's keys cannot be read: {fault}.", fault=unusable.fault),
            detail="jwks.format",
        ) from None
    listed = document.members.get("keys")
    if not isinstance(listed, list):
        message = (
            N_("The provider's keys cannot be read: the list of keys is there twice.")
            if "keys" in document.doubled
            else N_("The provider's keys cannot be read: there is no list of keys.")
        )
        raise DiscoveryFailed(message, detail="jwks.format")
    return KeySet(tuple(key for entry in listed if (key := _public_key(entry)) is not None))


def _public_key(entry: object) -> PublicKey | None:
    """Read one key; an unreadable label counts as absent, an unreadable part of the key skips it (ADR 0028)."""
    if not isinstance(entry, dict) or not _for_verification(entry):
        return None
    kty, kid, alg = (_label(entry, name) for name in ("kty", "kid", "alg"))
    curve = "" if kty == "RSA" else entry.get("crv")
    if kty is None or not isinstance(curve, str) or (kty, curve) not in _KEY_TYPES:
        return None
    if alg is not None and (kty, curve) not in KEY_TYPES_BY_ALGORITHM.get(alg, frozenset()):
        return None
    material = _material(kty, entry)
    return None if material is None else PublicKey(kty, curve, kid, alg, material)


def _label(entry: dict[str, Any], name: str) -> str | None:
    value = entry.get(name)
    return value if isinstance(value, str) and value else None


def _for_verification(entry: dict[str, Any]) -> bool:
    """Return whether ``use`` is absent or ``sig``, and ``key_ops`` absent or with ``verify`` in it (K-4)."""
    if _label(entry, "use") not in (None, "sig"):
        return False
    operations = texts(entry.get("key_ops"))
    return operations is None or "verify" in operations


def _material(kty: str, entry: dict[str, Any]) -> RSAKey | ECKey | OKPKey | None:
    """Import the public members of ``entry``; ``None`` if the mathematics refuses them (K-3, K-10).

    Padding and the standard alphabet are no base64url (RFC 7515, 2), but the same number: they are normalised.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    public: dict[str, str | list[str]] = {"kty": kty}
    for member in _MEMBERS[kty]:
        value = entry.get(member)
        if not isinstance(value, str) or not _BASE64.fullmatch(value):
            return None
        public[member] = value.rstrip("=").translate(_TO_URL)
    try:
        if kty == "RSA":
            return RSAKey.import_key(public) if MIN_RSA_BITS <= _bits(str(public["n"])) <= _MAX_RSA_BITS else None
        key: ECKey | OKPKey = ECKey.import_key(public) if kty == "EC" else OKPKey.import_key(public)
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, ArithmeticError):
        return None
    return key


def _bits(text: str) -> int:
    """Count the significant bits of an unsigned base64url number; 0 if it is none."""
    try:
        return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big").bit_length()
    except ValueError:
        return 0

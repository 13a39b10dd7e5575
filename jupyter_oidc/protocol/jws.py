"""Signed objects in compact form: parses them, checks the header, verifies the signature; and signs our own.

The caller pins the algorithm.
This module refuses an algorithm of the token that the caller did not allow, a key inside the token, and any ``crit``
extension (RFC 8725, 3.1, 3.10).
``id_token`` and ``userinfo`` judge the claims.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.protocol.jwks import KEY_TYPES_BY_ALGORITHM, MAX_CANDIDATE_KEYS
from jupyter_oidc.protocol.message import ReplyUnusable, parse_object
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal, reveal_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jupyter_oidc.problems import Problem
    from jupyter_oidc.protocol.jwks import KeySet, PublicKey

_SEGMENT: Final = re.compile(r"[A-Za-z0-9_-]+")
_HMAC: Final = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
_MODEL: Final = {"Ed25519": "EdDSA"}
"""Fully specified names (RFC 9864) by their older ones; they only pin the curve, as the choice of keys does already."""


@dataclass(frozen=True, slots=True)
class Verified:
    """Header and claims of an object whose signature is valid; the claims are not judged yet."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KeysStale:
    """No candidate key, or none that verifies: fetch the key set once more and judge again (K-6)."""


def verify_compact(
    raw: Secret,
    *,
    alg: str,
    keys: KeySet,
    client_secret: Secret | None,
    refuse: Callable[[str], Problem],
    fresh: bool = False,
    special_type: str | None = None,
    before_keys: Callable[[Verified], None] | None = None,
) -> Verified | KeysStale:
    """Verify one compact JWS with the pinned ``alg`` (RFC 7515, 5.2; V-1, V-2, V-3).

    ``fresh`` says that ``keys`` were fetched during this validation: then a missing key or a wrong signature is final;
    otherwise the result is :class:`KeysStale`.
    ``special_type`` is the one registered ``typ`` that fits besides the plain ones.
    ``before_keys`` may refuse an unauthenticated token by its claims before any key is used (K-7).
    A failed check raises ``refuse(check)`` with check in ``format``, ``header``, ``type``, ``alg``, ``keys``,
    ``no_key``, ``signature``.
    """
    parts = _take_apart(raw)
    if parts is None:
        raise refuse("format")
    header = _object(parts.header)
    if header is None:
        raise refuse("format")
    _check_header(header, alg, refuse, special_type)
    claims = _object(parts.claims)
    if claims is not None and before_keys is not None:
        before_keys(Verified(header, claims))
    if alg in _HMAC:
        # NOTE: the client secret only, never a published key, so fresh keys cannot change the verdict (K-9).
        if not _authentic(alg, client_secret, parts):
            raise refuse("signature")
    else:
        candidates = keys.candidates(alg, header.get("kid"))
        if len(candidates) > MAX_CANDIDATE_KEYS:
            raise refuse("keys")
        if not any(_verifies(alg, key, parts) for key in candidates):
            if fresh:
                raise refuse("signature" if candidates else "no_key")
            return KeysStale()
    if claims is None:
        raise refuse("format")
    return Verified(header, claims)


def alg_of(raw: Secret, among: tuple[str, ...]) -> str:
    """Return the algorithm that ``raw`` names if it is ``among`` those that the caller allows, else the first of them.

    The caller pins the result; the signature is not checked here.
    """
    parts = _take_apart(raw) if len(among) > 1 else None
    header = _object(parts.header) if parts is not None else None
    named = header.get("alg") if header is not None else None
    return named if isinstance(named, str) and named in among else next(iter(among), "")


@dataclass(frozen=True, slots=True)
class _Parts:
    """The decoded parts, and the signed text; its representation shows none of them in a traceback with locals."""

    header: bytes = field(repr=False)
    claims: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    signed: bytes = field(repr=False)


def sign_compact(header: Mapping[str, Any], claims: Mapping[str, Any], key: Any) -> Secret:
    """Return ``claims`` as a compact JWS, signed with ``key`` by the algorithm in ``header`` (RFC 7515, 5.1)."""
    signed = ".".join(base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return Secret(f"{signed}.{base64url(_algorithm(header['alg']).sign(signed.encode(), key))}")


def proves(alg: str, key: Any) -> bool:
    """Return whether a signature of the private ``key`` by ``alg`` can be verified with its public half."""
    from joserfc.errors import JoseError

    algorithm, probe = _algorithm(alg), b"probe"
    try:
        return bool(algorithm.verify(probe, algorithm.sign(probe, key), key))
    except (JoseError, ValueError):
        return False


def _algorithm(alg: str) -> Any:
    from joserfc.jws import JWSRegistry

    return JWSRegistry.algorithms[_MODEL.get(alg, alg)]


def base64url(value: bytes) -> str:
    """Encode without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def _take_apart(raw: Secret) -> _Parts | None:
    """Split and decode; never raises, because an exception would carry the token in its frames."""
    try:
        parts = reveal(raw).split(".")
    except UnicodeDecodeError:
        return None
    # NOTE: five parts would be an encrypted token, which no setting asks for; no signature is alg none (V-1).
    if len(parts) != 3:
        return None
    header, claims, signature = (_decoded(part) for part in parts)
    if header is None or claims is None:
        return None
    return _Parts(header, claims, signature or b"", ".".join(parts[:2]).encode("ascii"))


def _decoded(part: str) -> bytes | None:
    """Decode unpadded base64url in its one canonical spelling (RFC 7515, 2)."""
    if not _SEGMENT.fullmatch(part) or len(part) % 4 == 1:
        return None
    try:
        value = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        return None
    return value if base64url(value) == part else None


def _object(part: bytes) -> dict[str, Any] | None:
    try:
        return parse_object(part.decode("utf-8"))
    except (UnicodeDecodeError, ReplyUnusable):
        return None


def _check_header(
    header: Mapping[str, Any],
    alg: str,
    refuse: Callable[[str], Problem],
    special_type: str | None,
) -> None:
    """Apply V-1 and V-2; ``jwk``, ``jku``, ``x5u`` and ``x5c`` are never read (K-1, A15)."""
    if header.get("alg") != alg or (alg not in KEY_TYPES_BY_ALGORITHM and alg not in _HMAC):
        raise refuse("alg")
    if "crit" in header or not isinstance(header.get("kid", ""), str):
        raise refuse("header")
    kind = header.get("typ", "JWT")
    # NOTE: every registered special type is a structured suffix: logout+jwt, at+jwt ... (RFC 8725, 3.11).
    if not isinstance(kind, str) or ("+" in kind and kind.lower() != special_type):
        raise refuse("type")


def _authentic(alg: str, client_secret: Secret | None, parts: _Parts) -> bool:
    key = b"" if client_secret is None else reveal_bytes(client_secret)
    return key != b"" and hmac.compare_digest(hmac.new(key, parts.signed, _HMAC[alg]).digest(), parts.signature)


def _verifies(alg: str, key: PublicKey, parts: _Parts) -> bool:
    from joserfc.errors import JoseError

    try:
        return bool(_algorithm(alg).verify(parts.signed, parts.signature, key.material))
    except (JoseError, ValueError, TypeError):
        return False

"""Proof of possession: the key that a session's tokens are bound to, and the proofs made with it (RFC 9449).

One algorithm, ES256; a provider that lists others only is refused before the sign-in starts.
The caller passes the time, a random seed for a key, and a random ``jti`` for a proof.
This module refuses to remember nonces and to decide which request needs a proof; ``sessions/dpop_client.py`` does.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

from jupyter_oidc.protocol.jws import base64url
from jupyter_oidc.protocol.message import ReplyUnusable, json_object, parse_object
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal, reveal_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jupyter_oidc.protocol.message import Reply

ALGORITHM: Final = "ES256"

SEED_BITS: Final = 384
"""Random bits for a key: 128 more than the order of the curve has, so that the remainder shows no bias."""

_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # SP 800-186, 3.2.1.3: P-256
_PUBLIC: Final = ("crv", "kty", "x", "y")  # RFC 7638, 3.2: the required members of an EC key, in their order

_MAX_NONCE_CHARACTERS: Final = 1024
_NONCE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 9449, 8.1: 1*NQCHAR
_DEMAND: Final = re.compile(r'error\s*=\s*(?:"use_dpop_nonce"|use_dpop_nonce)', re.IGNORECASE)


def new_key(seed: str) -> Secret:
    """Return a new private key for ES256 as JWK text, made of ``seed`` alone (FIPS 186-5, A.2.1).

    ``seed`` is base64url text of at least :data:`SEED_BITS` random bits; ``ValueError`` if it is shorter.
    """
    drawn = base64.urlsafe_b64decode(seed + "=" * (-len(seed) % 4))
    if len(drawn) * 8 < SEED_BITS:
        raise ValueError("a seed has at least 384 bits")
    return Secret(json.dumps(_members(int.from_bytes(drawn, "big") % (_ORDER - 1) + 1)))


def is_key(stored: Secret) -> bool:
    """Return whether ``stored`` is an unchanged key of :func:`new_key`."""
    try:
        members = parse_object(reveal(stored))
        number = int.from_bytes(base64.urlsafe_b64decode(str(members.get("d")) + "="), "big")
        return 0 < number < _ORDER and members == _members(number)
    except ValueError:
        return False


class ProofKey:
    """The private key of one session.

    A proof is made for every proxied request, so the key is parsed at its first use and kept in this object alone:
    it is gone with the session's last token.
    """

    __slots__ = ("_header", "_parsed", "sealed")

    def __init__(self, sealed: Secret) -> None:
        self.sealed = sealed
        self._parsed: Any = None
        self._header = ""

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a ProofKey cannot be copied or serialised")

    def thumbprint(self) -> str:
        """Return the SHA-256 thumbprint of the public key (RFC 7638), as ``dpop_jkt`` and ``cnf.jkt`` have it."""
        return base64url(hashlib.sha256(_compact(self._public()).encode()).digest())

    def proof(
        self,
        *,
        method: str,
        url: str,
        issued_at: float,
        jti: str,
        nonce: str | None = None,
        access_token: Secret | None = None,
    ) -> Secret:
        """Return a proof for one request with ``method`` to ``url`` (RFC 9449, 4.2; X-2).

        ``issued_at`` is in wall seconds; ``jti`` is new for every request, a repeated one included.
        ``access_token`` is given exactly if the request carries it.
        """
        signer = self._signer()
        claims: dict[str, object] = {
            "jti": jti,
            "htm": method,
            "htu": url.partition("#")[0].partition("?")[0],
            "iat": int(issued_at),
        }
        if nonce is not None:
            claims["nonce"] = nonce
        if access_token is not None:
            claims["ath"] = base64url(hashlib.sha256(reveal_bytes(access_token)).digest())
        signed = f"{self._header}.{base64url(_compact(claims).encode())}"
        return Secret(f"{signed}.{base64url(signer(signed.encode()))}")

    def _public(self) -> dict[str, Any]:
        members = parse_object(reveal(self.sealed))
        return {name: members[name] for name in _PUBLIC}

    def _signer(self) -> Any:
        """Return the function that signs; the parsed key is inside it."""
        if self._parsed is None:
            from joserfc.jwk import ECKey
            from joserfc.jws import JWSRegistry

            algorithm = JWSRegistry.algorithms[ALGORITHM]
            key = ECKey.import_key(parse_object(reveal(self.sealed)))
            header = {"typ": "dpop+jwt", "alg": ALGORITHM, "jwk": self._public()}
            self._header = base64url(_compact(header).encode())
            self._parsed = lambda message: algorithm.sign(message, key)
        return self._parsed


def nonce_in(values: Iterable[str]) -> str | None:
    """Return the nonce in the ``DPoP-Nonce`` headers ``values``: there is one at most (RFC 9449, 8.1; X-7)."""
    found = list(values)
    if len(found) != 1 or len(found[0]) > _MAX_NONCE_CHARACTERS or not _NONCE.fullmatch(found[0]):
        return None
    return found[0]


def token_endpoint_wants_nonce(reply: Reply) -> bool:
    """Return whether a token request was refused because it lacks a nonce (RFC 9449, 8; X-5)."""
    if reply.status != 400:
        return False
    try:
        return json_object(reply).get("error") == "use_dpop_nonce"
    except ReplyUnusable:
        return False


def challenge_wants_nonce(challenges: Iterable[str]) -> bool:
    """Return whether one of the ``WWW-Authenticate`` headers asks for a nonce, by the scheme DPoP (RFC 9449, 9; X-6).

    A header may hold several challenges, and text in quotes is no challenge (RFC 9110, 11.6.1).
    """
    scheme = ""
    for header in challenges:
        for element in _elements(header):
            word, *rest = element.split(None, 1) or [""]
            begins = "=" not in word and not (rest and rest[0].startswith("="))
            if begins:
                scheme = word.lower()
            if scheme == "dpop" and _DEMAND.fullmatch("".join(rest) if begins else element):
                return True
    return False


def _elements(header: str) -> Iterator[str]:
    """Split ``header`` at its commas, those in quotes excepted."""
    begin, quoted, escaped = 0, False, False
    for place, character in enumerate(header):
        if escaped:
            escaped = False
        elif character == '"':
            quoted = not quoted
        elif quoted:
            escaped = character == "\\"
        elif character == ",":
            yield header[begin:place].strip()
            begin = place + 1
    yield header[begin:].strip()


def _members(number: int) -> dict[str, str]:
    """Return the private JWK whose private number is ``number`` (RFC 7518, 6.2)."""
    from cryptography.hazmat.primitives.asymmetric import ec

    point = ec.derive_private_key(number, ec.SECP256R1()).public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": _octets(point.x), "y": _octets(point.y), "d": _octets(number)}


def _compact(members: dict[str, Any]) -> str:
    return json.dumps(members, separators=(",", ":"))


def _octets(number: int) -> str:
    """Return a coordinate or the private number with all its 32 bytes (RFC 7518, 6.2.1.2, 6.2.2.1)."""
    return base64url(number.to_bytes(32, "big"))

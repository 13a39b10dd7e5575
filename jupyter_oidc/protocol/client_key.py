"""Reads a client's private key from text: PEM (PKCS#8, PKCS#1, SEC1), with or without certificates, or JWK.

A fault is returned as a word, and never raised as an exception: its frames would carry the key.
This module refuses to guess which of several keys was meant, and checks every attribute that a key claims.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

from jupyter_oidc.protocol.jwks import KEY_TYPES_BY_ALGORITHM
from jupyter_oidc.protocol.jws import base64url
from jupyter_oidc.protocol.message import ReplyUnusable, parse_object
from jupyter_oidc.secret_access import reveal

if TYPE_CHECKING:
    from jupyter_oidc.secret import Secret

Fault = Literal["unreadable", "several", "certificate", "certificate of another key"]

_BEGIN: Final = re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")
_CERTIFICATE: Final = "-----BEGIN CERTIFICATE-----"
_PSS: Final = bytes.fromhex("06092a864886f70d01010a")  # RFC 4055, 3.1: id-RSASSA-PSS
_MAX_KEY_ID_CHARACTERS: Final = 256


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A key that can sign; ``shape`` is key type and curve, as ``KEY_TYPES_BY_ALGORITHM`` has them.

    ``key_id`` and ``alg`` are members of a JWK, ``thumbprint`` is that of RFC 7638, and ``certificate`` the thumbprint
    of the certificate beside a PEM key (``x5t#S256``).
    ``only_pss`` says that the key may only sign with PSS (RFC 4055, 3.1).
    """

    material: Any = field(repr=False)
    shape: tuple[str, str]
    bits: int
    thumbprint: str
    key_id: str | None = None
    alg: str | None = None
    certificate: str | None = None
    only_pss: bool = False

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a ClientKey cannot be copied or serialised")


def read_client_key(stored: Secret) -> ClientKey | Fault:
    """Return the one private key in ``stored``, or its fault."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from joserfc.errors import JoseError

    try:
        text = reveal(stored).strip()
        return _from_jwk(text) if text.startswith("{") else _from_pem(text)
    except (JoseError, UnsupportedAlgorithm, ReplyUnusable, ValueError, TypeError, KeyError, AttributeError):
        return "unreadable"


def _from_jwk(text: str) -> ClientKey | Fault:
    from joserfc.jwk import import_key

    members = parse_object(text)
    if members.get("kty") not in ("RSA", "EC", "OKP"):
        return "unreadable"
    said = import_key(members)
    if not said.is_private:
        return "unreadable"
    said.check_use("sig")
    said.check_key_op("sign")
    kind: Any = type(said)
    derived = kind.import_key(said.raw_value)
    if derived.thumbprint() != said.thumbprint():  # the public half in the text is not the key's own
        return "unreadable"
    key_id, alg = members.get("kid"), members.get("alg")
    usable = isinstance(key_id, str) and key_id.isprintable() and 0 < len(key_id) <= _MAX_KEY_ID_CHARACTERS
    return _of(derived, key_id=key_id if usable else None, alg=alg if alg in KEY_TYPES_BY_ALGORITHM else None)


def _from_pem(text: str) -> ClientKey | Fault:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    found = list(_BEGIN.finditer(text))
    if len(found) != 1:
        return "several" if found else "unreadable"
    # NOTE: OpenSSL's check of an RSA key takes up to a second and holds the interpreter; a trial signature suffices.
    native = load_pem_private_key(text[found[0].start() :].encode(), None, unsafe_skip_rsa_key_validation=True)
    kinds: tuple[tuple[Any, Any], ...] = ((RSAPrivateKey, RSAKey), (EllipticCurvePrivateKey, ECKey), (object, OKPKey))
    kind = next(kind for of, kind in kinds if isinstance(native, of))
    key = kind.import_key(native)
    only_pss = kind is RSAKey and _PSS in base64.b64decode("".join(text[found[0].end() :].split())[:80])
    if _CERTIFICATE not in text:
        return _of(key, only_pss=only_pss)
    try:
        thumbprint = _thumbprint_of_its_certificate(text, key)
    except ValueError:
        return "certificate"
    if thumbprint is None:
        return "certificate of another key"
    return _of(key, certificate=thumbprint, only_pss=only_pss)


def _thumbprint_of_its_certificate(text: str, key: Any) -> str | None:
    """Return ``x5t#S256`` of the certificate of ``key`` among those in ``text`` (RFC 7515, 4.1.8)."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509 import load_pem_x509_certificates

    for certificate in load_pem_x509_certificates(text.encode()):
        if certificate.public_key() == key.public_key:
            return base64url(certificate.fingerprint(SHA256()))
    return None


def _of(key: Any, **more: Any) -> ClientKey:
    rsa = key.key_type == "RSA"
    shape = (key.key_type, "" if rsa else key.curve_name)
    return ClientKey(key, shape, key.raw_value.key_size if rsa else 0, key.thumbprint(), **more)

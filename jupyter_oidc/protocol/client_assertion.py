"""The signed statement by which a client proves itself without sending a secret (RFC 7523, 2.2, 3; Core 1.0, 9).

``client_secret_jwt`` signs with the client secret, ``private_key_jwt`` with a key of which the provider knows the
public half only.
Time and chance are arguments: the caller gives the time and draws the ``jti``.
This module refuses keys that are too short for their algorithm, and to guess which key was meant.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.airlock import reveal, reveal_bytes
from jupyter_oidc.errors import ConfigurationInvalid
from jupyter_oidc.protocol.jwks import FITTING, SMALLEST_RSA
from jupyter_oidc.protocol.jws import base64url, sign_compact
from jupyter_oidc.protocol.message import ReplyUnusable, parse_object

if TYPE_CHECKING:
    from jupyter_oidc.secret import Secret

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""RFC 7523, 2.2."""

LIFETIME: Final = 120.0
"""Seconds: so much may the provider's clock be ahead of ours, and well below the five minutes of T-7 if it is behind."""

_BY_KEY: Final = {
    ("RSA", ""): "RS256",
    ("EC", "P-256"): "ES256",
    ("EC", "P-384"): "ES384",
    ("EC", "P-521"): "ES512",
    ("OKP", "Ed25519"): "EdDSA",
}
"""The algorithm of a key for which the settings name none."""

_OCTETS: Final = {"HS256": 32, "HS384": 48, "HS512": 64}
"""The least length of a secret, in bytes (RFC 7518, 3.2)."""

_CERTIFICATE: Final = "-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that is ready to sign: made for one request, and forgotten with it."""

    alg: str
    header: dict[str, str]
    key: Any = field(repr=False)

    @property
    def key_id(self) -> str | None:
        """The ``kid`` by which the provider finds the public half; ``None`` for a client secret."""
        return self.header.get("kid")

    def assertion(self, *, client_id: str, issuer: str, issued_at: float, jti: str) -> Secret:
        """Return an assertion of ``client_id`` for ``issuer`` and nobody else, good for one request (T-7, T-8, T-9).

        ``issued_at`` is in wall seconds.
        """
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": issuer,
            "jti": jti,
            "iat": int(issued_at),
            "exp": int(issued_at + LIFETIME),
        }
        return sign_compact(self.header, claims, self.key)


def secret_signer(secret: Secret | None, alg: str | None) -> Signer:
    """Return the signer of ``client_secret_jwt``, with HS256 unless ``alg`` says otherwise (T-9).

    Raises :class:`ConfigurationInvalid` for a secret that is missing or too short.
    """
    alg = alg or "HS256"
    if secret is None or not reveal_bytes(secret):
        raise _unfit("The client authentication method client_secret_jwt needs a client secret, and there is none.")
    if len(reveal_bytes(secret)) < _OCTETS[alg]:
        raise _unfit(
            f"The client secret is too short to sign with {alg}, which needs {_OCTETS[alg]} bytes.",
            "Ask your administrator for a longer client secret, or for another token_endpoint_auth_method.",
        )
    from joserfc.jwk import OctKey

    return Signer(alg, {"typ": "JWT", "alg": alg}, OctKey.import_key(reveal_bytes(secret)))


def key_signer(stored: Secret | None, alg: str | None, key_id: str | None) -> Signer:
    """Return the signer of ``private_key_jwt``: ``stored`` is a private key as PEM or JWK text (T-7).

    The ``kid`` is ``key_id``, or the key's own, or its thumbprint (RFC 7638). A certificate that stands beside a PEM key
    is named by ``x5t#S256`` (RFC 7515, 4.1.8), because some providers know a client's key by its certificate.
    Raises :class:`ConfigurationInvalid` for a key that is missing, cannot be read, or does not fit ``alg``.
    """
    if stored is None:
        raise _unfit("The client authentication method private_key_jwt needs a private key, and there is none.")
    key, named = _private_key(stored)
    shape = (key.key_type, "" if key.key_type == "RSA" else key.curve_name)
    alg = alg or named.pop("alg", None) or _BY_KEY.get(shape)
    if alg is None or shape not in FITTING.get(alg, ()):
        raise _unfit(
            f"The client's private key ({' '.join(shape).strip()}) does not fit the algorithm {alg or 'of any kind'}.",
            "Ask your administrator to set token_endpoint_auth_signing_alg to one that fits, or to use another key.",
        )
    if key.key_type == "RSA" and key.raw_value.key_size < SMALLEST_RSA:
        raise _unfit(f"The client's private key has less than {SMALLEST_RSA} bits.")
    header = {"typ": "JWT", "alg": alg, "kid": key_id or named.pop("kid", None) or key.thumbprint()}
    return Signer(alg, {**header, **{name: value for name, value in named.items() if name == "x5t#S256"}}, key)


def _private_key(stored: Secret) -> tuple[Any, dict[str, str]]:
    """Return the key, and what is said of it beside it: ``kid``, ``alg``, ``x5t#S256``."""
    from joserfc.errors import JoseError

    # NOTE: the refusal is raised after the handler, so that it drags along no frame in which the key has a name.
    try:
        text = reveal(stored).strip()
        key, named = _from_jwk(text) if text.startswith("{") else _from_pem(text)
        key.check_use("sig")
        key.check_key_op("sign")
    except (JoseError, ReplyUnusable, ValueError, TypeError, KeyError):
        key, named = None, {}
    if key is None or not key.is_private:
        raise _unfit("The client's private key cannot be read.")
    return key, named


def _from_jwk(text: str) -> tuple[Any, dict[str, str]]:
    from joserfc.jwk import import_key

    members = parse_object(text)
    if members.get("kty") == "oct":
        raise ValueError("a shared secret is no private key")
    return import_key(members), {name: members[name] for name in ("kid", "alg") if isinstance(members.get(name), str)}


def _from_pem(text: str) -> tuple[Any, dict[str, str]]:
    """Return the one private key in ``text``, whatever else stands there."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )
    from joserfc.jwk import ECKey, OKPKey, RSAKey

    found = load_pem_private_key(text.encode(), None)
    kind = (
        RSAKey if isinstance(found, RSAPrivateKey) else ECKey if isinstance(found, EllipticCurvePrivateKey) else OKPKey
    )
    key = kind.import_key(found.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key, _certificate_of(text, key) if _CERTIFICATE in text else {}


def _certificate_of(text: str, key: Any) -> dict[str, str]:
    """Return the thumbprint of the first certificate in ``text``, which has to be that of ``key``."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509 import load_pem_x509_certificates

    certificate = load_pem_x509_certificates(text.encode())[0]
    if certificate.public_key() != key.public_key:
        raise _unfit("The certificate beside the client's private key belongs to another key.")
    return {"x5t#S256": base64url(certificate.fingerprint(SHA256()))}


def _unfit(message: str, action: str = "") -> ConfigurationInvalid:
    return ConfigurationInvalid(
        message,
        action=action
        or "Ask your administrator to put the private key (PEM without a password, or JWK) where "
        "client_assertion_key says it is, or to choose another token_endpoint_auth_method.",
        detail="token.client_assertion",
    )

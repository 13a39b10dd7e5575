"""Signs the assertions by which a client authenticates without sending a secret (RFC 7523, 2.2, 3; Core 1.0, 9).

``client_secret_jwt`` signs with the client secret, ``private_key_jwt`` with a key of which the provider knows the
public half only.
The caller passes the time and a random ``jti``.
This module refuses keys that are too short for their algorithm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NoReturn

from jupyter_oidc.language import N_, Sentence, sentence
from jupyter_oidc.problems import ConfigurationInvalid
from jupyter_oidc.protocol.client_key import ClientKey, Fault, read_client_key
from jupyter_oidc.protocol.jwks import KEY_TYPES_BY_ALGORITHM, MIN_RSA_BITS
from jupyter_oidc.protocol.jws import proves, sign_compact
from jupyter_oidc.secret_access import reveal_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from jupyter_oidc.secret import Secret

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
"""RFC 7523, 2.2."""

ASSERTION_LIFETIME_SECONDS: Final = 120.0
"""Seconds: the provider's clock may be ahead of ours by that, and if it is behind, T-7 allows five minutes."""

_BY_KEY: Final = {
    ("RSA", ""): "RS256",
    ("EC", "P-256"): "ES256",
    ("EC", "P-384"): "ES384",
    ("EC", "P-521"): "ES512",
    ("OKP", "Ed25519"): "EdDSA",
}
"""The algorithm of a key for which the settings name none."""

_PUBLIC_MEMBERS: Final[tuple[str, ...]] = ("kty", "crv", "x", "y", "n", "e")
"""The members of a public key (RFC 7518, 6.2.1, 6.3.1; RFC 8037, 2); no other member is published."""

_MIN_SECRET_BYTES: Final = {"HS256": 32, "HS384": 48, "HS512": 64}
"""The least length of a secret, in bytes (RFC 7518, 3.2)."""

_FAULTS: Final[dict[Fault, str]] = {
    "unreadable": N_("The client's private key cannot be read."),
    "several": N_("There are several private keys where the client's private key should be."),
    "certificate": N_("A certificate beside the client's private key cannot be read."),
    "certificate of another key": N_("The certificate beside the client's private key belongs to another key."),
}


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that is ready to sign, kept as long as its source stays the same."""

    alg: str
    header: dict[str, str]
    key: Any = field(repr=False)

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a Signer cannot be copied or serialised")

    @property
    def key_id(self) -> str | None:
        """The ``kid`` by which the provider finds the public half; ``None`` for a client secret."""
        return self.header.get("kid")

    def public_jwk(self) -> dict[str, str] | None:
        """Return the public key for the registration at the provider; ``None`` for a client secret."""
        if self.key_id is None:
            return None
        members: dict[str, Any] = self.key.as_dict(private=False)
        kept: dict[str, str] = {name: str(members[name]) for name in _PUBLIC_MEMBERS if name in members}
        return {**kept, "use": "sig", "alg": self.alg, "kid": self.key_id}

    def assertion(self, *, client_id: str, issuer: str, issued_at: float, jti: str) -> Secret:
        """Return an assertion of ``client_id`` for ``issuer`` alone, good for one request (T-7, T-8, T-9).

        ``issued_at`` is in wall seconds.
        """
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": issuer,
            "jti": jti,
            "iat": int(issued_at),
            "exp": int(issued_at + ASSERTION_LIFETIME_SECONDS),
        }
        return sign_compact(self.header, claims, self.key)


def secret_signer(secret: Secret | None, alg: str | None, listed: frozenset[str] | None = None) -> Signer:
    """Return the signer of ``client_secret_jwt``, with HS256 unless ``alg``, or ``listed``, says otherwise (T-9).

    Raises :class:`ConfigurationInvalid` for a secret that is missing, too short, or the text of a key.
    """
    alg = alg or _listed("HS256", _MIN_SECRET_BYTES, listed)
    if secret is None or not reveal_bytes(secret):
        raise _unfit(N_("The client authentication method client_secret_jwt needs a client secret, and there is none."))
    if len(reveal_bytes(secret)) < _MIN_SECRET_BYTES[alg]:
        raise _unfit(
            sentence(
                "The client secret is too short to sign with {alg}, which needs {min_bytes} bytes.",
                alg=alg,
                min_bytes=_MIN_SECRET_BYTES[alg],
            ),
            N_("Ask your administrator for a longer client secret, or for another token_endpoint_auth_method."),
        )
    key = _shared(secret)
    if key is None:
        raise _unfit(N_("What client_secret leads to is a key or a certificate, and no secret."))
    return Signer(alg, {"typ": "JWT", "alg": alg}, key)


def key_signer(
    stored: Secret | None,
    alg: str | None,
    key_id: str | None,
    listed: frozenset[str] | None = None,
    *,
    admitted: Collection[str] | None = None,
) -> Signer:
    """Return the signer of ``private_key_jwt``: ``stored`` is a private key as PEM or JWK text (T-7).

    Without ``alg`` it is the key's own algorithm, or one that suits the key, preferably one that is ``listed``.

    The ``kid`` is ``key_id``, or the key's own, or its thumbprint (RFC 7638). A certificate that stands beside a PEM
    key is named by ``x5t#S256`` (RFC 7515, 4.1.8), because some providers know a client's key by its certificate.
    ``admitted`` are the only algorithms that a profile allows.
    Raises :class:`ConfigurationInvalid` for a key that is missing, cannot be read, or does not fit ``alg``.
    """
    if stored is None:
        raise _unfit(N_("The client authentication method private_key_jwt needs a private key, and there is none."))
    # NOTE: an unreadable key comes back as a word, so that no traceback has a frame with a variable of its text (T-12).
    key = read_client_key(stored)
    if not isinstance(key, ClientKey):
        raise _unfit(_FAULTS[key])
    usual = "PS256" if key.only_pss or (admitted and key.shape[0] == "RSA") else _BY_KEY.get(key.shape)
    suits = [
        one
        for one in admitted or KEY_TYPES_BY_ALGORITHM
        if key.shape in KEY_TYPES_BY_ALGORITHM[one] and (one.startswith("PS") or not key.only_pss)
    ]
    alg = alg or key.alg or (_listed(usual, suits, listed) if usual else None)
    if admitted is not None and alg not in admitted:
        raise _unfit(
            N_("The client's private key is for an algorithm that the profile in the settings does not allow."),
            sentence(
                "Ask your administrator for a key that signs with one of: {algorithms}.",
                algorithms=", ".join(admitted),
            ),
        )
    if (
        alg is None
        or key.shape not in KEY_TYPES_BY_ALGORITHM.get(alg, ())
        or (key.only_pss and not alg.startswith("PS"))
    ):
        kind = " ".join(key.shape).strip()
        raise _unfit(
            _misfit(sentence("{kind}, for PSS only", kind=kind) if key.only_pss else kind, alg),
            N_(
                "Ask your administrator to set token_endpoint_auth_signing_alg to one that fits, or to use another key."
            ),
        )
    if key.shape[0] == "RSA" and key.bits < MIN_RSA_BITS:
        raise _unfit(sentence("The client's private key has less than {min_bits} bits.", min_bits=MIN_RSA_BITS))
    if not proves(alg, key.material):
        raise _unfit(_FAULTS["unreadable"])
    header = {"typ": "JWT", "alg": alg, "kid": key_id or key.key_id or key.thumbprint}
    return Signer(alg, {**header, **({"x5t#S256": key.certificate} if key.certificate else {})}, key.material)


def _listed(usual: str, suits: Iterable[str], listed: frozenset[str] | None) -> str:
    """Return ``usual`` unless the provider lists algorithms without it, and another of them ``suits``."""
    if listed is None or usual in listed:
        return usual
    return next((alg for alg in suits if alg in listed), usual)


def _shared(secret: Secret) -> Any:
    """Return the key that ``secret`` is; ``None`` for the text of another kind of key."""
    from joserfc.errors import JoseError
    from joserfc.jwk import OctKey

    if reveal_bytes(secret).lstrip().startswith(b"-----BEGIN"):
        return None
    try:
        return OctKey.import_key(reveal_bytes(secret))
    except (JoseError, ValueError):
        return None


def _misfit(kind: str, alg: str | None) -> Sentence:
    if alg:
        return sentence("The client's private key ({kind}) does not fit the algorithm {alg}.", kind=kind, alg=alg)
    return sentence("The client's private key ({kind}) does not fit any algorithm.", kind=kind)


def _unfit(message: str, action: str = "") -> ConfigurationInvalid:
    return ConfigurationInvalid(
        message,
        action=action
        or N_(
            "Ask your administrator to put the private key (PEM without a password, or JWK) where "
            "client_assertion_key says it is, or to choose another token_endpoint_auth_method."
        ),
        detail="token.client_assertion",
    )

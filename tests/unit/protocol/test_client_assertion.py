"""A signed assertion proves the client in place of a secret on the wire: T-7, T-8, T-9."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import pickle
import traceback
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey

from jupyter_oidc.problems import ConfigurationInvalid
from jupyter_oidc.protocol.client_assertion import (
    ASSERTION_LIFETIME_SECONDS,
    ASSERTION_TYPE,
    Signer,
    key_signer,
    secret_signer,
)
from jupyter_oidc.protocol.client_authentication import Client, authenticate
from jupyter_oidc.protocol.client_key import read_client_key
from jupyter_oidc.protocol.jws import base64url
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from tests.support.marker import MARKER
from tests.unit.protocol.makers import CLIENT, EC, ED, ISSUER, NOW, OTHER_RSA, RSA

PUBLIC_PEM = EC.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
SECRET = Secret("a-client-secret-of-at-least-sixty-four-characters-as-HS512-needs-it")
P384, P521 = ECKey.generate_key("P-384"), ECKey.generate_key("P-521")


def pem(key: Any) -> str:
    text: bytes = key.as_pem(private=True)
    return text.decode()


def jwk(key: Any, **more: Any) -> str:
    return json.dumps({**key.as_dict(private=True), **more})


def made(signer: Signer, jti: str = "j-1") -> Secret:
    return signer.assertion(client_id=CLIENT, issuer=ISSUER, issued_at=NOW + 0.9, jti=jti)


def refused(stored: Secret | None, alg: str | None = None) -> ConfigurationInvalid:
    with pytest.raises(ConfigurationInvalid) as caught:
        key_signer(stored, alg, None)
    assert caught.value.detail == "token.client_assertion"
    return caught.value


def leaks(problem: ConfigurationInvalid, text: str) -> list[str]:
    """Return the lines of ``text`` that an error report with the locals of all frames would show."""
    told = traceback.TracebackException.from_exception(problem, capture_locals=True)
    frames = [frame for frame in told.stack if "jupyter_oidc" in frame.filename]
    assert frames
    shown = "\n".join([*told.format_exception_only(), *(str(frame.locals) for frame in frames)])
    return [line for line in text.splitlines() if len(line) > 10 and line in shown]


@pytest.mark.parametrize(
    ("key", "alg", "chosen"),
    [
        (RSA, None, "RS256"),
        (RSA, "PS384", "PS384"),
        (EC, None, "ES256"),
        (P384, None, "ES384"),
        (P521, None, "ES512"),
        (ED, None, "EdDSA"),
    ],
    ids=["RSA", "PSS", "P-256", "P-384", "P-521", "Ed25519"],
)
@pytest.mark.parametrize("written", [pem, jwk], ids=["PEM", "JWK"])
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_an_assertion_says_who_it_is_from_and_for_whom(key: Any, alg: str | None, chosen: str, written: Any) -> None:
    """T-7: the audience is the issuer as a single string; an assertion has a ``kid`` and lives five minutes at most."""
    token = jwt.decode(reveal(made(key_signer(Secret(written(key)), alg, None))), key, algorithms=[chosen])
    assert token.header == {"typ": "JWT", "alg": chosen, "kid": key.thumbprint()}
    assert token.claims == {
        "iss": CLIENT,
        "sub": CLIENT,
        "aud": ISSUER,
        "jti": "j-1",
        "iat": int(NOW),
        "exp": int(NOW + ASSERTION_LIFETIME_SECONDS),
    }
    assert ASSERTION_LIFETIME_SECONDS < 300


@pytest.mark.parametrize("alg", [None, "HS256", "HS384", "HS512"])
def test_the_client_secret_signs_as_well(alg: str | None) -> None:
    """T-9: Client secrets can sign assertions."""
    signer = secret_signer(SECRET, alg)
    token = jwt.decode(reveal(made(signer)), OctKey.import_key(reveal(SECRET)), algorithms=[alg or "HS256"])
    assert (token.claims["aud"], token.header, signer.key_id) == (ISSUER, {"typ": "JWT", "alg": alg or "HS256"}, None)


@pytest.mark.parametrize(
    ("secret", "alg"),
    [(None, None), (Secret(""), None), (Secret("x" * 31), None), (Secret("x" * 63), "HS512")],
    ids=["none", "empty", "short", "short for 512"],
)
def test_a_secret_that_is_missing_or_too_short_signs_nothing(secret: Secret | None, alg: str | None) -> None:
    """RFC 7518, 3.2: the key is at least as long as the hash."""
    with pytest.raises(ConfigurationInvalid, match=r"too short|needs a client secret"):
        secret_signer(secret, alg)


@pytest.mark.parametrize("text", [PUBLIC_PEM, pem(EC)], ids=["public", "private"])
def test_a_key_in_the_place_of_a_secret_signs_nothing(text: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="and no secret") as caught:
        secret_signer(Secret(text), None)
    assert leaks(caught.value, text) == []


def test_what_a_jwk_says_of_itself_is_taken_only_if_it_can_be_shown() -> None:
    """An error report prints the id in a terminal."""
    odd = key_signer(Secret(jwk(EC, kid="\x1b[31mx\nok", alg="a text")), None, None)
    assert odd.header == {"typ": "JWT", "alg": "ES256", "kid": EC.thumbprint()}


def test_the_settings_name_the_key_before_the_key_names_itself() -> None:
    """T-7: Private keys sign short assertions for the issuer."""
    stored = Secret(jwk(RSA, kid="own", alg="PS256"))
    assert key_signer(stored, None, None).header == {"typ": "JWT", "alg": "PS256", "kid": "own"}
    assert key_signer(stored, "RS512", "configured").header == {"typ": "JWT", "alg": "RS512", "kid": "configured"}


def raw_pss_pem() -> str:
    """Return an RSA key whose algorithm is id-RSASSA-PSS without parameters (RFC 4055, 3.1).

    No library here writes such a key.
    """
    der = RSA.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    any_padding, pss = bytes.fromhex("300d06092a864886f70d0101010500"), bytes.fromhex("300b06092a864886f70d01010a")
    length = (int.from_bytes(der[2:4], "big") - 2).to_bytes(2, "big")
    body = base64.encodebytes(der[:2] + length + der[4:].replace(any_padding, pss, 1)).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{body}-----END PRIVATE KEY-----\n"


def certificate_of(key: Any) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "jupyter")])
    day = dt.datetime(2026, 11, 25, tzinfo=dt.timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key, 1, day, day + dt.timedelta(days=1))
    return builder.sign(key.private_key, hashes.SHA256())


@pytest.mark.parametrize("first", ["key", "certificate"])
def test_a_certificate_beside_the_key_is_named_by_its_thumbprint(first: str) -> None:
    """RFC 7515, 4.1.8: ``x5t#S256`` is the SHA-256 thumbprint of the certificate."""
    certificate = certificate_of(RSA)
    parts = [pem(RSA), certificate.public_bytes(Encoding.PEM).decode()]
    signer = key_signer(Secret("\n".join(parts if first == "key" else reversed(parts))), None, None)
    assert signer.header["x5t#S256"] == base64url(hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest())
    assert jwt.decode(reveal(made(signer)), RSA, algorithms=["RS256"]).header == signer.header


def certificate_text(key: Any) -> str:
    return certificate_of(key).public_bytes(Encoding.PEM).decode()


def test_other_certificates_may_stand_there_too() -> None:
    signer = key_signer(Secret(certificate_text(EC) + certificate_text(RSA) + pem(RSA)), None, None)
    assert signer.header["x5t#S256"] == base64url(certificate_of(RSA).fingerprint(hashes.SHA256()))


TORN = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
CONFUSED = {
    "certificate of another key": (pem(RSA) + certificate_text(EC), "belongs to another key"),
    "broken certificate": (pem(RSA) + TORN, "certificate beside the client's private key cannot be read"),
    "two keys": (pem(RSA) + pem(EC), "several private keys"),
    "for PSS only": (raw_pss_pem(), "(RSA, for PSS only) does not fit the algorithm RS256"),
}


@pytest.mark.parametrize(("text", "says"), CONFUSED.values(), ids=CONFUSED)
def test_what_could_mean_two_things_is_refused_and_nothing_of_it_stays(text: str, says: str) -> None:
    """T-12: Secrets never reach logs, pages or URLs."""
    problem = refused(Secret(text), "RS256")
    assert says in problem.message
    assert leaks(problem, text) == []


def test_a_key_for_pss_signs_by_pss() -> None:
    """RFC 4055, 3.1: such a key must not sign by PKCS #1 v1.5."""
    assert key_signer(Secret(raw_pss_pem()), None, None).alg == "PS256"


def raw_pem(key: Any, encryption: Any = None) -> str:
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())
    return text.decode()


SM2 = "MIGHAgEAMBMGByqGSM49AgEGCCqBHM9VAYItBG0wawIBAQQg" + "A" * 130
UNREADABLE = {
    "empty": "",
    "a sentence": f"{MARKER} is no key",
    "public PEM": PUBLIC_PEM,
    "public JWK": json.dumps(EC.as_dict(private=False)),
    "a secret as JWK": '{"kty": "oct", "k": "AAAA"}',
    "no JSON": '{"kty": ',
    "JSON without kty": "{}",
    "JSON with twice kty": '{"kty": "EC", "kty": "RSA"}',
    "half an RSA key": '{"kty": "RSA", "n": "AQ", "e": "AQAB", "d": 5}',
    "for encryption": jwk(EC, use="enc"),
    "for verification": jwk(EC, key_ops=["verify"]),
    "with a password": raw_pem(
        ec.generate_private_key(ec.SECP256R1()), serialization.BestAvailableEncryption(b"password")
    ),
    "DSA": raw_pem(dsa.generate_private_key(2048)),
    "torn PEM": pem(EC)[:80],
    "a curve that nobody reads": f"-----BEGIN PRIVATE KEY-----\n{SM2}\n-----END PRIVATE KEY-----",
    "another public half": jwk(EC, x=P384.as_dict()["x"]),
    "another public half of Ed25519": jwk(ED, x=OKPKey.generate_key("Ed25519").as_dict()["x"]),
    "another public half of RSA": jwk(RSA, n=OTHER_RSA.as_dict()["n"]),
    "half a surrogate pair": '{"kty": "EC", "kid": "\\ud800"}',
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_private_key_is_refused_without_a_word_of_it(text: str) -> None:
    """T-12: Secrets never reach logs, pages or URLs."""
    problem = refused(Secret(text))
    assert problem.message == "The client's private key cannot be read."
    assert leaks(problem, text) == []
    assert problem.__context__ is None


def test_bytes_that_are_no_text_are_no_key() -> None:
    assert "cannot be read" in refused(Secret(b"\xff\xfe")).message


def test_no_key_at_all_is_said_so() -> None:
    assert "needs a private key" in refused(None).message


@pytest.mark.parametrize(
    ("key", "alg"),
    [(RSA, "ES256"), (EC, "RS256"), (EC, "ES384"), (ED, "ES256"), (RSA, "HS256"), (RSA, "none")],
)
def test_an_algorithm_of_another_kind_of_key_is_a_mistake(key: Any, alg: str) -> None:
    assert "does not fit the algorithm" in refused(Secret(pem(key)), alg).message


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP256K1()), ec.generate_private_key(ec.SECP224R1())], ids=["256k1", "P-224"]
)
def test_a_curve_without_an_algorithm_is_a_mistake(key: Any) -> None:
    refused(Secret(raw_pem(key)))


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_a_short_rsa_key_is_a_mistake() -> None:
    """RFC 7518, 3.3: a key of RSA has 2048 bits or more."""
    assert "2048 bits" in refused(Secret(raw_pem(rsa.generate_private_key(65_537, 1024)))).message


def signing(method: Any, signer: Signer) -> Client:
    counter = iter(range(10))
    return Client(CLIENT, method, None, lambda: made(signer, f"j-{next(counter)}"), signer.alg)


def test_the_body_names_the_client_and_makes_a_new_assertion_each_time() -> None:
    """T-3, T-8: the field is a function, so that no repetition can send the same assertion."""
    fields, basic = authenticate(signing("private_key_jwt", key_signer(Secret(pem(EC)), None, None)))
    assert basic is None
    assert fields[:2] == (("client_id", CLIENT), ("client_assertion_type", ASSERTION_TYPE))
    name, assertion = fields[2]
    assert (name, len(fields)) == ("client_assertion", 3)
    assert callable(assertion)
    told = [jwt.decode(reveal(assertion()), EC, algorithms=["ES256"]).claims["jti"] for _ in range(2)]
    assert told == ["j-0", "j-1"]


@pytest.mark.parametrize("method", ["client_secret_jwt", "private_key_jwt"])
def test_without_a_signer_nothing_else_is_sent_in_its_place(method: Any) -> None:
    """T-3: the client falls back to no other method, although there is a secret."""
    with pytest.raises(ConfigurationInvalid, match="needs a key to sign with"):
        authenticate(Client(CLIENT, method, SECRET))


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_other_methods_send_no_assertion(method: Any) -> None:
    """T-3: the client uses exactly one method."""
    fields, _ = authenticate(Client(CLIENT, method, SECRET, lambda: Secret("x"), "ES256"))
    assert "client_assertion" not in dict(fields)


def test_neither_key_nor_assertion_shows() -> None:
    """T-12: Secrets never reach logs, pages or URLs."""
    signer = key_signer(Secret(jwk(EC)), None, None)
    for kept in (signer, read_client_key(Secret(jwk(EC)))):
        with pytest.raises(TypeError, match="cannot be copied"):
            pickle.dumps(kept)
    shown = repr(signer) + repr(signing("private_key_jwt", signer)) + repr(made(signer))
    assert EC.as_dict(private=True)["d"] not in shown
    assert reveal(made(signer)).split(".")[2] not in shown


@pytest.mark.parametrize(
    ("key", "members"),
    [
        (RSA, {"kty", "n", "e", "use", "alg", "kid"}),
        (EC, {"kty", "crv", "x", "y", "use", "alg", "kid"}),
        (ED, {"kty", "crv", "x", "use", "alg", "kid"}),
    ],
    ids=["RSA", "EC", "Ed25519"],
)
def test_what_is_shown_to_be_copied_is_the_public_half_and_nothing_of_the_other(key: Any, members: set[str]) -> None:
    """Q9.9, T-12: RFC 7517, 4; unlisted members of the key, ``d`` and ``p`` among them, are left out."""
    public = key_signer(Secret(pem(key)), None, "k-7").public_jwk()
    assert public is not None
    assert (set(public), public["kid"], public["use"]) == (members, "k-7", "sig")
    private = {value for name, value in key.as_dict(private=True).items() if name not in members}
    assert private.isdisjoint(public.values())


def test_what_is_copied_verifies_what_is_signed() -> None:
    """Q9.9: a provider that registers exactly this key accepts the assertion."""
    signer = key_signer(Secret(pem(EC)), None, None)
    assert jwt.decode(reveal(made(signer)), ECKey.import_key({**(signer.public_jwk() or {})})).claims["iss"] == CLIENT


def test_a_secret_has_no_public_half() -> None:
    """Q9.9: Doctor shows which public key to register."""
    assert secret_signer(SECRET, None).public_jwk() is None

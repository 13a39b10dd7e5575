"""Signed objects: V-1 to V-3 and K-1 to K-9, faults A15, A18, A20."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING

import pytest
from joserfc.jwk import OctKey

from jupyter_oidc.problems import IdTokenRejected
from jupyter_oidc.protocol.jws import KeysStale, Verified, verify_compact
from jupyter_oidc.secret import Secret
from tests.unit.protocol.makers import (
    EC,
    ED,
    KEYS,
    NO_KEYS,
    OTHER_RSA,
    RSA,
    Key,
    base64url,
    jwk,
    key_set,
    signed,
)

if TYPE_CHECKING:
    from jupyter_oidc.protocol.jwks import KeySet

PAYLOAD = {"a": 1}
HMAC_KEY = "a-secret-of-the-client-of-some-length"

RFC_7515_A1 = (
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)
RFC_7515_A1_KEY = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
RFC_8037_A4 = (
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
)
RFC_8037_A2_KEY = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}


def verify(
    raw: str,
    *,
    alg: str = "RS256",
    keys: KeySet = KEYS,
    client_secret: Secret | None = None,
    fresh: bool = True,
) -> Verified | KeysStale:
    return verify_compact(
        Secret(raw),
        alg=alg,
        keys=keys,
        client_secret=client_secret,
        refuse=lambda check: IdTokenRejected(detail=check),
        fresh=fresh,
    )


def refused(raw: str, *, alg: str = "RS256", keys: KeySet = KEYS, client_secret: Secret | None = None) -> str:
    with pytest.raises(IdTokenRejected) as caught:
        verify(raw, alg=alg, keys=keys, client_secret=client_secret)
    return caught.value.detail


def test_the_example_of_the_specification_verifies() -> None:
    """RFC 7515, A.1; K-9: the key of HS256 is the client secret."""
    secret = Secret(base64.urlsafe_b64decode(RFC_7515_A1_KEY + "=="))
    assert verify(RFC_7515_A1, alg="HS256", client_secret=secret) == Verified(
        {"typ": "JWT", "alg": "HS256"}, {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}
    )


def test_the_edwards_example_passes_the_signature_and_fails_as_no_json() -> None:
    """RFC 8037, A.4: the signature is right, the payload is a plain sentence."""
    assert refused(RFC_8037_A4, alg="EdDSA", keys=key_set(RFC_8037_A2_KEY)) == "format"


def test_the_edwards_example_with_another_key_fails_at_the_signature() -> None:
    """RFC 8037, A.4 gives the token."""
    assert refused(RFC_8037_A4, alg="EdDSA", keys=key_set(jwk(ED))) == "signature"


@pytest.mark.parametrize(
    ("alg", "key"),
    [("RS256", RSA), ("RS512", RSA), ("PS256", RSA), ("ES256", EC), ("EdDSA", ED)],
    ids=["RS256", "RS512", "PS256", "ES256", "EdDSA"],
)
def test_a_token_of_each_kind_verifies(alg: str, key: Key) -> None:
    """V-3: The signature verifies with the provider's key."""
    verdict = verify(signed(PAYLOAD, key=key, alg=alg), alg=alg, keys=key_set(jwk(key, kid="k1")))
    assert isinstance(verdict, Verified)
    assert verdict.claims == {"a": 1}


def test_the_fully_specified_name_of_eddsa_is_understood() -> None:
    """RFC 9864, 2.2: ``Ed25519`` is the fully specified name."""
    raw = signed(PAYLOAD, key=ED, alg="EdDSA", header={"alg": "Ed25519"})
    assert isinstance(verify(raw, alg="Ed25519", keys=key_set(jwk(ED))), Verified)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", "RS384", "ES256", "HS256", None, 7, ["RS256"]])
def test_an_algorithm_other_than_the_pinned_one_is_refused(alg: object) -> None:
    """V-2: The header names the pinned algorithm. A15: A forged or unusual signature header is refused."""
    assert refused(signed(PAYLOAD, header={"alg": alg, "kid": "k1"})) == "alg"


def test_a_missing_algorithm_is_refused() -> None:
    """V-2: The header names the pinned algorithm."""
    assert refused(signed(PAYLOAD, header={"kid": "k1"})) == "alg"


def test_none_cannot_be_pinned() -> None:
    """G-3: The signing algorithm is never taken from a token. V-2: The header names the pinned algorithm."""
    assert refused(signed(PAYLOAD, header={"alg": "none"}), alg="none") == "alg"


def test_a_token_without_signature_is_refused() -> None:
    """V-2: The header names the pinned algorithm. A15: A forged or unusual signature header is refused."""
    header, claims, _ = signed(PAYLOAD).split(".")
    assert refused(f"{header}.{claims}.") == "signature"


def test_a_public_key_is_never_an_hmac_key() -> None:
    """K-9, A15: the attacker signs with the public key in PEM form as an HMAC secret."""
    forged = signed(PAYLOAD, key=OctKey.import_key(base64url(RSA.as_pem(private=False))), alg="HS256")
    assert refused(forged, alg="HS256", client_secret=Secret(HMAC_KEY)) == "signature"


def test_a_token_signed_with_the_client_secret_is_refused_where_rs256_is_pinned() -> None:
    """V-2: The header names the pinned algorithm. K-9: HMAC uses the client secret, never a published key."""
    raw = signed(PAYLOAD, key=OctKey.import_key(HMAC_KEY), alg="HS256")
    assert refused(raw, client_secret=Secret(HMAC_KEY)) == "alg"


@pytest.mark.parametrize("secret", [None, Secret(""), Secret("another")], ids=["none", "empty", "wrong"])
def test_an_hmac_without_the_right_client_secret_is_refused_at_once(secret: Secret | None) -> None:
    """K-9: fresh keys of the provider could not change the result."""
    raw = signed(PAYLOAD, key=OctKey.import_key(HMAC_KEY), alg="HS256")
    with pytest.raises(IdTokenRejected):
        verify(raw, alg="HS256", client_secret=secret, fresh=False)


def test_an_empty_client_secret_verifies_nothing() -> None:
    """K-9: any attacker can compute an HMAC with an empty key."""
    signing_input = ".".join(base64url(json.dumps(part).encode()) for part in ({"alg": "HS256"}, PAYLOAD))
    signature = hmac.new(b"", signing_input.encode(), hashlib.sha256).digest()
    assert refused(f"{signing_input}.{base64url(signature)}", alg="HS256", client_secret=Secret("")) == "signature"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RS256", "crit": ["exp"], "exp": 1},
        {"alg": "RS256", "crit": []},
        {"alg": "RS256", "crit": ["b64"], "b64": False},
        {"alg": "RS256", "kid": 7},
        {"alg": "RS256", "kid": None},
    ],
)
def test_a_header_that_asks_for_more_is_refused(header: dict[str, object]) -> None:
    """V-1: An ID token is a plain three-part JWS. A15: A forged or unusual signature header is refused."""
    assert refused(signed(PAYLOAD, header=header)) == "header"


@pytest.mark.parametrize(
    "kind", ["logout+jwt", "at+jwt", "AT+JWT", "application/at+jwt", "dpop+jwt", "secevent+jwt", 7, None]
)
def test_a_token_of_a_special_type_is_refused(kind: object) -> None:
    """V-1; RFC 8725, 3.11: the type tells the kinds of tokens apart."""
    assert refused(signed(PAYLOAD, header={"alg": "RS256", "typ": kind})) == "type"


@pytest.mark.parametrize("kind", ["JWT", "jwt", "application/jwt", "JOSE"])
def test_an_ordinary_type_is_fine(kind: str) -> None:
    """V-1: An ID token is a plain three-part JWS."""
    assert isinstance(verify(signed(PAYLOAD, header={"alg": "RS256", "typ": kind})), Verified)


@pytest.mark.parametrize(
    "member",
    [
        {"jwk": jwk(OTHER_RSA)},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MIIB"]},
    ],
    ids=["jwk", "jku", "x5u", "x5c"],
)
def test_a_key_that_the_token_brings_along_is_ignored(member: dict[str, object]) -> None:
    """K-1: Keys in a token's header are ignored. A15: A forged or unusual signature header is refused."""
    assert refused(signed(PAYLOAD, key=OTHER_RSA, header={"alg": "RS256", **member})) == "signature"


def test_members_about_keys_do_not_spoil_a_good_token() -> None:
    """K-1: the members are ignored and not refused; some providers always send x5t and x5c."""
    header = {
        "alg": "RS256",
        "kid": "k1",
        "x5t": "abc",
        "x5c": ["M" * 2000],
        "jku": "https://id.example.com/keys",
    }
    assert isinstance(verify(signed(PAYLOAD, header=header)), Verified)


def _good_parts() -> list[str]:
    return signed(PAYLOAD).split(".")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c",
        ".".join([*_good_parts(), "", ""]),
        ".".join(_good_parts()[:2]),
        " " + signed(PAYLOAD),
        signed(PAYLOAD) + ".",
        _good_parts()[0] + "=." + ".".join(_good_parts()[1:]),
        "\u00fc.\u00fc.\u00fc",
        base64url(b"[]") + ".e30.AAAA",
        base64url(b'{"alg":"RS256","alg":"RS256"}') + ".e30.AAAA",
        base64url(b"\xff") + ".e30.AAAA",
        base64url(b"[" * 100_000) + ".e30.AAAA",
    ],
    ids=lambda raw: repr(raw)[:24],
)
def test_a_text_that_is_no_compact_jws_is_refused(raw: str) -> None:
    """V-1: a text of five parts is an encrypted token."""
    assert refused(raw) == "format"


@pytest.mark.parametrize(
    "claims",
    ['{"a":1,"a":1}', '{"o":{"a":1,"a":1}}', "[1]", '"x"', "1", '{"exp": NaN}', "{", '{"a": Infinity}'],
)
def test_claims_that_are_no_plain_json_object_are_refused_even_if_signed(claims: str) -> None:
    """V-1: no member may be there twice, at any depth."""
    assert refused(signed(claims)) == "format"


def test_a_changed_claim_is_refused() -> None:
    """V-3: The signature verifies with the provider's key."""
    header, _, signature = signed(PAYLOAD).split(".")
    changed = f"{header}.{base64url(json.dumps({'a': 2}).encode())}.{signature}"
    assert refused(changed) == "signature"


def test_a_second_spelling_of_the_signature_is_refused() -> None:
    """RFC 7515, 2: unused bits of the last character are zero."""
    raw = signed(PAYLOAD)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet[alphabet.index(raw[-1]) ^ 1]
    assert refused(raw[:-1] + last) == "signature"


def test_stale_keys_are_a_value_and_not_an_error() -> None:
    """K-6, A18: the set does not hold the token's ``kid``."""
    raw = signed(PAYLOAD, key=OTHER_RSA, header={"alg": "RS256", "kid": "k2"})
    assert verify(raw, fresh=False) == KeysStale()


def test_keys_that_do_not_verify_may_be_stale_too() -> None:
    """K-6: the provider may reuse a ``kid``."""
    assert verify(signed(PAYLOAD, key=OTHER_RSA), fresh=False) == KeysStale()


@pytest.mark.parametrize(
    ("keys", "check"),
    [
        (NO_KEYS, "no_key"),
        (key_set(jwk(OTHER_RSA, kid="k2")), "no_key"),
        (key_set(jwk(EC, kid="k1")), "no_key"),
        (key_set(jwk(OTHER_RSA, kid="k1", use="enc")), "no_key"),
        (KEYS, "signature"),
    ],
    ids=["no keys", "another key id", "another type", "for encryption", "none verifies"],
)
def test_that_no_fresh_key_fits_is_told_apart_from_a_signature_that_does_not_verify(keys: KeySet, check: str) -> None:
    """Q1.5, K-6, A18: a missing key is a mistake in the published set, a wrong signature may be an attack."""
    assert refused(signed(PAYLOAD, key=OTHER_RSA), keys=keys) == check


def test_without_a_key_id_every_fitting_key_is_tried() -> None:
    """K-5: encryption keys and other types do not count."""
    keys = key_set(jwk(EC), jwk(OTHER_RSA, kid="x", use="enc"), jwk(OTHER_RSA, kid="a"), jwk(RSA, kid="b"))
    assert isinstance(verify(signed(PAYLOAD, header={"alg": "RS256"}), keys=keys), Verified)


def test_ten_candidates_are_tried() -> None:
    """K-5: Without a key id, ten keys are tried."""
    keys = key_set(*[jwk(OTHER_RSA, kid="k1")] * 9, jwk(RSA, kid="k1"))
    assert isinstance(verify(signed(PAYLOAD), keys=keys), Verified)


def test_eleven_candidates_are_refused() -> None:
    """K-5, A20: eleven are refused even if one of them would verify."""
    keys = key_set(jwk(RSA, kid="k1"), *[jwk(OTHER_RSA, kid="k1")] * 10)
    assert refused(signed(PAYLOAD), keys=keys) == "keys"

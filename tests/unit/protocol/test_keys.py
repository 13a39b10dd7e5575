"""The provider's keys: section K, fault A20."""

from __future__ import annotations

import itertools
import json

import pytest
from joserfc.jwk import ECKey, OctKey

from jupyter_oidc.problems import DiscoveryFailed
from jupyter_oidc.protocol.jwks import jwks_call, read_jwks_reply
from jupyter_oidc.protocol.message import Call
from tests.unit.protocol.makers import EC, ED, METADATA, OTHER_RSA, RSA, Key, jwk, key_set, reply

SMALL_N = "sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1WlUzewbgBHod5pcM9H95GQRV3JDXboIRROSBigeC5yjU1hGzHHyXss8UDpre"


def test_the_key_set_is_asked_for_where_the_metadata_says() -> None:
    """D-8: Keys are those of the metadata in force.

    H-4: Redirects are followed for metadata and keys only.
    """
    assert jwks_call(METADATA) == Call(
        "GET",
        "https://id.example.com/keys",
        accept="application/jwk-set+json, application/json",
        max_redirects=3,
        endpoint="keys",
    )


@pytest.mark.parametrize("status", [204, 301, 404, 500])
def test_a_key_set_with_another_status_than_200_is_refused(status: int) -> None:
    """K-2: A key set is an object with a list."""
    with pytest.raises(DiscoveryFailed) as caught:
        read_jwks_reply(reply({"keys": []}, status=status))
    assert caught.value.detail == "jwks.status"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"keys": {}}', b'{"keys": null}', b'{"keys":' * 99_999])
def test_a_reply_that_is_no_key_set_is_refused(body: bytes) -> None:
    """K-2: A key set is an object with a list."""
    with pytest.raises(DiscoveryFailed) as caught:
        read_jwks_reply(reply(body))
    assert caught.value.detail == "jwks.format"


@pytest.mark.parametrize(
    "entry",
    [
        "text",
        None,
        7,
        {},
        {"kty": "new"},
        {"kty": ["RSA"]},
        {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": {"a": 1}, "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"kty": "OKP", "crv": "X25519", "x": "AA"},
        {"kty": "RSA", "e": "AQAB"},
        {"kty": "RSA", "n": "!!", "e": "AQAB"},
        {"kty": "RSA", "n": 5, "e": "AQAB"},
        {"kty": "RSA", "n": SMALL_N, "e": "AQAB"},
        {"kty": "RSA", "n": "_" * 3000, "e": "AQAB"},
        {"kty": "RSA", "n": jwk(RSA)["n"], "e": "AA"},
        jwk(RSA, alg="RS1"),
        jwk(RSA, alg="ES256"),
        jwk(RSA, use="enc"),
        jwk(RSA, key_ops=["encrypt"]),
        jwk(RSA, key_ops=[]),
        {**jwk(RSA), "n": str(jwk(RSA)["n"]) + "==="},
        {**jwk(RSA), "n": "-+" + str(jwk(RSA)["n"])[2:]},
        {**jwk(RSA), "n": " " + str(jwk(RSA)["n"])},
        {"kty": "oct", "k": "AAAA"},
    ],
    ids=itertools.count(),  # the keys differ from run to run
)
def test_an_unusable_key_is_skipped_and_spoils_nothing(entry: object) -> None:
    """K-3, K-4, K-9, K-10: an RSA key under 2048 bits is among them."""
    assert [key.kid for key in key_set(entry, jwk(RSA, kid="good")).keys] == ["good"]


@pytest.mark.parametrize(
    ("alg", "kids"),
    [
        ("RS256", ["rsa", "rs256"]),
        ("RS512", ["rsa"]),
        ("PS256", ["rsa"]),
        ("ES256", ["p256"]),
        ("ES384", ["p384"]),
        ("EdDSA", ["ed"]),
        ("Ed25519", ["ed"]),
        ("HS256", []),
        ("none", []),
    ],
)
def test_candidates_fit_the_pinned_algorithm(alg: str, kids: list[str]) -> None:
    """K-4, K-9: a key without ``alg`` is a candidate, one with another ``alg`` is not."""
    keys = key_set(
        jwk(RSA, kid="rsa"),
        jwk(RSA, kid="rs256", alg="RS256", use="sig", key_ops=["verify"]),
        jwk(EC, kid="p256"),
        jwk(ECKey.generate_key("P-384"), kid="p384"),
        jwk(ED, kid="ed"),
    )
    assert [key.kid for key in keys.candidates(alg, None)] == kids


def test_several_keys_may_share_a_key_id() -> None:
    """K-4: A key must fit algorithm, use and key id."""
    keys = key_set(jwk(RSA, kid="a"), jwk(OTHER_RSA, kid="a"), jwk(RSA, kid="b"), jwk(RSA))
    assert [key.kid for key in keys.candidates("RS256", "a")] == ["a", "a"]


def test_a_key_without_id_does_not_fit_a_token_that_names_one() -> None:
    """K-4: A key must fit algorithm, use and key id."""
    assert key_set(jwk(RSA)).candidates("RS256", "a") == ()


def test_private_members_are_not_taken_over() -> None:
    """The reader keeps no private key, even if a provider publishes one by mistake."""
    keys = key_set({**RSA.as_dict(private=True), "kid": "oops"})
    assert keys.keys[0].material.is_private is False


def test_a_symmetric_key_in_the_set_is_no_key() -> None:
    """K-9: HMAC uses the client secret, never a published key."""
    assert key_set(OctKey.generate_key(256).as_dict(private=True)).keys == ()


def test_thousands_of_keys_are_read() -> None:
    """A20: the size of the body is the limit, not the number of keys."""
    entries = [jwk(EC, kid=f"k{n}") for n in range(3000)]
    assert len(key_set(*entries).candidates("ES256", "k2999")) == 1


def padded(key: Key) -> dict[str, object]:
    """Write the key as libraries for plain base64 do."""
    members = jwk(key)
    for name in ("n", "e", "x", "y"):
        if name in members:
            text = str(members[name])
            members[name] = (text + "=" * (-len(text) % 4)).translate(str.maketrans("-_", "+/"))
    return members


@pytest.mark.parametrize("key", [RSA, OTHER_RSA, EC, ED], ids=["RSA", "another RSA", "EC", "Ed25519"])
def test_padding_and_the_standard_alphabet_make_the_same_key(key: Key) -> None:
    """Q1.5; RFC 7515, 2: the spelling is wrong, and still means one number only."""
    (found,) = key_set(padded(key)).keys
    assert found.material.as_dict(private=False) == key.as_dict(private=False)


@pytest.mark.parametrize(
    "labels",
    [{"use": None}, {"use": ""}, {"use": ["sig"]}, {"key_ops": None}, {"key_ops": "verify"}, {"alg": None}, {"alg": ["RS256"]}],
    ids=str,
)  # fmt: skip
def test_a_label_that_cannot_be_read_counts_as_not_there(labels: dict[str, object]) -> None:
    """Q1.5, K-4: a key without a label is a candidate."""
    assert [key.kid for key in key_set(jwk(RSA, kid="k1", **labels)).candidates("RS256", "k1")] == ["k1"]


@pytest.mark.parametrize("kid", [None, "", 7, ["k1"]])
def test_a_key_id_that_cannot_be_read_fits_tokens_without_one_only(kid: object) -> None:
    """Q1.5: Keys with careless labels stay usable. K-4: A key must fit algorithm, use and key id."""
    keys = key_set(jwk(RSA, kid=kid))
    assert (len(keys.candidates("RS256", None)), len(keys.candidates("RS256", "k1"))) == (1, 0)


@pytest.mark.parametrize("member", ["n", "e", "kty"])
def test_what_a_key_is_made_of_may_not_occur_twice(member: str) -> None:
    """Q1.5: the other keys stay usable."""
    key = jwk(RSA, kid="twice")
    twice = json.dumps(key)[:-1] + f", {json.dumps(member)}: {json.dumps(key[member])}}}"
    body = f'{{"keys": [{twice}, {json.dumps(jwk(OTHER_RSA, kid="good"))}]}}'
    assert [key.kid for key in read_jwks_reply(reply(body)).keys] == ["good"]


def test_a_list_of_keys_that_is_there_twice_is_refused_by_name() -> None:
    """Q1.4: An unusable capability counts as not advertised."""
    with pytest.raises(DiscoveryFailed, match="the list of keys is there twice"):
        read_jwks_reply(reply('{"keys": [], "keys": []}'))

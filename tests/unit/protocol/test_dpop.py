"""Keys and proofs for DPoP (RFC 9449; section X)."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from dataclasses import replace

import pytest

from jupyter_oidc.protocol import dpop
from jupyter_oidc.protocol.authorization import AuthorizationRequest, authorization_url
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from tests.support.canary import CANARY
from tests.support.dpop_proofs import Proof, read_proof
from tests.unit.protocol.makers import METADATA, NOW, reply

SEED = base64.urlsafe_b64encode(bytes(range(48))).decode()
OTHER_SEED = base64.urlsafe_b64encode(bytes(range(1, 49))).decode()
PRIVATE = "GBhbuAG2Blgor5u2Z9EHBwtmGkKmTx9msaceSap_9AA"
"""Private number (0x000102...2f mod (n - 1)) + 1, where n is the order of P-256."""
URL = "https://api.example.com/v1/items"


@pytest.fixture
def key() -> dpop.ProofKey:
    CANARY.hold(PRIVATE)
    return dpop.ProofKey(dpop.new_key(SEED))


def made(key: dpop.ProofKey, **changes: object) -> Proof:
    """Make a proof, and return it taken apart and verified by code that is not the product's."""
    parts: dict[str, object] = {"method": "GET", "url": URL, "issued_at": NOW, "jti": "j1"}
    return read_proof(reveal(key.proof(**{**parts, **changes})))  # type: ignore[arg-type]


# -- keys ----------------------------------------------------------------------------------------------------------


def test_a_key_is_made_of_its_seed_and_of_nothing_else() -> None:
    """X-1; FIPS 186-5, A.2.1: the seed is longer than the order, reduced modulo n - 1, plus one."""
    CANARY.hold(PRIVATE)
    assert json.loads(reveal(dpop.new_key(SEED))) == {
        "kty": "EC",
        "crv": "P-256",
        "x": "Mwa-PkqtdkZ02j6ZWwQXwNfEqTzXcnmI-Ojt9198KY8",
        "y": "SshbfV0rvqTPrTzCuovfXOzlSqnWvSxNx2tXZFUgBk0",
        "d": PRIVATE,
    }
    assert dpop.new_key(SEED) == dpop.new_key(SEED)
    assert dpop.new_key(SEED) != dpop.new_key(OTHER_SEED)


def test_a_seed_of_zeros_is_a_key_too() -> None:
    """The smallest private number is one, whose point is the generator of the curve."""
    members = json.loads(reveal(dpop.new_key("A" * 64)))
    assert (members["d"], members["x"]) == ("A" * 42 + "E", "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY")


def test_a_short_seed_makes_no_key() -> None:
    with pytest.raises(ValueError, match="at least 384 bits"):
        dpop.new_key("A" * 63)


def test_a_thumbprint_is_that_of_the_public_key(key: dpop.ProofKey) -> None:
    """RFC 7638, 3: the thumbprint is of the public members."""
    assert key.thumbprint() == "3qmUQnl9Fva7_oovmJaCLyTfmakPalb6mBk5tkJZ8jI"
    assert key.thumbprint() == made(key).thumbprint


def test_a_key_shows_itself_nowhere_and_is_not_copied(key: dpop.ProofKey) -> None:
    """X-1: the key is never exported."""
    made(key)
    assert PRIVATE not in repr(key) + str(key) + repr(key.sealed)
    for copying in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            copying(key)


def test_a_stored_key_is_known_by_its_own_text(key: dpop.ProofKey) -> None:
    assert dpop.is_key(key.sealed)


@pytest.mark.parametrize(
    "changed",
    [
        {"d": "A" * 43},
        {"d": "A" * 42 + "E"},
        {"x": "A" * 43},
        {"crv": "P-384"},
        {"kty": "oct"},
        {"d": None},
        {"use": "sig"},
    ],
    ids=["zero", "another", "point", "curve", "type", "public", "more"],
)
def test_a_stored_key_that_was_changed_is_none(key: dpop.ProofKey, changed: dict[str, object]) -> None:
    members = {**json.loads(reveal(key.sealed)), **changed}
    assert not dpop.is_key(Secret(json.dumps({name: value for name, value in members.items() if value is not None})))


@pytest.mark.parametrize("text", ["", "[]", "{", "\ud800"])
def test_something_else_is_no_key(text: str) -> None:
    assert not dpop.is_key(Secret(text))


# -- proofs --------------------------------------------------------------------------------------------------------


def test_a_proof_says_its_type_its_algorithm_and_the_public_key_alone(key: dpop.ProofKey) -> None:
    """RFC 9449, 4.2: "It MUST NOT contain a private key" (X-2)."""
    assert made(key).header == {
        "typ": "dpop+jwt",
        "alg": "ES256",
        "jwk": {
            "crv": "P-256",
            "kty": "EC",
            "x": "Mwa-PkqtdkZ02j6ZWwQXwNfEqTzXcnmI-Ojt9198KY8",
            "y": "SshbfV0rvqTPrTzCuovfXOzlSqnWvSxNx2tXZFUgBk0",
        },
    }


def test_a_proof_for_a_token_request_has_four_claims(key: dpop.ProofKey) -> None:
    """X-2, X-8: the proof has a nonce only if a server gave one, and ``ath`` only with an access token."""
    assert made(key, method="POST", issued_at=NOW + 0.9).claims == {
        "jti": "j1",
        "htm": "POST",
        "htu": URL,
        "iat": 1_800_000_000,
    }


def test_a_proof_that_goes_with_an_access_token_holds_its_digest(key: dpop.ProofKey) -> None:
    """RFC 9449, 4.2: ath is the base64url encoded SHA-256 hash of the ASCII access token (X-2)."""
    token = Secret("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU")  # the example of RFC 9449, 7.1
    assert made(key, access_token=token).claims["ath"] == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"


def test_a_known_nonce_is_in_the_proof(key: dpop.ProofKey) -> None:
    """X-2: A proof fits exactly one request."""
    assert made(key, nonce="n-1").claims["nonce"] == "n-1"


@pytest.mark.parametrize("tail", ["?a=b", "#part", "?a=b#part", "?a=b?c#d?e", ""])
def test_the_url_of_a_proof_has_no_query_and_no_fragment(key: dpop.ProofKey, tail: str) -> None:
    """RFC 9449, 4.2: htu is "without query and fragment parts" (X-2)."""
    assert made(key, url=URL + tail).claims["htu"] == URL


def test_the_url_of_a_proof_is_otherwise_as_it_is_sent(key: dpop.ProofKey) -> None:
    """X-2: scheme, host and path are exactly those that are sent."""
    assert made(key, url="https://API.example.com:443/v1/a%2Fb%20c/").claims["htu"] == (
        "https://API.example.com:443/v1/a%2Fb%20c/"
    )


def test_a_proof_shows_itself_nowhere(key: dpop.ProofKey) -> None:
    proof = key.proof(method="GET", url=URL, issued_at=NOW, jti="j1")
    assert (repr(proof), str(proof)) == ("<secret>", "<secret>")


def test_two_keys_make_proofs_of_two_thumbprints(key: dpop.ProofKey) -> None:
    assert made(dpop.ProofKey(dpop.new_key(OTHER_SEED))).thumbprint != made(key).thumbprint


# -- nonces in answers -------------------------------------------------------------------------------------------


def test_an_authorization_request_binds_the_code_to_the_key() -> None:
    """RFC 9449, 10: ``dpop_jkt`` names the key."""
    request = AuthorizationRequest("c1", "https://here/cb", ("openid",), "s", "n", "ch")
    assert "dpop_jkt" not in authorization_url(METADATA, request)
    assert authorization_url(METADATA, replace(request, dpop_jkt="3qmU")).endswith("&dpop_jkt=3qmU")


@pytest.mark.parametrize("nonce", ["n", "eyJ7S_zG.eyJH0-Z.HX4w-7v", "!#[]~", "x" * 1024])
def test_a_nonce_is_taken_as_it_comes(nonce: str) -> None:
    """RFC 9449, 8.1; X-7: a nonce is kept byte for byte."""
    assert dpop.nonce_in([nonce]) == nonce


@pytest.mark.parametrize("values", [[], [""], ["a b"], ['a"b'], ["a\\b"], ["a, b"], ["é"], ["a", "b"], ["x" * 1025]])
def test_what_is_no_nonce_is_not_taken(values: list[str]) -> None:
    """RFC 9449, 8.1: nonce = 1*NQCHAR, and "MUST NOT include more than one DPoP-Nonce header" (X-7)."""
    assert dpop.nonce_in(values) is None


def test_a_token_endpoint_demands_a_nonce_by_its_error() -> None:
    """X-5: A demanded nonce repeats a token request once."""
    assert dpop.token_endpoint_wants_nonce(reply({"error": "use_dpop_nonce"}, status=400))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"error": "invalid_dpop_proof"}, 400),
        ({"error": "use_dpop_nonce"}, 401),
        ({"error": "use_dpop_nonce"}, 200),
        ([], 400),
        (b"\xff", 400),
    ],
)
def test_another_answer_of_a_token_endpoint_demands_none(body: object, status: int) -> None:
    """X-5: A demanded nonce repeats a token request once."""
    assert not dpop.token_endpoint_wants_nonce(reply(body, status=status))


@pytest.mark.parametrize(
    "challenges",
    [
        ['DPoP error="use_dpop_nonce", error_description="Resource server requires nonce in DPoP proof"'],
        ["dpop error=use_dpop_nonce"],
        ['DPOP algs="ES256 PS256", realm = "a, b", error = "use_dpop_nonce"'],
        ['Bearer realm="x"', 'DPoP error="use_dpop_nonce"'],
        ['Bearer realm="x", error="invalid_token", DPoP algs="ES256", error="use_dpop_nonce"'],
        ['Negotiate, DPoP error="use_dpop_nonce"'],
    ],
)
def test_an_api_demands_a_nonce_by_a_challenge_of_the_scheme(challenges: list[str]) -> None:
    """RFC 9449, 9; X-6: the scheme's name is in any letter case."""
    assert dpop.challenge_wants_nonce(challenges)


@pytest.mark.parametrize(
    "challenges",
    [
        [],
        [""],
        ['Bearer error="use_dpop_nonce"'],
        ['DPoP error="invalid_token"'],
        ['DPoP error="invalid_token", error_description="use_dpop_nonce"'],
        ['DPoP realm="a", Bearer error="use_dpop_nonce"'],
        ['Bearer error_description="no, DPoP error=use_dpop_nonce, DPoP error=\\"use_dpop_nonce\\""'],
        ["DPoP", 'error="use_dpop_nonc'],
        ["DPoPP error=use_dpop_nonce"],
        ['DPoP error="'],
    ],
)
def test_another_challenge_demands_none(challenges: list[str]) -> None:
    """X-6: another scheme's parameters and quoted text are no demand."""
    assert not dpop.challenge_wants_nonce(challenges)


def test_a_hostile_challenge_costs_no_more_than_its_length() -> None:
    assert not dpop.challenge_wants_nonce(['"a\\' * 30_000, "a" + " " * 60_000 + "===", ',"' * 30_000])

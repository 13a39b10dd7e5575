"""The demo API refuses each wrong access token for its own reason."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from jupyter_oidc.demo.bearer import Caller, Refused, judge, key_id, keys_of

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CLAIMS = {
    "iss": "http://127.0.0.1:1",
    "aud": "orders",
    "sub": "ada",
    "exp": 1020,
    "roles": ["orders.read"],
    "token_use": "access",
}


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def token_of(claims: dict[str, Any], *, header: dict[str, Any] | None = None, key: RSAPrivateKey = KEY) -> str:
    header = {"alg": "RS256", "kid": "k1"} if header is None else header
    signed = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims).encode())}"
    return f"{signed}.{encoded(key.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"


def judged(token: str, *, now: float = 1000.0) -> Any:
    return judge(token, {"k1": KEY.public_key()}, issuer="http://127.0.0.1:1", audience="orders", now=now)


def test_good_token_says_who_calls() -> None:
    assert judged(token_of(CLAIMS)) == Caller("ada", frozenset({"orders.read"}), 1020)


def test_audience_may_be_a_list() -> None:
    assert judged(token_of({**CLAIMS, "aud": ["a", "orders"]})).subject == "ada"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        pytest.param({"iss": "http://127.0.0.1:2"}, "issued by somebody else", id="issuer"),
        pytest.param({"aud": "jupyter"}, "meant for another API", id="audience"),
        pytest.param({"aud": ["jupyter"]}, "meant for another API", id="audience-list"),
        pytest.param({"token_use": "id"}, "not an access token", id="id-token"),
        pytest.param({"exp": 1000}, "has expired", id="ends-now"),
        pytest.param({"exp": "1020"}, "has expired", id="text-instead-of-time"),
        pytest.param({"sub": None}, "does not say who calls", id="nobody"),
        pytest.param({"roles": "orders.read"}, "does not say who calls", id="roles-as-text"),
    ],
)
def test_token_with_one_wrong_claim_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        judged(token_of({**CLAIMS, **changed}))


def test_token_signed_with_another_key_is_refused() -> None:
    with pytest.raises(Refused, match="signature of the token is wrong"):
        judged(token_of(CLAIMS, key=OTHER_KEY))


def test_token_naming_an_unknown_key_is_refused() -> None:
    with pytest.raises(Refused, match="unknown key"):
        judged(token_of(CLAIMS, header={"alg": "RS256", "kid": "k2"}))


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"alg": "none", "kid": "k1"}, id="none"),
        pytest.param({"alg": "HS256", "kid": "k1"}, id="shared-secret"),
        pytest.param({"alg": "RS256", "kid": "k1", "crit": ["x"]}, id="critical-extension"),
    ],
)
def test_token_of_another_algorithm_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="not signed with RS256"):
        key_id(token_of(CLAIMS, header=header))


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "....", encoded(b"[]") + ".b.c", "\N{SNOWMAN}.b.c"])
def test_text_that_is_no_token_is_refused_and_not_quoted(token: str) -> None:
    with pytest.raises(Refused, match=r"^The token is not (well formed|signed with RS256)\.$"):
        key_id(token)


def test_keys_for_encryption_and_other_types_are_left_out() -> None:
    numbers = KEY.public_key().public_numbers()
    rsa_key = {
        "kty": "RSA",
        "n": encoded(numbers.n.to_bytes(256, "big")),
        "e": encoded(numbers.e.to_bytes(3, "big")),
    }
    document = {"keys": [{**rsa_key, "kid": "a"}, {**rsa_key, "kid": "b", "use": "enc"}, {"kty": "EC", "kid": "c"}]}
    assert list(keys_of(document)) == ["a"]

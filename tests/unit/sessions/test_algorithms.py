"""Signature algorithms that the settings leave open follow the metadata, and never become weaker."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest

from jupyter_oidc.protocol.client_assertion import key_signer, secret_signer
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.algorithms import id_token_algs
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.pending import SignInOptions
from jupyter_oidc.sessions.request_parameters import prompt_of
from jupyter_oidc.settings import SecretRef
from tests.unit.protocol.makers import EC, METADATA, RSA, base64url, claims_of, jwk, logout_claims_of, reply, signed
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment

CONFIDENTIAL = replace(SETTINGS, token_endpoint_auth_method="client_secret_basic", client_secret=SecretRef("env", "S"))


@pytest.mark.parametrize(
    ("listed", "public", "confidential"),
    [
        (None, ("RS256",), ("RS256",)),
        ({"RS256", "ES256", "HS256", "none"}, ("RS256",), ("RS256",)),
        ({"ES256"}, ("ES256",), ("ES256",)),
        ({"PS256", "ES256", "HS256", "none"}, ("PS256", "ES256"), ("PS256", "ES256")),
        ({"HS512", "HS256", "none"}, (), ("HS256", "HS512")),
        ({"none"}, (), ()),
        ({"NONE", "RS1"}, (), ()),
        (set(), (), ()),
    ],
    ids=["no list", "usual", "one", "several", "secrets", "none", "unknown", "empty"],
)
def test_an_unset_algorithm_is_taken_from_the_metadata(
    listed: set[str] | None, public: tuple[str, ...], confidential: tuple[str, ...]
) -> None:
    """Q1.10, G-3: the list never holds ``none``, HMAC for a public client, or HMAC beside a public key."""
    metadata = replace(METADATA, id_token_signing_algs=None if listed is None else frozenset(listed))
    assert id_token_algs(SETTINGS, metadata) == public
    assert id_token_algs(CONFIDENTIAL, metadata) == confidential


def test_an_algorithm_of_the_settings_is_the_only_one() -> None:
    """Q1.10: Contradictions are found before the browser leaves.

    G-3: The signing algorithm is never taken from a token.
    """
    metadata = replace(METADATA, id_token_signing_algs=frozenset({"RS256", "PS256"}))
    assert id_token_algs(replace(SETTINGS, id_token_signed_response_alg="ES256"), metadata) == ("ES256",)


@pytest.mark.parametrize(
    ("listed", "algs"),
    [
        (None, ("PS256",)),
        ({"RS256", "PS256", "ES256"}, ("PS256",)),
        ({"RS256", "ES256", "EdDSA"}, ("ES256", "EdDSA")),
        ({"RS256", "HS256"}, ()),
    ],
    ids=["no list", "usual", "others", "none that fits"],
)
def test_under_a_profile_it_is_one_of_the_profile(listed: set[str] | None, algs: tuple[str, ...]) -> None:
    """Q1.10; FAPI 2.0 Security Profile, 5.4.1: the profile admits PS256, ES256 and EdDSA."""
    metadata = replace(METADATA, id_token_signing_algs=None if listed is None else frozenset(listed))
    assert id_token_algs(replace(CONFIDENTIAL, profile="fapi2"), metadata) == algs


def environment_with(listed: list[str], **changes: Any) -> FakeEnvironment:
    """Make a provider that lists ``listed`` and publishes an RSA and an EC key."""
    fake_environment = FakeEnvironment(replace(SETTINGS, **changes))
    fake_environment.provider.advertise = {"id_token_signing_alg_values_supported": listed}
    keys = reply({"keys": [jwk(RSA, kid="k1", use="sig"), jwk(EC, kid="k2", use="sig")]})
    fake_environment.provider.plan("jwks", *[keys] * 9)
    return fake_environment


async def answered(fake_environment: FakeEnvironment, **signing: Any) -> tuple[State, list[tuple[str, str]]]:
    """Sign in with an ID token that is signed as ``signing`` says; return the state and the refusals."""
    _, state, binding = await fake_environment.begin()
    token = signed(claims_of(nonce=fake_environment.provider.nonce), **signing)
    body = {"access_token": "at", "token_type": "Bearer", "expires_in": 300, "id_token": token}
    fake_environment.provider.plan("token", reply(body))
    await fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    return fake_environment.service.state, fake_environment.notes.refusals


@pytest.mark.parametrize(
    ("listed", "signing"),
    [
        (["ES256"], {"key": EC, "alg": "ES256", "header": {"alg": "ES256", "kid": "k2"}}),
        (["PS256", "ES256"], {"alg": "PS256"}),
        (["PS256", "ES256"], {"key": EC, "alg": "ES256", "header": {"alg": "ES256", "kid": "k2"}}),
    ],
)
async def test_a_provider_without_rs256_signs_people_in_without_a_setting(
    listed: list[str], signing: dict[str, Any]
) -> None:
    """Q1.10: with RS256 by default, no user could sign in at such a provider."""
    assert await answered(environment_with(listed), **signing) == (State.ACTIVE, [])


@pytest.mark.parametrize("listed", [["RS256", "PS256"], ["PS256", "ES256"], ["ES256", "HS256"]])
async def test_what_the_metadata_do_not_name_or_another_is_usual_for_is_refused(listed: list[str]) -> None:
    """Q1.10, V-2: the token does not choose another algorithm."""
    alg = {"RS256": "PS256", "PS256": "RS256", "ES256": "RS256"}[listed[0]]
    fake_environment = environment_with(listed)
    assert await answered(fake_environment, alg=alg) == (State.SIGNED_OUT, [("id_token_rejected", "id_token.alg")])


def forged(claims: dict[str, Any], public: bytes) -> str:
    """Return a token that uses a public key as the shared secret of HMAC."""
    parts = ".".join(base64url(json.dumps(one).encode()) for one in ({"alg": "HS256", "kid": "k2"}, claims))
    return f"{parts}.{base64url(hmac.new(public, parts.encode(), hashlib.sha256).digest())}"


async def test_the_public_key_is_no_secret() -> None:
    """Q1.10, K-9, A15: the attacker signs with the public key; the provider lists HMAC beside a real algorithm."""
    fake_environment = environment_with(["ES256", "HS256"])
    _, state, binding = await fake_environment.begin()
    token = forged(claims_of(nonce=fake_environment.provider.nonce), EC.as_pem(private=False))
    fake_environment.provider.plan("token", reply({"access_token": "at", "token_type": "Bearer", "id_token": token}))
    await fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert fake_environment.notes.refusals == [("id_token_rejected", "id_token.alg")]


async def test_a_logout_token_after_a_restart_is_judged_by_the_metadata_too() -> None:
    """Q1.10, B-5: a stranger's logout tokens do not make us ask again and again (K-7)."""
    fake_environment = environment_with(["ES256"])
    oidc_client = fake_environment.oidc_client
    token = signed(logout_claims_of(), key=EC, alg="ES256", header={"alg": "ES256", "kid": "k2", "typ": "logout+jwt"})
    assert (await oidc_client.logout_token(Secret(token))).jti
    assert (fake_environment.provider.calls["discovery"], fake_environment.provider.calls["jwks"]) == (1, 1)


async def test_logout_tokens_of_strangers_ask_once_in_ten_seconds() -> None:
    """Q1.10: Contradictions are found before the browser leaves.

    K-7: Tokens from strangers seldom cause key requests.
    """
    fake_environment = environment_with(["ES256"])
    fake_environment.provider.plan("discovery", *[reply(b"", status=503)] * 9)
    oidc_client = fake_environment.oidc_client
    for _ in range(3):
        with pytest.raises(Exception, match=r"cannot be reached|refused"):
            await oidc_client.logout_token(Secret("x.y.z"))
    assert fake_environment.provider.calls["discovery"] == 1


RSA_KEY = Secret(RSA.as_pem(private=True).decode())
EC_KEY = Secret(EC.as_pem(private=True).decode())


@pytest.mark.parametrize(
    ("key", "alg", "listed", "chosen"),
    [
        (RSA_KEY, None, None, "RS256"),
        (RSA_KEY, None, {"PS256", "ES256"}, "PS256"),
        (RSA_KEY, None, {"PS256", "RS256"}, "RS256"),
        (RSA_KEY, None, {"ES256"}, "RS256"),
        (RSA_KEY, "RS512", {"PS256"}, "RS512"),
        (EC_KEY, None, {"RS256"}, "ES256"),
        (RSA_KEY, None, {"none", "HS256"}, "RS256"),
    ],
)
def test_an_unset_algorithm_of_assertions_is_one_that_fits_key_and_metadata(
    key: Secret, alg: str | None, listed: set[str] | None, chosen: str
) -> None:
    """Q1.10: where no algorithm fits both, the rule for it finds the contradiction."""
    assert key_signer(key, alg, None, None if listed is None else frozenset(listed)).alg == chosen


@pytest.mark.parametrize(
    ("listed", "chosen"), [(None, "HS256"), ({"HS512", "HS384"}, "HS384"), ({"RS256"}, "HS256"), ({"none"}, "HS256")]
)
def test_a_secret_signs_with_what_the_metadata_name(listed: set[str] | None, chosen: str) -> None:
    """Q1.10: Contradictions are found before the browser leaves."""
    secret = Secret("x" * 64)
    assert secret_signer(secret, None, None if listed is None else frozenset(listed)).alg == chosen


@pytest.mark.parametrize(("listed", "prompt"), [(None, "consent"), ({"none", "login"}, None), ({"consent"}, "consent")])
def test_the_prompt_that_goes_along_by_default_follows_the_metadata(
    listed: set[str] | None, prompt: str | None
) -> None:
    """Q1.10: a provider refuses an unlisted prompt with status 400 (Initiating User Registration 1.0, 4)."""
    metadata = replace(METADATA, prompt_values=None if listed is None else frozenset(listed))
    assert prompt_of(SETTINGS, metadata, SignInOptions()) == prompt

"""ID tokens: V-4 to V-15 and F-5, faults A16, A17, A21, B4."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_oidc.problems import IdTokenRejected
from jupyter_oidc.protocol.id_token import Identity, IdToken, at_hash, verify_id_token
from jupyter_oidc.protocol.jws import KeysStale
from jupyter_oidc.secret import Secret
from tests.unit.protocol.makers import (
    CLIENT,
    ISSUER,
    KEYS,
    MISTYPED,
    NO_KEYS,
    NONCE,
    NOW,
    OTHER_RSA,
    SUBJECT,
    claims_of,
    rules,
    signed,
)

ACCESS = Secret("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y")
FIRST = Identity(ISSUER, SUBJECT, (CLIENT,), None, NOW - 1000, NONCE)


def judge(claims: dict[str, Any] | str, **changes: Any) -> IdToken | KeysStale:
    return verify_id_token(Secret(signed(claims)), rules(**changes), KEYS, now=NOW, access_token=ACCESS, fresh=True)


def accepted(claims: dict[str, Any], **changes: Any) -> IdToken:
    verdict = judge(claims, **changes)
    assert isinstance(verdict, IdToken)
    return verdict


def refused(claims: dict[str, Any] | str, **changes: Any) -> str:
    with pytest.raises(IdTokenRejected) as caught:
        judge(claims, **changes)
    return caught.value.detail


def test_a_good_token_tells_who_signed_in() -> None:
    """V-1 to V-16: null members are dropped."""
    claims = claims_of(sid="08a5019c", auth_time=NOW - 5, name="Example User", picture=None)
    token = accepted(claims)
    assert (
        token.identity,
        token.sid,
        token.expires_at,
        token.claims.get("name"),
        "picture" in token.claims,
    ) == (
        Identity(ISSUER, SUBJECT, (CLIENT,), None, NOW - 5, NONCE),
        "08a5019c",
        NOW + 300,
        "Example User",
        False,
    )


def test_the_claims_cannot_be_changed_afterwards() -> None:
    """The caller cannot change validated claims."""
    with pytest.raises(TypeError):
        accepted(claims_of()).claims["sub"] = "x"  # type: ignore[index]


def test_a_refusal_names_the_claim_and_not_its_value() -> None:
    """A16: An ID token for another client is refused. T-12: Secrets never reach logs, pages or URLs."""
    with pytest.raises(IdTokenRejected) as caught:
        judge(claims_of(aud="somebody-else"))
    assert ("(aud)" in caught.value.message, "somebody-else" in caught.value.message) == (True, False)


def test_a_token_of_an_unknown_key_asks_for_fresh_keys_once() -> None:
    """K-6: Unknown keys are fetched once more per sign-in. A18: An unknown key id fetches the keys once."""
    raw = Secret(signed(claims_of(), key=OTHER_RSA))
    assert verify_id_token(raw, rules(), NO_KEYS, now=NOW, access_token=None) == KeysStale()


def test_a_token_of_a_key_that_stays_unknown_is_refused() -> None:
    """K-6: Unknown keys are fetched once more per sign-in. A18: An unknown key id fetches the keys once."""
    with pytest.raises(IdTokenRejected) as caught:
        verify_id_token(
            Secret(signed(claims_of(), key=OTHER_RSA)), rules(), KEYS, now=NOW, access_token=None, fresh=True
        )
    assert caught.value.detail == "id_token.signature"


def test_no_key_that_fits_has_words_of_its_own() -> None:
    """Q1.5: Keys with careless labels stay usable."""
    with pytest.raises(IdTokenRejected, match="none of the keys that the provider publishes fits") as caught:
        verify_id_token(Secret(signed(claims_of())), rules(), NO_KEYS, now=NOW, access_token=None, fresh=True)
    assert caught.value.detail == "id_token.no_key"


def test_the_algorithm_of_the_settings_is_the_only_one() -> None:
    """G-3: The signing algorithm is never taken from a token.

    V-2: The header names the pinned algorithm.
    A15: A forged or unusual signature header is refused.
    """
    assert refused(claims_of(), alg="ES256") == "id_token.alg"


@pytest.mark.parametrize("issuer", [ISSUER + "/", "https://ID.example.com", "http://id.example.com"])
def test_another_issuer_is_refused(issuer: object) -> None:
    """V-4: The token's issuer is the configured one."""
    assert refused(claims_of(iss=issuer)) == "id_token.iss"


@pytest.mark.parametrize("issuer", [..., None, 7, [ISSUER], ""])
def test_no_issuer_is_refused_and_not_taken_for_another_one(issuer: object) -> None:
    """V-4: The token's issuer is the configured one. Q5.3: Another person means another sub or iss."""
    assert refused(claims_of(iss=issuer)) == "id_token.no_iss"


@pytest.mark.parametrize("audience", [CLIENT, [CLIENT], [CLIENT, CLIENT]])
def test_an_audience_of_us_alone_is_accepted(audience: object) -> None:
    """V-5: The audience contains this client."""
    assert accepted(claims_of(aud=audience)).identity.audience[0] == CLIENT


@pytest.mark.parametrize(
    "audience", [..., None, 7, "", [], "other", ["other"], [CLIENT, 7], {CLIENT: 1}, [[CLIENT]], "jupyter "]
)
def test_an_audience_without_us_is_refused(audience: object) -> None:
    """V-5: The audience contains this client. A16: An ID token for another client is refused."""
    assert refused(claims_of(aud=audience)) == "id_token.aud"


@pytest.mark.parametrize("azp", [..., CLIENT])
def test_an_untrusted_second_audience_is_refused(azp: object) -> None:
    """V-6: Other audiences must be trusted explicitly. A16: An ID token for another client is refused."""
    assert refused(claims_of(aud=[CLIENT, "other"], azp=azp)) == "id_token.aud"


def test_a_trusted_second_audience_is_accepted_with_azp() -> None:
    """V-6: Other audiences must be trusted explicitly."""
    token = accepted(claims_of(aud=[CLIENT, "other"], azp=CLIENT), trusted_audiences=frozenset({"other"}))
    assert token.identity.audience == (CLIENT, "other")


def test_a_trusted_second_audience_without_azp_is_refused() -> None:
    """V-6: Other audiences must be trusted explicitly. A16: An ID token for another client is refused."""
    assert refused(claims_of(aud=[CLIENT, "other"]), trusted_audiences=frozenset({"other"})) == "id_token.azp"


@pytest.mark.parametrize("azp", ["other", "", None, 7, [CLIENT]])
def test_an_authorized_party_other_than_us_is_refused(azp: object) -> None:
    """V-6: Other audiences must be trusted explicitly. A16: An ID token for another client is refused."""
    assert refused(claims_of(azp=azp)) == "id_token.azp"


@pytest.mark.parametrize("expiry", [NOW - 59, NOW, NOW + 1e6])
def test_an_expiry_within_the_skew_is_accepted(expiry: float) -> None:
    """V-7: The token has not expired. A21: Clocks may differ by five minutes at most."""
    assert accepted(claims_of(exp=expiry)).expires_at == expiry


@pytest.mark.parametrize("expiry", [NOW - 60, 0, -1])
def test_an_expiry_that_is_over_is_refused(expiry: object) -> None:
    """V-7: The token has not expired. A16: An ID token for another client is refused."""
    assert refused(claims_of(exp=expiry)) == "id_token.exp"


@pytest.mark.parametrize("expiry", [..., None, str(NOW + 300), True, [NOW + 300], 10**400, 1e300])
def test_an_expiry_that_is_no_number_is_refused(expiry: object) -> None:
    """V-7: The token has not expired.

    A16: An ID token for another client is refused.
    Q5.4: A missing time is not a wrong clock.
    """
    assert refused(claims_of(exp=expiry)) == "id_token.no_exp"


def test_an_infinite_expiry_is_refused() -> None:
    """V-7: 1e999 is valid JSON."""
    claims = f'{{"iss":"{ISSUER}","aud":"{CLIENT}","sub":"a","iat":{NOW},"exp":1e999,"nonce":"{NONCE}"}}'
    assert refused(claims) == "id_token.no_exp"


@pytest.mark.parametrize("issued", [NOW + 60, NOW, NOW - 660])
def test_a_time_of_issue_within_the_skew_is_accepted(issued: float) -> None:
    """V-8: The token was issued in the last ten minutes. A21: Clocks may differ by five minutes at most."""
    assert accepted(claims_of(iat=issued)).claims["iat"] == issued


@pytest.mark.parametrize("issued", [NOW + 61, NOW - 661])
def test_a_time_of_issue_out_of_bounds_is_refused(issued: object) -> None:
    """V-8: The token was issued in the last ten minutes. A16: An ID token for another client is refused."""
    assert refused(claims_of(iat=issued)) == "id_token.iat"


@pytest.mark.parametrize("issued", [..., None, str(NOW), True, False])
def test_a_time_of_issue_that_is_no_number_is_refused(issued: object) -> None:
    """V-8: The token was issued in the last ten minutes.

    A16: An ID token for another client is refused.
    Q5.4: A missing time is not a wrong clock.
    """
    assert refused(claims_of(iat=issued)) == "id_token.no_iat"


def test_a_token_that_is_not_valid_yet_is_refused() -> None:
    """V-8: The token was issued in the last ten minutes."""
    assert refused(claims_of(nbf=NOW + 61)) == "id_token.nbf"


@pytest.mark.parametrize("start", [None, "now", True])
def test_a_start_that_is_no_number_is_refused(start: object) -> None:
    """V-8: The token was issued in the last ten minutes. Q5.4: A missing time is not a wrong clock."""
    assert refused(claims_of(nbf=start)) == "id_token.no_nbf"


@pytest.mark.parametrize("missing", [{"iat": ...}, {"exp": ...}, {"exp": "soon"}, {"iat": None}, {"nbf": "now"}])
def test_what_is_missing_is_no_matter_of_clocks(missing: dict[str, object]) -> None:
    """Q5.4: the provider leaves the time out, and setting a clock does not help."""
    with pytest.raises(IdTokenRejected) as caught:
        judge(claims_of(**missing))
    assert caught.value.action == "Ask your administrator to check the provider's settings."


def test_a_refused_time_tells_to_set_the_clock() -> None:
    """A21: the error tells the user the next action."""
    with pytest.raises(IdTokenRejected) as caught:
        judge(claims_of(iat=NOW + 3600))
    assert caught.value.action == "Set this machine's clock, then sign in again."


@pytest.mark.parametrize("skew", [0.0, 300.0])
def test_the_skew_is_that_of_the_settings(skew: float) -> None:
    """G-4: What differs between providers is a setting."""
    assert refused(claims_of(exp=NOW - skew), skew=skew) == "id_token.exp"


@pytest.mark.parametrize("subject", [..., None, "", 7, ["a"], "a" * 256, "\u00fc", "a\nb", True])
def test_a_subject_that_identifies_nobody_is_refused(subject: object) -> None:
    """V-9: The subject is a short printable text. A16: An ID token for another client is refused."""
    assert refused(claims_of(sub=subject)) == "id_token.no_sub"


def test_a_subject_of_255_characters_is_accepted() -> None:
    """V-9: The subject is a short printable text. N-5: Tokens are opaque and kept byte for byte."""
    assert accepted(claims_of(sub="a b|" + "x" * 251)).identity.subject == "a b|" + "x" * 251


@pytest.mark.parametrize("nonce", [..., None])
def test_a_token_without_the_nonce_of_the_request_is_refused(nonce: object) -> None:
    """V-10, Q5.5: the fault is the provider's, and another sign-in does not help."""
    assert refused(claims_of(nonce=nonce)) == "id_token.no_nonce"


def test_a_nonce_of_another_sign_in_asks_the_person_to_begin_again() -> None:
    """Q5.5: most often an older tab was still open; no administrator can help with that."""
    with pytest.raises(IdTokenRejected, match="another sign-in") as caught:
        judge(claims_of(nonce="of-an-older-tab"))
    assert caught.value.action == "Close older pages of this sign-in, then begin again in JupyterLab."


@pytest.mark.parametrize("nonce", ["", "other", NONCE.lower(), 7, [NONCE]])
def test_a_nonce_of_another_sign_in_is_refused(nonce: object) -> None:
    """V-10: The nonce is the one of this sign-in. A17: An ID token without our nonce is refused."""
    assert refused(claims_of(nonce=nonce)) == "id_token.nonce"


@pytest.mark.parametrize(
    "claim",
    [
        {"amr": "pwd"},
        {"amr": [1]},
        {"sid": 7},
        {"acr": 1},
    ],
    ids=str,
)
def test_a_claim_about_the_token_of_the_wrong_type_is_refused(claim: dict[str, object]) -> None:
    """V-11, Q1.3: the checks of these claims stay strict."""
    assert refused(claims_of(**claim)) == f"id_token.{next(iter(claim))}"


@pytest.mark.parametrize("claim", MISTYPED, ids=str)
def test_a_claim_about_the_person_of_the_wrong_type_counts_as_not_made(claim: dict[str, object]) -> None:
    """Q1.3, U-9: hanko, casdoor and others write such claims."""
    told = accepted(claims_of(given_name="Ada", **claim)).claims
    assert (told["given_name"], next(iter(claim)) in told) == ("Ada", False)


def test_claims_that_nobody_reads_are_passed_on_unjudged() -> None:
    """V-11: unknown claims are ignored, and roles may have any shape."""
    token = accepted(claims_of(roles={"a": [1]}, updated_at="2026-11-23T09:00:00Z"))
    assert token.claims["roles"] == {"a": [1]}


def test_at_hash_is_that_of_the_specification() -> None:
    """OpenID Connect Core 1.0, A.3 gives the expected value."""
    assert at_hash(ACCESS, "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"


@pytest.mark.parametrize(("alg", "length"), [("ES384", 32), ("PS512", 43), ("EdDSA", 43)])
def test_at_hash_uses_the_hash_of_the_signature_algorithm(alg: str, length: int) -> None:
    """V-12: ``at_hash`` is half of 384 or 512 bits in base64url."""
    assert len(at_hash(ACCESS, alg)) == length


def test_a_fitting_at_hash_is_accepted() -> None:
    """V-12: The token's hash fits the access token."""
    assert accepted(claims_of(at_hash="77QmUPtjPfzWtF2AnpK9RQ")).identity == Identity(
        ISSUER, SUBJECT, (CLIENT,), None, None, NONCE
    )


@pytest.mark.parametrize("value", ["", "77QmUPtjPfzWtF2AnpK9RQ==", "77QmUPtjPfzWtF2AnpK9RR", 7, "\u00fc", ["x"]])
def test_an_at_hash_of_another_token_is_refused(value: object) -> None:
    """V-12: The token's hash fits the access token."""
    assert refused(claims_of(at_hash=value)) == "id_token.at_hash"


@pytest.mark.parametrize("auth_time", [NOW - 360, NOW, NOW + 60])
def test_an_authentication_within_max_age_is_accepted(auth_time: float) -> None:
    """V-13: A requested maximum age is proved."""
    assert accepted(claims_of(auth_time=auth_time), max_age=300).identity.auth_time == auth_time


@pytest.mark.parametrize("auth_time", [..., None, NOW - 361, NOW + 61, str(NOW), True])
def test_an_authentication_out_of_bounds_is_refused(auth_time: object) -> None:
    """V-13: A requested maximum age is proved."""
    assert refused(claims_of(auth_time=auth_time), max_age=300) == "id_token.auth_time"


def test_max_age_zero_is_a_request_too() -> None:
    """V-13: A requested maximum age is proved."""
    assert refused(claims_of(), max_age=0) == "id_token.auth_time"


def test_an_authentication_time_of_the_wrong_type_is_refused_unasked() -> None:
    """V-11: Protocol claims have the right JSON type."""
    assert refused(claims_of(auth_time="now")) == "id_token.auth_time"


def test_a_requested_authentication_level_is_accepted() -> None:
    """V-14: The authentication level is among those asked for."""
    assert accepted(claims_of(acr="mfa"), acr_values=("mfa", "hwk")).claims["acr"] == "mfa"


@pytest.mark.parametrize("acr", [..., None, "pwd", ""])
def test_another_authentication_level_is_refused(acr: object) -> None:
    """V-14: The authentication level is among those asked for."""
    assert refused(claims_of(acr=acr), acr_values=("mfa", "hwk")) == "id_token.acr"


def test_another_person_than_expected_is_refused() -> None:
    """V-15: A refreshed session stays with its person."""
    assert refused(claims_of(), expected_subject="somebody") == "id_token.sub"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"nonce": ...},
        {"auth_time": NOW - 1000},
        {"aud": [CLIENT]},
    ],
    ids=str,
)
def test_a_refreshed_token_of_the_same_sign_in_is_accepted(changes: dict[str, object]) -> None:
    """F-5: A refreshed ID token names the same sign-in."""
    assert accepted(claims_of(**changes), nonce=None, previous=FIRST).identity.subject == SUBJECT


@pytest.mark.parametrize("auth_time", [NOW, NOW - 1, NOW - 999, NOW - 1000, NOW - 86_400, ...])
def test_the_time_of_authentication_may_move_at_a_refresh(auth_time: object) -> None:
    """Q1.7: Cognito writes the time of the rotation there; ``sub`` and ``iss`` identify the user."""
    assert accepted(claims_of(auth_time=auth_time), nonce=None, previous=FIRST).identity.subject == SUBJECT


@pytest.mark.parametrize("auth_time", [NOW + 1, NOW + 59, 1e300])
def test_an_authentication_after_the_token_was_issued_is_refused(auth_time: float) -> None:
    """Q1.7: the check allows no skew, because both times are of the same clock."""
    assert refused(claims_of(auth_time=auth_time), nonce=None, previous=FIRST) == "id_token.auth_time"


def test_a_sign_in_that_asked_for_an_age_is_as_strict_as_before() -> None:
    """V-13, Q1.7: a maximum age was asked for, so the time decides."""
    assert refused(claims_of(auth_time=NOW - 361), max_age=300) == "id_token.auth_time"


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"sub": "somebody"}, "sub"),
        ({"iss": "https://evil.example"}, "iss"),
        ({"azp": CLIENT}, "azp"),
        ({"auth_time": NOW + 1}, "auth_time"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": 7}, "nonce"),
        ({"iat": NOW - 3600}, "iat"),
        ({"exp": NOW - 3600}, "exp"),
        ({"at_hash": "wrong"}, "at_hash"),
    ],
    ids=str,
)
def test_a_refreshed_token_of_another_sign_in_is_refused(changes: dict[str, object], check: str) -> None:
    """F-5: A refreshed ID token names the same sign-in.

    B4: A refresh about another person ends the session.
    """
    assert refused(claims_of(**changes), nonce=None, previous=FIRST) == f"id_token.{check}"


@pytest.mark.parametrize(
    ("previous", "check"),
    [
        (Identity("https://old.example.com", SUBJECT, (CLIENT,), None, None, NONCE), "iss"),
        (Identity(ISSUER, SUBJECT, (CLIENT, "other"), CLIENT, None, NONCE), "aud"),
        (Identity(ISSUER, SUBJECT, (CLIENT,), CLIENT, None, NONCE), "azp"),
        (Identity(ISSUER, SUBJECT, (CLIENT,), None, None, None), "nonce"),
    ],
    ids=["iss", "aud", "azp", "nonce"],
)
def test_a_refreshed_token_that_lost_something_is_refused(previous: Identity, check: str) -> None:
    """F-5: the audience includes the original one, and ``azp`` is the same."""
    assert refused(claims_of(), nonce=None, previous=previous) == f"id_token.{check}"

"""Logout tokens: B-5 to B-11, B-13 of the behaviour rules, fault D6."""

from __future__ import annotations

import pytest

from jupyter_oidc.problems import LogoutTokenInvalid
from jupyter_oidc.protocol.jws import KeysStale
from jupyter_oidc.protocol.logout_token import LogoutToken, LogoutTokenRules, verify_logout_token
from jupyter_oidc.secret import Secret
from tests.unit.protocol.makers import (
    CLIENT,
    ISSUER,
    KEYS,
    NO_KEYS,
    NOW,
    OTHER_RSA,
    SUBJECT,
    claims_of,
    logout_claims_of,
    signed,
)

RULES = LogoutTokenRules(issuer=ISSUER, client_id=CLIENT, alg="RS256", skew=60.0)
EVENT = "http://schemas.openid.net/event/backchannel-logout"


def verify(raw: str, *, fresh: bool = True, keys: object = KEYS) -> LogoutToken | KeysStale:
    return verify_logout_token(Secret(raw), RULES, keys, now=NOW, fresh=fresh)  # type: ignore[arg-type]


def refused(raw: str) -> str:
    with pytest.raises(LogoutTokenInvalid) as caught:
        verify(raw)
    assert caught.value.message == "The logout token was refused.", "nothing that helps an attacker (B-16)"
    return caught.value.detail


def test_a_good_token_says_whose_session_ended() -> None:
    assert verify(signed(logout_claims_of())) == LogoutToken(SUBJECT, "s-1", "l-1", NOW + 120)


@pytest.mark.parametrize(
    ("claims", "named"),
    [({"sid": ...}, (SUBJECT, None)), ({"sub": ...}, (None, "s-1"))],
    ids=["subject only", "session only"],
)
def test_one_of_subject_and_session_is_enough(claims: dict[str, object], named: tuple[str | None, str | None]) -> None:
    """B-11: The logout token names a person or session."""
    token = verify(signed(logout_claims_of(**claims)))
    assert isinstance(token, LogoutToken)
    assert (token.subject, token.sid) == named


@pytest.mark.parametrize("kind", ["logout+jwt", "Logout+JWT", "JWT", None])
def test_the_registered_type_the_plain_one_or_none(kind: str | None) -> None:
    """B-13: A logout token's type may be absent."""
    header = {"alg": "RS256", "kid": "k1", **({} if kind is None else {"typ": kind})}
    assert isinstance(verify(signed(logout_claims_of(), header=header)), LogoutToken)


@pytest.mark.parametrize("kind", ["at+jwt", "dpop+jwt", "id_token", 7])
def test_a_token_of_another_type_is_refused(kind: object) -> None:
    """B-13: A logout token's type may be absent. V-1: An ID token is a plain three-part JWS."""
    raw = signed(logout_claims_of(), header={"alg": "RS256", "kid": "k1", "typ": kind})
    assert refused(raw) == "logout_token.type"


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"iss": "https://evil.example"}, "iss"),  # B-6
        ({"iss": ...}, "iss"),
        ({"aud": "another-client"}, "aud"),  # B-7
        ({"aud": ["another-client"]}, "aud"),
        ({"aud": ...}, "aud"),
        ({"aud": [CLIENT, 7]}, "aud"),
        ({"iat": ...}, "iat"),  # B-8
        ({"iat": NOW + 61}, "iat"),
        ({"iat": NOW - 661}, "iat"),
        ({"iat": True}, "iat"),
        ({"exp": ...}, "exp"),
        ({"exp": NOW - 60}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"jti": ...}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 7}, "jti"),
        ({"events": ...}, "events"),  # B-9
        ({"events": {}}, "events"),
        ({"events": EVENT}, "events"),
        ({"events": [EVENT]}, "events"),
        ({"events": {EVENT: None}}, "events"),
        ({"events": {EVENT: True}}, "events"),
        ({"nonce": "n"}, "nonce"),  # B-10
        ({"nonce": None}, "nonce"),
        ({"sub": ..., "sid": ...}, "sub"),  # B-11
        ({"sub": 7}, "sub"),
        ({"sub": None}, "sub"),
        ({"sid": ["s-1"]}, "sid"),
        ({"sid": ""}, "sid"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_token_that_fails_a_check_is_refused_by_its_name(claims: dict[str, object], check: str) -> None:
    """D6: Only a sound logout token ends a session."""
    assert refused(signed(logout_claims_of(**claims))) == f"logout_token.{check}"


def test_several_audiences_may_hold_ours() -> None:
    """B-7: The logout token is meant for this client."""
    assert isinstance(verify(signed(logout_claims_of(aud=["other", CLIENT]))), LogoutToken)


def test_an_id_token_is_no_logout_token() -> None:
    assert refused(signed(claims_of(jti="x"))) == "logout_token.events"


def test_no_signature_is_refused() -> None:
    """D6, B-5: ``none`` is always refused."""
    raw = signed(logout_claims_of(), header={"alg": "none"})
    assert refused(raw.rpartition(".")[0] + ".") == "logout_token.alg"


def test_another_algorithm_is_refused_even_if_a_published_key_verifies_it() -> None:
    """B-5: A logout token is signed like an ID token."""
    assert refused(signed(logout_claims_of(), alg="RS512")) == "logout_token.alg"


def test_a_signature_of_somebody_else_is_refused() -> None:
    assert refused(signed(logout_claims_of(), key=OTHER_RSA)) == "logout_token.signature"


def test_fresh_keys_are_asked_for_only_when_everything_else_is_right() -> None:
    """K-7: a stranger's token costs the provider no request."""
    assert verify(signed(logout_claims_of()), fresh=False, keys=NO_KEYS) == KeysStale()
    with pytest.raises(LogoutTokenInvalid, match="refused"):
        verify(signed(logout_claims_of(aud="another-client")), fresh=False, keys=NO_KEYS)


@pytest.mark.parametrize("raw", ["", "a.b", "a.b.c", "x" * 60_000, "\u00e9.\u00e9.\u00e9"])
def test_garbage_is_refused(raw: str) -> None:
    assert refused(raw).startswith("logout_token.")

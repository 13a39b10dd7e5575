"""The UserInfo request and the checks of its answer: section U."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jupyter_oidc.problems import UserinfoRejected
from jupyter_oidc.protocol.jws import KeysStale
from jupyter_oidc.protocol.message import Call, Reply
from jupyter_oidc.protocol.userinfo import SignedUserinfo, read_userinfo_reply, userinfo_call
from jupyter_oidc.secret import Secret
from tests.unit.protocol.makers import CLIENT, ISSUER, KEYS, METADATA, MISTYPED, NO_KEYS, SUBJECT, reply, signed

SIGNED = SignedUserinfo(alg="RS256", keys=KEYS, issuer=ISSUER, client_id=CLIENT, fresh=True)


def jwt_reply(claims: object, **changes: Any) -> Reply:
    return reply(signed(claims, **changes), media="application/jwt")


def refused(answer: Reply, sent: SignedUserinfo | None = None) -> str:
    with pytest.raises(UserinfoRejected) as caught:
        read_userinfo_reply(answer, subject=SUBJECT, signed=sent)
    return caught.value.detail


def test_the_access_token_travels_in_the_header_only() -> None:
    """U-2: The access token travels in the header only.

    H-4: Redirects are followed for metadata and keys only.
    """
    assert userinfo_call(METADATA, Secret("SlAV32hkKG")) == Call(
        "GET", "https://id.example.com/userinfo", bearer=Secret("SlAV32hkKG"), max_redirects=0, endpoint="userinfo"
    )


def test_where_there_is_no_userinfo_nobody_asks_for_it() -> None:
    """Q1.1: A provider without UserInfo signs people in. H-3: Only named endpoints are contacted."""
    assert userinfo_call(replace(METADATA, userinfo_endpoint=None), Secret("a")) is None


def test_a_signed_answer_is_asked_for_as_such() -> None:
    """U-4: UserInfo comes in the configured form."""
    call = userinfo_call(METADATA, Secret("a"), signed=True)
    assert call is not None
    assert call.accept == "application/jwt"


def test_claims_about_the_person_are_returned_without_null_and_without_the_rest() -> None:
    """U-5, U-9, Q2.3: sources of aggregated claims and claims about a token are dropped; the missing ones are named."""
    body = {
        "sub": SUBJECT,
        "name": "Example User",
        "email": None,
        "email_verified": False,
        "roles": ["a"],
        "iss": "https://evil.example",
        "nonce": "x",
        "exp": 1,
        "_claim_names": {"address": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://evil.example"}},
    }
    assert read_userinfo_reply(reply(body), subject=SUBJECT, signed=None) == {
        "sub": SUBJECT,
        "name": "Example User",
        "email_verified": False,
        "roles": ["a"],
        "_claim_names": {"address": "src1"},
    }


@pytest.mark.parametrize("verified", ["true", "false", 1, None, []])
def test_a_verified_email_is_only_the_json_value_true(verified: object) -> None:
    """U-9: a text proves nothing, and costs no sign-in either."""
    body = {"sub": SUBJECT, "email": "user1@example.com", "email_verified": verified}
    assert read_userinfo_reply(reply(body), subject=SUBJECT, signed=None) == {
        "sub": SUBJECT,
        "email": "user1@example.com",
    }


@pytest.mark.parametrize("subject", ["somebody", SUBJECT + " "])
def test_another_subject_is_refused(subject: object) -> None:
    """U-5: UserInfo speaks of the ID token's subject. U-6: UserInfo about another person ends the sign-in."""
    assert refused(reply({"sub": subject, "name": "x"})) == "userinfo.sub"


@pytest.mark.parametrize("subject", ["", None, 7, [SUBJECT]])
def test_a_subject_that_names_nobody_is_refused_and_not_taken_for_another_one(subject: object) -> None:
    """U-5: UserInfo speaks of the ID token's subject. Q5.3: Another person means another sub or iss."""
    assert refused(reply({"sub": subject, "name": "x"})) == "userinfo.no_sub"


def test_a_missing_subject_is_refused() -> None:
    """U-5: UserInfo speaks of the ID token's subject."""
    assert refused(reply({"name": "x"})) == "userinfo.no_sub"


@pytest.mark.parametrize("status", [201, 204, 302, 401, 403, 500])
def test_another_status_is_refused(status: int) -> None:
    """U-4: UserInfo comes in the configured form. U-8: UserInfo trouble refuses a sign-in by default."""
    assert refused(reply({"sub": SUBJECT}, status=status)) == "userinfo.status"


@pytest.mark.parametrize("media", ["text/html", "", "application/jwt", "text/plain"])
def test_an_unsigned_answer_with_another_content_type_is_refused(media: str) -> None:
    """U-4: UserInfo comes in the configured form."""
    assert refused(reply({"sub": SUBJECT}, media=media)) == "userinfo.form"


def test_a_plain_answer_is_refused_where_a_signed_one_is_configured() -> None:
    """U-4: the check accepts no downgrade."""
    assert refused(reply({"sub": SUBJECT}), SIGNED) == "userinfo.form"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    """U-4: UserInfo comes in the configured form. U-8: UserInfo trouble refuses a sign-in by default."""
    assert refused(reply(body)) == "userinfo.format"


@pytest.mark.parametrize("sent", [None, SIGNED], ids=["plain", "signed"])
@pytest.mark.parametrize("claim", MISTYPED, ids=str)
def test_a_claim_of_the_wrong_type_counts_as_not_made(claim: dict[str, object], sent: SignedUserinfo | None) -> None:
    """Q1.3: A mistyped claim about the person is dropped. U-9: Claims may be missing, null or mistyped."""
    body = {"sub": SUBJECT, "given_name": "Ada", **claim}
    answer = reply(body) if sent is None else jwt_reply(body)
    assert read_userinfo_reply(answer, subject=SUBJECT, signed=sent) == {"sub": SUBJECT, "given_name": "Ada"}


@pytest.mark.parametrize(
    ("more", "kept"),
    [
        (', "name": "Ada", "name": "Eve"', {}),
        (', "name": "\\ud800", "roles": ["a"]', {"roles": ["a"]}),
        (', "roles": ["\\udc00"], "name": "Ada"', {"name": "Ada"}),
        (', "\\udc00": 1', {}),
    ],
    ids=["doubled", "surrogate", "surrogate inside", "surrogate name"],
)
def test_a_claim_that_cannot_be_used_counts_as_not_made(more: str, kept: dict[str, object]) -> None:
    """Q1.3: the person's identity does not depend on the claim."""
    body = f'{{"sub": "{SUBJECT}"{more}}}'
    assert read_userinfo_reply(reply(body), subject=SUBJECT, signed=None) == {"sub": SUBJECT, **kept}


def test_a_doubled_subject_is_refused() -> None:
    """Q1.3, U-5: this holds even if both subjects are right."""
    assert refused(reply(f'{{"sub": "{SUBJECT}", "sub": "{SUBJECT}"}}')) == "userinfo.no_sub"


def test_a_byte_order_mark_before_userinfo_is_ignored() -> None:
    """Q1.4; RFC 8259, 8.1: a reader may ignore the mark."""
    body = b"\xef\xbb\xbf" + f'{{"sub": "{SUBJECT}"}}'.encode()
    assert read_userinfo_reply(reply(body), subject=SUBJECT, signed=None) == {"sub": SUBJECT}


@pytest.mark.parametrize("extra", [{}, {"iss": ISSUER, "aud": CLIENT}, {"aud": [CLIENT, "other"]}], ids=str)
def test_a_signed_answer_is_accepted(extra: dict[str, object]) -> None:
    """U-7: issuer and audience may be missing."""
    answer = jwt_reply({"sub": SUBJECT, "name": "Example User", **extra})
    assert read_userinfo_reply(answer, subject=SUBJECT, signed=SIGNED) == {
        "sub": SUBJECT,
        "name": "Example User",
    }


@pytest.mark.parametrize(
    ("claims", "detail"),
    [
        ({"sub": "somebody"}, "userinfo.sub"),
        ({"sub": SUBJECT, "iss": "https://evil.example"}, "userinfo.iss"),
        ({"sub": SUBJECT, "iss": None}, "userinfo.iss"),
        ({"sub": SUBJECT, "aud": "other"}, "userinfo.aud"),
        ({"sub": SUBJECT, "aud": []}, "userinfo.aud"),
        ({"sub": SUBJECT, "aud": [CLIENT, 7]}, "userinfo.aud"),
    ],
    ids=str,
)
def test_a_signed_answer_about_or_from_somebody_else_is_refused(claims: dict[str, object], detail: str) -> None:
    """U-5: UserInfo speaks of the ID token's subject. U-7: Signed UserInfo is verified like an ID token."""
    assert refused(jwt_reply(claims), SIGNED) == detail


def test_a_signed_answer_with_another_algorithm_is_refused() -> None:
    """U-7: Signed UserInfo is verified like an ID token. V-2: The header names the pinned algorithm."""
    assert refused(jwt_reply({"sub": SUBJECT}, header={"alg": "none"}), SIGNED) == "userinfo.alg"


def test_a_signed_answer_may_ask_for_fresh_keys() -> None:
    """U-7: Signed UserInfo is verified like an ID token.

    K-6: Unknown keys are fetched once more per sign-in.
    """
    stale = SignedUserinfo(alg="RS256", keys=NO_KEYS, issuer=ISSUER, client_id=CLIENT)
    assert read_userinfo_reply(jwt_reply({"sub": SUBJECT}), subject=SUBJECT, signed=stale) == KeysStale()

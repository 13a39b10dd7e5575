"""For any input of a peer, the package raises nothing but a ``Problem``."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_oidc.problems import Problem
from jupyter_oidc.protocol.authorization import ExpectedCallback, read_callback, state_of
from jupyter_oidc.protocol.device import read_device_reply
from jupyter_oidc.protocol.discovery import read_discovery_reply
from jupyter_oidc.protocol.id_token import verify_id_token
from jupyter_oidc.protocol.initiation import read_initiation
from jupyter_oidc.protocol.jwks import read_jwks_reply
from jupyter_oidc.protocol.logout import read_revocation_reply
from jupyter_oidc.protocol.message import Reply
from jupyter_oidc.protocol.pasted import read_pasted
from jupyter_oidc.protocol.pkce import challenge_of
from jupyter_oidc.protocol.token import read_token_reply
from jupyter_oidc.protocol.userinfo import SignedUserinfo, read_userinfo_reply
from jupyter_oidc.secret import Secret
from tests.unit.protocol.makers import (
    CLIENT,
    ISSUER,
    KEYS,
    NOW,
    SUBJECT,
    base64url,
    claims_of,
    document,
    jwk,
    rules,
    signed,
)
from tests.unit.protocol.makers import RSA as KEY

TEXTS = st.text(max_size=20) | st.sampled_from([ISSUER, CLIENT, SUBJECT, "Bearer", "RSA", "EC", "P-256", "sig", "AQAB"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
NAMES = sorted(
    {*claims_of(), *document(), *jwk(KEY)}
    | {
        "access_token",
        "token_type",
        "expires_in",
        "scope",
        "error",
        "suberror",
        "keys",
        "kid",
        "alg",
        "use",
        "crv",
        "device_code",
        "user_code",
        "verification_uri",
        "interval",
    }
    | {
        "azp",
        "nbf",
        "auth_time",
        "at_hash",
        "acr",
        "amr",
        "email_verified",
        "name",
        "typ",
        "crit",
        "key_ops",
        "x",
        "y",
    }
)
OBJECTS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)
BODIES = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    OBJECTS.map(lambda value: json.dumps(value).encode()),
    OBJECTS.map(lambda value: json.dumps({**document(), **value}).encode()),
    OBJECTS.map(lambda value: json.dumps({"access_token": "a", "token_type": "Bearer", **value}).encode()),
    OBJECTS.map(lambda value: json.dumps({"device_code": "d", "user_code": "u", "expires_in": 9, **value}).encode()),
    st.lists(OBJECTS | OBJECTS.map(lambda value: {**jwk(KEY), **value}), max_size=3).map(
        lambda keys: json.dumps({"keys": keys}).encode()
    ),
)
HEADERS = st.dictionaries(
    st.sampled_from(["content-type", "cache-control", "age", "expires", "date", "retry-after"]),
    st.sampled_from(["application/json", "application/jwt"]) | st.text(max_size=40),
)
REPLIES = st.builds(
    Reply,
    st.sampled_from([200, 200, 200, 302, 400, 401, 429, 500]) | st.integers(100, 599),
    BODIES.map(Secret),
    HEADERS,
)
SIGNED = SignedUserinfo(alg="RS256", keys=KEYS, issuer=ISSUER, client_id=CLIENT, fresh=True)


@settings(deadline=None, max_examples=300)
@given(REPLIES)
def test_no_reply_breaks_a_judge(answer: Reply) -> None:
    """The check of every endpoint gets every reply."""
    with contextlib.suppress(Problem):
        read_discovery_reply(ISSUER, answer, allow_loopback_http=True)
    with contextlib.suppress(Problem):
        read_jwks_reply(answer)
    with contextlib.suppress(Problem):
        read_token_reply(answer, requested_scopes=("openid",), id_token_required=False, now=NOW)
    with contextlib.suppress(Problem):
        read_device_reply(answer, now=NOW, max_lifetime_seconds=600.0, allow_loopback_http=True)
    for signed_form in (None, SIGNED):
        with contextlib.suppress(Problem):
            read_userinfo_reply(answer, subject=SUBJECT, signed=signed_form)
    assert read_revocation_reply(answer) in (True, False)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(st.sampled_from(["code", "state", "iss", "error", "response", "id_token"]) | st.text(), st.text())
    )
)
def test_no_callback_breaks_the_judge(parameters: list[tuple[str, str]]) -> None:
    """Any browser can send these."""
    with contextlib.suppress(Problem):
        state_of(parameters)
    with contextlib.suppress(Problem):
        read_callback(ExpectedCallback(ISSUER, iss_required=False), parameters)
    with contextlib.suppress(Problem):
        read_initiation(parameters, ISSUER)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=60), st.sampled_from(["http://127.0.0.1/cb", "https://hub.example.com:8443/a/cb"]))
def test_no_pasted_text_breaks_the_judge(text: str, redirect_uri: str) -> None:
    """A person can paste anything (A32)."""
    for pasted in (text, f"{redirect_uri}?{text}", f"http://[{text}"):
        with contextlib.suppress(Problem):
            read_pasted(Secret(pasted), redirect_uri)


SEGMENTS = st.one_of(
    st.text(max_size=20),
    st.binary(max_size=40).map(base64url),
    OBJECTS.map(lambda value: base64url(json.dumps({"alg": "RS256", **value}).encode())),
)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(SEGMENTS, min_size=1, max_size=5).map(".".join),
    st.sampled_from(["RS256", "ES256", "HS256", "EdDSA"]),
)
def test_no_text_in_the_shape_of_a_token_breaks_the_judge(raw: str, alg: str) -> None:
    """Unsigned and wrongly signed tokens are all refused."""
    accepted = False
    with contextlib.suppress(Problem):
        verify_id_token(
            Secret(raw),
            rules(alg=alg, client_secret=Secret("s")),
            KEYS,
            now=NOW,
            access_token=None,
            fresh=True,
        )
        accepted = True
    assert accepted is False


@settings(deadline=None, max_examples=200)
@given(OBJECTS)
def test_no_signed_claims_break_the_judge(changes: dict[str, Any]) -> None:
    """A provider may sign anything."""
    with contextlib.suppress(Problem):
        verify_id_token(
            Secret(signed({**claims_of(), **changes})),
            rules(),
            KEYS,
            now=NOW,
            access_token=Secret("a"),
            fresh=True,
        )


def _everything_a_traceback_can_show(problem: BaseException) -> str:
    """Return causes, contexts and the locals of our own frames, as an error reporter with locals shows them."""
    shown: list[str] = []
    chain: list[BaseException | None] = [problem]
    while chain:
        error = chain.pop()
        if error is None:
            continue
        shown += [repr(error), repr(vars(error)), repr(getattr(error, "doc", "")), repr(getattr(error, "object", ""))]
        chain += [error.__cause__, error.__context__]
        frame = error.__traceback__
        while frame is not None:
            if "jupyter_oidc/protocol" in frame.tb_frame.f_code.co_filename.replace("\\", "/"):
                shown += [repr(value) for value in frame.tb_frame.f_locals.values()]
            frame = frame.tb_next
    return "\n".join(shown)


MARKED = "MARKED-TOKEN-VALUE"


@pytest.mark.parametrize(
    "body",
    [
        f'{{"access_token": "{MARKED}"'.encode(),
        f'{{"access_token": "{MARKED}"}}'.encode(),
        f'{{"access_token": "{MARKED}\\n", "token_type": "Bearer"}}'.encode(),
        f'{{"access_token": "{MARKED}", "token_type": "Bearer", "scope": 7}}'.encode(),
        f'{{"access_token": "{MARKED}", "access_token": "{MARKED}"}}'.encode(),
        MARKED.encode() + b"\xff",
    ],
)
@pytest.mark.parametrize("status", [200, 201, 400])
def test_a_refused_token_response_leaves_no_token_in_the_traceback(body: bytes, status: int) -> None:
    """D14, A10, laws 1 and 9: an error report shows no token."""
    answer = Reply(status, Secret(body), {"content-type": "application/json"})
    with pytest.raises(Problem) as caught:
        read_token_reply(answer, requested_scopes=(), id_token_required=True, now=NOW)
    assert MARKED not in _everything_a_traceback_can_show(caught.value)


@pytest.mark.parametrize(
    "raw",
    [
        MARKED,
        f"{MARKED}.{MARKED}.{MARKED}",
        signed(claims_of())[:-4] + "AAAA",
        signed("[]"),
        signed(claims_of(), header={}),
    ],
    ids=["one part", "no json", "wrong signature", "no object", "no alg"],
)
def test_a_refused_id_token_leaves_no_part_of_it_in_the_traceback(raw: str) -> None:
    """D14, laws 1 and 9: an error report does not even show the signed text without its signature."""
    with pytest.raises(Problem) as caught:
        verify_id_token(Secret(raw), rules(), KEYS, now=NOW, access_token=None, fresh=True)
    shown = _everything_a_traceback_can_show(caught.value)
    assert [part for part in raw.split(".") if part in shown] == []


def test_a_refused_verifier_does_not_show_in_the_traceback() -> None:
    """D14: A crash shows places and never values.

    A-7: PKCE verifiers are random, single-use and S256 only.
    """
    with pytest.raises(TypeError) as caught:
        challenge_of(Secret(MARKED))
    assert MARKED not in _everything_a_traceback_can_show(caught.value)

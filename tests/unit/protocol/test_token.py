"""The token endpoint: sections T and N, F-1 and F-4, faults A10 to A14, B6 to B9."""

from __future__ import annotations

import json

import pytest

from jupyter_oidc.problems import ConfigurationInvalid, TokenResponseInvalid
from jupyter_oidc.protocol.authorization import ExpectedCallback, VerifiedCallback, read_callback
from jupyter_oidc.protocol.message import BasicCredentials, Call
from jupyter_oidc.protocol.token import (
    Client,
    TokenError,
    TokenSet,
    TokenUnavailable,
    UnverifiedTokens,
    date_offset,
    read_token_reply,
    redeem_call,
    refresh_call,
    retry_after_of,
    unverified_tokens,
)
from jupyter_oidc.secret import Secret
from tests.unit.protocol.makers import ISSUER, METADATA, reply

NOW = 1795424400.0
"""2026-11-23T09:00:00Z in seconds since 1970."""

PUBLIC = Client("jupyter", "none")
BASIC = Client("jupyter", "client_secret_basic", Secret("p:w%"))
POST = Client("jupyter", "client_secret_post", Secret("p:w%"))
VERIFIER = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
GOOD = {
    "access_token": "SlAV32hkKG",
    "token_type": "Bearer",
    "refresh_token": "8xLOxBtZp8",
    "expires_in": 3600,
    "id_token": "eyJ.eyJ.sig",
}


def callback() -> VerifiedCallback:
    found = read_callback(ExpectedCallback(ISSUER, iss_required=False), [("code", "SplxlOBeZQQYbYS6WxSbIA")])
    assert isinstance(found, VerifiedCallback)
    return found


def redeem(client: Client) -> Call:
    return redeem_call(METADATA, client, callback(), redirect_uri="https://hub.example.com/cb", verifier=VERIFIER)


def read(
    body: object, *, status: int = 200, id_token_required: bool = True
) -> TokenSet | TokenError | TokenUnavailable:
    answer = reply(body, status=status)
    return read_token_reply(answer, requested_scopes=("openid", "email"), id_token_required=id_token_required, now=NOW)


def success(**changes: object) -> TokenSet:
    found = read({**GOOD, **changes})
    assert isinstance(found, TokenSet)
    return found


def fault(body: object, *, status: int = 200) -> str:
    with pytest.raises(TokenResponseInvalid) as caught:
        read(body, status=status)
    return caught.value.detail


GRANT = (
    ("grant_type", "authorization_code"),
    ("code", Secret("SplxlOBeZQQYbYS6WxSbIA")),
    ("redirect_uri", "https://hub.example.com/cb"),
    ("code_verifier", VERIFIER),
)


def test_a_public_client_names_itself_in_the_body() -> None:
    """T-1, T-2, T-5, T-6; T-11: the call follows no redirect."""
    assert redeem(PUBLIC) == Call(
        "POST",
        "https://id.example.com/token",
        form=(*GRANT, ("client_id", "jupyter")),
        max_redirects=0,
        endpoint="token",
    )


def test_the_secret_of_client_secret_basic_is_not_in_the_body() -> None:
    """T-3, T-4: the client uses exactly one method."""
    call = redeem(BASIC)
    assert (call.form, call.basic) == (GRANT, BasicCredentials("jupyter", Secret("p:w%")))


def test_the_secret_of_client_secret_post_is_only_in_the_body() -> None:
    """T-3: Each request uses the configured authentication method.

    T-6: Other secrets and public clients use the body.
    """
    call = redeem(POST)
    assert (call.form[4:], call.basic) == (
        (("client_id", "jupyter"), ("client_secret", Secret("p:w%"))),
        None,
    )


def test_no_secret_shows_in_a_token_call() -> None:
    """T-12: Secrets never reach logs, pages or URLs."""
    shown = repr(redeem(POST))
    assert [word for word in ("Splxl", "dBjftJ", "p:w") if word in shown] == []


def test_a_refresh_sends_the_token_and_nothing_it_was_not_asked_for() -> None:
    """F-1: A refresh sends the token and nothing wider."""
    assert refresh_call(METADATA, PUBLIC, Secret("r1")).form == (
        ("grant_type", "refresh_token"),
        ("refresh_token", Secret("r1")),
        ("client_id", "jupyter"),
    )


def test_a_refresh_may_narrow_scopes_and_name_a_target() -> None:
    """F-1; RFC 8707, 2.2: the request names scopes, resource and audience."""
    call = refresh_call(
        METADATA,
        BASIC,
        Secret("r1"),
        scopes=("a", "b"),
        resource="https://api.example.com",
        audience="orders",
    )
    assert call.form[2:] == (
        ("scope", "a b"),
        ("resource", "https://api.example.com"),
        ("audience", "orders"),
    )


@pytest.mark.parametrize("secret", [None, Secret("")], ids=["none", "empty"])
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_method_without_its_secret_is_a_mistake_in_the_settings(method: str, secret: Secret | None) -> None:
    """T-3: Each request uses the configured authentication method."""
    with pytest.raises(ConfigurationInvalid, match="needs a client secret"):
        redeem(Client("jupyter", method, secret))  # type: ignore[arg-type]


def test_a_good_answer_becomes_a_token_set() -> None:
    """N-1 to N-6: scopes are as requested where the answer names none."""
    assert success() == TokenSet(
        access_token=Secret("SlAV32hkKG"),
        expires_in=3600.0,
        refresh_token=Secret("8xLOxBtZp8"),
        id_token=Secret("eyJ.eyJ.sig"),
        scopes=("openid", "email"),
    )


def test_a_json_content_type_may_have_parameters() -> None:
    """N-1: Only a JSON object is a token response."""
    answer = reply(GOOD, media="Application/JSON; charset=UTF-8")
    assert isinstance(read_token_reply(answer, requested_scopes=(), id_token_required=True, now=NOW), TokenSet)


@pytest.mark.parametrize("media", ["text/html", "text/plain", "", "text/javascript"])
def test_the_label_of_a_body_decides_nothing(media: str) -> None:
    """Q1.2, N-1: frameworks label JSON as they please; the body itself shows whether it is JSON."""
    answer = reply(GOOD, media=media)
    assert isinstance(read_token_reply(answer, requested_scopes=(), id_token_required=True, now=NOW), TokenSet)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b"[" * 100_000, b"\xff", b'{"error":"a","error":"b"}'])
def test_a_body_that_is_no_json_object_is_refused(status: int, body: bytes) -> None:
    """N-1: Only a JSON object is a token response. A10: A web page is no token response."""
    assert fault(body, status=status) == "token.format"


def test_a_refused_body_is_not_quoted() -> None:
    """A10: A web page is no token response. T-12: Secrets never reach logs, pages or URLs."""
    with pytest.raises(TokenResponseInvalid) as caught:
        read(b'{"access_token": "SlAV32hkKG"', status=200)
    assert "SlAV32hkKG" not in str(caught.value) + repr(caught.value.__context__)


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 308, 100])
def test_another_status_is_refused(status: int) -> None:
    """N-1, A14: a redirect is among them."""
    assert fault(GOOD, status=status) == "token.status"


@pytest.mark.parametrize("member", ["access_token", "refresh_token", "id_token"])
@pytest.mark.parametrize("value", [7, "a\r\nb", "a\u00fc", ["a"], True, {"a": 1}, "a\x7f"])
def test_a_token_that_is_not_printable_text_is_refused(member: str, value: object) -> None:
    """N-5: Tokens are opaque and kept byte for byte.

    A11: A token response without a usable token is refused.
    """
    assert fault({**GOOD, member: value}) == f"token.{member}"


@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize("member", ["access_token", "id_token"])
def test_a_missing_token_is_refused(member: str, empty: str | None) -> None:
    """N-2, A11, Q1.2: an empty token counts as missing."""
    assert fault({**GOOD, member: empty}) == f"token.{member}"


def test_an_empty_refresh_token_is_none() -> None:
    """Q1.2: The new refresh token is kept before anything else."""
    assert success(refresh_token="").refresh_token is None


@pytest.mark.parametrize(
    ("body", "token"),
    [
        ({"refresh_token": "r", "token_type": "mac"}, "r"),
        ({"refresh_token": "r", "error": "server_error"}, "r"),
        ({"refresh_token": ""}, None),
        ({"refresh_token": None}, None),
        ('\ufeff{"refresh_token": "r"}', "r"),
        ('{"refresh_token": "r", "refresh_token": "r"}', "r"),
        ('{"a": {"refresh_token": "inner"}, "b": NaN}', None),
    ],
)
def test_what_an_answer_hands_over_is_told_before_it_is_judged(body: object, token: str | None) -> None:
    """Q1.2, F-4: the tokens are found even in answers that every check refuses."""
    assert unverified_tokens(reply(body)) == UnverifiedTokens(refresh_token=None if token is None else Secret(token))


@pytest.mark.parametrize(
    "body",
    [
        {"refresh_token": 7},
        {"refresh_token": "a\nb"},
        {"refresh_token": ["r"]},
        '{"refresh_token": "r", "refresh_token": "s"}',
        '{"refresh_token": "r", "expires_in": 3',
        b'{"refresh_token": "\xff"}',
    ],
)
def test_a_token_that_is_there_and_cannot_be_read_is_not_told_as_none(body: object) -> None:
    """Q1.2: the difference decides whether the client may send the old token again."""
    assert unverified_tokens(reply(body)) == UnverifiedTokens(unreadable=True)


@pytest.mark.parametrize("status", [302, 400, 500])
def test_only_a_success_hands_over_tokens(status: int) -> None:
    """Q1.2: The new refresh token is kept before anything else."""
    assert unverified_tokens(reply({"refresh_token": "r"}, status=status)) == UnverifiedTokens()


@pytest.mark.parametrize("body", [b"<html>refresh_token</html>", b"", b"[" * 100_000, b"[1]"])
def test_a_body_of_something_in_between_hands_over_nothing(body: bytes) -> None:
    """B6: An outage does not end a session."""
    assert unverified_tokens(reply(body)) == UnverifiedTokens()


def test_a_refresh_may_come_without_an_id_token() -> None:
    """F-4: A successor is stored before anything is judged.

    B4: A refresh about another person ends the session.
    """
    answer = read({"access_token": "a", "token_type": "Bearer"}, id_token_required=False)
    assert answer == TokenSet(Secret("a"), None, None, None, ("openid", "email"))


@pytest.mark.parametrize("kind", ["bearer", "BEARER", "Bearer"])
def test_the_token_type_is_compared_without_case(kind: str) -> None:
    """N-3: The token type matches the request. A12: The letter case of the token type is ignored."""
    assert success(token_type=kind).access_token == Secret("SlAV32hkKG")


@pytest.mark.parametrize("kind", [None, ""])
def test_without_a_word_about_it_a_token_is_of_the_type_that_was_asked_for(kind: str | None) -> None:
    """Q1.2: The new refresh token is kept before anything else."""
    assert success(token_type=kind).access_token == Secret("SlAV32hkKG")


@pytest.mark.parametrize("kind", ["mac", "DPoP", 1, 0, ["Bearer"], [], "Bearer "])
def test_another_token_type_is_refused(kind: object) -> None:
    """N-2, N-3, A11: the client did not ask for DPoP."""
    assert fault({**GOOD, "token_type": kind}) == "token.token_type"


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        (None, None),
        (300, 300.0),
        (299.5, 299.5),
        ("300", 300.0),
        (" 300.5 ", 300.5),
        (0, 0.0),
        (-5, 0.0),
        ("-5", 0.0),
        (10**12, 86400.0),
        (10**400, 86400.0),
        ("1000000000000", 86400.0),
        ("soon", None),
        ("nan", None),
        ("1e3", None),
        ("\u0663", None),
        (True, None),
        ([300], None),
        ("", None),
    ],
)
def test_a_lifetime_is_a_number_of_seconds_or_unknown(sent: object, seconds: float | None) -> None:
    """N-4, A13: a lifetime is at most a day, never below zero, and never an error."""
    assert success(expires_in=sent).expires_in == seconds


def test_an_infinite_lifetime_is_unknown() -> None:
    """A13: 1e999 is valid JSON."""
    answer = read(b'{"access_token":"a","token_type":"Bearer","expires_in":1e999}', id_token_required=False)
    assert isinstance(answer, TokenSet)
    assert answer.expires_in is None


@pytest.mark.parametrize(
    ("sent", "scopes"),
    [
        ("openid", ("openid",)),
        ("email  profile email", ("email", "profile")),
        ("", ()),
        (None, ("openid", "email")),
        (["openid", "orders.read"], ("openid", "orders.read")),
        (["openid orders.read", 7, "\u00fc"], ("openid", "orders.read")),
        ([], ()),
        ("a\nb", ("a", "b")),
        (1, ("openid", "email")),
        ({"openid": True}, ("openid", "email")),
    ],
)
def test_granted_scopes_are_those_in_the_answer(sent: object, scopes: tuple[str, ...]) -> None:
    """N-6, A25; Q1.2: an array is a list, and a value that is neither text nor list counts as absent."""
    assert success(scope=sent).scopes == scopes


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("invalid_grant", "invalid_grant"),
        ("invalid_client", "invalid_client"),
        ("invalid_target", "invalid_target"),
        ("interaction_required", "interaction_required"),
        ("authorization_pending", "authorization_pending"),
        ("something_of_their_own", "other"),
        ("<b>SlAV32hkKG</b>", "other"),
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403])
def test_an_oauth_error_is_a_value(sent: str, told: str, status: int) -> None:
    """RFC 6749, 5.2; F-8, B1, B8, B9, B30: an unregistered code becomes ``other``."""
    assert read({"error": sent, "error_description": "free text"}, status=status) == TokenError(told, status)


@pytest.mark.parametrize(
    ("suberror", "told"),
    [
        ("basic_action", "interaction_required"),
        ("consent_required", "consent_required"),
        ("bad_token", "invalid_grant"),
        (["basic_action"], "invalid_grant"),
        (None, "invalid_grant"),
    ],
)
def test_an_invalid_grant_that_only_asks_for_the_person_is_told_as_such(suberror: object, told: str) -> None:
    """B9: A provider that wants the person keeps the token."""
    assert read({"error": "invalid_grant", "suberror": suberror}, status=400) == TokenError(told, 400)


@pytest.mark.parametrize("error", [None, "", 1, ["invalid_grant"]])
def test_an_error_status_without_a_code_is_refused(error: object) -> None:
    """N-1: only a definite OAuth error ends a session."""
    assert fault({"error": error}, status=400) == "token.error"


def test_an_oauth_error_with_status_200_is_an_oauth_error() -> None:
    """Q1.8: some providers write the error and forget the status."""
    assert read({"error": "invalid_grant"}, status=200) == TokenError("invalid_grant", 200)


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_error_beside_tokens_is_none(nothing: str | None) -> None:
    """Q1.2: The new refresh token is kept before anything else.

    Q1.8: A doubtful refusal ends only an expired session.
    """
    assert success(error=nothing).access_token == Secret("SlAV32hkKG")


def test_tokens_beside_an_error_are_not_used() -> None:
    """Q1.8: an answer with both tokens and an error counts as an error."""
    assert read({**GOOD, "error": "invalid_scope"}, status=200) == TokenError("invalid_scope", 200)


@pytest.mark.parametrize("member", ["expires_in", "scope", "anything"])
def test_a_member_that_is_there_twice_counts_as_absent_unless_it_decides(member: str) -> None:
    """Q1.2, a sibling: a member with a safe default does not spoil a refresh."""
    written = f'{{"{member}": "1", ' + json.dumps({**GOOD, member: "2"})[1:]
    answer = read(written, status=200)
    assert isinstance(answer, TokenSet)
    assert (answer.scopes, answer.expires_in) == (
        ("openid", "email"),
        None if member == "expires_in" else 3600.0,
    )


@pytest.mark.parametrize("member", ["access_token", "id_token", "refresh_token", "token_type"])
def test_a_member_that_decides_may_not_be_there_twice(member: str) -> None:
    """Q1.2, N-1: the reader cannot know which of the two values is meant."""
    assert fault(f'{{"{member}": "1", ' + json.dumps(GOOD)[1:]) == "token.format"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_weather_is_a_value_whatever_the_body(status: int) -> None:
    """B6: An outage does not end a session."""
    assert read(b"<html>", status=status) == TokenUnavailable(status, None)


def test_a_pause_that_the_provider_asks_for_is_passed_on() -> None:
    """B7: A provider that asks for a pause gets it."""
    answer = reply(b"", status=429, headers={"retry-after": "120"})
    verdict = read_token_reply(answer, requested_scopes=(), id_token_required=True, now=NOW)
    assert verdict == TokenUnavailable(429, 120.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("86400", 3600.0),
        ("Mon, 23 Nov 2026 09:02:00 GMT", 120.0),
        ("Mon, 23 Nov 2026 08:00:00 GMT", 0.0),
        ("Tue, 24 Nov 2026 09:00:00 GMT", 3600.0),
        ("soon", 5.0),
        ("-1", 5.0),
        ("1.5", 5.0),
        ("", 5.0),
        ("9" * 40, 5.0),
        ("Mon, 99 Nov 99999999999 09:00:00 GMT", 5.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_five_seconds_if_unreadable(
    text: str | None, seconds: float | None
) -> None:
    """B7: a pause is at most an hour."""
    assert retry_after_of({} if text is None else {"retry-after": text}, NOW) == seconds


@pytest.mark.parametrize(
    ("date", "offset"),
    [
        ("Mon, 23 Nov 2026 09:03:00 GMT", 180.0),
        ("Mon, 23 Nov 2026 08:57:00 GMT", -180.0),
        ("Mon, 23 Nov 2026 09:00:00 -0000", 0.0),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_clock_of_the_peer_is_read_from_its_date_header(date: str, offset: float | None) -> None:
    """A21: Clocks may differ by five minutes at most."""
    assert date_offset({"date": date}, NOW) == offset


def test_no_date_header_tells_no_offset() -> None:
    """A21: Clocks may differ by five minutes at most."""
    assert date_offset({}, NOW) is None


@pytest.mark.parametrize("kind", ["DPoP", "dpop", "DPOP"])
def test_a_token_that_is_bound_to_the_key_is_what_a_proof_earns(kind: str) -> None:
    """X-4, A12: the type is accepted in any letter case."""
    answer = reply({**GOOD, "token_type": kind})
    found = read_token_reply(answer, requested_scopes=(), id_token_required=True, now=NOW, proved=True)
    assert isinstance(found, TokenSet)


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "DPoP ", "", None])
def test_a_bearer_token_for_a_proof_is_refused(kind: str | None) -> None:
    """X-4: a thief could use a "Bearer" token where DPoP was asked for."""
    answer = reply({**GOOD, "token_type": kind})
    with pytest.raises(TokenResponseInvalid) as caught:
        read_token_reply(answer, requested_scopes=(), id_token_required=True, now=NOW, proved=True)
    assert caught.value.detail == "token.token_type"


@pytest.mark.parametrize("media", ["application/json", "text/plain"])
def test_an_error_with_status_200_is_an_error(media: str) -> None:
    """Q1.11: Device answers may write numbers as text."""
    answer = read_token_reply(
        reply({"error": "slow_down"}, media=media), requested_scopes=(), id_token_required=True, now=NOW
    )
    assert answer == TokenError("slow_down", 200)

"""The authorization request and the checks of its answer: sections A and R, faults A1 and A5 to A9."""

from __future__ import annotations

import dataclasses
from urllib.parse import parse_qsl, urlsplit

import pytest

from jupyter_oidc.problems import (
    ConfigurationInvalid,
    DiscoveryFailed,
    IssuerMismatch,
    ResponseMalformed,
    StateInvalid,
)
from jupyter_oidc.protocol.authorization import (
    AuthorizationRequest,
    Declined,
    ExpectedCallback,
    VerifiedCallback,
    authorization_url,
    read_callback,
    state_of,
)
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from tests.unit.protocol.makers import ISSUER, METADATA

REQUEST = AuthorizationRequest(
    client_id="jupyter",
    redirect_uri="https://hub.example.com/cb?p=1",
    scopes=("openid", "profile"),
    state="af0ifjsldkj",
    nonce="n-0S6_WzA2Mj",
    code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
)
OPTIONAL = ExpectedCallback(issuer=ISSUER, iss_required=False)
REQUIRED = ExpectedCallback(issuer=ISSUER, iss_required=True)


def test_the_request_holds_exactly_the_parameters_of_the_code_flow() -> None:
    """A-1, A-6: the request is form-url-encoded, has PKCE with S256, and names no default ``response_mode``."""
    assert authorization_url(METADATA, REQUEST) == (
        "https://id.example.com/authorize?response_type=code&client_id=jupyter"
        "&redirect_uri=https%3A%2F%2Fhub.example.com%2Fcb%3Fp%3D1&scope=openid+profile"
        "&state=af0ifjsldkj&nonce=n-0S6_WzA2Mj"
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    )


def test_everything_optional_is_sent_when_it_is_configured() -> None:
    """A-8: Optional parameters are sent only if asked for.

    A-10: Response mode form_post needs a cross-site cookie.
    I-3: A login hint is passed on unchanged.
    """
    request = dataclasses.replace(
        REQUEST,
        response_mode="form_post",
        prompt="login",
        max_age=0,
        acr_values=("mfa", "pwd"),
        audience="https://api.example.com",
        resource="https://api.example.com/v1",
        login_hint="a&b=c \u00fc",
    )
    sent = dict(parse_qsl(urlsplit(authorization_url(METADATA, request)).query))
    assert {name: sent[name] for name in list(sent)[8:]} == {
        "response_mode": "form_post",
        "prompt": "login",
        "max_age": "0",
        "acr_values": "mfa pwd",
        "audience": "https://api.example.com",
        "resource": "https://api.example.com/v1",
        "login_hint": "a&b=c \u00fc",
    }


def test_openid_is_added_to_the_scopes() -> None:
    """A-2: The scopes always include openid."""
    url = authorization_url(METADATA, dataclasses.replace(REQUEST, scopes=("email",)))
    assert dict(parse_qsl(urlsplit(url).query))["scope"] == "openid email"


@pytest.mark.parametrize(
    ("endpoint", "beginning"),
    [
        (
            "https://id.example.com/a?tenant=x%20y",
            "https://id.example.com/a?tenant=x%20y&response_type=code&",
        ),
        ("https://id.example.com/a?tenant=x&", "https://id.example.com/a?tenant=x&response_type=code&"),
        ("https://id.example.com/a?", "https://id.example.com/a?response_type=code&"),
    ],
)
def test_the_query_of_the_endpoint_is_kept(endpoint: str, beginning: str) -> None:
    """A-6: The endpoint's own query is kept."""
    metadata = dataclasses.replace(METADATA, authorization_endpoint=endpoint)
    assert authorization_url(metadata, REQUEST).startswith(beginning)


def test_an_endpoint_that_already_holds_one_of_our_parameters_is_refused() -> None:
    """A-6, RFC 6749, 3.1: no parameter is sent twice."""
    metadata = dataclasses.replace(METADATA, authorization_endpoint="https://id.example.com/a?client_id=other")
    with pytest.raises(DiscoveryFailed):
        authorization_url(metadata, REQUEST)


def test_a_redirect_uri_with_a_fragment_is_a_mistake_in_the_settings() -> None:
    """A-1: The request asks for a code with PKCE."""
    with pytest.raises(ConfigurationInvalid, match="fragment"):
        authorization_url(METADATA, dataclasses.replace(REQUEST, redirect_uri="https://hub.example.com/cb#x"))


def test_the_state_is_found_beside_unknown_parameters() -> None:
    """R-2: State must match a sign-in of this browser. R-8: A success must contain a code."""
    assert state_of([("code", "c"), ("state", "s1"), ("session_state", "x")]) == "s1"


@pytest.mark.parametrize("state", [[], [("state", "")], [("state", "s" * 129)]], ids=["absent", "empty", "overlong"])
def test_an_answer_without_a_possible_state_is_refused(state: list[tuple[str, str]]) -> None:
    """R-4: A missing state counts as a wrong one. A1: A callback needs a state that is known here."""
    with pytest.raises(StateInvalid):
        state_of([("code", "c"), *state])


@pytest.mark.parametrize("name", ["code", "state", "iss", "error", "response", "id_token", "access_token"])
def test_a_parameter_twice_is_refused_even_with_equal_values(name: str) -> None:
    """R-1: An answer comes by the configured method, unambiguous.

    A8: A contradictory or doubled answer is refused.
    """
    with pytest.raises(ResponseMalformed) as caught:
        state_of([("state", "s1"), ("code", "c"), (name, "x"), (name, "x")])
    assert caught.value.detail == "callback.duplicate"


@pytest.mark.parametrize("name", ["error_description", "error_uri", "session_state", "utm_source", "scope", ""])
def test_a_parameter_that_nobody_reads_may_be_there_twice(name: str) -> None:
    """Q1.12; RFC 6749, 4.1.2: unrecognized parameters are ignored."""
    answer = [("state", "s1"), ("code", "c"), (name, "x"), (name, "y")]
    assert state_of(answer) == "s1"
    assert isinstance(
        read_callback(ExpectedCallback("https://id.example.com", iss_required=False), answer), VerifiedCallback
    )


@pytest.mark.parametrize("parameters", [[("response", "eyJ.eyJ.x")], []], ids=["JARM", "fragment only"])
def test_an_answer_in_another_response_mode_is_refused_with_a_hint(parameters: list[tuple[str, str]]) -> None:
    """A9: An answer in another response mode is refused."""
    with pytest.raises(ResponseMalformed) as caught:
        state_of(parameters)
    assert "response mode" in caught.value.action


def test_a_sound_answer_gives_the_code_byte_for_byte() -> None:
    """R-8: A success must contain a code. N-5: Tokens are opaque and kept byte for byte."""
    callback = read_callback(REQUIRED, [("code", "Spl x/+=~"), ("state", "s"), ("iss", ISSUER)])
    assert isinstance(callback, VerifiedCallback)
    assert reveal(callback.code) == "Spl x/+=~"


def test_the_code_does_not_show() -> None:
    """T-12: Secrets never reach logs, pages or URLs."""
    assert "Splx" not in repr(read_callback(OPTIONAL, [("code", "Splx"), ("state", "s")]))


def test_nobody_else_can_make_a_verified_callback() -> None:
    """Only ``read_callback`` makes the value that the token request accepts."""
    with pytest.raises(TypeError):
        VerifiedCallback(Secret("c"), object())


def test_a_missing_issuer_is_fine_unless_it_was_promised() -> None:
    """R-6: A promised issuer must be there."""
    assert isinstance(read_callback(OPTIONAL, [("code", "c"), ("state", "s")]), VerifiedCallback)


def test_a_promised_issuer_that_is_missing_is_refused() -> None:
    """R-6: A promised issuer must be there. A7: An answer from another issuer is not redeemed."""
    with pytest.raises(IssuerMismatch):
        read_callback(REQUIRED, [("code", "c"), ("state", "s")])


@pytest.mark.parametrize("issuer", ["https://evil.example", ISSUER + "/", "HTTPS://id.example.com", ""])
def test_an_answer_of_another_issuer_is_refused(issuer: str) -> None:
    """R-5: An answer must come from the configured issuer.

    A7: An answer from another issuer is not redeemed.
    """
    with pytest.raises(IssuerMismatch):
        read_callback(OPTIONAL, [("code", "c"), ("state", "s"), ("iss", issuer)])


def test_an_error_of_another_issuer_is_refused_before_it_counts() -> None:
    """R-5: the issuer is checked before R-7 reads the error."""
    with pytest.raises(IssuerMismatch):
        read_callback(OPTIONAL, [("error", "access_denied"), ("state", "s"), ("iss", "https://evil.example")])


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("access_denied", "access_denied"),
        ("login_required", "login_required"),
        ("temporarily_unavailable", "temporarily_unavailable"),
        ("<script>alert(1)</script>", "other"),
        ("my_own_error", "other"),
    ],
)
def test_a_refusal_is_told_by_registered_code_only(sent: str, told: str) -> None:
    """R-7: An error ends the sign-in without further requests.

    A5: A declined sign-in leaves the old session alone.
    """
    answer = [("error", sent), ("error_description", "free text"), ("state", "s")]
    assert read_callback(OPTIONAL, answer) == Declined(told)


@pytest.mark.parametrize("error", ["access_denied", ""])
def test_a_code_together_with_an_error_is_refused(error: str) -> None:
    """R-7: An error ends the sign-in without further requests.

    A8: A contradictory or doubled answer is refused.
    """
    with pytest.raises(ResponseMalformed) as caught:
        read_callback(OPTIONAL, [("code", "c"), ("error", error), ("state", "s")])
    assert caught.value.detail == "callback.both"


@pytest.mark.parametrize("name", ["id_token", "access_token", "refresh_token"])
def test_a_token_in_the_address_is_refused(name: str) -> None:
    """A8: A contradictory or doubled answer is refused."""
    with pytest.raises(ResponseMalformed) as caught:
        read_callback(OPTIONAL, [("code", "c"), (name, "x"), ("state", "s")])
    assert caught.value.detail == "callback.token"


@pytest.mark.parametrize("code", [None, "", "a\nb", "\u00fc", "c" * 8193])
def test_an_answer_without_a_usable_code_is_refused(code: str | None) -> None:
    """R-8: A success must contain a code."""
    answer = [("state", "s")] if code is None else [("state", "s"), ("code", code)]
    with pytest.raises(ResponseMalformed) as caught:
        read_callback(OPTIONAL, answer)
    assert caught.value.detail == "callback.code"


def test_a_duplicate_is_refused_by_the_judgement_too() -> None:
    """R-1: the check does not rely on a caller that has read the state first."""
    with pytest.raises(ResponseMalformed):
        read_callback(OPTIONAL, [("code", "c"), ("code", "c"), ("state", "s")])


def test_parameters_of_the_settings_are_sent_and_never_take_the_place_of_ours() -> None:
    """A-1: The request asks for a code with PKCE. A-4: State is random and bound to one browser."""
    more = (("access_type", "offline"), ("state", "fixed"), ("acr_values", "none"))
    query = dict(parse_qsl(urlsplit(authorization_url(METADATA, dataclasses.replace(REQUEST, more=more))).query))
    assert (query["access_type"], query["state"], "acr_values" in query) == ("offline", "af0ifjsldkj", False)

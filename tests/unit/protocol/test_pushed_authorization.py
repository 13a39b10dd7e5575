"""Pushed authorization requests as values (RFC 9126; section P): the request, and the checks of its answer."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from jupyter_oidc.problems import ConfigurationInvalid, DiscoveryFailed, TokenResponseInvalid
from jupyter_oidc.protocol.authorization import AuthorizationRequest, authorization_url
from jupyter_oidc.protocol.client_authentication import Client
from jupyter_oidc.protocol.message import written
from jupyter_oidc.protocol.pushed_authorization import Pushed, push_call, pushed_url, read_push_reply
from jupyter_oidc.protocol.token import TokenError, TokenUnavailable
from jupyter_oidc.secret import Secret
from tests.unit.protocol.makers import METADATA, NOW, reply

PUSHING = replace(METADATA, pushed_authorization_request_endpoint="https://id.example.com/par")
PUBLIC = Client("jupyter", "none")
REFERENCE = "urn:ietf:params:oauth:request_uri:bwc4JK-ESC0w8acc191e-Y1LTC2"
REQUEST = AuthorizationRequest(
    client_id="jupyter",
    redirect_uri="https://hub.example.com/cb",
    scopes=("openid", "profile"),
    state="s-1",
    nonce="n-1",
    code_challenge="c-1",
    prompt="login",
    max_age=60,
    dpop_jkt="3qmU",
    more=(("access_type", "offline"),),
)


def sent(client: Client) -> list[tuple[str, str]]:
    call = push_call(PUSHING, client, REQUEST)
    assert call is not None
    return [(name, written(value)) for name, value in call.form]


def test_what_the_browser_would_carry_is_pushed_to_the_last_parameter() -> None:
    """P-1, RFC 9126, 2.1: the form goes to the endpoint for it, and holds no ``request_uri``."""
    call = push_call(PUSHING, PUBLIC, REQUEST)
    assert call is not None
    assert (call.method, call.url, call.max_redirects) == ("POST", "https://id.example.com/par", 0)
    assert sorted(sent(PUBLIC)) == sorted(parse_qsl(urlsplit(authorization_url(METADATA, REQUEST)).query))
    assert "request_uri" not in dict(sent(PUBLIC))


@pytest.mark.parametrize(
    ("client", "proof"),
    [
        (PUBLIC, []),
        (Client("jupyter", "client_secret_basic", Secret("s")), []),
        (Client("jupyter", "client_secret_post", Secret("s")), ["client_secret"]),
        (
            Client("jupyter", "private_key_jwt", assertion=lambda: Secret("a"), assertion_alg="ES256"),
            ["client_assertion_type", "client_assertion"],
        ),
    ],
    ids=["none", "basic", "post", "private key"],
)
def test_a_pushed_request_authenticates_the_client_and_names_it_once(client: Client, proof: list[str]) -> None:
    """P-1, RFC 9126, 2: the client authenticates as at the token endpoint; no parameter is twice (RFC 6749, 3.1)."""
    names = [name for name, _ in sent(client)]
    assert names.count("client_id") == 1
    assert [name for name in names if name.startswith("client_") and name != "client_id"] == proof
    call = push_call(PUSHING, client, REQUEST)
    assert call is not None
    assert (call.basic is not None) == (client.method == "client_secret_basic")


def test_a_further_parameter_does_not_take_the_place_of_the_proof() -> None:
    """Q1.3, T-3: parameters of the settings never replace the client's own credentials."""
    client = Client("jupyter", "client_secret_post", Secret("s"))
    call = push_call(PUSHING, client, replace(REQUEST, more=(("client_secret", "another"),)))
    assert call is not None
    assert [written(value) for name, value in call.form if name == "client_secret"] == ["s"]


def test_a_provider_without_the_endpoint_gets_no_pushed_request() -> None:
    """H-3: Only named endpoints are contacted."""
    assert push_call(METADATA, PUBLIC, REQUEST) is None


def test_a_redirect_uri_with_a_fragment_is_not_pushed_either() -> None:
    with pytest.raises(ConfigurationInvalid, match="fragment"):
        push_call(PUSHING, PUBLIC, replace(REQUEST, redirect_uri="https://hub.example.com/cb#x"))


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize(
    "more", [{"expires_in": 60, "more": 1}, {"expires_in": "60"}, {"expires_in": True}, {"expires_in": 0}, {}]
)
def test_a_reference_is_taken_whatever_is_said_of_its_lifetime(status: int, more: dict[str, object]) -> None:
    """P-2, Q1.3; RFC 9126, 2.2: the reference is used at once, so a missing ``expires_in`` does no harm."""
    answer = reply({"request_uri": REFERENCE, **more}, status=status)
    assert read_push_reply(answer, now=NOW) == Pushed(REFERENCE)


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"expires_in": 60}, 201, "request_uri"),
        ({"request_uri": "", "expires_in": 60}, 201, "request_uri"),
        ({"request_uri": ["urn:x"], "expires_in": 60}, 201, "request_uri"),
        ({"request_uri": "urn:x y", "expires_in": 60}, 201, "request_uri"),
        ({"request_uri": "urn:x\r\nSet-Cookie: a", "expires_in": 60}, 201, "request_uri"),
        ({"request_uri": "u" * 2049, "expires_in": 60}, 201, "request_uri"),
        ("<html>", 201, "request_uri"),
        (f'{{"request_uri": "{REFERENCE}", "request_uri": "urn:y", "expires_in": 60}}', 201, "request_uri"),
        ({"request_uri": REFERENCE, "expires_in": 60}, 202, "status"),
        ("", 302, "status"),
        ("<html>", 400, "status"),
        ({"error": 7}, 401, "status"),
    ],
)
def test_any_other_answer_ends_the_sign_in(body: object, status: int, detail: str) -> None:
    """P-2: after an unusable answer, the client does not send the request by the browser instead."""
    with pytest.raises(TokenResponseInvalid) as caught:
        read_push_reply(reply(body, status=status), now=NOW)
    assert caught.value.detail == f"pushed.{detail}"


@pytest.mark.parametrize(
    ("error", "status", "known"),
    [
        ("invalid_request", 400, "invalid_request"),
        ("invalid_client", 401, "invalid_client"),
        ("invalid_scope", 400, "invalid_scope"),
        ("invalid_redirect_uri", 400, "invalid_redirect_uri"),
        ("unmet_authentication_requirements", 400, "unmet_authentication_requirements"),
        ("use_dpop_nonce", 400, "use_dpop_nonce"),
        ("invalid_request", 200, "invalid_request"),
        ("<b>made up</b>", 403, "other"),
    ],
)
def test_an_oauth_error_is_a_value_with_its_registered_code(error: str, status: int, known: str) -> None:
    """RFC 9126, 2.3: an unregistered code becomes ``other``."""
    assert read_push_reply(reply({"error": error}, status=status), now=NOW) == TokenError(known, status)


@pytest.mark.parametrize(("status", "headers", "pause"), [(429, {"retry-after": "7"}, 7.0), (503, {}, None)])
def test_a_provider_that_cannot_take_it_now_is_no_fault(
    status: int, headers: dict[str, str], pause: float | None
) -> None:
    """RFC 9126, 2.3: a provider answers 429 to a client that pushes too much."""
    assert read_push_reply(reply({}, status=status, headers=headers), now=NOW) == TokenUnavailable(status, pause)


def test_the_browser_carries_client_and_reference_and_nothing_else() -> None:
    """P-3, RFC 9126, 4: other parameters in the endpoint's own query stay."""
    metadata = replace(METADATA, authorization_endpoint="https://id.example.com/authorize?p=1")
    url = pushed_url(metadata, "jupyter", Pushed(REFERENCE))
    assert parse_qsl(urlsplit(url).query) == [("p", "1"), ("client_id", "jupyter"), ("request_uri", REFERENCE)]


def test_an_endpoint_that_holds_a_reference_of_its_own_is_refused() -> None:
    """RFC 6749, 3.1: no parameter is sent twice."""
    metadata = replace(METADATA, authorization_endpoint="https://id.example.com/authorize?request_uri=urn:evil")
    with pytest.raises(DiscoveryFailed):
        pushed_url(metadata, "jupyter", Pushed(REFERENCE))

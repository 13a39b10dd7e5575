"""The device authorization grant as values (RFC 8628): its requests, and the checks of their answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jupyter_oidc.problems import TokenResponseInvalid
from jupyter_oidc.protocol.client_authentication import Client
from jupyter_oidc.protocol.device import (
    DEVICE_CODE,
    DeviceAuthorization,
    DeviceRequest,
    device_authorization_call,
    device_token_call,
    offers_device_grant,
    read_device_reply,
)
from jupyter_oidc.protocol.token import TokenError, TokenUnavailable
from jupyter_oidc.secret import Secret
from tests.unit.protocol.makers import METADATA, NOW, reply

PUBLIC = Client("jupyter", "none")
OFFERING = replace(METADATA, device_authorization_endpoint="https://id.example.com/device")
CODE = "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS"
GIVEN = {
    "device_code": CODE,
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://id.example.com/enter",
    "verification_uri_complete": "https://id.example.com/enter?user_code=WDJB-MJHT",
    "expires_in": 300,
    "interval": 7,
}


def read(body: object, *, status: int = 200, local: bool = False, **headers: str) -> Any:
    answer = reply(body, status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return read_device_reply(answer, now=NOW, max_lifetime_seconds=600.0, allow_loopback_http=local)


def given(**changes: object) -> dict[str, object]:
    return {name: value for name, value in {**GIVEN, **changes}.items() if value is not ...}


def test_a_provider_without_the_endpoint_is_not_asked() -> None:
    """H-3: Only named endpoints are contacted."""
    assert device_authorization_call(METADATA, PUBLIC, DeviceRequest(("openid",))) is None
    assert offers_device_grant(METADATA) is False


@pytest.mark.parametrize(
    ("grants", "offered"),
    [(None, True), (frozenset({DEVICE_CODE}), True), (frozenset({"authorization_code"}), False), (frozenset(), False)],
)
def test_a_provider_that_lists_its_grants_without_this_one_does_not_offer_it(grants: Any, offered: bool) -> None:
    assert offers_device_grant(replace(OFFERING, grant_types=grants)) is offered


def test_the_request_names_scopes_and_client_and_nothing_that_nobody_set() -> None:
    """RFC 8628, 3.1; A-2: unset parameters are left out."""
    call = device_authorization_call(OFFERING, PUBLIC, DeviceRequest(("profile", "offline_access")))
    assert call is not None
    assert (call.method, call.url, call.max_redirects) == ("POST", "https://id.example.com/device", 0)
    assert call.form == (("scope", "openid profile offline_access"), ("client_id", "jupyter"))


def test_the_request_carries_what_the_settings_and_an_api_ask_for() -> None:
    """A-8: Optional parameters are sent only if asked for. V-13: A requested maximum age is proved."""
    request = DeviceRequest(("openid",), "https://api.example.com", "consent", 0, ("gold", "silver"))
    call = device_authorization_call(OFFERING, PUBLIC, request)
    assert call is not None
    assert call.form == (
        ("scope", "openid"),
        ("audience", "https://api.example.com"),
        ("prompt", "consent"),
        ("max_age", "0"),
        ("acr_values", "gold silver"),
        ("client_id", "jupyter"),
    )


def test_a_confidential_client_shows_its_secret_in_both_requests() -> None:
    """T-3: Each request uses the configured authentication method.

    T-4: Basic credentials are form-url-encoded first.
    """
    client = Client("jupyter", "client_secret_basic", Secret("s"))
    asked = device_authorization_call(OFFERING, client, DeviceRequest(("openid",)))
    assert asked is not None
    assert asked.basic is not None
    assert device_token_call(OFFERING, client, Secret(CODE)).basic is not None


def test_the_question_is_asked_at_the_token_endpoint_with_the_sealed_code() -> None:
    """RFC 8628, 3.4; T-11, T-12: the device code is a sealed value."""
    call = device_token_call(OFFERING, PUBLIC, Secret(CODE))
    assert (call.url, call.max_redirects, CODE in repr(call)) == ("https://id.example.com/token", 0, False)
    assert call.form == (("grant_type", DEVICE_CODE), ("device_code", Secret(CODE)), ("client_id", "jupyter"))


def test_an_answer_is_a_sealed_code_for_us_and_a_readable_one_for_the_person() -> None:
    """RFC 8628, 3.2: the answer holds a device code and a user code."""
    answer = read(GIVEN)
    assert answer == DeviceAuthorization(
        Secret(CODE),
        "WDJB-MJHT",
        "https://id.example.com/enter",
        "https://id.example.com/enter?user_code=WDJB-MJHT",
        300.0,
        7.0,
    )
    assert CODE not in repr(answer)


@pytest.mark.parametrize(
    ("interval", "seconds"),
    [
        *[(..., 5.0), (None, 5.0), (0, 5.0), (-3, 5.0), (0.01, 1.0), (1, 1.0), (5, 5.0), (299, 299.0)],
        *[("7", 7.0), ("0", 5.0), ("0.2", 1.0), ("soon", 5.0), ("", 5.0), (True, 5.0), ([], 5.0)],
    ],
)
def test_nobody_makes_us_ask_without_a_pause(interval: object, seconds: float) -> None:
    """A31, Q1.11: the interval may be a number as text; absent or of another type, it is five seconds, never zero."""
    assert read(given(interval=interval)).interval == seconds


@pytest.mark.parametrize("interval", [300, "300", 1_000_000_000, 10**400, float("inf")])
def test_a_pause_beyond_the_life_of_the_code_is_refused_at_once(interval: object) -> None:
    """A31: A device sign-in never asks too often."""
    body = given(interval=interval) if interval != float("inf") else b'{"device_code": "d", "interval": 1e999}'
    with pytest.raises(TokenResponseInvalid) as caught:
        read(body)
    assert caught.value.detail in ("device.interval", "device.user_code")


@pytest.mark.parametrize(
    ("expires_in", "lifetime"), [(1, None), (30, 30.0), ("30", 30.0), ("1800", 600.0), (10**14, 600.0)]
)
def test_a_code_is_good_for_as_long_as_a_sign_in_may_take_at_most(expires_in: object, lifetime: float | None) -> None:
    """A27: Unfinished sign-ins are few and short. Q1.11: Device answers may write numbers as text."""
    if lifetime is None:
        with pytest.raises(TokenResponseInvalid):
            read(given(expires_in=expires_in))
    else:
        assert read(given(expires_in=expires_in)).lifetime == lifetime


@pytest.mark.parametrize("expires_in", [..., None, 0, -1, "0", "soon", "", True, 10**400])
def test_a_lifetime_that_is_missing_over_or_no_number_is_refused(expires_in: object) -> None:
    with pytest.raises(TokenResponseInvalid) as caught:
        read(given(expires_in=expires_in))
    assert caught.value.detail == "device.expires_in"


HOSTILE_ADDRESSES = [
    "javascript:alert(1)",
    "data:text/html,<script>",
    "http://id.example.com/enter",
    "file:///etc/passwd",
    "//id.example.com/enter",
    "https://user@evil.example/",
    "https://id.example.com\\@evil.example/",
    "https://id.example.com/\u202e",
    "https://id.example.com/ x",
    "https://id.example.com/\nx",
    "https:///enter",
    "https://" + "a" * 3000,
    "",
    7,
    ["https://id.example.com"],
]


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_the_person_is_sent_to_a_plain_https_address_or_nowhere(address: object) -> None:
    """D-7: the person is going to open the address."""
    with pytest.raises(TokenResponseInvalid) as caught:
        read(given(verification_uri=address))
    assert caught.value.detail == "device.verification_uri"


@pytest.mark.parametrize("address", HOSTILE_ADDRESSES)
def test_an_address_that_only_saves_typing_counts_as_not_there_if_it_is_not_plain_https(address: object) -> None:
    """Q1.11, D-7: the person can type the code at the other address."""
    answer = read(given(verification_uri_complete=address))
    assert (answer.verification_uri, answer.verification_uri_complete) == ("https://id.example.com/enter", None)


def test_a_refusal_may_come_with_status_200() -> None:
    """Q1.11: Device answers may write numbers as text."""
    assert read({"error": "unauthorized_client"}) == TokenError("unauthorized_client", 200)


def test_a_code_that_is_there_twice_is_refused_by_name() -> None:
    """Q1.11: Device answers may write numbers as text.

    Q1.4: An unusable capability counts as not advertised.
    """
    with pytest.raises(TokenResponseInvalid) as caught:
        read('{"device_code": "a", "device_code": "a", "user_code": "b"}')
    assert caught.value.detail == "device.device_code"


def test_plain_http_on_loopback_needs_the_developer_switch() -> None:
    """D-7: Endpoints are https."""
    body = given(verification_uri="http://127.0.0.1:9000/enter", verification_uri_complete=...)
    assert read(body, local=True).verification_uri == "http://127.0.0.1:9000/enter"
    with pytest.raises(TokenResponseInvalid):
        read(body)


def test_the_name_of_the_address_in_old_drafts_is_understood() -> None:
    body = given(verification_uri=..., verification_url="https://id.example.com/device")
    assert read(body).verification_uri == "https://id.example.com/device"


@pytest.mark.parametrize("member", ["device_code", "user_code"])
@pytest.mark.parametrize("value", [..., None, "", 7, "\u202eabc", "a\nb", "\x1b[2J", "x" * 9000])
def test_a_code_that_is_missing_too_long_or_not_printable_is_refused(member: str, value: object) -> None:
    with pytest.raises(TokenResponseInvalid) as caught:
        read(given(**{member: value}))
    assert caught.value.detail == f"device.{member}"


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b"null", b"\xff", b"[" * 100_000])
@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_that_is_no_json_object_is_refused_without_being_quoted(body: bytes, status: int) -> None:
    """A10: A web page is no token response."""
    with pytest.raises(TokenResponseInvalid) as caught:
        read(body, status=status)
    assert caught.value.detail == "device.format"
    assert caught.value.__context__ is None


@pytest.mark.parametrize("status", [201, 204, 302, 307])
def test_another_status_is_refused_and_a_redirect_not_followed(status: int) -> None:
    """T-11: The token endpoint's redirects are not followed."""
    with pytest.raises(TokenResponseInvalid) as caught:
        read(GIVEN, status=status)
    assert caught.value.detail == "device.status"


def test_a_refusal_is_a_value_with_a_registered_code() -> None:
    assert read({"error": "unauthorized_client"}, status=400) == TokenError("unauthorized_client", 400)
    assert read({"error": "<script>"}, status=401) == TokenError("other", 401)


def test_a_busy_provider_is_a_value_with_its_pause() -> None:
    """B7: A provider that asks for a pause gets it."""
    assert read(b"", status=503) == TokenUnavailable(503, None)
    assert read(b"", status=429, retry_after="9") == TokenUnavailable(429, 9.0)

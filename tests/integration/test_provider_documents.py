"""Documents of providers as they are found in the field, read by a real server over real sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.support.scripted_provider import ScriptedProvider
from tests.support.server_under_test import ROUTE, ServerUnderTest, configured
from tests.support.upstream import Upstream


@pytest.fixture
def jp_server_config(provider: ScriptedProvider, upstream: Upstream) -> dict[str, Any]:
    return configured(provider, upstream)


async def test_a_provider_without_userinfo_signs_people_in(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """Q1.1: A provider without UserInfo signs people in."""
    provider.advertise = {"userinfo_endpoint": None}
    provider.claims = {"name": "Token User"}
    await server_under_test.sign_in()
    assert (await server_under_test.session())["user"]["name"] == "Token User"
    assert provider.count("userinfo") == 0


async def test_metadata_with_faults_where_nobody_looks_sign_people_in(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """Q1.4: and the doctor names in one line the values that count as not there."""
    provider.advertise = {
        "grant_types_supported": "authorization_code",
        "scopes_supported": ["openid", None],
        "authorization_response_iss_parameter_supported": "true",
        "revocation_endpoint": "",
        "device_authorization_endpoint": "/device",
        "registration_endpoint": 7,
    }
    await server_under_test.sign_in()
    assert await server_under_test.state() == ("active", None)
    checks = (await server_under_test.ask("GET", "jupyter-oidc/diagnostics")).json()["checks"]
    (told,) = [check["message"] for check in checks if check["name"] == "discovery"]
    assert told == (
        "The provider's metadata can be read. What cannot be used counts as not there: "
        "revocation_endpoint is not a text; device_authorization_endpoint is not an https URL; "
        "scopes_supported is not a list of texts; grant_types_supported is not a list of texts; "
        "authorization_response_iss_parameter_supported is neither true nor false."
    )


async def test_claims_of_a_wrong_type_are_left_out(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """Q1.3, U-9: only the JSON value true verifies an address."""
    provider.claims = {"email_verified": "true", "locale": ["en"], "address": "Example Road 1"}
    provider.userinfo = {"name": "Ada", "email": "ada@example.com", "email_verified": "true", "phone_number": 7}
    await server_under_test.sign_in()
    user = (await server_under_test.session())["user"]
    assert (user["name"], user["email"], user["email_verified"]) == ("Ada", "ada@example.com", False)


async def test_an_outage_of_metadata_that_nobody_may_keep_costs_no_sign_in_and_no_sign_out(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """Q1.6: the scripted provider sends everything with no-store."""
    await server_under_test.sign_in()
    assert provider.count("discovery") == 1
    provider.plan("discovery", status=503, times=99)
    server_under_test.clock.ahead += 4_000
    assert await server_under_test.call(1) == [200]
    reply = await server_under_test.ask("POST", f"{ROUTE}/sign-out", json={})
    assert (reply.json()["revoked"], provider.count("revoke")) == ("done", 1)


@pytest.mark.parametrize(
    ("given", "status", "says"),
    [(True, "ok", "was given a refresh token."), (False, "warning", "was given no refresh token")],
)
async def test_the_doctor_judges_what_a_session_got(
    server_under_test: ServerUnderTest, provider: ScriptedProvider, given: bool, status: str, says: str
) -> None:
    """Q5.13: the promise of the metadata is one line, and the token that came is another."""
    provider.issue_refresh_token = given
    await server_under_test.sign_in()
    checks = (await server_under_test.ask("GET", "jupyter-oidc/diagnostics")).json()["checks"]
    (told,) = [check for check in checks if check["name"] == "session"]
    assert (told["status"], says in told["message"]) == (status, True)


async def test_the_page_says_what_the_token_endpoint_refused(
    server_under_test: ServerUnderTest, provider: ScriptedProvider
) -> None:
    """Q5.1: the browser shows the provider's code, its meaning and the next step."""
    provider.plan("token", error="invalid_client")
    started = (await server_under_test.ask("POST", f"{ROUTE}/sign-in", json={})).json()
    page = await asyncio.to_thread(
        provider.browser().open, str(httpx.URL(server_under_test.url).join(started["start_url"]))
    )
    assert (page.status_code, page.headers["X-OIDC-Error"]) == (400, "sign_in_refused")
    assert "or not its secret or key (invalid_client)." in page.text
    assert "check client_id, client_secret and token_endpoint_auth_method" in page.text

"""The demo's provider and API run as real processes: a sign-in by hand, and the API's checks of its tokens."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from jupyter_oidc.demo.personas import ADA, BEN, Persona
from tests.support.demo_provider import CALLBACK, VERIFIER, DemoProvider, demo_part, running_demo_provider
from tests.support.plain_http import PLAIN


@dataclass(frozen=True, slots=True)
class Running:
    issuer: str
    api: str
    client: httpx.Client

    def authorize(self, **changed: str | None) -> httpx.Response:
        return self.client.get(DemoProvider(self.issuer).authorization_url(**changed))

    def choose(self, form: httpx.Response, username: str) -> httpx.Response:
        transaction = re.search(r'name="transaction_id" value="([^"]+)"', form.text)
        assert transaction is not None
        filled = {"transaction_id": transaction.group(1), "username": username}
        return self.client.post(form.url, data=filled)

    def tokens(self, who: Persona) -> dict[str, Any]:
        sent_back = self.choose(self.authorize(), who.username).headers["Location"]
        code = parse_qs(urlsplit(sent_back).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        answer: dict[str, Any] = self.token(**form, code_verifier=VERIFIER).json()
        return answer

    def token(self, **form: str) -> httpx.Response:
        return self.client.post(f"{self.issuer}/token", data={"client_id": "jupyter", **form})

    def call(self, method: str, path: str, token: str, **more: Any) -> httpx.Response:
        return self.client.request(method, self.api + path, headers={"Authorization": f"Bearer {token}"}, **more)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("demo")
    with (
        running_demo_provider(folder) as provider,
        demo_part(folder, "api", "--issuer", provider.issuer) as api,
        httpx.Client(trust_env=False, verify=PLAIN) as client,
    ):
        yield Running(provider.issuer, api, client)


@pytest.fixture
def ada(running: Running) -> dict[str, Any]:
    return running.tokens(ADA)


@pytest.fixture
def ben(running: Running) -> dict[str, Any]:
    return running.tokens(BEN)


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def buttons_of(page: httpx.Response) -> list[str]:
    """The people that a page lets choose."""
    return re.findall(r'name="username" value="([^"]+)"', page.text)


def test_access_tokens_live_twenty_seconds(ada: dict[str, Any]) -> None:
    claims = claims_of(ada["access_token"])
    assert (ada["expires_in"], claims["exp"] - claims["iat"]) == (20, 20)


def test_id_token_carries_the_nonce_and_our_audience(ada: dict[str, Any]) -> None:
    claims = claims_of(ada["id_token"])
    assert (claims["nonce"], claims["aud"], claims["sub"]) == ("n", "jupyter", "ada")


def test_userinfo_names_the_entitlements(running: Running, ada: dict[str, Any]) -> None:
    reply = running.client.get(f"{running.issuer}/userinfo", headers={"Authorization": f"Bearer {ada['access_token']}"})
    assert reply.json()["roles"] == ["orders.read", "orders.write"]


def test_userinfo_knows_the_person_by_name(running: Running, ada: dict[str, Any]) -> None:
    reply = running.client.get(f"{running.issuer}/userinfo", headers={"Authorization": f"Bearer {ada['access_token']}"})
    told = reply.json()
    assert [told[claim] for claim in ("name", "given_name", "family_name", "email")] == [
        "Ada Lovelace",
        "Ada",
        "Lovelace",
        "ada@example.com",
    ]


def test_a_renewed_token_knows_the_name_and_has_not_grown(running: Running) -> None:
    """What a refresh brings along is not asked for a second time."""
    tokens = running.tokens(ADA)
    for _ in range(2):
        tokens = running.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).json()
    assert claims_of(tokens["access_token"])["req_userinfo_claims"] == ["name", "given_name", "family_name"]


def test_without_the_scope_profile_no_name_is_told(running: Running) -> None:
    sent_back = running.choose(running.authorize(scope="openid"), "ada").headers["Location"]
    form = {"grant_type": "authorization_code", "code": parse_qs(urlsplit(sent_back).query)["code"][0]}
    token = running.token(**form, redirect_uri=CALLBACK, code_verifier=VERIFIER).json()["access_token"]
    reply = running.client.get(f"{running.issuer}/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert "name" not in reply.json()


def test_somebody_else_leads_back_to_the_page(running: Running) -> None:
    reply = running.choose(running.authorize(), "eve")
    assert (reply.status_code, buttons_of(reply)) == (200, ["ada", "ben"])
    assert "That person is not known here. Choose one of these two." in reply.text


def test_sign_in_without_pkce_is_refused(running: Running) -> None:
    reply = running.authorize(code_challenge=None, code_challenge_method=None)
    assert parse_qs(urlsplit(reply.headers["Location"]).query)["error"] == ["invalid_request"]


def test_redirect_uri_of_somebody_else_is_refused(running: Running) -> None:
    assert running.authorize(redirect_uri="http://localhost:8999/elsewhere").status_code == 400


def test_refresh_tokens_rotate_and_a_used_one_is_refused(running: Running) -> None:
    first = running.tokens(ADA)["refresh_token"]
    renewed = running.token(grant_type="refresh_token", refresh_token=first).json()
    again = running.token(grant_type="refresh_token", refresh_token=first)
    assert (renewed["refresh_token"] != first, again.json()["error"]) == (True, "invalid_grant")


def test_revoked_refresh_token_is_refused(running: Running) -> None:
    token = running.tokens(BEN)["refresh_token"]
    running.client.post(f"{running.issuer}/revoke", data={"token": token, "client_id": "jupyter"})
    assert running.token(grant_type="refresh_token", refresh_token=token).json()["error"] == "invalid_grant"


def test_ada_reads_orders(running: Running, ada: dict[str, Any]) -> None:
    assert running.call("GET", "orders/1", ada["access_token"]).json()["item"] == "Difference engine"


def test_ada_writes_orders(running: Running, ada: dict[str, Any]) -> None:
    reply = running.call("POST", "orders", ada["access_token"], json={"item": "Ink", "quantity": 2})
    assert (reply.status_code, reply.json()["item"]) == (201, "Ink")


def test_ben_reads_orders(running: Running, ben: dict[str, Any]) -> None:
    assert running.call("GET", "orders", ben["access_token"]).status_code == 200


def test_ben_may_not_write_and_is_told_why(running: Running, ben: dict[str, Any]) -> None:
    reply = running.call("POST", "orders", ben["access_token"], json={"item": "Ink"})
    assert (reply.status_code, reply.json()["message"]) == (
        403,
        "ben may not do this: the role orders.write is missing.",
    )


def test_order_that_is_none_is_refused(running: Running, ada: dict[str, Any]) -> None:
    assert running.call("POST", "orders", ada["access_token"], json={"item": ""}).status_code == 422


def test_call_without_a_token_is_challenged(running: Running) -> None:
    reply = running.client.get(running.api + "orders")
    assert (reply.status_code, reply.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("kind", ["id_token", "refresh_token"])
def test_token_of_another_kind_opens_nothing(running: Running, ada: dict[str, Any], kind: str) -> None:
    assert running.call("GET", "orders", ada[kind]).json()["error"] == "invalid_token"


def test_clock_numbers_tokens_without_showing_them(running: Running, ada: dict[str, Any]) -> None:
    reply = running.call("GET", "clock", ada["access_token"])
    assert (reply.json()["caller"], ada["access_token"] in reply.text) == ("ada", False)


def test_stream_sends_one_event_an_order(running: Running, ada: dict[str, Any]) -> None:
    text = running.call("GET", "stream", ada["access_token"]).text
    assert text.count("event: order\ndata: {") == text.count("\n\n") >= 4


def test_report_is_csv(running: Running, ada: dict[str, Any]) -> None:
    reply = running.call("GET", "report.csv", ada["access_token"])
    assert reply.text.splitlines()[1] == "1,Difference engine,1,17000.0,delivered"


def test_management_of_the_provider_needs_a_secret(running: Running) -> None:
    assert running.client.post(f"{running.issuer}/api/runtime/users", json={"username": "eve"}).status_code in (
        401,
        403,
    )

"""The certified provider does what the tests that use it rely on: each test is a client written by hand."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

import httpx
import pytest

from tests.support.canary import CANARY
from tests.support.certified_provider import CertifiedProvider, ProviderDocument, RegisteredClient, Resource
from tests.support.form_sign_in import parameters_of
from tests.support.plain_http import PLAIN

CALLBACK = "http://localhost:1/callback"
VERIFIER = "verifier-0123456789-0123456789-0123456789-xyz"
API = "https://api.example.com/"
SCOPE = "openid profile email offline_access orders.read"
CLIENT = RegisteredClient("jupyter", (CALLBACK,), post_logout_redirect_uris=("http://localhost:1/signed-out",))


@dataclass(frozen=True)
class Relying:
    """A client written by hand, on httpx and without our code."""

    provider: CertifiedProvider
    client: RegisteredClient = CLIENT

    @property
    def document(self) -> dict[str, Any]:
        told: dict[str, Any] = httpx.get(
            f"{self.provider.issuer}/.well-known/openid-configuration", verify=PLAIN
        ).json()
        return told

    def authorization_url(self, **changes: str) -> str:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        parameters = {
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uris[0],
            "response_type": "code",
            "scope": SCOPE,
            "state": "s-1",
            "nonce": "n-1",
            "prompt": "consent",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        kept = {name: value for name, value in parameters.items() if value}
        return f"{self.document['authorization_endpoint']}?{urlencode(kept)}"

    def authorize(self, **changes: str) -> dict[str, str]:
        redirect = self.provider.browser().sign_in(
            self.authorization_url(**changes), "user1", "any", stop_at=self.client.redirect_uris[0]
        )
        return parameters_of(redirect)

    def post(self, endpoint: str, **form: str) -> httpx.Response:
        auth = None
        if self.client.auth_method == "client_secret_basic":
            auth = (self.client.client_id, self.client.secret)
        else:
            form["client_id"] = self.client.client_id
        if self.client.auth_method == "client_secret_post":
            form["client_secret"] = self.client.secret
        return httpx.post(self.document[endpoint], data=form, auth=auth, verify=PLAIN)

    def redeem(self, code: str, **changes: str) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uris[0],
            "code_verifier": VERIFIER,
            **changes,
        }
        return self.post("token_endpoint", **form)

    def sign_in(self, **changes: str) -> dict[str, Any]:
        tokens: dict[str, Any] = self.redeem(self.authorize(**changes)["code"]).json()
        return tokens

    def refresh(self, token: str, **changes: str) -> httpx.Response:
        return self.post("token_endpoint", grant_type="refresh_token", refresh_token=token, **changes)

    def userinfo(self, token: str) -> httpx.Response:
        return httpx.get(self.document["userinfo_endpoint"], headers={"Authorization": f"Bearer {token}"}, verify=PLAIN)


def claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return told


@pytest.fixture(scope="module")
def shared() -> Iterator[CertifiedProvider]:
    document = ProviderDocument(clients=(CLIENT,), resources={API: Resource("orders", ("orders.read",))})
    with CertifiedProvider(document) as provider:
        yield provider


@pytest.fixture
def relying(shared: CertifiedProvider) -> Relying:
    return Relying(shared)


def test_a_sign_in_through_the_login_and_consent_forms_ends_with_a_code(relying: Relying) -> None:
    answer = relying.authorize()
    assert (sorted(answer), answer["state"], answer["iss"]) == (
        ["code", "iss", "state"],
        "s-1",
        relying.provider.issuer,
    )


def test_a_code_is_redeemed_for_all_three_tokens(relying: Relying) -> None:
    tokens = relying.sign_in()
    assert sorted(tokens) == ["access_token", "expires_in", "id_token", "refresh_token", "scope", "token_type"]


def test_without_prompt_consent_there_is_no_refresh_token(relying: Relying) -> None:
    assert "refresh_token" not in relying.sign_in(prompt="")


def test_the_id_token_names_the_account_and_carries_the_nonce(relying: Relying) -> None:
    told = claims(relying.sign_in()["id_token"])
    assert (told["sub"], told["aud"], told["nonce"]) == ("user1", "jupyter", "n-1")


def test_userinfo_tells_the_entitlements(relying: Relying) -> None:
    told = relying.userinfo(relying.sign_in()["access_token"]).json()
    assert (told["email"], told["permissions"]) == ("user1@example.com", ["orders.read"])


def test_pkce_is_required(relying: Relying) -> None:
    redirect = relying.provider.browser().open(
        relying.authorization_url(code_challenge="", code_challenge_method=""), stop_at=CALLBACK
    )
    assert parameters_of(redirect)["error"] == "invalid_request"


def test_another_verifier_is_refused(relying: Relying) -> None:
    reply = relying.redeem(relying.authorize()["code"], code_verifier="another-" + VERIFIER)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")


def test_a_person_can_decline(relying: Relying) -> None:
    redirect = relying.provider.browser().sign_in(
        relying.authorization_url(), "user1", "any", stop_at=CALLBACK, decline=True
    )
    assert parameters_of(redirect)["error"] == "access_denied"


def test_a_refresh_token_rotates(relying: Relying) -> None:
    first = relying.sign_in()["refresh_token"]
    second = relying.refresh(first).json()["refresh_token"]
    assert (second != first, relying.refresh(second).status_code) == (True, 200)


def test_using_a_refresh_token_twice_ends_the_grant(relying: Relying) -> None:
    first = relying.sign_in()["refresh_token"]
    newer = relying.refresh(first).json()
    reuse = relying.refresh(first)
    assert (reuse.json()["error"], relying.refresh(newer["refresh_token"]).json()["error"]) == (
        "invalid_grant",
        "invalid_grant",
    )


def test_a_reuse_is_in_the_record(relying: Relying) -> None:
    before = relying.provider.record()
    first = relying.sign_in()["refresh_token"]
    relying.refresh(first)
    relying.refresh(first)
    after = relying.provider.record()
    assert (
        after.token_requests["refresh_token"] - before.token_requests.get("refresh_token", 0),
        after.token_errors["invalid_grant"] - before.token_errors.get("invalid_grant", 0),
        after.grants_revoked - before.grants_revoked,
    ) == (2, 1, 1)


def test_a_revoked_refresh_token_is_refused(relying: Relying) -> None:
    tokens = relying.sign_in()
    revoked = relying.post("revocation_endpoint", token=tokens["refresh_token"])
    assert (revoked.status_code, relying.refresh(tokens["refresh_token"]).json()["error"]) == (200, "invalid_grant")


def test_revoking_a_refresh_token_ends_its_access_token(relying: Relying) -> None:
    tokens = relying.sign_in()
    relying.post("revocation_endpoint", token=tokens["refresh_token"])
    assert relying.userinfo(tokens["access_token"]).status_code == 401


def test_the_provider_can_end_all_grants_of_a_subject(relying: Relying) -> None:
    tokens = relying.sign_in()
    ended = relying.provider.revoke_all("user1")
    assert (ended >= 1, relying.refresh(tokens["refresh_token"]).json()["error"]) == (True, "invalid_grant")


def test_a_resource_gets_a_jwt_for_its_audience(relying: Relying) -> None:
    code = relying.authorize(resource=API)["code"]
    told = claims(relying.redeem(code, resource=API).json()["access_token"])
    assert (told["aud"], told["scope"], told["permissions"]) == ("orders", "orders.read", ["orders.read"])


def test_the_audience_parameter_names_a_resource_too(relying: Relying) -> None:
    tokens = relying.sign_in(audience=API)
    told = claims(relying.refresh(tokens["refresh_token"], resource=API).json()["access_token"])
    assert told["aud"] == "orders"


def test_an_unknown_resource_is_an_invalid_target(relying: Relying) -> None:
    tokens = relying.sign_in()
    assert relying.refresh(tokens["refresh_token"], resource="https://other/").json()["error"] == "invalid_target"


def test_every_secret_is_in_the_record(relying: Relying) -> None:
    code = relying.authorize()["code"]
    tokens = relying.redeem(code).json()
    known = set(relying.provider.issued())
    assert {code, tokens["access_token"], tokens["refresh_token"], tokens["id_token"]} <= known


def test_the_canary_knows_what_was_issued(relying: Relying) -> None:
    tokens = relying.sign_in()
    relying.provider.record()
    assert [CANARY.find(tokens[kind]) is not None for kind in ("access_token", "refresh_token", "id_token")] == [
        True,
        True,
        True,
    ]


def test_a_device_is_signed_in_through_the_same_forms(relying: Relying) -> None:
    device = relying.post("device_authorization_endpoint", scope="openid").json()
    waiting = relying.post(
        "token_endpoint",
        grant_type="urn:ietf:params:oauth:grant-type:device_code",
        device_code=device["device_code"],
    )
    relying.provider.browser().sign_in(device["verification_uri_complete"], "user1", "any")
    reply = relying.post(
        "token_endpoint",
        grant_type="urn:ietf:params:oauth:grant-type:device_code",
        device_code=device["device_code"],
    )
    assert (waiting.json()["error"], reply.status_code) == ("authorization_pending", 200)


def test_signing_out_at_the_provider_leads_back(relying: Relying) -> None:
    browser = relying.provider.browser()
    redirect = browser.sign_in(relying.authorization_url(), "user1", "any", stop_at=CALLBACK)
    tokens = relying.redeem(parameters_of(redirect)["code"]).json()
    query = urlencode(
        {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": "http://localhost:1/signed-out"}
    )
    left = browser.sign_out(
        f"{relying.document['end_session_endpoint']}?{query}", stop_at="http://localhost:1/signed-out"
    )
    assert left.headers["location"] == "http://localhost:1/signed-out"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_confidential_client_can_be_added_on_the_way(
    shared: CertifiedProvider, method: Literal["client_secret_basic", "client_secret_post"]
) -> None:
    client = RegisteredClient(f"late-{method}", ("http://localhost:2/late",), method, "secret-of-a-late-client")
    shared.register_client(client)
    tokens = Relying(shared, client).sign_in()
    assert tokens["token_type"] == "Bearer"


def test_redirect_uris_can_be_changed_on_the_way(shared: CertifiedProvider) -> None:
    shared.register_client(RegisteredClient("moving", ("http://localhost:3/old",)))
    client = RegisteredClient("moving", ("http://localhost:3/new",))
    shared.register_client(client)
    assert "code" in Relying(shared, client).authorize()


def test_a_client_that_makes_no_sense_is_refused_with_a_reason(shared: CertifiedProvider) -> None:
    with pytest.raises(ValueError, match="redirect_uris must only contain valid uris"):
        shared.register_client(RegisteredClient("odd", ("no url",)))


def test_lifetimes_can_be_changed_on_the_way(relying: Relying) -> None:
    relying.provider.set_lifetime(7)
    short = relying.sign_in()["expires_in"]
    relying.provider.set_lifetime(300)
    assert (short, relying.sign_in()["expires_in"]) == (7, 300)


def test_a_provider_that_is_down_refuses_connections_until_it_is_up(relying: Relying) -> None:
    address = relying.document["jwks_uri"]
    relying.provider.down("refuse")
    with pytest.raises(httpx.ConnectError):
        httpx.get(address, verify=PLAIN)
    relying.provider.up()
    assert httpx.get(address, verify=PLAIN).status_code == 200


@pytest.mark.parametrize(("how", "status"), [("unavailable", 503), ("html", 200)])
def test_a_provider_that_is_down_can_answer_without_sense(
    relying: Relying, how: Literal["unavailable", "html"], status: int
) -> None:
    address = relying.document["jwks_uri"]
    relying.provider.down(how)
    reply = httpx.get(address, verify=PLAIN)
    relying.provider.up()
    assert (reply.status_code, reply.content.startswith(b"{")) == (status, False)


def test_a_document_that_makes_no_sense_is_reported_with_the_provider_s_words() -> None:
    with pytest.raises(RuntimeError, match="redirect_uris must only contain valid uris"):
        CertifiedProvider.start(ProviderDocument(clients=(RegisteredClient("odd", ("no url",)),)))


def test_every_secret_is_told_to_the_register_once() -> None:
    told: list[str] = []
    with CertifiedProvider(ProviderDocument(clients=(CLIENT,)), register=told.append) as provider:
        relying = Relying(provider)
        tokens = relying.sign_in(scope="openid offline_access")
        (code,) = provider.issued("code")
    kinds = ("access_token", "refresh_token", "id_token")
    assert sorted(told) == sorted([code, VERIFIER, *(tokens[kind] for kind in kinds)])


def test_stopping_twice_is_as_good_as_once() -> None:
    provider = CertifiedProvider.start()
    provider.stop()
    provider.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(provider.issuer, verify=PLAIN)

"""The scripted provider is good by default and does wrong what was planned, once: each test is a client by hand."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.support.canary import CANARY
from tests.support.dpop_proofs import ProofJudge, digest
from tests.support.form_sign_in import parameters_of
from tests.support.marker import MARKER
from tests.support.plain_http import PLAIN
from tests.support.scripted_provider import ScriptedProvider
from tests.support.signing_key import SigningKey, signed_by_secret, unsigned

CALLBACK = "http://localhost:1/callback"
VERIFIER = "verifier-9876543210-9876543210-9876543210-zyx"
HOLDER = SigningKey.ec("holder")


@dataclass(frozen=True)
class Relying:
    """A client written by hand, on httpx and without our code."""

    provider: ScriptedProvider

    def authorize(self, **changes: str) -> dict[str, str]:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        parameters = {
            "client_id": "jupyter",
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid offline_access",
            "state": "s-1",
            "nonce": "n-1",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        url = f"{self.provider.url('authorize')}?{urlencode(parameters)}"
        return parameters_of(self.provider.browser().open(url, stop_at=CALLBACK))

    def post(self, endpoint: str, **form: str) -> httpx.Response:
        return httpx.post(self.provider.url(endpoint), data={"client_id": "jupyter", **form}, timeout=5, verify=PLAIN)

    def redeem(self, code: str, **changes: str) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.post("token", **{**form, **changes})

    def sign_in(self) -> dict[str, Any]:
        tokens: dict[str, Any] = self.redeem(self.authorize()["code"]).json()
        return tokens

    def refresh(self, token: str, **changes: str) -> httpx.Response:
        return self.post("token", grant_type="refresh_token", refresh_token=token, **changes)

    def get(self, endpoint: str, token: str = "") -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.get(self.provider.url(endpoint), headers=headers, timeout=5, verify=PLAIN)


@pytest.fixture
def relying() -> Iterator[Relying]:
    with ScriptedProvider() as provider:
        yield Relying(provider)


def part(token: str, index: int) -> Any:
    piece = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4)))


def number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def verify(token: str, jwk: dict[str, Any]) -> None:
    """Raise if ``token`` is not signed by the RSA key ``jwk``."""
    signing_input, _, signature = token.rpartition(".")
    key = rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"])).public_key()
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    key.verify(raw, signing_input.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_discovery_names_the_issuer_and_the_endpoints(relying: Relying) -> None:
    told = relying.get("discovery").json()
    assert (told["issuer"], told["token_endpoint"]) == (relying.provider.issuer, relying.provider.issuer + "/token")


def test_members_of_the_discovery_document_can_be_changed_and_removed(relying: Relying) -> None:
    relying.provider.advertise = {"revocation_endpoint": None, "issuer": "https://other.example.com"}
    told = relying.get("discovery").json()
    assert ("revocation_endpoint" in told, told["issuer"]) == (False, "https://other.example.com")


def test_the_browser_is_sent_back_at_once_with_code_state_and_issuer(relying: Relying) -> None:
    answer = relying.authorize()
    assert (list(answer), answer["state"], answer["iss"]) == (["code", "state", "iss"], "s-1", relying.provider.issuer)


def test_a_form_post_answer_is_a_page_that_posts_itself(relying: Relying) -> None:
    url = f"{relying.provider.url('authorize')}?" + urlencode(
        {
            "client_id": "jupyter",
            "redirect_uri": relying.provider.url("revoke"),
            "response_type": "code",
            "response_mode": "form_post",
            "code_challenge": "c",
            "code_challenge_method": "S256",
            "state": "s-1",
        }
    )
    relying.provider.browser().sign_in(url, "", "")
    posted = relying.provider.received[1]
    assert (posted.endpoint, sorted(posted.form)) == ("revoke", ["code", "iss", "state"])


def test_a_code_is_redeemed_for_tokens(relying: Relying) -> None:
    tokens = relying.sign_in()
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 300, "openid offline_access")


def test_the_id_token_is_signed_by_the_published_key(relying: Relying) -> None:
    token = relying.sign_in()["id_token"]
    verify(token, relying.get("jwks").json()["keys"][0])
    assert (part(token, 1)["sub"], part(token, 1)["nonce"]) == ("user1", "n-1")


def test_a_code_is_good_for_one_use(relying: Relying) -> None:
    code = relying.authorize()["code"]
    assert (relying.redeem(code).status_code, relying.redeem(code).json()["error"]) == (200, "invalid_grant")


@pytest.mark.parametrize("change", [{"code_verifier": "x" * 43}, {"redirect_uri": "http://localhost:1/other"}])
def test_a_code_is_refused_with_another_verifier_or_redirect_uri(relying: Relying, change: dict[str, str]) -> None:
    reply = relying.redeem(relying.authorize()["code"], **change)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")


def test_pkce_is_required(relying: Relying) -> None:
    assert relying.authorize(code_challenge_method="plain")["error"] == "invalid_request"


def test_without_offline_access_there_is_no_refresh_token(relying: Relying) -> None:
    assert "refresh_token" not in relying.redeem(relying.authorize(scope="openid")["code"]).json()


def test_a_refresh_token_rotates(relying: Relying) -> None:
    first = relying.sign_in()["refresh_token"]
    second = relying.refresh(first).json()["refresh_token"]
    assert (second != first, relying.refresh(second).status_code) == (True, 200)


def test_using_a_refresh_token_twice_ends_the_grant_and_is_counted(relying: Relying) -> None:
    first = relying.sign_in()["refresh_token"]
    newer = relying.refresh(first).json()
    errors = [relying.refresh(token).json()["error"] for token in (first, newer["refresh_token"])]
    assert (errors, relying.provider.reuses, relying.provider.accepts(newer["access_token"])) == (
        ["invalid_grant", "invalid_grant"],
        1,
        False,
    )


def test_a_provider_can_forgive_the_reuse_after_a_lost_answer(relying: Relying) -> None:
    """B5: An unanswered refresh is repeated once, after a second."""
    relying.provider.forgive_reuse = True
    token = relying.sign_in()["refresh_token"]
    relying.provider.plan("token", drop=True, after=True)
    with pytest.raises(httpx.TransportError):
        relying.refresh(token)
    assert (relying.refresh(token).status_code, relying.provider.reuses) == (200, 0)


def test_a_provider_that_does_not_rotate_returns_no_refresh_token(relying: Relying) -> None:
    relying.provider.rotate = False
    first = relying.sign_in()["refresh_token"]
    assert ["refresh_token" in relying.refresh(first).json() for _ in range(2)] == [False, False]


def test_a_refresh_can_bring_an_id_token_of_somebody_else(relying: Relying) -> None:
    """B4: A refresh about another person ends the session."""
    relying.provider.id_token_on_refresh = True
    token = relying.sign_in()["refresh_token"]
    relying.provider.plan("token", claims=lambda claims: {**claims, "sub": "user2"})
    assert part(relying.refresh(token).json()["id_token"], 1)["sub"] == "user2"


def test_userinfo_answers_to_a_live_token_only(relying: Relying) -> None:
    token = relying.sign_in()["access_token"]
    alive = relying.get("userinfo", token)
    relying.provider.revoke_all()
    assert (alive.json()["sub"], relying.get("userinfo", token).status_code) == ("user1", 401)


def test_an_access_token_expires_by_the_provider_s_clock(relying: Relying) -> None:
    token = relying.sign_in()["access_token"]
    before = relying.provider.accepts(token)
    relying.provider.clock_offset = 301
    assert (before, relying.provider.accepts(token)) == (True, False)


def test_the_clock_is_seen_in_the_date_and_in_the_claims(relying: Relying) -> None:
    """A21: Clocks may differ by five minutes at most."""
    relying.provider.clock_offset = 86_400
    reply = relying.redeem(relying.authorize()["code"])
    from email.utils import parsedate_to_datetime

    now = time.time() + 86_400
    dates = (parsedate_to_datetime(reply.headers["date"]).timestamp(), part(reply.json()["id_token"], 1)["iat"])
    assert [abs(date - now) < 10 for date in dates] == [True, True]


def test_revoking_a_refresh_token_ends_its_grant(relying: Relying) -> None:
    tokens = relying.sign_in()
    status = relying.post("revoke", token=tokens["refresh_token"]).status_code
    assert (status, relying.refresh(tokens["refresh_token"]).status_code) == (200, 400)
    assert relying.provider.accepts(tokens["access_token"]) is False


def test_each_resource_gets_a_token_for_its_own_audience(relying: Relying) -> None:
    """B29: Each API gets the token of its audience."""
    relying.provider.resources = {"https://api.example.com/": "orders"}
    reply = relying.refresh(relying.sign_in()["refresh_token"], resource="https://api.example.com/").json()
    assert relying.provider.audience_of(reply["access_token"]) == "orders"


def test_an_unknown_resource_is_refused_and_costs_no_refresh_token(relying: Relying) -> None:
    """B30: A refused audience concerns one API only."""
    token = relying.sign_in()["refresh_token"]
    refused = relying.refresh(token, resource="https://other.example.com/").json()["error"]
    assert (refused, relying.refresh(token).status_code) == ("invalid_target", 200)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
@pytest.mark.parametrize(("secret", "status"), [("right: one", 400), ("wrong", 401)])
def test_a_confidential_client_must_know_its_secret(relying: Relying, method: str, secret: str, status: int) -> None:
    relying.provider.auth_method, relying.provider.client_secret = method, "right: one"
    form = {"grant_type": "refresh_token", "refresh_token": "unknown"}
    if method == "client_secret_basic":
        pair = base64.b64encode(urlencode({"jupyter": secret}).replace("=", ":").encode()).decode()
        reply = httpx.post(
            relying.provider.url("token"), data=form, headers={"Authorization": f"Basic {pair}"}, verify=PLAIN
        )
    else:
        reply = relying.post("token", client_secret=secret, **form)
    assert reply.status_code == status


def test_signing_out_leads_back_with_the_state(relying: Relying) -> None:
    query = urlencode({"post_logout_redirect_uri": "http://localhost:1/signed-out", "state": "s-2"})
    reply = httpx.get(f"{relying.provider.url('end_session')}?{query}", verify=PLAIN)
    assert reply.headers["location"] == "http://localhost:1/signed-out?state=s-2"


def test_keys_can_be_rotated(relying: Relying) -> None:
    """A18: An unknown key id fetches the keys once."""
    before = relying.get("jwks").json()["keys"]
    relying.provider.rotate_keys()
    after = relying.get("jwks").json()["keys"]
    token = relying.sign_in()["id_token"]
    verify(token, after[0])
    assert (part(token, 0)["kid"], before[0]["kid"] == after[0]["kid"]) == (after[0]["kid"], False)


def test_old_keys_can_stay_published(relying: Relying) -> None:
    relying.provider.rotate_keys(keep=True)
    assert len(relying.get("jwks").json()["keys"]) == 2


def test_an_elliptic_key_signs_too(relying: Relying) -> None:
    relying.provider.keys = [SigningKey.ec("e1")]
    token = relying.sign_in()["id_token"]
    published = relying.get("jwks").json()["keys"][0]
    assert (part(token, 0)["alg"], published["crv"], len(token.rpartition(".")[2])) == ("ES256", "P-256", 86)


def test_a_fault_is_used_up(relying: Relying) -> None:
    relying.provider.plan("jwks", status=503)
    assert [relying.get("jwks").status_code for _ in range(2)] == [503, 200]


def test_a_fault_can_be_planned_for_several_requests_and_taken_back(relying: Relying) -> None:
    relying.provider.plan("jwks", status=503, times=5)
    before = [relying.get("jwks").status_code for _ in range(2)]
    relying.provider.faults.clear()
    assert [*before, relying.get("jwks").status_code] == [503, 503, 200]


def test_faults_come_in_the_order_they_were_planned(relying: Relying) -> None:
    relying.provider.plan("jwks", status=503)
    relying.provider.plan("jwks", status=502)
    assert [relying.get("jwks").status_code for _ in range(3)] == [503, 502, 200]


def test_a_fault_for_everywhere_meets_any_endpoint(relying: Relying) -> None:
    relying.provider.plan("*", status=503, times=2)
    assert [relying.get(endpoint).status_code for endpoint in ("jwks", "discovery", "jwks")] == [503, 503, 200]


def test_an_oauth_error_is_planned_by_its_name(relying: Relying) -> None:
    relying.provider.plan("token", error="invalid_client", status=401)
    reply = relying.refresh("any")
    assert (reply.status_code, reply.json()) == (401, {"error": "invalid_client"})


def test_headers_of_a_fault_are_sent(relying: Relying) -> None:
    """B7: A provider that asks for a pause gets it."""
    relying.provider.plan("token", status=429, headers={"Retry-After": "120"})
    assert relying.refresh("any").headers["retry-after"] == "120"


def test_a_body_can_be_a_page(relying: Relying) -> None:
    """A10: A web page is no token response."""
    relying.provider.plan("token", body=b"<html>", headers={"Content-Type": "text/html"})
    reply = relying.refresh("any")
    assert (reply.status_code, reply.content, reply.headers["content-type"]) == (200, b"<html>", "text/html")


def test_a_document_can_be_spoiled(relying: Relying) -> None:
    """A11: A token response without a usable token is refused."""
    relying.provider.plan("token", mutate=lambda reply: {**reply, "token_type": "mac"})
    assert relying.sign_in()["token_type"] == "mac"


def test_the_answer_to_the_browser_can_be_spoiled(relying: Relying) -> None:
    """A7: An answer from another issuer is not redeemed."""
    relying.provider.plan("authorize", mutate=lambda answer: answer.update(iss="https://evil.example.com"))
    assert relying.authorize()["iss"] == "https://evil.example.com"


def test_a_parameter_can_be_doubled(relying: Relying) -> None:
    """A8: A contradictory or doubled answer is refused."""
    relying.provider.plan("authorize", mutate=lambda answer: [*answer.items(), ("state", "s-2")])
    url = f"{relying.provider.url('authorize')}?" + urlencode(
        {
            "client_id": "jupyter",
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "code_challenge_method": "S256",
            "state": "s-1",
        }
    )
    redirect = relying.provider.browser().open(url, stop_at=CALLBACK)
    assert redirect.headers["location"].count("state=") == 2


def test_a_claim_can_be_spoiled(relying: Relying) -> None:
    """A17: An ID token without our nonce is refused."""
    relying.provider.plan("token", claims=lambda claims: {**claims, "nonce": "n-2"})
    assert part(relying.sign_in()["id_token"], 1)["nonce"] == "n-2"


def test_an_id_token_can_be_unsigned(relying: Relying) -> None:
    """A15: A forged or unusual signature header is refused."""
    relying.provider.plan("token", forge=unsigned)
    token = relying.sign_in()["id_token"]
    assert (part(token, 0)["alg"], token[-1]) == ("none", ".")


def test_an_id_token_can_be_signed_by_the_public_key_as_a_secret(relying: Relying) -> None:
    """A15: A forged or unusual signature header is refused."""
    key = relying.provider.keys[0]
    relying.provider.plan("token", forge=lambda claims: signed_by_secret(claims, key.public_pem(), kid=key.kid))
    assert part(relying.sign_in()["id_token"], 0) == {"alg": "HS256", "typ": "JWT", "kid": "k1"}


def test_an_answer_can_be_late(relying: Relying) -> None:
    relying.provider.plan("jwks", delay=0.3)
    start = time.monotonic()
    relying.get("jwks")
    assert time.monotonic() - start >= 0.3


def test_an_answer_can_be_held_until_the_test_lets_go(relying: Relying) -> None:
    """B1: A refused refresh ends the session once for all."""
    gate = threading.Event()
    relying.provider.plan("jwks", hold=gate)
    statuses: list[int] = []
    caller = threading.Thread(target=lambda: statuses.append(relying.get("jwks").status_code))
    caller.start()
    caller.join(0.2)
    before = list(statuses)
    gate.set()
    caller.join(5)
    assert (before, statuses) == ([], [200])


def test_an_answer_can_stay_away(relying: Relying) -> None:
    relying.provider.plan("jwks", hang=True)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(relying.provider.url("jwks"), timeout=0.2, verify=PLAIN)


def test_a_connection_can_be_dropped(relying: Relying) -> None:
    """B6: An outage does not end a session."""
    relying.provider.plan("jwks", drop=True)
    with pytest.raises(httpx.TransportError):
        relying.get("jwks")
    assert relying.get("jwks").status_code == 200


def test_a_connection_can_be_dropped_after_the_refresh_token_was_spent(relying: Relying) -> None:
    """B5: An unanswered refresh is repeated once, after a second."""
    token = relying.sign_in()["refresh_token"]
    relying.provider.plan("token", drop=True, after=True)
    with pytest.raises(httpx.TransportError):
        relying.refresh(token)
    assert (relying.refresh(token).json()["error"], relying.provider.reuses) == ("invalid_grant", 1)


def test_requests_are_counted_by_what_they_ask_for(relying: Relying) -> None:
    relying.refresh(relying.sign_in()["refresh_token"])
    provider = relying.provider
    assert (provider.count("token"), provider.count("token", grant_type="refresh_token")) == (2, 1)


def test_a_request_is_kept_with_its_headers(relying: Relying) -> None:
    httpx.get(relying.provider.url("jwks"), headers={"X-Asked": "yes"}, verify=PLAIN)
    assert relying.provider.received[-1].headers["x-asked"] == "yes"


def test_the_record_of_a_request_does_not_show_its_secrets(relying: Relying) -> None:
    relying.redeem(relying.authorize()["code"])
    assert repr(relying.provider.received[-1]) == "Received(endpoint='token', method='POST')"


def test_the_provider_does_not_show_its_secrets(relying: Relying) -> None:
    relying.sign_in()
    assert [CANARY.find(repr(thing)) for thing in (relying.provider, relying.provider.ledger)] == [None, None]


def test_every_opaque_secret_carries_the_mark(relying: Relying) -> None:
    code = relying.authorize()["code"]
    tokens = relying.redeem(code).json()
    assert [MARKER in secret for secret in (code, tokens["access_token"], tokens["refresh_token"])] == [True] * 3


def test_every_secret_is_told_to_the_register_before_the_client_has_it() -> None:
    told: list[str] = []
    with ScriptedProvider(register=told.append) as provider:
        relying = Relying(provider)
        code = relying.authorize()["code"]
        tokens = relying.redeem(code).json()
        known = [code, VERIFIER, tokens["access_token"], tokens["refresh_token"], tokens["id_token"]]
        assert sorted(told) == sorted(known)
        assert sorted(provider.issued()) == sorted(set(known) - {VERIFIER})


async def test_it_serves_a_test_that_has_its_own_loop(relying: Relying) -> None:
    async with httpx.AsyncClient(verify=PLAIN) as client:
        reply = await client.get(relying.provider.url("discovery"))
    assert reply.json()["issuer"] == relying.provider.issuer


# -- tokens that are bound to a key --------------------------------------------------------------------------------


@pytest.fixture
def bound(relying: Relying) -> Relying:
    """Make a client at a provider that binds its tokens."""
    relying.provider.proofs = ProofJudge()
    return relying


def prove(bound: Relying, endpoint: str, method: str = "POST", *, key: SigningKey = HOLDER, **claims: Any) -> str:
    """Make a proof by hand (RFC 9449, 4.2)."""
    jwk = {name: value for name, value in key.public_jwk().items() if name in ("kty", "crv", "x", "y")}
    told = {
        "jti": str(time.perf_counter()),
        "htm": method,
        "htu": bound.provider.url(endpoint),
        "iat": int(time.time()),
    }
    return key.sign({**told, **claims}, header={"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk})


def refresh(bound: Relying, token: str, proof: str) -> httpx.Response:
    form = {"client_id": "jupyter", "grant_type": "refresh_token", "refresh_token": token}
    return httpx.post(bound.provider.url("token"), data=form, headers={"DPoP": proof}, timeout=5, verify=PLAIN)


def bound_tokens(bound: Relying) -> dict[str, Any]:
    form = {
        "client_id": "jupyter",
        "grant_type": "authorization_code",
        "code": bound.authorize()["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    proof = {"DPoP": prove(bound, "token")}
    tokens: dict[str, Any] = httpx.post(
        bound.provider.url("token"), data=form, headers=proof, timeout=5, verify=PLAIN
    ).json()
    return tokens


def test_tokens_are_bound_to_the_key_of_the_proof(bound: Relying) -> None:
    tokens = bound_tokens(bound)
    assert tokens["token_type"] == "DPoP"
    assert refresh(bound, tokens["refresh_token"], prove(bound, "token", key=SigningKey.ec("other"))).json() == {
        "error": "invalid_grant"
    }
    assert refresh(bound, tokens["refresh_token"], prove(bound, "token")).json()["token_type"] == "DPoP"


def test_a_code_is_bound_to_the_key_that_the_request_named(bound: Relying) -> None:
    """RFC 9449, 10: ``dpop_jkt`` binds the code."""
    code = bound.authorize(dpop_jkt="another")["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    headers = {"DPoP": prove(bound, "token")}
    reply = httpx.post(
        bound.provider.url("token"), data={"client_id": "jupyter", **form}, headers=headers, timeout=5, verify=PLAIN
    )
    assert reply.json() == {"error": "invalid_grant"}


@pytest.mark.parametrize(
    "claims", [{"htm": "GET"}, {"htu": "http://127.0.0.1/"}, {"iat": 1}, {"ath": "x"}, {"jti": ""}], ids=str
)
def test_a_wrong_proof_is_refused(bound: Relying, claims: dict[str, Any]) -> None:
    """RFC 9449, 4.3: these are the checks of a proof."""
    assert refresh(bound, "any", prove(bound, "token", **claims)).json() == {"error": "invalid_dpop_proof"}


def test_a_proof_is_good_once_and_a_request_without_one_is_refused(bound: Relying) -> None:
    proof = prove(bound, "token")
    assert refresh(bound, "any", proof).json() == {"error": "invalid_grant"}
    assert refresh(bound, "any", proof).json() == {"error": "invalid_dpop_proof"}
    assert bound.post("token", grant_type="refresh_token").json() == {"error": "invalid_dpop_proof"}


def test_a_nonce_is_demanded_where_one_is_set(bound: Relying) -> None:
    """RFC 9449, 8, 9: the demand does not spend the refresh token."""
    tokens = bound_tokens(bound)
    assert bound.provider.proofs is not None
    assert bound.provider.userinfo_proofs is not None
    bound.provider.proofs.nonce, bound.provider.userinfo_proofs.nonce = "n-1", "u-1"
    demanded = refresh(bound, tokens["refresh_token"], prove(bound, "token"))
    assert (demanded.status_code, demanded.json(), demanded.headers["DPoP-Nonce"]) == (
        400,
        {"error": "use_dpop_nonce"},
        "n-1",
    )
    renewed = refresh(bound, tokens["refresh_token"], prove(bound, "token", nonce="n-1")).json()
    token = renewed["access_token"]
    for nonce, status in (("", 401), ("u-1", 200)):
        proof = prove(bound, "userinfo", "GET", ath=digest(token), nonce=nonce)
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        reply = httpx.get(bound.provider.url("userinfo"), headers=headers, timeout=5, verify=PLAIN)
        assert reply.status_code == status
    bearer = {"Authorization": f"Bearer {token}"}
    assert httpx.get(bound.provider.url("userinfo"), headers=bearer, timeout=5, verify=PLAIN).status_code == 401

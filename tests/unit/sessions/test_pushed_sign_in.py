"""Sign-ins with a pushed request: the settings that ask for it, its proof, and the provider's refusal (section P)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from jupyter_oidc.problems import ConfigurationInvalid, DiscoveryFailed, IdpUnavailable, Problem
from jupyter_oidc.protocol.message import Call
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.sessions.pending import PendingSignIn
from jupyter_oidc.sessions.request_parameters import uses_pushed_request
from tests.support.dpop_proofs import read_proof
from tests.unit.protocol.makers import ISSUER, METADATA, reply
from tests.unit.sessions.fake_environment import DEVICE, SETTINGS, FakeEnvironment, form_of

PAR = ISSUER + "/par"
OFFERED = {"pushed_authorization_request_endpoint": PAR}
WANTED = {**OFFERED, "require_pushed_authorization_requests": True}
REDIRECT = "http://localhost:8888/cb"


def environment_of(advertised: dict[str, Any], **settings: Any) -> FakeEnvironment:
    fake_environment = FakeEnvironment(replace(SETTINGS, **settings))
    fake_environment.provider.advertise = advertised
    return fake_environment


async def led(fake_environment: FakeEnvironment) -> tuple[PendingSignIn, dict[str, str], str]:
    """Begin, use the ticket, and return the sign-in, the query of the browser's request and its binding."""
    pending, ticket = await fake_environment.service.sign_ins.begin("user:a")
    fake_environment.pending.use_ticket(ticket)
    url, binding = await fake_environment.service.sign_ins.authorization_url(pending, REDIRECT)
    return pending, dict(parse_qsl(urlsplit(url).query)), binding


def pushed(fake_environment: FakeEnvironment) -> list[Call]:
    return [call for call in fake_environment.provider.sent if call.url == PAR]


@pytest.mark.parametrize(
    ("advertised", "setting", "pushes_it"),
    [
        ({}, "auto", False),
        (OFFERED, "auto", False),
        (WANTED, "auto", True),
        (OFFERED, "always", True),
        (WANTED, "always", True),
        ({}, "never", False),
        (OFFERED, "never", False),
    ],
)
async def test_a_request_is_pushed_where_the_provider_or_the_settings_insist(
    advertised: dict[str, Any], setting: str, pushes_it: bool
) -> None:
    """P-1: Requests are pushed if required or configured."""
    fake_environment = environment_of(advertised, pushed_authorization_requests=setting)
    _, query, _ = await led(fake_environment)
    assert (len(pushed(fake_environment)), "request_uri" in query, "state" in query) == (
        pushes_it,
        pushes_it,
        not pushes_it,
    )


async def test_a_pushed_request_ends_in_a_session_by_what_was_pushed() -> None:
    """P-3, P-4: the browser carries two parameters; state, nonce and verifier are those of the pushed request."""
    fake_environment = environment_of(WANTED)
    pending, query, binding = await led(fake_environment)
    assert query == {"client_id": "jupyter", "request_uri": "urn:ietf:params:oauth:request_uri:1"}
    asked = form_of(pushed(fake_environment)[0])
    assert (asked["redirect_uri"], asked["response_type"], asked["code_challenge_method"]) == (REDIRECT, "code", "S256")
    fake_environment.provider.nonce = asked["nonce"]
    await fake_environment.service.sign_ins.callback([("code", "c-1"), ("state", asked["state"])], [binding])
    assert pending.progress == "completed"


async def test_every_visit_has_a_reference_of_its_own() -> None:
    """P-4: a reference is used once, and a second attempt pushes anew."""
    fake_environment = environment_of(WANTED)
    (_, first, _), (_, second, _) = await led(fake_environment), await led(fake_environment)
    assert first["request_uri"] != second["request_uri"]
    one, other = (form_of(call) for call in pushed(fake_environment))
    assert all(one[name] != other[name] for name in ("state", "nonce", "code_challenge"))


async def test_the_pushed_request_is_proved_by_the_key_of_the_code() -> None:
    """X-9: the pushed request, the code and later requests have the same key."""
    fake_environment = environment_of(WANTED, dpop_bound_access_tokens=True)
    pending, _, _ = await led(fake_environment)
    (call,) = pushed(fake_environment)
    assert pending.proof_key is not None
    assert call.proof is not None
    proof = read_proof(reveal(call.proof))
    assert (proof.claims["htm"], proof.claims["htu"]) == ("POST", PAR)
    assert {proof.thumbprint, form_of(call)["dpop_jkt"]} == {pending.proof_key.thumbprint()}


async def test_a_demand_for_a_nonce_costs_one_request_more() -> None:
    """X-5: the token endpoint of the same server gets that nonce at once (X-7)."""
    fake_environment = environment_of(WANTED, dpop_bound_access_tokens=True)
    fake_environment.provider.plan(
        "push", reply({"error": "use_dpop_nonce"}, status=400, headers={"dpop-nonce": "n-1"})
    )
    pending, _, binding = await led(fake_environment)
    assert [read_proof(reveal(call.proof)).claims.get("nonce") for call in pushed(fake_environment) if call.proof] == [
        None,
        "n-1",
    ]
    asked = form_of(pushed(fake_environment)[1])
    fake_environment.provider.nonce = asked["nonce"]
    await fake_environment.service.sign_ins.callback([("code", "c-1"), ("state", asked["state"])], [binding])
    assert pending.progress == "completed"
    redeemed = next(call for call in fake_environment.provider.sent if call.url == ISSUER + "/token")
    assert redeemed.proof is not None
    assert read_proof(reveal(redeemed.proof)).claims["nonce"] == "n-1"


async def refused(fake_environment: FakeEnvironment) -> Problem:
    """Begin, and return the refusal that the start page gets; the sign-in has ended with it."""
    pending, ticket = await fake_environment.service.sign_ins.begin("user:a")
    fake_environment.pending.use_ticket(ticket)
    with pytest.raises(Problem) as caught:
        await fake_environment.service.sign_ins.authorization_url(pending, REDIRECT)
    assert (pending.progress, pending.problem) == ("failed", caught.value)
    assert fake_environment.notes.refusals == [(caught.value.code, caught.value.detail)]
    return caught.value


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        ("invalid_client", "sign_in_refused", "does not recognise this application, or not its secret or key"),
        ("invalid_redirect_uri", "sign_in_refused", "the address to which it is to send the browser back"),
        ("invalid_scope", "sign_in_refused", "a scope that was asked for (invalid_scope)"),
        ("server_error", "idp_unavailable", "an error of its own (server_error)"),
        ("made_up", "sign_in_refused", "no registered name (other)"),
    ],
)
async def test_a_refusal_of_the_pushed_request_has_its_code_and_its_words(error: str, code: str, says: str) -> None:
    """Q5.1, RFC 9126, 2.3: the table is the one of the other endpoints."""
    fake_environment = environment_of(WANTED)
    fake_environment.provider.plan("push", reply({"error": error}, status=400))
    problem = await refused(fake_environment)
    assert problem.code == code
    assert says in problem.message


async def test_a_provider_that_is_busy_is_tried_later() -> None:
    fake_environment = environment_of(WANTED)
    fake_environment.provider.plan("push", reply({}, status=429, headers={"retry-after": "9"}))
    problem = await refused(fake_environment)
    assert isinstance(problem, IdpUnavailable)
    assert problem.retry_after == 9.0


async def test_what_insists_on_pushing_and_what_forbids_it_is_found_before_a_page_opens() -> None:
    """P-1: the person does not end on the provider's error page."""
    fake_environment = environment_of(WANTED, pushed_authorization_requests="never")
    with pytest.raises(ConfigurationInvalid, match="pushed authorization requests only"):
        await fake_environment.service.sign_ins.begin("user:a")


@pytest.mark.parametrize("unusable", [{}, {"pushed_authorization_request_endpoint": "http://id.example.com/par"}])
async def test_a_provider_without_an_endpoint_for_it_is_found_before_a_page_opens(unusable: dict[str, Any]) -> None:
    """P-1: the browser never sends the request instead."""
    fake_environment = environment_of(unusable, pushed_authorization_requests="always")
    with pytest.raises(DiscoveryFailed) as caught:
        await fake_environment.service.sign_ins.begin("user:a")
    assert caught.value.detail == "discovery.pushed_authorization_request_endpoint"


async def test_a_sign_in_by_code_needs_nothing_pushed() -> None:
    """RFC 9126, 5: the member applies to authorization requests."""
    fake_environment = environment_of({**WANTED, **DEVICE}, pushed_authorization_requests="never")
    pending, _ = await fake_environment.service.sign_ins.begin("user:a", strategy="device")
    assert pending.strategy == "device"
    fake_environment.service.sign_ins.cancel(pending)
    await fake_environment.scheduler.pass_time(6)


def test_an_endpoint_that_nobody_insists_on_is_not_used() -> None:
    """P-1: the default changes nothing for providers that merely offer it."""
    assert uses_pushed_request(SETTINGS, replace(METADATA, pushed_authorization_request_endpoint=PAR)) is False


async def test_a_second_demand_for_a_nonce_names_the_endpoint_that_makes_it() -> None:
    """B32, X-5: an administrator who reads the audit trail looks at the right endpoint."""
    fake_environment = environment_of(WANTED, dpop_bound_access_tokens=True)
    demands = [
        reply({"error": "use_dpop_nonce"}, status=400, headers={"dpop-nonce": nonce}) for nonce in ("n-1", "n-2")
    ]
    fake_environment.provider.plan("push", *demands)
    problem = await refused(fake_environment)
    assert (problem.detail, len(pushed(fake_environment))) == ("pushed.dpop_nonce", 2)

"""One table, for sign-ins and doctor, finds where metadata contradict the settings, before the browser leaves."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from jupyter_oidc.diagnostics import examine
from jupyter_oidc.problems import ConfigurationInvalid, DiscoveryFailed
from jupyter_oidc.protocol.discovery import read_discovery_reply
from jupyter_oidc.sessions.contradictions import RULES, SignInPlan, contradictions
from jupyter_oidc.sessions.sign_ins import DEFAULT_OPTIONS
from jupyter_oidc.settings import Provider
from tests.unit.diagnostics.contexts import CORP, Answering, diagnostic_context
from tests.unit.protocol.makers import ISSUER, document, reply
from tests.unit.sessions.fake_environment import DEVICE, SETTINGS, FakeEnvironment, settle

POST = {"token_endpoint_auth_method": "client_secret_post"}
BY_PROFILE = {"id_token_signing_alg_values_supported": ["PS256"]}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "pkce": ({}, {"code_challenge_methods_supported": ["plain"]}, "discovery.pkce", "does not support PKCE with S256"),
    "dpop": ({"dpop_bound_access_tokens": True}, {"dpop_signing_alg_values_supported": ["RS256", "es256"]}, "discovery.dpop", "DPoP proofs that are signed with ES256"),
    "client method": (POST, {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}, "token.auth_method", "does not list the client authentication method client_secret_post"),
    "assertion": ({}, {"token_endpoint_auth_signing_alg_values_supported": ["RS256"]}, "token.auth_signing_alg", "assertion that is signed with PS256"),
    "pushed": ({"pushed_authorization_requests": "never"}, {"require_pushed_authorization_requests": True}, "discovery.require_pushed_authorization_requests", "takes pushed authorization requests only"),
    "nowhere to push": ({"pushed_authorization_requests": "always"}, {"pushed_authorization_request_endpoint": None}, "discovery.pushed_authorization_request_endpoint", "name no usable endpoint for that"),
    "issuer in answers": ({"profile": "fapi2"}, {"authorization_response_iss_parameter_supported": False, **BY_PROFILE}, "discovery.authorization_response_iss_parameter_supported", "names itself in its answers (iss)"),
    "certificate": ({"tls_client_certificate_bound_access_tokens": True}, {"tls_client_certificate_bound_access_tokens": False}, "discovery.certificate_bound", "binds access tokens to a client certificate"),
    "signed request": ({}, {"require_signed_request_object": True}, "discovery.require_signed_request_object", "takes signed request objects only"),
    "response type": ({}, {"response_types_supported": ["id_token", "code id_token"]}, "discovery.response_types_supported", "does not list the response type 'code'"),
    "grant": ({}, {"grant_types_supported": ["client_credentials"]}, "discovery.grant_types_supported", "does not list the grant type 'authorization_code'"),
    "response mode": ({}, {"response_modes_supported": ["form_post", "fragment"]}, "discovery.response_modes_supported", "does not list the response mode 'query'"),
    "form": ({"response_mode": "form_post"}, {"response_modes_supported": ["query"]}, "discovery.response_modes_supported", "does not list the response mode 'form_post'"),
    "prompt": ({"prompt": "login select_account"}, {"prompt_values_supported": ["none", "login"]}, "discovery.prompt_values_supported", "does not list the prompt 'select_account'"),
    "ID token": ({"id_token_signed_response_alg": "RS256"}, {"id_token_signing_alg_values_supported": ["ES256", "none"]}, "discovery.id_token_signing_alg_values_supported", "does not sign ID tokens with RS256"),
    "UserInfo": ({"userinfo_signed_response_alg": "RS256"}, {"userinfo_signing_alg_values_supported": ["none", "ES256"]}, "discovery.userinfo_signing_alg_values_supported", "does not sign UserInfo with RS256"),
}  # fmt: skip
"""For each case: settings, metadata, and the finding."""

BY_ABSENCE = {"nowhere to push", "issuer in answers", "certificate"}
"""Facts that a provider has to state, so that its silence contradicts the settings as well."""

ONLY_BY_BROWSER = {
    "pushed",
    "nowhere to push",
    "issuer in answers",
    "signed request",
    "response type",
    "grant",
    "response mode",
    "form",
    "prompt",
}


def wanted(settings: Provider, advertised: dict[str, Any], *, by_code: bool = False) -> SignInPlan:
    metadata = read_discovery_reply(ISSUER, reply(document(**advertised)), allow_loopback_http=False)
    return SignInPlan(settings, metadata, "PS256", by_code=by_code)


@pytest.mark.parametrize("case", CASES)
def test_each_contradiction_is_found_alone(case: str) -> None:
    """Q1.10: no other rule reports the case."""
    changes, advertised, detail, says = CASES[case]
    (found,) = contradictions(wanted(replace(SETTINGS, **changes), advertised))
    assert (found.detail, says in found.message) == (detail, True), found.message


def test_every_rule_has_a_case() -> None:
    """Q1.10: the tests here cover a rule that is added later, or this test fails."""
    cases = [wanted(replace(SETTINGS, **changes), advertised) for changes, advertised, _, _ in CASES.values()]
    assert [rule for rule in RULES if not any(rule.judge(case) for case in cases)] == []


def everything() -> tuple[Provider, dict[str, Any]]:
    """Return settings and metadata that contradict each other in many ways at once."""
    settings: dict[str, Any] = {}
    advertised: dict[str, Any] = {}
    for changes, members, _, _ in CASES.values():
        settings |= changes
        advertised |= members
    return replace(SETTINGS, **settings), advertised


@pytest.mark.parametrize("case", sorted(set(CASES) - BY_ABSENCE))
def test_a_member_that_is_absent_or_cannot_be_used_contradicts_nothing(case: str) -> None:
    """Q1.10, Q1.4: only usable members of the metadata count."""
    changes, advertised, _, _ = CASES[case]
    for nothing in (None, "", "true", 7, ["a", None]):
        assert contradictions(wanted(replace(SETTINGS, **changes), dict.fromkeys(advertised, nothing))) == ()


@pytest.mark.parametrize("case", CASES)
def test_a_sign_in_by_code_is_refused_for_what_concerns_it_alone(case: str) -> None:
    """Q1.10: a sign-in by code sends no authorization request (RFC 8628, 3.1)."""
    changes, advertised, _, _ = CASES[case]
    found = contradictions(wanted(replace(SETTINGS, **changes), advertised, by_code=True))
    assert (found == ()) == (case in ONLY_BY_BROWSER)


@pytest.mark.parametrize(
    ("changes", "advertised"),
    [
        ({}, {"scopes_supported": ["openid"]}),
        ({}, {"scopes_supported": ["profile"]}),
        ({}, {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}),
        ({}, {"grant_types_supported": ["authorization_code"]}),
        ({}, {"prompt_values_supported": ["none", "login"]}),
        ({}, {"dpop_signing_alg_values_supported": ["RS256"]}),
        ({}, {"tls_client_certificate_bound_access_tokens": True}),
        ({}, {"mtls_endpoint_aliases": {"token_endpoint": "https://mtls.id.example.com/token"}}),
        ({}, {"claims_parameter_supported": False, "request_parameter_supported": False}),
    ],
    ids=["scopes", "openid unlisted", "public", "no refresh", "no prompt", "no DPoP", "bound", "mTLS", "parameters"],
)
def test_what_may_be_left_out_of_a_list_or_is_not_used_contradicts_nothing(
    changes: dict[str, Any], advertised: dict[str, Any]
) -> None:
    """Q1.10; Discovery 1.0, 3: a server may choose not to advertise some of its scopes."""
    settings = replace(SETTINGS, **changes)
    metadata = read_discovery_reply(ISSUER, reply(document(**advertised)), allow_loopback_http=False)
    assert contradictions(SignInPlan(settings, metadata)) == ()


@pytest.mark.parametrize("case", sorted(set(CASES) - {"assertion", "client method"}))
async def test_a_sign_in_is_refused_before_the_browser_leaves(case: str) -> None:
    """Q1.10: the refusal has the words of the rule, and no sign-in stays pending."""
    changes, advertised, detail, says = CASES[case]
    fake_environment = FakeEnvironment(replace(SETTINGS, **changes))
    fake_environment.provider.advertise = advertised
    with pytest.raises((ConfigurationInvalid, DiscoveryFailed)) as refused:
        await fake_environment.service.sign_ins.begin("user:a")
    assert (refused.value.detail, says in refused.value.message) == (detail, True)
    assert refused.value.action.startswith("Ask your administrator: ")
    assert fake_environment.pending.waiting("corp") == []


async def test_a_sign_in_that_was_offered_is_refused_when_it_is_followed() -> None:
    """Q1.10: the metadata at that time count."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.advertise = {"require_signed_request_object": True}
    pending = fake_environment.pending.use_ticket(
        fake_environment.service.sign_ins.offer("user:a", DEFAULT_OPTIONS) or ""
    )
    with pytest.raises(DiscoveryFailed, match="signed request objects only"):
        await fake_environment.service.sign_ins.authorization_url(pending, "http://localhost:8888/cb")


async def test_a_sign_in_by_code_begins_at_a_provider_that_takes_pushed_requests_only() -> None:
    """Q1.10: rules about authorization requests do not apply."""
    fake_environment = FakeEnvironment(replace(SETTINGS, redirect_strategy="device"))
    fake_environment.provider.advertise = {"require_pushed_authorization_requests": True, **DEVICE}
    pending, _ = await fake_environment.service.sign_ins.begin("user:a")
    assert pending.code is not None
    fake_environment.service.sign_ins.cancel(pending)
    await settle()


def test_of_several_the_first_is_said_and_the_others_are_counted() -> None:
    """Q1.10: doctor lists all of them."""
    found = contradictions(wanted(*everything()))
    problem = found[0].problem(len(found) - 1)
    assert problem.action == (
        "Ask your administrator: Allow PKCE with S256 for this client at the provider. "
        "13 more are listed by: jupyter oidc doctor."
    )


@pytest.mark.parametrize("case", sorted(set(CASES) - {"assertion"}))
def test_doctor_says_what_a_sign_in_would_run_into(case: str) -> None:
    """Q1.10: the finding has the same words, and an action."""
    changes, advertised, _, says = CASES[case]
    port = Answering(discovery=reply(document(**advertised)))
    report = asyncio.run(examine(diagnostic_context(port, replace(CORP, **changes)), seconds=5))
    problems = [check for check in report.checks if check.status == "problem" and says in check.message]
    assert len(problems) == 1
    assert problems[0].action
    assert not report.ok


def test_of_what_the_provider_lists_only_what_is_known_here_is_repeated() -> None:
    """Q1.10: a report is pasted in public, and the metadata are a peer's text."""
    listed = {"response_modes_supported": ["form_post", "<script>"]}
    (found,) = contradictions(wanted(SETTINGS, listed))
    assert found.action == "Set response_mode to one that it lists: form_post."


def test_a_list_without_anything_known_says_so() -> None:
    """Q1.10: Contradictions are found before the browser leaves."""
    (found,) = contradictions(wanted(SETTINGS, {"response_modes_supported": ["fragment"]}))
    assert found.action == "Set response_mode to one that it lists, which is none that is known here."


@pytest.mark.parametrize("listed", [["HS256"], ["none"], ["RS1", "odd"], []])
def test_a_provider_that_signs_with_nothing_acceptable_is_contradicted_by_settings_that_name_nothing(
    listed: list[str],
) -> None:
    """Q1.10: ``none`` is never acceptable, and neither is a shared secret that a public client does not have."""
    (found,) = contradictions(wanted(SETTINGS, {"id_token_signing_alg_values_supported": listed}))
    assert found.message == "The provider signs ID tokens with no algorithm that this client may accept."

"""The profile ``fapi2`` refuses sessions that are fine without it (FAPI 2.0 Security Profile, 5.3, 5.4)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from jupyter_oidc.problems import ConfigurationInvalid, DiscoveryFailed
from jupyter_oidc.protocol.client_assertion import key_signer
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.pending import SignInState
from jupyter_oidc.sessions.strategy import Choice, Impossible, choose
from jupyter_oidc.settings.model import PROFILE_ALGORITHMS
from tests.support.canary import CANARY
from tests.unit.protocol.makers import ISSUER
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment

FAPI = replace(
    SETTINGS,
    profile="fapi2",
    pushed_authorization_requests="always",
    token_endpoint_auth_method="tls_client_auth",
    client_certificate="/etc/me.pem",
    id_token_signed_response_alg="RS256",  # NOTE: the fake provider signs with this; no settings can ask for it here
)
FIT = {
    "pushed_authorization_request_endpoint": ISSUER + "/par",
    "authorization_response_iss_parameter_supported": True,
}


def environment_of(**advertised: Any) -> FakeEnvironment:
    fake_environment = FakeEnvironment(FAPI)
    fake_environment.provider.advertise = {**FIT, **advertised}
    return fake_environment


async def test_a_provider_that_does_not_name_itself_in_its_answers_is_refused_before_a_page_opens() -> None:
    """5.3.3.2, RFC 9207, 3: without ``iss``, an answer of another provider could pass for its own."""
    fake_environment = environment_of(authorization_response_iss_parameter_supported=None)
    with pytest.raises(DiscoveryFailed, match="names itself in its answers"):
        await fake_environment.service.sign_ins.begin("user:a")


@pytest.mark.parametrize(
    ("iss", "ends"), [([("iss", ISSUER)], "completed"), ([], "failed"), ([("iss", "x")], "failed")]
)
async def test_an_answer_has_to_name_its_sender(iss: list[tuple[str, str]], ends: SignInState) -> None:
    """5.3.3.2, R-5: the answer has to contain ``iss``."""
    fake_environment = environment_of()
    pending, ticket = await fake_environment.service.sign_ins.begin("user:a")
    fake_environment.pending.use_ticket(ticket)
    _, binding = await fake_environment.service.sign_ins.authorization_url(pending, "http://localhost:8888/cb")
    pushed = next(call for call in fake_environment.provider.sent if call.url == ISSUER + "/par")
    asked = {name: str(value) for name, value in pushed.form}
    fake_environment.provider.nonce = asked["nonce"]
    await fake_environment.service.sign_ins.callback([("code", "c-1"), ("state", asked["state"]), *iss], [binding])
    assert pending.progress is ends


def test_a_sign_in_by_code_is_no_way_under_the_profile() -> None:
    """5.3.3.2: the profile admits the code grant alone; ``auto`` does not choose another way either."""
    named = choose(FAPI, offers_device=True, browser="here", requested="device")
    assert isinstance(named, Impossible)
    assert "profile" in named.reason
    elsewhere = choose(FAPI, offers_device=True, browser="elsewhere")
    assert isinstance(elsewhere, Choice)
    assert elsewhere.strategy == "server"


def stored(key: RSAKey | ECKey, **members: str) -> Secret:
    text = json.dumps({**key.as_dict(private=True), **members})
    CANARY.hold(str(key.as_dict(private=True)["d"]))
    return Secret(text)


@pytest.mark.parametrize(
    ("key", "alg"), [(RSAKey.generate_key(2048), "PS256"), (ECKey.generate_key("P-256"), "ES256")], ids=["RSA", "EC"]
)
def test_an_assertion_is_signed_with_what_the_profile_allows(key: RSAKey | ECKey, alg: str) -> None:
    """5.4.1: without the profile, an RSA key signs with RS256."""
    assert key_signer(stored(key), None, None, admitted=PROFILE_ALGORITHMS).alg == alg


@pytest.mark.parametrize(
    ("key", "more"),
    [(RSAKey.generate_key(2048), {"alg": "RS256"}), (ECKey.generate_key("P-384"), {})],
    ids=["RS256", "P-384"],
)
def test_a_key_for_another_algorithm_is_refused(key: RSAKey | ECKey, more: dict[str, str]) -> None:
    """5.4.1: the profile lists the algorithms."""
    with pytest.raises(ConfigurationInvalid, match="does not allow"):
        key_signer(stored(key, **more), None, None, admitted=PROFILE_ALGORITHMS)

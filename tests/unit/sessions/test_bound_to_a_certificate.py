"""Sessions of a client that shows a certificate, and tokens that are bound to it (RFC 8705)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_oidc.problems import ConfigurationInvalid
from jupyter_oidc.sessions.credentials import Credentials
from jupyter_oidc.sessions.grant import TryLater
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.pending import PendingSignIn
from tests.support.canary import CANARY
from tests.unit.protocol.makers import ISSUER, claims_of, reply, signed
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment, form_of

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"
MTLS = "https://mtls.example.com"
KNOWN = replace(SETTINGS, token_endpoint_auth_method="tls_client_auth", client_certificate="/etc/me.pem")
BOUND = replace(SETTINGS, tls_client_certificate_bound_access_tokens=True, client_certificate="/etc/me.pem")
BINDS = {"tls_client_certificate_bound_access_tokens": True}


class CertifiedEnvironment(FakeEnvironment):
    """An environment whose client shows the certificate with the thumbprint that ``certificate`` returns."""

    def __init__(self, settings: Any) -> None:
        self.certificate: Callable[[], str | None] = lambda: OURS
        super().__init__(settings)

    def credentials(self, client_secret: Any) -> Credentials:
        return Credentials(
            self.settings,
            self.clock,
            self.entropy,
            secret=client_secret,
            key=lambda: None,
            certificate=self._shown_certificate,
        )

    def _shown_certificate(self) -> str | None:
        return self.certificate()


def jwt(**claims: Any) -> str:
    token = signed({"iss": ISSUER, "aud": "api", **claims})
    CANARY.hold(token)
    return token


def answer(fake_environment: FakeEnvironment, access_token: str, **more: Any) -> Any:
    now = fake_environment.clock.now().wall
    id_token = signed(claims_of(iat=now, exp=now + 600, nonce=fake_environment.provider.nonce))
    CANARY.hold(id_token)
    return reply({"access_token": access_token, "token_type": "Bearer", "id_token": id_token, **more})


async def signed_in_with(access_token: str) -> tuple[FakeEnvironment, Any]:
    fake_environment = CertifiedEnvironment(BOUND)
    fake_environment.provider.advertise = BINDS
    pending, state, binding = await fake_environment.begin()
    fake_environment.provider.plan(
        "token", answer(fake_environment, access_token, refresh_token="rt-0", expires_in=300)
    )
    await fake_environment.service.sign_ins.callback([("code", "c-1"), ("state", state)], [binding])
    return fake_environment, pending


async def test_a_client_that_is_known_by_its_certificate_names_itself_and_sends_no_secret() -> None:
    """RFC 8705, 2: the client calls the endpoints that ask for the certificate."""
    fake_environment = FakeEnvironment(KNOWN)
    aliases = {"token_endpoint": f"{MTLS}/token", "revocation_endpoint": f"{MTLS}/revoke"}
    fake_environment.provider.advertise = {"mtls_endpoint_aliases": aliases}
    await fake_environment.sign_in()
    (redeemed,) = [call for call in fake_environment.provider.sent if call.url == f"{MTLS}/token"]
    assert form_of(redeemed)["client_id"] == "jupyter"
    assert redeemed.basic is None
    assert not {"client_secret", "client_assertion"} & form_of(redeemed).keys()
    await fake_environment.service.sign_outs.sign_out()
    assert [call.url for call in fake_environment.provider.sent if call.url.endswith("/revoke")] == [f"{MTLS}/revoke"]


async def test_a_provider_that_does_not_list_the_method_is_found_before_a_page_opens() -> None:
    """T-3: Each request uses the configured authentication method."""
    fake_environment = FakeEnvironment(KNOWN)
    fake_environment.provider.advertise = {"token_endpoint_auth_methods_supported": ["private_key_jwt"]}
    with pytest.raises(ConfigurationInvalid, match="tls_client_auth"):
        await fake_environment.service.sign_ins.begin("user:a")


async def test_a_provider_that_binds_no_tokens_is_found_before_a_page_opens() -> None:
    """RFC 8705, 3.3: a provider without the member binds no tokens."""
    with pytest.raises(ConfigurationInvalid, match="does not say that it binds access tokens"):
        await FakeEnvironment(BOUND).service.sign_ins.begin("user:a")


@pytest.mark.parametrize("token", [jwt(cnf={"x5t#S256": OURS}), "opaque"], ids=["ours", "opaque"])
async def test_a_token_that_is_bound_to_our_certificate_or_does_not_show_it_is_taken(token: str) -> None:
    """RFC 8705, 3.1: the confirmation is ``x5t#S256``; an opaque token shows none."""
    _, pending = await signed_in_with(token)
    assert pending.progress == "completed"


@pytest.mark.parametrize(
    "token",
    [jwt(), jwt(cnf={"jkt": "k"}), jwt(cnf={"x5t#S256": "somebody else's"})],
    ids=["to nothing", "to a key", "to another"],
)
async def test_a_token_that_is_bound_to_something_else_is_refused_and_taken_back(token: str) -> None:
    """RFC 8705, 3.1: a proxy in between may have ended TLS, and a thief can use such a token."""
    fake_environment, pending = await signed_in_with(token)
    assert (pending.progress, pending.problem and pending.problem.detail) == ("failed", "token.cnf")
    assert fake_environment.provider.revoked == ["rt-0"]


async def test_a_refreshed_token_that_is_bound_to_nothing_is_not_used() -> None:
    """RFC 8705, 3.1: the token's successor is kept all the same (ADR 25)."""
    fake_environment, _ = await signed_in_with(jwt(cnf={"x5t#S256": OURS}))
    fake_environment.provider.plan(
        "token", reply({"access_token": jwt(), "token_type": "Bearer", "refresh_token": "rt-1"})
    )
    fake_environment.clock.advance(11)
    assert isinstance(await fake_environment.service.tokens.refresh(), TryLater)
    assert fake_environment.service.state is State.REFRESH_FAILED


def unreadable() -> str | None:
    raise ConfigurationInvalid(detail="client_certificate")


async def ended_where_the_certificate_is_unreadable(
    access_token: str, settings: Any = BOUND
) -> tuple[FakeEnvironment, PendingSignIn]:
    fake_environment = CertifiedEnvironment(settings)
    fake_environment.provider.advertise = BINDS
    pending, state, binding = await fake_environment.begin()
    fake_environment.certificate = unreadable
    fake_environment.provider.plan(
        "token", answer(fake_environment, access_token, refresh_token="rt-0", expires_in=300)
    )
    await fake_environment.service.sign_ins.callback([("code", "c-1"), ("state", state)], [binding])
    return fake_environment, pending


async def test_tokens_that_cannot_be_compared_are_taken_back() -> None:
    """A17: the provider issued the tokens, and no call is going to use them."""
    fake_environment, pending = await ended_where_the_certificate_is_unreadable(jwt(cnf={"x5t#S256": OURS}))
    assert (pending.progress, pending.problem and pending.problem.code) == ("failed", "configuration_invalid")
    assert fake_environment.provider.revoked == ["rt-0"]


@pytest.mark.parametrize(("token", "settings"), [("opaque", BOUND), (jwt(), SETTINGS)], ids=["opaque", "unbound"])
async def test_a_certificate_that_nothing_is_compared_with_is_not_read(token: str, settings: Any) -> None:
    """A17, Q1.3: an unreadable file is no reason to discard tokens that are bound to no certificate."""
    _, pending = await ended_where_the_certificate_is_unreadable(token, settings)
    assert pending.progress == "completed"

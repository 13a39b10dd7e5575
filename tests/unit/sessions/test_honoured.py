"""A token is compared with its request: an API's own token may be the sign-in's under another name."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from jupyter_oidc.problems import AudienceRefused
from jupyter_oidc.protocol.message import Reply
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted, TokenKey
from jupyter_oidc.sessions.honoured import honoured
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.settings import Api
from tests.support.marker import MARKER
from tests.unit.protocol.makers import base64url, reply
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment, form_of, text_of

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
API = "https://orders.example.com"


def jwt(audience: object) -> str:
    payload = {} if audience is None else {"aud": audience}
    return f"{MARKER}e30.{base64url(json.dumps(payload).encode())}.c2ln"


@pytest.mark.parametrize(
    ("key", "token", "scopes", "of_sign_in", "told"),
    [
        (TokenKey(audience=API), jwt(API), (), ("account",), True),
        (TokenKey(audience=API), jwt([API, "account"]), (), ("account",), True),
        (TokenKey(audience=API), jwt(API + "/"), (), ("account",), True),
        (TokenKey(audience=API), jwt("account"), (), ("account",), False),
        (TokenKey(audience=API), jwt(["account", "b"]), (), ("b", "account"), False),
        (TokenKey(audience=API), jwt("account"), (), None, False),
        (TokenKey(audience=API), jwt(None), (), (), False),
        (TokenKey(audience=API), "opaque", (), None, True),
        (TokenKey(audience=API), "opaque", (), ("account",), True),
        (TokenKey(resource=API), jwt("account"), (), ("account",), False),
        (TokenKey(resource=API), jwt("orders"), (), ("account",), True),
        (TokenKey(resource=API), jwt("orders"), (), None, True),
        (TokenKey(scopes=("orders.read",)), "opaque", ("orders.read",), None, True),
        (TokenKey(scopes=("orders.read", "orders.write")), "opaque", ("orders.read", "openid"), None, True),
        (TokenKey(scopes=("orders.read",)), "opaque", ("openid", "profile"), None, False),
        (TokenKey(scopes=("orders.read",)), "opaque", (), None, False),
        (TokenKey(scopes=("openid", "email")), "opaque", ("profile",), None, True),
        (TokenKey(scopes=("api://orders/.default",)), "opaque", ("api://orders/Orders.Read",), None, True),
        # A provider may answer "all there are" by other names, or by none of them: that is no plain contradiction.
        (TokenKey(scopes=("api://orders/.default",)), "opaque", ("openid", "profile"), None, True),
        (TokenKey(scopes=("https://graph.example/Mail.Read",)), "opaque", ("mail.read",), None, True),
        (SIGN_IN_KEY, jwt("account"), (), ("account",), True),
    ],
)
def test_a_parameter_counts_as_ignored_only_where_that_is_plain(
    key: TokenKey, token: str, scopes: tuple[str, ...], of_sign_in: tuple[str, ...] | None, told: bool
) -> None:
    """Q9.5: an opaque token shows nothing, a resource may have another name, and scopes are written in many ways."""
    assert honoured(key, Secret(token), scopes, of_sign_in) is told


ORDERS = Api("orders", "corp", "https://api.example.com/v1/", audience=API)
KEY = TokenKey(audience=API)


def answer(audience: object, **changes: Any) -> Reply:
    return reply({"access_token": jwt(audience), "token_type": "Bearer", "expires_in": 300, **changes})


async def signed_in(**advertise: object) -> FakeEnvironment:
    fake_environment = FakeEnvironment(replace(SETTINGS, apis=(ORDERS,)))
    fake_environment.provider.advertise = advertise
    await fake_environment.sign_in()
    return fake_environment


async def test_a_token_for_which_the_audience_was_ignored_is_not_taken_for_the_api() -> None:
    """Q9.5: Keycloak ignores ``audience`` at a refresh; the API would answer 401 for ever."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", answer("account", refresh_token=f"{MARKER}rt-2"))
    with pytest.raises(AudienceRefused):
        await fake_environment.service.tokens.bearer(KEY)
    assert (fake_environment.service.state, fake_environment.service.view.token_ready(KEY)) == (State.ACTIVE, False)
    assert (fake_environment.notes.refusals[-1], fake_environment.notes.flows[-1]) == (
        ("audience_refused", "token.ignored"),
        "refresh for orders",
    )
    entry = await fake_environment.vault.load()
    assert entry is not None
    assert text_of(entry.refresh_token) == "rt-2"


async def test_where_the_provider_exchanges_tokens_the_api_gets_its_own_by_exchange() -> None:
    """Q9.5, RFC 8693: a token exchange honours the parameter."""
    fake_environment = await signed_in(grant_types_supported=["authorization_code", EXCHANGE])
    fake_environment.provider.plan("token", answer("account"), answer(API))
    granted = await fake_environment.service.tokens.bearer(KEY)
    assert isinstance(granted, Granted)
    assert text_of(granted.secret) == text_of(Secret(jwt(API)))
    assert form_of(fake_environment.provider.sent[-1])["grant_type"] == EXCHANGE


async def test_an_exchange_that_ignores_the_audience_is_refused_as_well() -> None:
    """Q9.5, a sibling: An ignored audience or scope is noticed."""
    fake_environment = await signed_in(grant_types_supported=["authorization_code", EXCHANGE])
    fake_environment.provider.plan("token", answer("account"), answer("account"))
    with pytest.raises(AudienceRefused):
        await fake_environment.service.tokens.bearer(KEY)
    assert fake_environment.service.view.token_ready(KEY) is False


async def test_scopes_that_were_ignored_are_told_by_the_scope_of_the_answer() -> None:
    """Q9.5: Hydra narrows nothing and widens nothing."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", answer(None, scope="openid profile offline_access"))
    with pytest.raises(AudienceRefused):
        await fake_environment.service.tokens.bearer(TokenKey(scopes=("orders.read",)))


async def test_an_opaque_token_without_a_scope_is_believed() -> None:
    """Q9.5: the answer does not contradict the request (RFC 6749, 5.1)."""
    fake_environment = await signed_in()
    granted = await fake_environment.service.tokens.bearer(replace(KEY, scopes=("orders.read",)))
    assert isinstance(granted, Granted)


async def test_an_ignored_parameter_is_not_tried_again_with_every_call() -> None:
    """Q9.5: An ignored audience or scope is noticed. B25: A clock that jumps causes no refresh storm."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", *[answer("account")] * 5)
    for _ in range(5):
        with pytest.raises(AudienceRefused):
            await fake_environment.service.tokens.bearer(KEY)
    assert fake_environment.provider.calls["token"] == 2

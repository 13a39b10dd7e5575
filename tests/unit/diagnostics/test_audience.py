"""Doctor reports an API that its tokens do not name, while a wider acceptance is needed and when it no longer is."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from jupyter_oidc.diagnostics.audience import check_audience
from jupyter_oidc.protocol.audience import audience_of
from jupyter_oidc.secret import Secret
from jupyter_oidc.settings import Api
from tests.support.marker import MARKER
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment

API = "https://api.example.com"


def jwt(**claims: Any) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{MARKER}header.{part}.signature"


@pytest.mark.parametrize(
    ("token", "audience"),
    [
        (jwt(aud=API), (API,)),
        (jwt(aud=[API, "other"]), (API, "other")),
        (jwt(client_id="jupyter"), ()),
        (jwt(aud=7), ()),
        (MARKER + "opaque", None),
        (MARKER + "a.b", None),
        (MARKER + "a.!!!.c", None),
        (MARKER + "a.bm8.c", None),
    ],
    ids=["one", "several", "none", "a number", "opaque", "two parts", "no base64", "no json"],
)
def test_the_audience_is_read_and_nothing_else(token: str, audience: tuple[str, ...] | None) -> None:
    """RFC 9068, 2.2: the audience is ``aud`` of a JWT."""
    assert audience_of(Secret(token)) == audience


def judged(source: Any, audience: str | None, token: str | None) -> tuple[str, str, str | None]:
    """Return status, message and action for one API whose provider issues ``token`` as access token."""
    api = Api("orders", "corp", f"{API}/v1/", bearer_token_source=source)
    fake_environment = FakeEnvironment(replace(SETTINGS, apis=(api,), audience=audience))

    async def run() -> tuple[str, str, str | None]:
        if token is not None:
            await fake_environment.sign_in()
            session = fake_environment.service.current.live
            assert session is not None
            (key,) = session.data.access
            token_of_sign_in = replace(session.data.access[key], secret=Secret(token))
            session.data = replace(session.data, access={key: token_of_sign_in})
        check = check_audience(fake_environment.settings, api, fake_environment.service)
        await fake_environment.service.aclose()
        return check.status, check.message, check.action

    return asyncio.run(run())


def test_an_id_token_for_an_api_is_said_to_be_a_wider_acceptance() -> None:
    status, message, action = judged("id_token", API, None)
    assert status == "warning"
    assert message.startswith("The API gets the ID token, made for the client id: an API that accepts it accepts")
    assert action == (
        "Let as few APIs as possible accept the client id, and ask the provider for an audience of the API's."
    )


@pytest.mark.parametrize("token", [jwt(), MARKER + "opaque"])
def test_while_the_access_token_names_nobody_it_is_still_needed(token: str) -> None:
    status, message, _ = judged("id_token", API, token)
    assert (status, "no longer needed" in message) == ("warning", False)


@pytest.mark.parametrize("named", [API, f"{API}/v1/", f"{API}/v1", "orders"])
def test_once_the_access_token_names_the_api_it_is_no_longer_needed(named: str) -> None:
    """The temporary control may be removed under this condition."""
    status, message, action = judged("id_token", API, jwt(aud=[named]))
    assert status == "warning"
    assert message == ("The API gets the ID token, which is no longer needed: the access token names the API now.")
    assert action is not None
    assert action.startswith("Require that audience at the API, set api_bearer_token_source to 'access_token'")


def test_an_audience_that_nobody_knows_is_for_the_owner_of_the_api_to_judge() -> None:
    _, message, action = judged("id_token", None, jwt(aud="urn:unknown-thing"))
    assert "none that the settings give this API" in message
    assert action is not None
    assert action.startswith("Ask the API's owner")
    assert "urn:unknown-thing" not in message + action, "no claim in an output"


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (jwt(aud=API), "ok"),
        (jwt(client_id="jupyter"), "warning"),
        (jwt(aud="account"), "unknown"),
        (MARKER + "opaque", "unknown"),
    ],
)
def test_an_access_token_without_an_audience_is_said_to_be_one(token: str, status: str) -> None:
    """Q9.11: only an audience that names this API gets a check mark; Keycloak's tokens name 'account'."""
    assert judged("access_token", API, token)[0] == status


def test_an_opaque_access_token_is_not_mistaken_for_none() -> None:
    assert "which is opaque" in judged("access_token", API, MARKER + "opaque")[1]
    assert "nobody is signed in" in judged("access_token", API, None)[1]

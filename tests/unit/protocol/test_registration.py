"""Dynamic registration: the request, and the answer by the letter (Dynamic Client Registration 1.0, 3)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_oidc.problems import DiscoveryFailed
from jupyter_oidc.protocol.message import Reply
from jupyter_oidc.protocol.registration import read_registration_reply, registration_call
from jupyter_oidc.secret import Secret

CALLBACK = "https://jupyter.example.com/jupyter-oidc/providers/corp/callback"


@pytest.mark.parametrize(
    ("uri", "kind"), [(CALLBACK, "web"), ("http://localhost:8888/jupyter-oidc/providers/corp/callback", "native")]
)
def test_the_request_describes_the_client(uri: str, kind: str) -> None:
    call = registration_call(
        "https://id.example.com/reg",
        redirect_uris=[uri],
        scopes=["openid", "email"],
        auth_method="none",
        grant_types=["authorization_code", "refresh_token"],
    )
    assert (call.method, call.url, call.form) == ("POST", "https://id.example.com/reg", ())
    assert json.loads(call.json_body or "") == {
        "client_name": "jupyter_oidc",
        "application_type": kind,
        "redirect_uris": [uri],
        "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
        "scope": "openid email",
    }


def answered(body: Any, status: int = 201) -> Reply:
    return Reply(status, Secret(body if isinstance(body, str) else json.dumps(body)))


def test_the_answer_has_the_client_and_its_secret_sealed() -> None:
    client = read_registration_reply(
        answered({"client_id": "a1", "client_secret": "s", "registration_access_token": "t"})
    )
    assert (client.client_id, client.secret) == ("a1", Secret("s"))
    assert "'s'" not in repr(client)
    assert read_registration_reply(answered({"client_id": "a1"}, 200)).secret is None


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (answered({"error": "access_denied", "error_description": "<b>no</b>"}, 403), "answers status 403"),
        (answered("not JSON"), "cannot be used: the body is not JSON"),
        (answered({}), "without a usable client id"),
        (answered({"client_id": ""}), "without a usable client id"),
        (answered({"client_id": ["a"]}), "without a usable client id"),
        (answered({"client_id": "a\n"}), "without a usable client id"),
        (answered({"client_id": "a" * 1_025}), "without a usable client id"),
        (answered({"client_id": "a", "client_secret": 5}), "without a usable client id"),
    ],
)
def test_a_refusal_or_an_answer_that_cannot_be_used_is_told_without_a_quotation(reply: Reply, says: str) -> None:
    with pytest.raises(DiscoveryFailed, match=says) as refused:
        read_registration_reply(reply)
    assert "<b>" not in refused.value.message

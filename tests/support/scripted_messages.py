"""The messages of the scripted provider: recorded requests, and good answers on the wire."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from aiohttp import web

PATHS = {
    "discovery": "/.well-known/openid-configuration",
    "jwks": "/keys",
    "authorize": "/authorize",
    "token": "/token",
    "userinfo": "/userinfo",
    "revoke": "/revoke",
    "device": "/device",
    "push": "/par",
    "end_session": "/logout",
}
"""The endpoints that faults can be planned for."""


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came in; its secrets are not part of its ``repr``."""

    endpoint: str
    method: str
    query: dict[str, str] = field(repr=False)
    form: dict[str, str] = field(repr=False)
    headers: dict[str, str] = field(repr=False)


class Refused(Exception):
    """An OAuth error to answer with (RFC 6749, 5.2)."""

    def __init__(self, error: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.status = status
        self.headers = dict(headers or {})


def discovery_document(issuer: str, algorithms: list[str], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the provider's metadata (OpenID Connect Discovery 1.0, 3); ``None`` among ``changes`` removes a member."""
    document = {
        "issuer": issuer,
        "authorization_endpoint": issuer + PATHS["authorize"],
        "token_endpoint": issuer + PATHS["token"],
        "jwks_uri": issuer + PATHS["jwks"],
        "userinfo_endpoint": issuer + PATHS["userinfo"],
        "revocation_endpoint": issuer + PATHS["revoke"],
        "end_session_endpoint": issuer + PATHS["end_session"],
        "authorization_response_iss_parameter_supported": True,
        "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "id_token_signing_alg_values_supported": algorithms,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        **changes,
    }
    return {name: value for name, value in document.items() if value is not None}


def client_shown(received: Received, method: str) -> tuple[str, str]:
    """Return the client id and secret that a request shows by ``method`` (RFC 6749, 2.3.1)."""
    form = received.form
    if method == "client_secret_basic":
        told = base64.b64decode(received.headers.get("authorization", "").removeprefix("Basic ")).decode()
        client, _, secret = told.partition(":")
        return unquote_plus(client), unquote_plus(secret)
    return form.get("client_id", ""), form.get("client_secret", "") if method == "client_secret_post" else ""


def json_reply(document: Any, status: int = 200) -> web.Response:
    """Answer a JSON document that must not be stored."""
    return web.Response(
        status=status, text=json.dumps(document), content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def form_post_reply(action: str, fields: Mapping[str, str]) -> web.Response:
    """Answer by a page that posts itself (OAuth 2.0 Form Post Response Mode)."""
    inputs = "".join(f'<input type="hidden" name="{name}" value="{html.escape(fields[name])}">' for name in fields)
    page = (
        f'<form method="post" action="{html.escape(action)}">{inputs}</form><script>document.forms[0].submit()</script>'
    )
    return web.Response(text=page, content_type="text/html")

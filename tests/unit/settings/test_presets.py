"""Each preset is a complete set of facts with sources; with the placeholders filled in, its settings are good."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from jupyter_oidc.settings import Settings, read_settings
from jupyter_oidc.settings.presets import names, preset, recognised

EXPECTED = ("auth0", "clerk", "cognito", "django-oauth-toolkit", "entra", "google", "keycloak", "okta")
TOPICS = ["issuer", "client", "refresh token", "audience", "logout", "revocation", "rotation", "entitlements"]
VALUES = {
    "domain": "example.com",
    "host": "id.example.com",
    "frontend_api": "id.example.com",
    "jupyter": "j.example.com",
}
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def filled(value: Any) -> Any:
    """Return the settings of a preset as an administrator would complete them."""
    text = _PLACEHOLDER.sub(lambda found: VALUES.get(found[1], "corp"), json.dumps(value))
    return json.loads(text)


def test_there_is_a_preset_for_each_provider_that_the_design_names() -> None:
    assert names() == EXPECTED


@pytest.mark.parametrize("name", EXPECTED)
def test_a_preset_tells_every_topic_with_its_source(name: str) -> None:
    facts = preset(name).facts
    assert [fact.topic for fact in facts] == TOPICS
    assert all(fact.source.startswith("https://") and fact.fact.endswith(".") for fact in facts)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_preset_explains_each_of_its_placeholders_and_no_other(name: str) -> None:
    assert set(_PLACEHOLDER.findall(json.dumps(preset(name).body()))) == set(preset(name).placeholders)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_preset_with_its_placeholders_filled_in_is_good(name: str) -> None:
    read = read_settings({"corp": filled(preset(name).body())})
    assert isinstance(read, Settings), read


@pytest.mark.parametrize("name", EXPECTED)
def test_a_preset_that_nobody_filled_in_is_answered_with_what_is_missing(name: str) -> None:
    read = read_settings({"corp": preset(name).body()})
    assert isinstance(read, list)
    assert {(finding.problem, finding.kind) for finding in read} == {("still holds a placeholder", "missing")}


def test_what_stands_in_the_settings_wins_over_the_preset_and_none_does_not() -> None:
    body = {"preset": "google", "issuer": "https://accounts.example.com", "client_id": "a", "client_secret": "env:S"}
    read = read_settings({"corp": {**body, "scopes": ["openid"], "prompt": None}})
    assert isinstance(read, Settings)
    (corp,) = read.providers
    assert (corp.scopes, corp.prompt) == (("openid",), "consent")
    assert corp.authorization_parameters == (("access_type", "offline"),)
    assert corp.token_endpoint_auth_method == "client_secret_post"


def test_an_unknown_preset_is_answered_with_the_known_ones() -> None:
    read = read_settings({"corp": {"preset": "nobody", "issuer": "https://id.example.com", "client_id": "a"}})
    assert isinstance(read, list)
    assert [(finding.key, finding.problem, finding.instead) for finding in read] == [
        (
            "providers.corp.preset",
            "is not the name of a preset",
            "Write one of: auth0, clerk, cognito, django-oauth-toolkit, entra, google, keycloak, okta.",
        )
    ]


SHAPES = {
    "auth0": ("https://example.eu.auth0.com/", "authorize", "oauth/token", "userinfo", ".well-known/jwks.json"),
    "auth0 at a domain of its own": ("https://id.example.com/", "authorize", "oauth/token", "userinfo", "keys"),
    "clerk": ("https://app.clerk.accounts.dev", "/oauth/authorize", "/oauth/token", "/oauth/userinfo", "/jwks"),
    "clerk at a domain of its own": (
        "https://clerk.example.com",
        *("/oauth/authorize", "/oauth/token", "/oauth/userinfo", "/.well-known/jwks.json"),
    ),
    "cognito": ("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC", "/a", "/t", "/u", "/j"),
    "django-oauth-toolkit": ("https://example.com/o", "/authorize/", "/token/", "/userinfo/", "/.well-known/jwks.json"),
    "entra": (
        "https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0",
        *("/authorize", "/token", None, "/keys"),
    ),
    "google": ("https://accounts.google.com", "/o/oauth2/v2/auth", "/token", "/v1/userinfo", "/oauth2/v3/certs"),
    "keycloak": (
        "https://id.example.com/auth/realms/corp",
        *("/protocol/openid-connect/auth", "/protocol/openid-connect/token"),
        *("/protocol/openid-connect/userinfo", "/protocol/openid-connect/certs"),
    ),
    "okta": ("https://example.okta.com", "/oauth2/v1/authorize", "/oauth2/v1/token", None, "/oauth2/v1/keys"),
    "okta at a domain of its own": (
        "https://id.example.com/oauth2/default",
        *("/v1/authorize", "/v1/token", "/v1/userinfo", "/v1/keys"),
    ),
}
"""Issuer, and the ends of the endpoints for authorization, tokens, UserInfo and keys, as the providers' metadata have them."""


@pytest.mark.parametrize("about", SHAPES)
def test_a_provider_is_recognised_by_its_metadata(about: str) -> None:
    """Issue 16, 4: the preset is chosen by the metadata, and the issuer's host is not needed where it is anyone's."""
    issuer, *ends = SHAPES[about]
    endpoints = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
    found = recognised(
        {"issuer": issuer, **{name: end and f"{issuer}{end}" for name, end in zip(endpoints, ends, strict=True)}}
    )
    assert found is not None
    assert found.name == about.partition(" ")[0]


@pytest.mark.parametrize(
    "issuer",
    [
        "https://accounts.google.com.example.net",
        "https://example.net/https://accounts.google.com",
        "https://login.microsoftonline.com/common/v2.0",
        "https://example.okta.com.example.net",
        "https://id.example.com",
    ],
)
def test_another_issuer_is_not_taken_for_a_known_provider(issuer: str) -> None:
    ends = dict.fromkeys(("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"), f"{issuer}/x")
    assert recognised({"issuer": issuer, **ends}) is None


@pytest.mark.parametrize(
    ("name", "label"),
    [("auth0", "Allowed Callback URLs"), ("google", "Authorized redirect URIs"), ("keycloak", "Valid redirect URIs")],
)
def test_a_preset_says_what_the_page_for_registrations_calls_a_redirect_uri(name: str, label: str) -> None:
    assert preset(name).registration.redirect_uri == label

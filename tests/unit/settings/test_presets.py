"""Each preset is a complete set of facts with sources; with the placeholders filled in, its settings are good."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from jupyter_oidc.settings import Settings, read_settings
from jupyter_oidc.settings.presets import names, preset

EXPECTED = ("auth0", "clerk", "cognito", "entra", "google", "keycloak", "okta")
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
            "Write one of: auth0, clerk, cognito, entra, google, keycloak, okta.",
        )
    ]

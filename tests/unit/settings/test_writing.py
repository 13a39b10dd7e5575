"""Settings that are written out read back with the same meaning: a property over settings that a person could write."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_oidc.settings import Settings, read_settings
from jupyter_oidc.settings.presets import names
from jupyter_oidc.settings.writing import as_mapping, camel_cased

SOURCES = st.sampled_from(["access_token", "id_token", None])
APIS = st.fixed_dictionaries(
    {"base_url": st.sampled_from(["https://api.example.com/", "https://api.example.com/v1/"])},
    optional={
        "api_bearer_token_source": SOURCES,
        "methods": st.lists(st.sampled_from(["GET", "PUT"]), min_size=1),
        "requires": st.lists(st.sampled_from(["a", "b"])),
        "request_headers": st.lists(st.sampled_from(["X-A", "x-b"])),
        "timeout_header": st.floats(1, 60),
        "max_request_bytes": st.none() | st.integers(1, 1000),
        "ca_bundle": st.sampled_from(["/a.pem", "/b.pem", None]),
    },
)
PROVIDERS = st.fixed_dictionaries(
    {"issuer": st.just("https://id.example.com"), "client_id": st.just("jupyter")},
    optional={
        "preset": st.sampled_from(["cognito", "keycloak", "okta", "entra"]),
        "scopes": st.lists(st.sampled_from(["profile", "email"])).map(lambda more: ["openid", *more]),
        "api_bearer_token_source": SOURCES,
        "max_age": st.none() | st.integers(0, 100),
        "prompt": st.sampled_from([None, "login"]),
        "ca_bundle": st.sampled_from([None, "/a.pem"]),
        "userinfo_required": st.booleans(),
        "metadata_url": st.sampled_from([None, "https://id.example.com/metadata?p=1"]),
        "endpoints": st.dictionaries(
            st.sampled_from(["token_endpoint", "jwks_uri"]), st.just("https://in.example.com/x")
        ),
        "authorization_parameters": st.dictionaries(st.sampled_from(["hd", "ui_locales"]), st.just("x")),
        "entitlement_claims": st.just(["groups", ["https://example.com/roles", "names"]]),
        "scope_claims": st.sampled_from([[], ["scp"]]),
        "apis": st.dictionaries(st.sampled_from(["orders", "stock"]), APIS),
    },
)
PROOFS = st.sampled_from(
    [
        {"client_secret": "env:S", "token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "private_key_jwt", "client_assertion_key": "file:/k.pem"},
        {
            "token_endpoint_auth_method": "private_key_jwt",
            "client_assertion_key": "keyring:a/b",
            "client_assertion_key_id": "k1",
            "token_endpoint_auth_signing_alg": "PS256",
        },
    ]
)
"""Draw the settings by which the client proves itself."""


@given(body=PROVIDERS, proof=PROOFS, in_full=st.booleans(), in_camel_case=st.booleans())
def test_what_is_written_means_what_was_read(
    body: dict[str, Any], proof: dict[str, str], in_full: bool, in_camel_case: bool
) -> None:
    read = read_settings({"corp": {**body, **proof}})
    assert isinstance(read, Settings), read
    written = as_mapping(read.providers[0], in_full=in_full)
    assert read_settings({"corp": camel_cased(written) if in_camel_case else written}) == read


def test_an_api_that_differs_from_its_provider_says_so_and_no_other_does() -> None:
    apis = {
        "own": {"base_url": "https://a.example.com/", "api_bearer_token_source": "access_token"},
        "same": {"base_url": "https://b.example.com/"},
    }
    body = {"issuer": "https://id.example.com", "client_id": "j", "api_bearer_token_source": "id_token", "apis": apis}
    read = read_settings({"corp": body})
    assert isinstance(read, Settings)
    assert as_mapping(read.providers[0], in_full=False)["apis"] == apis


@pytest.mark.parametrize("name", names())
def test_a_preset_writes_its_settings_out(name: str) -> None:
    """A user who imports an exported file needs no preset."""
    from jupyter_oidc.settings.presets import preset
    from tests.unit.settings.test_presets import filled

    read = read_settings({"corp": filled(preset(name).body())})
    assert isinstance(read, Settings)
    assert read_settings({"corp": camel_cased(as_mapping(read.providers[0], in_full=False))}) == read

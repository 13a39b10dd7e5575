"""The profile ``fapi2`` sets values that the settings leave open, and refuses others (FAPI 2.0, 5.3, 5.4)."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_oidc.settings import Provider, Settings, read_settings
from jupyter_oidc.settings.writing import as_mapping

SIGNS = {"client_assertion_key": "file:/etc/client.pem"}
SHOWS = {
    "token_endpoint_auth_method": "tls_client_auth",
    "client_certificate": "/etc/me.pem",
    "tls_client_certificate_bound_access_tokens": True,
}


def body(**written: Any) -> dict[str, Any]:
    apis = {"orders": {"base_url": "https://api.example.com/"}}
    return {"issuer": "https://id.example.com", "client_id": "jupyter", "profile": "fapi2", "apis": apis, **written}


def accepted(**written: Any) -> Provider:
    read = read_settings({"corp": body(**written)})
    assert isinstance(read, Settings), read
    return read.providers[0]


def refused(**written: Any) -> list[str]:
    read = read_settings({"corp": body(**written)})
    assert isinstance(read, list), "the settings were accepted"
    assert {one.kind for one in read} == {"contradictory"}
    assert all("fapi2" in one.problem for one in read)
    return [one.key.removeprefix("providers.corp.") for one in read]


def test_one_switch_and_a_key_are_enough() -> None:
    """5.3.3.1, 5.3.3.2, 5.4.1: PAR, private_key_jwt and DPoP; ID tokens follow the metadata's algorithm (Q1.10)."""
    corp = accepted(**SIGNS)
    assert (corp.profile, corp.pushed_authorization_requests, corp.token_endpoint_auth_method) == (
        "fapi2",
        "always",
        "private_key_jwt",
    )
    assert (corp.dpop_bound_access_tokens, corp.id_token_signed_response_alg) == (True, None)


def test_a_client_with_a_certificate_needs_no_key() -> None:
    """5.3.3.1: mTLS proves the client and binds its tokens, so the profile does not switch DPoP on."""
    corp = accepted(**SHOWS)
    assert (corp.dpop_bound_access_tokens, corp.mutual_tls) == (False, True)


@pytest.mark.parametrize("alg", ["PS256", "ES256", "EdDSA", "Ed25519"])
def test_an_algorithm_of_the_profile_may_be_chosen(alg: str) -> None:
    """5.4.1: the profile lists these algorithms."""
    corp = accepted(**SIGNS, id_token_signed_response_alg=alg, tokenEndpointAuthSigningAlg=alg)
    assert (corp.id_token_signed_response_alg, corp.token_endpoint_auth_signing_alg) == (alg, alg)


@pytest.mark.parametrize(
    "written",
    [
        {"pushed_authorization_requests": "auto"},
        {"pushed_authorization_requests": "never"},
        {"id_token_signed_response_alg": "RS256"},
        {"id_token_signed_response_alg": "PS512"},
        {"userinfo_signed_response_alg": "RS256"},
        {"token_endpoint_auth_signing_alg": "RS256"},
        {"dpop_bound_access_tokens": False},
        {"redirect_strategy": "device"},
        {"api_bearer_token_source": "id_token"},
        {"allow_insecure_loopback": True},
        {"metadata_url": "https://id.example.com/elsewhere"},
        {"endpoints": {"token_endpoint": "https://inside.example.com/token"}},
    ],
    ids=str,
)
def test_each_setting_that_contradicts_it_is_named(written: dict[str, Any]) -> None:
    """5.3.3, 5.4: the profile forbids each of these settings."""
    assert refused(**SIGNS, **written) == list(written)


@pytest.mark.parametrize(
    "method",
    [
        {"token_endpoint_auth_method": "none"},
        {"token_endpoint_auth_method": "client_secret_basic", "client_secret": "env:S"},
        {"tokenEndpointAuthMethod": "client_secret_jwt", "clientSecret": "env:S"},
    ],
)
def test_a_client_that_shows_a_secret_or_nothing_is_named(method: dict[str, Any]) -> None:
    """5.3.3.1: the client authenticates by mTLS or private_key_jwt."""
    assert refused(**method) == ["token_endpoint_auth_method"]


def test_all_that_contradicts_it_is_named_at_once() -> None:
    """D8: Mistakes in the settings are listed all together."""
    apis = {"orders": {"base_url": "https://api.example.com/", "api_bearer_token_source": "id_token"}}
    written = {"pushed_authorization_requests": "never", "dpop_bound_access_tokens": False, "apis": apis}
    assert refused(**SIGNS, **written) == [
        "pushed_authorization_requests",
        "dpop_bound_access_tokens",
        "apis.orders.api_bearer_token_source",
    ]


def test_a_profile_that_nobody_knows_is_a_mistake() -> None:
    read = read_settings({"corp": body(**SIGNS, profile="fapi1")})
    assert isinstance(read, list)
    assert (read[0].key, read[0].instead) == ("providers.corp.profile", "Write one of: fapi2.")


@pytest.mark.parametrize("in_full", [True, False])
@pytest.mark.parametrize("proof", [SIGNS, SHOWS], ids=["key", "certificate"])
def test_what_is_written_back_means_the_same(proof: dict[str, Any], in_full: bool) -> None:
    """An API is shown the provider's certificate, which is not written twice."""
    corp = accepted(**proof)
    written = as_mapping(corp, in_full=in_full)
    again = read_settings({"corp": written})
    assert isinstance(again, Settings), again
    assert again.providers[0] == corp
    assert in_full or "client_certificate" not in written["apis"]["orders"]

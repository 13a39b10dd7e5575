"""The reader of settings finds every mistake at once, names each, and repeats no secret (D8, G-1 to G-5)."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_oidc.settings import Finding, SecretRef, Settings, read_settings

GOOD: dict[str, Any] = {
    "issuer": "https://id.example.com",
    "client_id": "jupyter",
    "apis": {"orders": {"base_url": "https://api.example.com/v1/"}},
}


def findings(change: dict[str, Any] | None = None, api: dict[str, Any] | None = None, **extra: Any) -> list[str]:
    body = {**GOOD, **(change or {})}
    if api is not None:
        body["apis"] = {"orders": {**GOOD["apis"]["orders"], **api}}
    read = read_settings({"corp": body}, **extra)
    assert isinstance(read, list), "the settings were accepted"
    assert all(isinstance(finding, Finding) for finding in read)
    return [finding.key for finding in read]


def test_good_settings_become_values_with_sensible_defaults() -> None:
    read = read_settings({"corp": GOOD})
    assert isinstance(read, Settings)
    (provider,) = read.providers
    assert provider.scopes == ("openid", "profile", "email", "offline_access")
    assert provider.token_endpoint_auth_method == "none"
    assert provider.id_token_signed_response_alg is None
    assert provider.apis[0].methods == ("GET", "HEAD", "POST")
    assert read.storage == "auto"


def test_no_provider_at_all_is_fine() -> None:
    assert read_settings({}) == Settings()


@pytest.mark.parametrize("spelling", ["snake", "camel"])
def test_metadata_elsewhere_and_single_endpoints_can_be_set(spelling: str) -> None:
    """Q1.9: Azure AD B2C names a policy in a query; Keycloak has one name outside and one inside."""
    where = "https://t.b2clogin.example/t/v2.0/.well-known/openid-configuration?p=B2C_1_in"
    inside = "https://keycloak.internal.example/realms/r/token"
    snake = {"metadata_url": where, "endpoints": {"token_endpoint": inside}}
    camel = {"metadataUrl": where, "endpoints": {"tokenEndpoint": inside}}
    read = read_settings({"corp": {**GOOD, **(snake if spelling == "snake" else camel)}})
    assert isinstance(read, Settings)
    assert (read.providers[0].metadata_url, read.providers[0].endpoints) == (where, (("token_endpoint", inside),))


def test_camel_case_keys_mean_the_same() -> None:
    read = read_settings(
        {
            "corp": {
                "issuer": "https://id.example.com",
                "clientId": "jupyter",
                "redirectUri": "https://jupyter.example.com/jupyter-oidc/providers/corp/callback",
                "scopes": ["openid"],
                "audience": "https://api.example.com",
                "sendAudienceInAuthorize": True,
                "apiBearerTokenSource": "id_token",
                "allowedSignOutOrigins": ["https://id.example.com"],
                "apis": {"orders": {"baseUrl": "https://api.example.com/"}},
            }
        }
    )
    assert isinstance(read, Settings)
    (corp,) = read.providers
    assert (corp.client_id, corp.audience, corp.send_audience_in_authorize) == (
        "jupyter",
        "https://api.example.com",
        True,
    )
    assert corp.redirect_uri == "https://jupyter.example.com/jupyter-oidc/providers/corp/callback"
    assert corp.allowed_sign_out_origins == ("https://id.example.com",)
    assert (corp.apis[0].base_url, corp.apis[0].bearer_token_source) == ("https://api.example.com/", "id_token")


@pytest.mark.parametrize(
    ("own", "sent"), [({}, "id_token"), ({"api_bearer_token_source": "access_token"}, "access_token")]
)
def test_an_api_takes_the_bearer_source_of_its_provider_unless_it_names_one(own: dict[str, str], sent: str) -> None:
    """The desktop settings file names the source once, beside the issuer."""
    apis = {"orders": {"base_url": "https://api.example.com/", **own}}
    read = read_settings({"corp": {**GOOD, "apiBearerTokenSource": "id_token", "apis": apis}})
    assert isinstance(read, Settings)
    assert read.providers[0].apis[0].bearer_token_source == sent


@pytest.mark.parametrize(
    ("change", "expected"),
    [({}, False), ({"dpop_bound_access_tokens": True}, True), ({"dpopBoundAccessTokens": True}, True)],
)
def test_access_tokens_are_bound_to_a_key_only_where_the_settings_say_so(
    change: dict[str, bool], expected: bool
) -> None:
    """RFC 9449, 5.2: the key has the name of the client's registration."""
    read = read_settings({"corp": {**GOOD, **change}})
    assert isinstance(read, Settings)
    assert read.providers[0].dpop_bound_access_tokens is expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "auto"),
        ({"pushed_authorization_requests": "always"}, "always"),
        ({"pushedAuthorizationRequests": "never"}, "never"),
    ],
)
def test_requests_are_pushed_where_the_provider_insists_unless_the_settings_say_otherwise(
    change: dict[str, str], expected: str
) -> None:
    """P-1: Requests are pushed if required or configured."""
    read = read_settings({"corp": {**GOOD, **change}})
    assert isinstance(read, Settings)
    assert read.providers[0].pushed_authorization_requests == expected


@pytest.mark.parametrize("spelling", ["snake", "camel"])
def test_level_hint_and_languages_of_a_sign_in_can_be_set(spelling: str) -> None:
    """Q5.14: A level that was asked for is checked. A-8: Optional parameters are sent only if asked for."""
    snake = {"acr_values": ["phr"], "login_hint": "ada@example.com", "ui_locales": ["de-AT", "en"]}
    camel = {"acrValues": ["phr"], "loginHint": "ada@example.com", "uiLocales": ["de-AT", "en"]}
    read = read_settings({"corp": {**GOOD, **(snake if spelling == "snake" else camel)}})
    assert isinstance(read, Settings)
    corp = read.providers[0]
    assert (corp.acr_values, corp.login_hint, corp.ui_locales) == (("phr",), "ada@example.com", ("de-AT", "en"))


@pytest.mark.parametrize(
    "change",
    [
        {"acr_values": "phr"},
        {"acr_values": ["two words"]},
        {"acr_values": ["a"] * 21},
        {"ui_locales": ["de AT"]},
        {"ui_locales": ["de_AT"]},
        {"login_hint": ""},
    ],
)
def test_a_level_or_language_that_cannot_be_sent_is_named(change: dict[str, Any]) -> None:
    """D8: a blank within a level would make two levels."""
    assert findings(change) == [f"providers.corp.{next(iter(change))}"]


CERTIFIED = {"client_certificate": "/etc/me.pem", "client_certificate_key": "file:/etc/me.key"}
BOUND = {**CERTIFIED, "tls_client_certificate_bound_access_tokens": True}


@pytest.mark.parametrize("method", ["tls_client_auth", "self_signed_tls_client_auth"])
def test_a_client_can_be_known_by_its_certificate(method: str) -> None:
    """RFC 8705, 2: the two methods use a certificate."""
    read = read_settings({"corp": {**GOOD, **CERTIFIED, "tokenEndpointAuthMethod": method}})
    assert isinstance(read, Settings)
    assert (read.providers[0].token_endpoint_auth_method, read.providers[0].mutual_tls) == (method, True)
    assert read.providers[0].apis[0].client_certificate is None, "its tokens are bound to nothing"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"token_endpoint_auth_method": "tls_client_auth"}, "client_certificate"),
        ({"tls_client_certificate_bound_access_tokens": True}, "client_certificate"),
        (
            {**CERTIFIED, "token_endpoint_auth_method": "tls_client_auth", "client_secret": "env:S"},
            "token_endpoint_auth_method",
        ),
        (
            {**CERTIFIED, "token_endpoint_auth_method": "tls_client_auth", "client_assertion_key": "env:K"},
            "token_endpoint_auth_method",
        ),
    ],
)
def test_what_does_not_fit_to_a_certificate_is_named(change: dict[str, Any], named: str) -> None:
    """RFC 8705, 2, T-3: such a client has no other credential."""
    assert findings(change) == [f"providers.corp.{named}"]


@pytest.mark.parametrize(
    "spelling", ["tls_client_certificate_bound_access_tokens", "tlsClientCertificateBoundAccessTokens"]
)
def test_apis_whose_tokens_are_bound_to_a_certificate_are_shown_it(spelling: str) -> None:
    """RFC 8705, 3: APIs compare the certificate with the token's confirmation."""
    read = read_settings({"corp": {**GOOD, **CERTIFIED, spelling: True}})
    assert isinstance(read, Settings)
    api = read.providers[0].apis[0]
    assert (api.client_certificate, api.client_certificate_key) == ("/etc/me.pem", SecretRef("file", "/etc/me.key"))


def test_an_api_that_gets_the_id_token_is_not_shown_the_certificate() -> None:
    """RFC 8705, 3: an ID token is bound to no certificate."""
    read = read_settings({"corp": {**GOOD, **BOUND, "api_bearer_token_source": "id_token"}})
    assert isinstance(read, Settings)
    assert read.providers[0].apis[0].client_certificate is None


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"client_certificate": "/etc/another.pem"}, "client_certificate"),
        ({"base_url": "http://localhost:9/", "allow": True}, "base_url"),
    ],
)
def test_an_api_that_could_not_be_shown_that_certificate_is_named(change: dict[str, Any], named: str) -> None:
    """RFC 8705, 3: the API must see the certificate that its tokens are bound to."""
    loopback = {"allow_insecure_loopback": True} if change.pop("allow", False) else {}
    assert findings({**BOUND, **loopback}, change) == [f"providers.corp.apis.orders.{named}"]


def test_a_client_secret_is_a_reference() -> None:
    read = read_settings(
        {"corp": {**GOOD, "client_secret": "env:CORP", "token_endpoint_auth_method": "client_secret_basic"}}
    )
    assert isinstance(read, Settings)
    assert read.providers[0].client_secret == SecretRef("env", "CORP")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"token_endpoint_auth_method": "private_key_jwt", "client_assertion_key": "file:/etc/jupyter/key.pem"},
            (None, SecretRef("file", "/etc/jupyter/key.pem"), None, None),
        ),
        (
            {
                "tokenEndpointAuthMethod": "private_key_jwt",
                "clientAssertionKey": "keyring:jupyter/key",
                "clientAssertionKeyId": "k1",
                "tokenEndpointAuthSigningAlg": "PS256",
                "clientSecret": "env:CORP",
                "idTokenSignedResponseAlg": "HS256",
            },
            (SecretRef("env", "CORP"), SecretRef("keyring", "jupyter/key"), "k1", "PS256"),
        ),
        (
            {
                "token_endpoint_auth_method": "client_secret_jwt",
                "client_secret": "env:CORP",
                "token_endpoint_auth_signing_alg": "HS384",
            },
            (SecretRef("env", "CORP"), None, None, "HS384"),
        ),
    ],
    ids=["key", "key and a secret for ID tokens", "secret"],
)
def test_a_client_may_sign_instead_of_sending_a_secret(body: dict[str, str], expected: object) -> None:
    """T-7: Private keys sign short assertions for the issuer. T-9: Client secrets can sign assertions."""
    read = read_settings({"corp": {**GOOD, **body}})
    assert isinstance(read, Settings), read
    corp = read.providers[0]
    assert (
        corp.client_secret,
        corp.client_assertion_key,
        corp.client_assertion_key_id,
        corp.token_endpoint_auth_signing_alg,
    ) == expected


def test_all_mistakes_are_reported_together() -> None:
    """D8: Mistakes in the settings are listed all together."""
    body = {
        "issuer": "http://id.example.com",
        "clientid": "x",
        "scopes": ["profile"],
        "token_endpoint_auth_method": "carrier_pigeon",
        "apis": {"orders": {"base_url": "http://api.example.com/v1", "methods": ["get"]}, "Bad Name": {}},
    }
    read = read_settings({"corp": body, "other": 7}, "cookie")
    assert isinstance(read, list)
    assert [finding.key for finding in read] == [
        "providers.corp.issuer",
        "providers.corp.scopes",
        "providers.corp.token_endpoint_auth_method",
        "providers.corp.client_id",
        "providers.corp.apis.orders.base_url",
        "providers.corp.apis.orders.base_url",
        "providers.corp.apis.orders.methods",
        "providers.corp.apis.Bad Name",
        "providers.corp.apis.Bad Name.base_url",
        "providers.corp.clientid",
        "providers.other",
        "storage",
    ]


def test_a_typo_is_answered_with_the_nearest_key() -> None:
    read = read_settings({"corp": {**GOOD, "isuer": "x"}})
    assert isinstance(read, list)
    assert str(read[0]) == "providers.corp.isuer: is not a known key. Did you mean 'issuer'?"


def test_the_value_of_a_secret_is_never_repeated() -> None:
    read = read_settings({"corp": {**GOOD, "client_secret": "hunter2hunter2"}})
    assert isinstance(read, list)
    assert read[0].key == "providers.corp.client_secret"
    assert "hunter2" not in str(read)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"issuer": None}, "issuer"),
        ({"issuer": "id.example.com"}, "issuer"),
        ({"issuer": "https://user:pass@id.example.com"}, "issuer"),
        ({"issuer": "https://id.example.com/?x=1"}, "issuer"),
        ({"issuer": "https://id.example.com/#x"}, "issuer"),
        ({"issuer": "ftp://id.example.com"}, "issuer"),
        ({"issuer": "https://id.example.com:port"}, "issuer"),
        ({"issuer": 7}, "issuer"),
        ({"issuer": "http://127.0.0.1:8000"}, "issuer"),
        ({"issuer": "http://id.example.com", "allow_insecure_loopback": True}, "issuer"),
        ({"client_id": ""}, "client_id"),
        ({"client_id": "a\nb"}, "client_id"),
        ({"scopes": "openid profile"}, "scopes"),
        ({"scopes": ["openid profile"]}, "scopes"),
        ({"scopes": ["profile"]}, "scopes"),
        ({"scopes": ["openid", 7]}, "scopes"),
        ({"client_secret": "value"}, "client_secret"),
        ({"client_secret": "env:"}, "client_secret"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "client_secret"),
        ({"client_secret": "env:X"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "magic"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "client_assertion_key"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "client_secret"),
        ({"token_endpoint_auth_signing_alg": "ES256"}, "token_endpoint_auth_signing_alg"),
        ({"client_assertion_key": "file:/k.pem"}, "token_endpoint_auth_method"),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
        ({"id_token_signed_response_alg": "HS256"}, "id_token_signed_response_alg"),
        ({"redirect_uri": "https://hub.example.com/other"}, "redirect_uri"),
        ({"redirect_uri": "http://hub.example.com/jupyter-oidc/providers/corp/callback"}, "redirect_uri"),
        ({"redirect_strategy": "popup"}, "redirect_strategy"),
        ({"redirect_strategy": "server", "redirect_uri": "http://127.0.0.1/cb"}, "redirect_uri"),
        ({"redirect_strategy": "loopback", "redirect_uri": "https://hub.example.com/cb"}, "redirect_uri"),
        ({"redirect_strategy": "loopback", "redirect_uri": "https://[broken"}, "redirect_uri"),
        ({"redirect_strategy": "loopback", "response_mode": "form_post"}, "response_mode"),
        (  # Q10.2: JupyterHub sends a browser on without the form
            {
                "redirect_uri": "https://hub.example.com/hub/user-redirect/jupyter-oidc/providers/corp/callback",
                "response_mode": "form_post",
            },
            "response_mode",
        ),
        ({"redirect_strategy": "paste"}, "redirect_uri"),
        (
            {"redirect_strategy": "paste", "redirect_uri": "https://hub.example.com/x", "response_mode": "form_post"},
            "response_mode",
        ),
        ({"preset": "nobody"}, "preset"),
        ({"preset": ["clerk"]}, "preset"),
        ({"entitlement_claims": {"roles": True}}, "entitlement_claims"),
        ({"entitlement_claims": [["roles", 7]]}, "entitlement_claims"),
        ({"entitlement_claims": [[]]}, "entitlement_claims"),
        ({"entitlement_claims": [["a", ["b"]]]}, "entitlement_claims"),
        ({"scope_claims": "scope"}, "scope_claims"),
        ({"authorization_parameters": ["access_type"]}, "authorization_parameters"),
        ({"authorization_parameters": {"state": "fixed"}}, "authorization_parameters"),
        ({"authorization_parameters": {"client_assertion_type": "x"}}, "authorization_parameters"),
        ({"authorization_parameters": {"a b": "c"}}, "authorization_parameters"),
        ({"authorization_parameters": {"access_type": 7}}, "authorization_parameters"),
        ({"end_session_endpoint": "http://id.example.com/logout"}, "end_session_endpoint"),
        ({"post_logout_redirect_parameter": "client_id"}, "post_logout_redirect_parameter"),
        ({"post_logout_redirect_parameter": "a&b"}, "post_logout_redirect_parameter"),
        ({"offer_provider_sign_out": "no"}, "offer_provider_sign_out"),
        ({"offer_provider_sign_out": False, "sign_out_method": "form"}, "offer_provider_sign_out"),
        ({"sign_out_method": "post"}, "sign_out_method"),
        ({"sign_out_method": True}, "sign_out_method"),
        ({"sign_out_method": "form", "post_logout_redirect_parameter": "logout_uri"}, "sign_out_method"),
        ({"response_mode": "fragment"}, "response_mode"),
        ({"clock_skew": 301}, "clock_skew"),
        ({"clock_skew": True}, "clock_skew"),
        ({"max_age": "hour"}, "max_age"),
        ({"prompt": "none"}, "prompt"),
        ({"allow_insecure_loopback": "yes"}, "allow_insecure_loopback"),
        ({"userinfo_required": "no"}, "userinfo_required"),
        ({"metadata_url": "http://id.example.com/metadata"}, "metadata_url"),
        ({"metadata_url": "https://ada:secret@id.example.com/metadata"}, "metadata_url"),
        ({"metadata_url": "https://id.example.com/metadata#part"}, "metadata_url"),
        ({"endpoints": ["token_endpoint"]}, "endpoints"),
        ({"endpoints": {"token_endpoint": "http://id.example.com/token"}}, "endpoints.token_endpoint"),
        ({"endpoints": {"token_endpoint": 7}}, "endpoints.token_endpoint"),
        ({"endpoints": {"jwks_uri": "/keys"}}, "endpoints.jwks_uri"),
        ({"endpoints": {"issuer": "https://evil.example"}}, "endpoints.issuer"),
        ({"endpoints": {"end_session_endpoint": "https://id.example.com/x"}}, "endpoints.end_session_endpoint"),
        (
            {"endpoints": {"tokenEndpoint": "https://a.example", "token_endpoint": "https://b.example"}},
            "endpoints.token_endpoint",
        ),
        ({"dpop_bound_access_tokens": 1}, "dpop_bound_access_tokens"),
        ({"userinfo_signed_response_alg": "none"}, "userinfo_signed_response_alg"),
        ({"apis": []}, "apis"),
        ({"apis": {"orders": "https://api.example.com/"}}, "apis.orders"),
        ({"clientId": "x"}, "client_id"),
    ],
    ids=lambda part: str(part)[:60],
)
def test_a_mistake_in_a_provider_is_named(change: dict[str, Any], key: str) -> None:
    """Q1.9: addresses in the place of the metadata's are checked like any other."""
    assert f"providers.corp.{key}" in findings(change)


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "http://127.0.0.1/cb"},
        {"redirect_strategy": "loopback"},
        {"redirect_strategy": "loopback", "redirect_uri": "http://localhost:8123/deep/cb"},
        {"redirect_strategy": "device"},
        {"redirect_strategy": "paste", "redirect_uri": "https://landing.example.com/signed-in"},
    ],
    ids=str,
)
def test_each_way_to_sign_in_has_its_own_idea_of_a_redirect_uri(change: dict[str, str]) -> None:
    assert isinstance(read_settings({"corp": {**GOOD, **change}}), Settings)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"base_url": None}, "base_url"),
        ({"base_url": "http://api.example.com/"}, "base_url"),
        ({"base_url": "https://api.example.com/v1"}, "base_url"),
        ({"base_url": "https://key@api.example.com/"}, "base_url"),
        ({"base_url": "https://api.example.com/v1/../"}, "base_url"),
        ({"base_url": "https://api.example.com//v1/"}, "base_url"),
        ({"base_url": "https://api.example.com/%2e/"}, "base_url"),
        ({"methods": ["TRACE"]}, "methods"),
        ({"methods": "GET"}, "methods"),
        ({"path_prefixes": ["items"]}, "path_prefixes"),
        ({"path_prefixes": ["/a/../b"]}, "path_prefixes"),
        ({"path_prefixes": ["/a/", "/a/b/"]}, "path_prefixes"),
        ({"path_prefixes": ["/", "/a/"]}, "path_prefixes"),
        ({"callers": ["widget"]}, "callers"),
        ({"callers": []}, "callers"),
        ({"api_bearer_token_source": "cookie"}, "api_bearer_token_source"),
        ({"timeout": 3}, "timeout"),
    ],
    ids=lambda part: str(part)[:60],
)
def test_a_mistake_in_an_api_is_named(change: dict[str, Any], key: str) -> None:
    assert f"providers.corp.apis.orders.{key}" in findings(api=change)


def test_two_apis_of_one_name_are_refused() -> None:
    """D8: callers know an API by its name alone."""
    read = read_settings({"one": GOOD, "two": GOOD})
    assert isinstance(read, list)
    assert [finding.key for finding in read] == ["providers.two.apis.orders"]


@pytest.mark.parametrize("providers", [None, [], "x", 7])
def test_providers_that_are_no_mapping_are_refused(providers: int | list[Any] | str | None) -> None:
    assert isinstance(read_settings(providers), list)


def test_plain_http_on_a_loopback_address_needs_the_developer_switch() -> None:
    loopback = {
        **GOOD,
        "issuer": "http://127.0.0.1:8000",
        "allow_insecure_loopback": True,
        "apis": {"orders": {"base_url": "http://localhost:9000/"}},
    }
    assert isinstance(read_settings({"corp": loopback}), Settings)


@pytest.mark.parametrize(
    "issuer", ["https://id.example.com:8443", "https://id.example.com/realms/corp", "https://id.example.com/"]
)
def test_an_issuer_may_have_a_port_and_a_path_and_is_kept_to_the_letter(issuer: str) -> None:
    """G-2: One provider entry names exactly one issuer."""
    read = read_settings({"corp": {"issuer": issuer, "client_id": "jupyter"}})
    assert isinstance(read, Settings)
    assert read.providers[0].issuer == issuer


@pytest.mark.parametrize("storage", ["auto", "keyring", "encrypted-file", "memory"])
def test_every_storage_is_accepted(storage: str) -> None:
    read = read_settings({"corp": GOOD}, storage)
    assert isinstance(read, Settings)
    assert read.storage == storage


def test_an_unknown_storage_is_answered_with_the_known_ones() -> None:
    """D8: Mistakes in the settings are listed all together."""
    read = read_settings({"corp": GOOD}, "encrypted_file")
    assert isinstance(read, list)
    assert [str(finding) for finding in read] == [
        "storage: is not a known storage. Write 'auto', 'keyring', 'encrypted-file' or 'memory'."
    ]


@pytest.mark.parametrize("name", ["keyring.backends.SecretService.Keyring", "a.B"])
def test_a_keyring_backend_is_named_by_its_class(name: str) -> None:
    """Q7.4: A keyring is chosen by its class."""
    read = read_settings({}, "auto", name)
    assert isinstance(read, Settings)
    assert read.keyring_backend == name


@pytest.mark.parametrize("name", ["", "Keyring", "a.B; import os", "a..B", "a.B\n", 17, ["a.B"], "é.B"])
def test_what_is_no_name_of_a_class_is_a_mistake(name: object) -> None:
    """Q7.4: A keyring is chosen by its class."""
    read = read_settings({}, "auto", name)
    assert isinstance(read, list)
    assert [finding.key for finding in read] == ["keyring_backend"]


@pytest.mark.parametrize("path", ["/srv/sessions", "~/sessions", "C:\\Sessions"])
def test_a_storage_folder_is_a_whole_path(path: str) -> None:
    """Q7.5: Storage can move off a shared home."""
    read = read_settings({}, "auto", None, path)
    assert isinstance(read, Settings)
    assert read.storage_folder == path


@pytest.mark.parametrize("path", ["", "sessions", "./sessions", "/srv/a\nb", 17, True, {}, "~bob/sessions"])
def test_what_depends_on_where_the_server_is_started_is_a_mistake(path: object) -> None:
    """Q7.5: Storage can move off a shared home."""
    read = read_settings({}, "auto", None, path)
    assert isinstance(read, list)
    assert [finding.key for finding in read] == ["storage_folder"]


def _keys(providers: object, storage: object = "auto") -> list[str]:
    found = read_settings(providers, storage)
    assert isinstance(found, list)
    return [f"{one.key}: {one.problem}" for one in found]


def test_a_bad_provider_name_hides_nothing() -> None:
    """Q7.3: a user who corrects the name learns of the other mistakes at once."""
    body = {"issuer": "http://id.example", "scopes": "openid", "apis": {"orders": {"methods": ["get"]}}}
    assert _keys({"Corp": body}, "nowhere") == [
        "providers.Corp: is not a usable name",
        "providers.Corp.issuer: is not https",
        "providers.Corp.scopes: is not a list",
        "providers.Corp.client_id: is missing",
        "providers.Corp.apis.orders.base_url: is missing",
        "providers.Corp.apis.orders.methods: holds an unknown method",
        "storage: is not a known storage",
    ]


def test_a_bad_api_name_hides_nothing() -> None:
    """Q7.3: A bad name does not hide other mistakes."""
    apis = {"My Orders": {"base_url": "https://api.example", "isuer": 1}}
    assert _keys({"corp": {"issuer": "https://id.example", "client_id": "c", "apis": apis}}) == [
        "providers.corp.apis.My Orders: is not a usable name",
        "providers.corp.apis.My Orders.base_url: does not end with a slash",
        "providers.corp.apis.My Orders.isuer: is not a known key",
    ]


@pytest.mark.parametrize("name", ["Corp", "", "a b", 5, None, "corp\n"])
def test_a_body_that_is_no_mapping_is_named_beside_a_bad_name(name: object) -> None:
    """Q7.3: the reader reports both mistakes of one entry, and none that only follows from the name."""
    problems = [line.rpartition(": ")[2] for line in _keys({name: ["issuer"]})]
    assert problems == ["is not a usable name", "is not a mapping"]


def test_two_bad_names_are_not_taken_for_one() -> None:
    """Q7.3: mistakes that follow from a bad name are not reported."""
    body = {"issuer": "https://id.example", "client_id": "c", "redirect_uri": "https://j.example/x"}
    apis = {"orders": {"base_url": "https://api.example/"}}
    assert _keys({"A": {**body, "apis": apis}, "B": {**body, "apis": apis}}) == [
        "providers.A: is not a usable name",
        "providers.B: is not a usable name",
    ]


def test_an_apis_entry_of_the_wrong_type_hides_nothing_beside_it() -> None:
    """Q7.3: the reader reports the container and the provider's other mistakes."""
    body = {"issuer": "https://id.example", "apis": ["orders"], "authorization_parameters": ["x"], "prompt": 1}
    assert _keys({"corp": body}) == [
        "providers.corp.client_id: is missing",
        "providers.corp.prompt: is not one of the allowed values",
        "providers.corp.authorization_parameters: is not a mapping",
        "providers.corp.apis: is not a mapping",
    ]


@pytest.mark.parametrize("keys", [("entitlement_claims", "scope_claims"), ("entitlementClaims", "scopeClaims")])
def test_a_claim_may_be_named_by_a_path_of_keys(keys: tuple[str, str]) -> None:
    """Q2.4, Q2.1: both spellings of the keys work."""
    paths, scopes = keys
    body = {"issuer": "https://id.example.com", "client_id": "jupyter"}
    read = read_settings({"corp": {**body, paths: ["groups", ["https://example.com/a.b", "roles"]], scopes: ["perms"]}})
    assert isinstance(read, Settings)
    assert read.providers[0].entitlement_claims == ("groups", ("https://example.com/a.b", "roles"))
    assert read.providers[0].scope_claims == ("perms",)


def test_the_forms_that_are_data_in_a_path_are_a_closed_list() -> None:
    """Q3.1: both spellings of the key work, with escapes in either case."""
    for key in ("path_data", "pathData"):
        body = {
            **GOOD,
            "apis": {"orders": {"base_url": "https://api.example.com/", key: ["%2f", "%5C", "%25", "//", "@"]}},
        }
        read = read_settings({"corp": body})
        assert isinstance(read, Settings)
        assert read.providers[0].apis[0].path_data == {"%2F", "%5C", "%25", "//", "@"}


@pytest.mark.parametrize("form", ["%2E", "..", "%00", "/", "%", "\\", "*", ""])
def test_a_form_that_is_no_data_of_a_path_is_found(form: str) -> None:
    """Q3.1: no setting can admit a dot segment or a control character."""
    assert findings(api={"path_data": [form]}) == ["providers.corp.apis.orders.path_data"]


SECRET_HEADERS = {
    "Ocp-Apim-Subscription-Key": "file:/run/secrets/key",
    "X-Api-Version-Key": "env:KEY",
    "Api-Key": "keyring:a/b",
}


def test_headers_of_an_api_are_references_to_secrets() -> None:
    """Q3.4: Request headers held back are named."""
    read = read_settings({"corp": {**GOOD, "apis": {"orders": {**GOOD["apis"]["orders"], "headers": SECRET_HEADERS}}}})
    assert isinstance(read, Settings)
    assert read.providers[0].apis[0].headers == (
        ("Ocp-Apim-Subscription-Key", SecretRef("file", "/run/secrets/key")),
        ("X-Api-Version-Key", SecretRef("env", "KEY")),
        ("Api-Key", SecretRef("keyring", "a/b")),
    )


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"Api-Key": "0123456789abcdef"}, "headers.Api-Key"),
        ({"Api-Key": 7}, "headers.Api-Key"),
        ({"Authorization": "env:KEY"}, "headers.(entry 1)"),
        ({"X-HTTP-Method-Override": "env:KEY"}, "headers.(entry 1)"),
        ({"X-Forwarded-For": "env:KEY"}, "headers.(entry 1)"),
        ({"a b": "env:KEY"}, "headers.(entry 1)"),
        ({"Api-Key": "env:KEY", "api-key": "env:KEY"}, "headers.(entry 2)"),
        (["Api-Key"], "headers"),
    ],
)
def test_a_header_that_is_no_reference_or_has_authority_is_found(headers: dict[str, Any] | list[str], key: str) -> None:
    """Q3.4: a literal value is never accepted, and never repeated."""
    assert findings(api={"headers": headers}) == [f"providers.corp.apis.orders.{key}"]


@pytest.mark.parametrize(
    ("written", "method"),
    [
        ({}, "form"),
        ({"sign_out_method": "link"}, "link"),
        ({"signOutMethod": "none"}, "none"),
        ({"offer_provider_sign_out": False}, "none"),
        ({"offerProviderSignOut": True}, "form"),
        ({"offer_provider_sign_out": False, "sign_out_method": "none"}, "none"),
        ({"post_logout_redirect_parameter": "logout_uri"}, "link"),
        ({"post_logout_redirect_parameter": "post_logout_redirect_uri"}, "form"),
        ({"post_logout_redirect_parameter": "logout_uri", "offer_provider_sign_out": False}, "none"),
    ],
    ids=str,
)
def test_the_way_of_a_sign_out_in_both_spellings_and_as_0_1_0_wrote_it(written: dict[str, Any], method: str) -> None:
    """Q9.8: a page that is not the standard's gets a link by default."""
    read = read_settings({"corp": {**GOOD, **written}})
    assert isinstance(read, Settings), read
    assert read.providers[0].sign_out_method == method

"""What a set-up decides, by a table of metadata as real providers have them."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_oidc.cli.setup import decisions
from jupyter_oidc.cli.setup.issuer import issuer_in, other_slash
from jupyter_oidc.cli.setup.obstacle import Obstacle
from jupyter_oidc.cli.setup.place import Place, place_of
from jupyter_oidc.protocol.discovery import Metadata
from jupyter_oidc.settings import Settings, read_settings
from jupyter_oidc.settings.presets import preset, recognised

LOCAL = Place("local", "http://localhost:8888/")
CALLBACKS = (
    "http://localhost:8888/jupyter-oidc/providers/corp/callback",
    "http://127.0.0.1:8888/jupyter-oidc/providers/corp/callback",
)
DEVICE = {"device_authorization_endpoint": "https://id.example.com/device"}


def metadata(issuer: str = "https://id.example.com", **members: Any) -> Metadata:
    """Return metadata with the ends of the endpoints in ``members``, and lists as sets."""
    ends = {"authorization_endpoint": "/a", "token_endpoint": "/t", "jwks_uri": "/j"}
    found: dict[str, Any] = {name: f"{issuer}{end}" for name, end in ends.items()}
    for name, value in members.items():
        found[name] = frozenset(value) if isinstance(value, list) else value
    return Metadata(issuer=issuer, **found)


KEYCLOAK = metadata(
    "https://id.example.com/realms/corp",
    token_endpoint="https://id.example.com/realms/corp/protocol/openid-connect/token",
    token_endpoint_auth_methods=["private_key_jwt", "client_secret_basic", "client_secret_post", "client_secret_jwt"],
    scopes_supported=["openid", "offline_access", "profile", "email", "roles"],
    device_authorization_endpoint="https://id.example.com/realms/corp/protocol/openid-connect/auth/device",
)
ENTRA = metadata(
    "https://login.microsoftonline.com/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0",
    token_endpoint_auth_methods=["client_secret_post", "private_key_jwt", "client_secret_basic"],
    scopes_supported=["openid", "profile", "email", "offline_access"],
)
OKTA = metadata(
    "https://example.okta.com/oauth2/default",
    token_endpoint_auth_methods=["client_secret_basic", "client_secret_post", "client_secret_jwt", "none"],
    scopes_supported=["openid", "profile", "email", "address", "phone", "offline_access"],
)
GOOGLE = metadata(
    "https://accounts.google.com",
    token_endpoint_auth_methods=["client_secret_post", "client_secret_basic"],
    scopes_supported=["openid", "email", "profile"],
    device_authorization_endpoint="https://oauth2.googleapis.com/device/code",
)
DJANGO = metadata(
    "https://example.com/o",
    authorization_endpoint="https://example.com/o/authorize/",
    token_endpoint="https://example.com/o/token/",
    userinfo_endpoint="https://example.com/o/userinfo/",
    jwks_uri="https://example.com/o/.well-known/jwks.json",
    token_endpoint_auth_methods=["client_secret_post", "client_secret_basic"],
    scopes_supported=["openid", "read", "write"],
)
COGNITO = metadata(
    "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC",
    token_endpoint_auth_methods=["client_secret_basic", "client_secret_post"],
    scopes_supported=["openid", "email", "phone", "profile"],
)
UNKNOWN = metadata()


@pytest.mark.parametrize(
    ("found", "name", "need", "method", "scopes"),
    [
        (KEYCLOAK, "keycloak", "possible", "client_secret_basic", None),
        (ENTRA, "entra", "possible", "client_secret_basic", None),
        (OKTA, "okta", "none", "client_secret_basic", None),
        (GOOGLE, "google", "required", None, None),
        (DJANGO, "django-oauth-toolkit", "possible", "client_secret_basic", ("openid",)),
        (COGNITO, "cognito", "possible", "client_secret_basic", None),
        (UNKNOWN, None, "possible", "client_secret_basic", None),
        (
            metadata(token_endpoint_auth_methods=["none"], scopes_supported=["openid", "email"]),
            None,
            "none",
            None,
            ("openid", "email"),
        ),
        (metadata(token_endpoint_auth_methods=["client_secret_post"]), None, "possible", "client_secret_post", None),
    ],
)
def test_what_the_metadata_decide(
    found: Metadata, name: str | None, need: str, method: str | None, scopes: tuple[str, ...] | None
) -> None:
    """Issue 16, 4: preset, client authentication and scopes; a public client comes first where it is listed."""
    known = recognised(decisions.members_of(found))
    assert (known.name if known else None) == name
    assert decisions.secret_need(found, known) == need
    if found.token_endpoint_auth_methods != frozenset({"none"}):
        assert decisions.secret_method(found, known) == method
    assert decisions.scopes(found, known, ()) == scopes


def test_a_provider_without_a_method_for_secrets_is_an_obstacle() -> None:
    with pytest.raises(Obstacle, match="in none of the ways that a set-up can write"):
        decisions.secret_method(metadata(token_endpoint_auth_methods=["private_key_jwt"]), None)


def test_scopes_that_are_asked_for_are_taken_as_they_are_with_openid() -> None:
    assert decisions.scopes(OKTA, None, ("orders.read", "openid")) == ("openid", "orders.read")


@pytest.mark.parametrize(
    ("place", "offers_code", "wished", "strategy", "redirect_uri", "register"),
    [
        (LOCAL, True, "auto", "auto", None, CALLBACKS),
        (LOCAL, False, "auto", "auto", None, CALLBACKS),
        (LOCAL, False, "server", "auto", None, CALLBACKS),
        (
            Place("local", "http://[::1]:8888/"),
            False,
            "auto",
            "auto",
            None,
            ("http://[::1]:8888/jupyter-oidc/providers/corp/callback",),
        ),
        (LOCAL, False, "loopback", "loopback", "http://127.0.0.1/callback", ("http://127.0.0.1/callback",)),
        (LOCAL, True, "device", "device", None, ()),
        (
            Place("remote", "http://localhost:8888/", "https://jupyter.example.com/lab"),
            True,
            "auto",
            "auto",
            "https://jupyter.example.com/lab/jupyter-oidc/providers/corp/callback",
            ("https://jupyter.example.com/lab/jupyter-oidc/providers/corp/callback",),
        ),
        (Place("remote", "http://localhost:8888/"), True, "auto", "device", None, ()),
        (Place("remote", "http://localhost:8888/"), False, "auto", "auto", None, CALLBACKS),
        (
            Place("hub", "http://127.0.0.1:8888/user/ada/", "https://hub.example.com/hub/"),
            True,
            "auto",
            "auto",
            "https://hub.example.com/hub/user-redirect/jupyter-oidc/providers/corp/callback",
            ("https://hub.example.com/hub/user-redirect/jupyter-oidc/providers/corp/callback",),
        ),
        (Place("hub", "http://127.0.0.1:8888/user/ada/"), True, "auto", "device", None, ()),
        (Place("binder", "http://127.0.0.1:8888/"), True, "auto", "device", None, ()),
        (
            Place("binder", "http://127.0.0.1:8888/"),
            False,
            "auto",
            "paste",
            "http://127.0.0.1/jupyter-oidc/providers/corp/callback",
            ("http://127.0.0.1/jupyter-oidc/providers/corp/callback",),
        ),
    ],
)
def test_the_way_to_sign_in_goes_by_where_the_server_runs(
    place: Place,
    *,
    offers_code: bool,
    wished: Any,
    strategy: str,
    redirect_uri: str | None,
    register: tuple[str, ...],
) -> None:
    """Issue 16, 4: browser at this server, loopback, device code or paste; whatever is written, the reader accepts."""
    found = metadata(**DEVICE) if offers_code else UNKNOWN
    way = decisions.way_to_sign_in(found, place, "corp", wished)
    assert (way.strategy, way.redirect_uri, way.register) == (strategy, redirect_uri, register)
    read = read_settings({"corp": {"issuer": "https://id.example.com", "client_id": "a", **way.settings}})
    assert isinstance(read, Settings), read


@pytest.mark.parametrize(
    ("place", "wished", "says"),
    [
        (LOCAL, "device", "does not advertise sign-in by code"),
        (Place("hub", "http://127.0.0.1:8888/"), "auto", "At which address browsers reach this Hub is not known"),
    ],
)
def test_a_way_that_cannot_be_taken_is_an_obstacle(place: Place, wished: Any, says: str) -> None:
    with pytest.raises(Obstacle, match=says):
        decisions.way_to_sign_in(UNKNOWN, place, "corp", wished)


@pytest.mark.parametrize(
    ("environment", "config", "public", "expected"),
    [
        ({}, {}, None, LOCAL),
        ({}, {"ServerApp": {"ip": "0.0.0.0"}}, None, Place("remote", "http://localhost:8888/")),
        ({"SSH_CONNECTION": "a"}, {}, None, Place("remote", "http://localhost:8888/")),
        ({"SSH_TTY": "a"}, {}, "http://localhost:9999", Place("local", "http://localhost:9999/")),
        (
            {},
            {},
            "https://jupyter.example.com",
            Place("remote", "http://localhost:8888/", "https://jupyter.example.com"),
        ),
        (
            {"JUPYTERHUB_API_TOKEN": "x", "JUPYTERHUB_PUBLIC_HUB_URL": "https://hub.example.com/hub/"},
            {},
            None,
            Place("hub", "http://localhost:8888/", "https://hub.example.com/hub/"),
        ),
        ({"JUPYTERHUB_API_TOKEN": "x"}, {}, None, Place("hub", "http://localhost:8888/")),
        ({"JUPYTERHUB_API_TOKEN": "x", "BINDER_LAUNCH_HOST": "b"}, {}, None, Place("binder", "http://localhost:8888/")),
    ],
)
def test_where_the_server_runs(environment: dict[str, str], config: Any, public: str | None, expected: Place) -> None:
    assert place_of(environment, config, "http://localhost:8888/", public) == expected


@pytest.mark.parametrize(
    ("text", "issuer"),
    [
        ("https://id.example.com", "https://id.example.com"),
        ("  https://id.example.com/  ", "https://id.example.com/"),
        ("id.example.com/realms/corp", "https://id.example.com/realms/corp"),
        ("<https://id.example.com/.well-known/openid-configuration>", "https://id.example.com"),
        ("https://id.example.com/realms/corp/.well-known/openid-configuration/", "https://id.example.com/realms/corp"),
        ("localhost:8080/realms/corp", "http://localhost:8080/realms/corp"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_an_issuer_may_be_given_as_people_have_it(text: str, issuer: str) -> None:
    assert issuer_in(text) == issuer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://id.example.com",
        "ftp://id.example.com",
        "https://a@id.example.com",
        "https://id.example.com/#x",
        "two words",
    ],
)
def test_what_is_no_issuer_is_refused(text: str) -> None:
    with pytest.raises(Obstacle) as refused:
        issuer_in(text)
    assert refused.value.code == 2


def test_the_other_spelling_of_an_issuer_has_the_other_slash() -> None:
    assert (other_slash("https://a.example/"), other_slash("https://a.example")) == (
        "https://a.example",
        "https://a.example/",
    )


def test_the_placeholders_of_a_preset_are_asked_for_and_filled_in() -> None:
    """A value is data: it cannot end the text that it is put into."""
    auth0, entra = preset("auth0"), preset("entra")
    assert decisions.placeholders(auth0, with_api=False) == {"api_identifier": "Identifier of the API"}
    assert decisions.filled(auth0, {"api_identifier": 'a", "client_id": "b'}) == {"audience": 'a", "client_id": "b'}
    assert decisions.filled(auth0, {"api_identifier": ""}) == {}
    assert decisions.placeholders(entra, with_api=False) == {}
    assert decisions.placeholders(entra, with_api=True) == {"api_client_id": "Application ID of the API"}
    assert decisions.filled_api(entra, {"api_client_id": "6f1c"}) == {"scopes": ["api://6f1c/.default"]}
    assert decisions.placeholders(None, with_api=True) == {}


def test_what_a_set_up_does_not_decide_stays_and_an_earlier_decision_goes() -> None:
    before = decisions.in_snake_case({"clientId": "a", "clientSecret": "env:A", "httpTimeout": 5, "redirect_uri": "x"})
    assert before == {"client_id": "a", "client_secret": "env:A", "http_timeout": 5, "redirect_uri": "x"}
    assert decisions.merged(before, {"client_id": "b"}) == {"client_id": "b", "http_timeout": 5}

"""The document that the certified provider is started with: clients, accounts, resources, lifetimes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

AuthMethod = Literal[
    "none",
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
]


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """A client as the provider knows it; a ``native`` one may use any port of a loopback redirect URI."""

    client_id: str
    redirect_uris: tuple[str, ...]
    auth_method: AuthMethod = "none"
    secret: str = field(default="", repr=False)
    post_logout_redirect_uris: tuple[str, ...] = ()
    native: bool = False
    more: dict[str, Any] = field(default_factory=dict)

    def metadata(self) -> dict[str, Any]:
        """Return the client metadata (OpenID Connect Dynamic Client Registration 1.0, 2); ``more`` has the last word."""
        return {
            "client_id": self.client_id,
            "client_name": self.client_id,
            "redirect_uris": self.redirect_uris,
            "post_logout_redirect_uris": self.post_logout_redirect_uris,
            "application_type": "native" if self.native else "web",
            "token_endpoint_auth_method": self.auth_method,
            "grant_types": [
                "authorization_code",
                "refresh_token",
                "urn:ietf:params:oauth:grant-type:device_code",
            ],
            **({"client_secret": self.secret} if self.secret else {}),
            **self.more,
        }


@dataclass(frozen=True, slots=True)
class Resource:
    """An API that access tokens can be made for: a JWT for ``audience`` with those of ``scopes`` that were granted."""

    audience: str
    scopes: tuple[str, ...] = ()


ACCOUNTS: dict[str, dict[str, Any]] = {
    "user1": {
        "name": "Example User",
        "preferred_username": "user1",
        "email": "user1@example.com",
        "email_verified": True,
        "roles": ["analyst"],
        "permissions": ["orders.read"],
    },
    "user2": {"name": "Other User", "preferred_username": "user2", "email": "user2@example.com"},
}
"""Accounts by login (which is also the subject); any password is right, an unknown login ends in an error page."""

LIFETIMES = {
    "AccessToken": 300,
    "AuthorizationCode": 60,
    "DeviceCode": 600,
    "Grant": 86_400,
    "IdToken": 3_600,
    "Interaction": 3_600,
    "RefreshToken": 86_400,
    "Session": 86_400,
}
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Dress:
    """Traits that make the provider look like another one; by default, none.

    ``path`` is in the issuer behind the host, and ``ends_with`` is the issuer's end.
    ``refresh_token`` says when there is one: with the scope ``offline_access``, with ``access_type=offline``, or always.
    ``scopes_name_apis`` are scopes of a token request that stand for a resource.
    ``logout_page`` is a page ``/logout`` that wants ``client_id`` and ``logout_uri``.
    ``seconds_ahead`` is how wrong its ``Date`` is.
    ``asks_for_consent`` at each sign-in, for every ``prompt``, as consent pages of others do.
    """

    path: str = ""
    ends_with: Literal["", "/"] = ""
    metadata_without: tuple[str, ...] = ()
    metadata_with: dict[str, Any] = field(default_factory=dict)
    refuses_scopes: tuple[str, ...] = ()
    refresh_token: Literal["offline_access", "access_type", "always"] = "offline_access"
    rotates: bool = True
    access_token_without_audience: bool = False
    userinfo_takes_api_tokens: bool = False
    scopes_name_apis: dict[str, str] = field(default_factory=dict)
    logout_page: bool = False
    asks_for_consent: bool = False
    seconds_ahead: int = 0


@dataclass(frozen=True, slots=True)
class ProviderDocument:
    """The configuration with which the provider is started.

    ``resources`` are by resource indicator. ``default_resource`` is assumed where an authorization request names none
    (neither as ``resource`` nor as ``audience``). With ``use_granted_resource`` a token request without a resource gets
    a token for the granted one, otherwise an opaque one for the userinfo endpoint. With ``dpop_nonces`` every DPoP proof
    has to hold a nonce of the provider's. ``dress`` makes it look like another one. ``features`` are the package's own.
    With ``strict`` it holds its clients to the FAPI 2.0 Security Profile. ``tls`` are a certificate and its key, as PEM: it
    speaks https, and a second port asks for client certificates, whose address is in ``mtls_endpoint_aliases``.
    With ``http_post_methods`` its pages take forms of other sites, for which its cookies are ``SameSite=None``: a browser
    keeps those over https only.
    """

    clients: tuple[RegisteredClient, ...] = ()
    accounts: dict[str, dict[str, Any]] = field(default_factory=lambda: ACCOUNTS)
    resources: dict[str, Resource] = field(default_factory=dict)
    default_resource: str | None = None
    use_granted_resource: bool = False
    scopes: tuple[str, ...] = ()
    claims_in_id_token: bool = False
    ttl: dict[str, int] = field(default_factory=dict)
    dpop_nonces: bool = False
    http_post_methods: bool = False
    dress: Dress = field(default_factory=Dress)
    features: dict[str, Any] = field(default_factory=dict)
    strict: bool = False
    tls: tuple[str, str] | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 0

    def to_json(self) -> str:
        """Return the one line that the process reads."""
        offered = [scope for resource in self.resources.values() for scope in resource.scopes]
        return json.dumps(
            {
                "clients": [client.metadata() for client in self.clients],
                "accounts": self.accounts,
                "resources": {name: asdict(resource) for name, resource in self.resources.items()},
                "default_resource": self.default_resource,
                "use_granted_resource": self.use_granted_resource,
                "scopes": list(dict.fromkeys([*self.scopes, *offered])),
                "claims_in_id_token": self.claims_in_id_token,
                "ttl": {**LIFETIMES, **self.ttl},
                "dpop_nonces": self.dpop_nonces,
                "http_post_methods": self.http_post_methods,
                "dress": asdict(self.dress),
                "features": self.features,
                "strict": self.strict,
                "tls": None if self.tls is None else {"cert": self.tls[0], "key": self.tls[1]},
                "host": self.host,
                "port": self.port,
            }
        )

"""The configured providers and APIs as frozen values.

An instance exists only after every check of :mod:`jupyter_oidc.settings.reading` passed, so no other module checks
again whether an issuer is a URL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

AuthMethod = Literal[
    "none",
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
]
TLS_METHODS: Final = ("tls_client_auth", "self_signed_tls_client_auth")
"""The methods that authenticate a client by its certificate (RFC 8705, 2)."""

Profile = Literal["fapi2"]
PROFILE_ALGORITHMS: Final = ("PS256", "ES256", "EdDSA", "Ed25519")
"""The signature algorithms under a profile (FAPI 2.0 Security Profile, 5.4.1)."""
RedirectStrategy = Literal["auto", "server", "loopback", "device", "paste"]
ResponseMode = Literal["query", "form_post"]
Storage = Literal["auto", "keyring", "encrypted-file", "memory"]
BearerSource = Literal["access_token", "id_token"]
SignOutMethod = Literal["form", "link", "none"]
OfflineAccessPrompt = Literal["consent", "none"]
SilentSignIn = Literal["auto", "off"]
Pushing = Literal["auto", "always", "never"]
"""Whether authorization requests are pushed (RFC 9126); ``auto``: if the provider requires it."""
CallerKind = Literal["browser", "kernel"]
ClaimPath = str | tuple[str, ...]
"""The place of a claim: a name, in which a dot may lead into an object, or the keys one by one."""

DEFAULT_SCOPES: Final = ("openid", "profile", "email", "offline_access")

ENDPOINTS: Final = (
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "revocation_endpoint",
    "device_authorization_endpoint",
    "pushed_authorization_request_endpoint",
)
"""The endpoints that settings may name in the place of the metadata's; the sign-out page has a key of its own."""
PathData = Literal["%2F", "%5C", "%25", "//", "@"]
"""Forms that the paths of an API may hold as data: escaped characters, empty segments, an ``@`` at the beginning."""

STANDARD_LOGOUT_PARAMETER: Final = "post_logout_redirect_uri"
"""RP-Initiated Logout 1.0, 2."""


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A reference to a secret: ``env:NAME``, ``file:PATH`` or ``keyring:SERVICE/USER``; never a value."""

    scheme: Literal["env", "file", "keyring"]
    name: str


@dataclass(frozen=True, slots=True)
class Api:
    """One API that the proxy opens.

    ``base_url`` ends with a slash; ``path_prefixes`` are relative to it and begin with one.
    ``path_data`` are the characters and forms that its paths hold as data, and that lead to no other path.
    ``scopes``, ``audience`` and ``resource`` are set only if the API needs an access token of its own.
    ``request_headers`` and ``reply_headers`` are lower-case names that pass besides those that always do.
    ``headers`` are secrets that are sent beside the token under these names, and that no caller ever sees.
    ``requires`` are entitlements for soft gating: shown, never enforced, because the API decides.
    ``ca_bundle`` is the path of extra certificate authorities; without one, the provider's.
    ``egress_proxy`` and ``client_certificate`` are as for a provider, and are not taken from it.
    Time limits are seconds: to connect, until the head of the reply, of silence within a reply (or between two pieces
    of an upload, ``timeout_upload``).
    ``max_in_flight`` calls run at once, ``max_queue`` more wait; as many WebSockets may be open.
    """

    name: str
    provider: str
    base_url: str
    bearer_token_source: BearerSource = "access_token"
    methods: tuple[str, ...] = ("GET", "HEAD", "POST")
    path_prefixes: tuple[str, ...] = ("/",)
    path_data: frozenset[str] = frozenset()
    scopes: tuple[str, ...] | None = None
    audience: str | None = None
    resource: str | None = None
    requires: tuple[str, ...] = ()
    callers: tuple[CallerKind, ...] = ("browser", "kernel")
    request_headers: frozenset[str] = frozenset()
    reply_headers: frozenset[str] = frozenset()
    headers: tuple[tuple[str, SecretRef], ...] = ()
    timeout_connect: float = 10.0
    timeout_header: float = 30.0
    timeout_idle: float = 60.0
    timeout_upload: float = 30.0
    max_request_bytes: int | None = None
    max_message_bytes: int = 10_485_760
    max_in_flight: int = 100
    max_queue: int = 1_000
    allow_private_network: bool = False
    ca_bundle: str | None = None
    egress_proxy: str | None = None
    egress_proxy_credentials: SecretRef | None = None
    client_certificate: str | None = None
    client_certificate_key: SecretRef | None = None
    client_certificate_password: SecretRef | None = None


@dataclass(frozen=True, slots=True)
class Provider:
    """One OpenID Provider and our registration there (G-1, G-2).

    ``profile`` is a security profile whose demands all other settings meet.
    ``metadata_url`` is the address of the metadata, if not below the issuer, and ``endpoints`` replace those in it; the
    document must name ``issuer`` all the same.
    ``client_assertion_key`` signs the assertions of ``private_key_jwt`` (T-7), by ``token_endpoint_auth_signing_alg``
    or, without one, the algorithm of the key; ``client_assertion_key_id`` is the provider's name for it, if not the
    key's own.
    ``scopes_by_default`` says that the settings do not name ``scopes``, and ``offline_access_prompt`` is the prompt
    that is sent with the scope ``offline_access`` if ``prompt`` is not set.
    ``id_token_signed_response_alg`` is the only accepted one; without it, those in the provider's metadata are
    accepted.
    ``silent_sign_in`` says whether a page that opens tries to sign in without asking; ``None``: it does under a Hub.
    ``acr_values`` are levels of authentication, of which every sign-in has to reach one (Core 1.0, 2).
    ``clock_skew`` and ``http_timeout`` are seconds.
    ``egress_proxy`` is the address of a forward proxy, ``"none"``, or ``None`` for that of the environment.
    ``client_certificate`` is the path of a PEM file, which holds its private key too if there is no other.
    With ``tls_client_certificate_bound_access_tokens`` access tokens are bound to that certificate, too, and it is
    presented to APIs (RFC 8705, 3).
    ``api_bearer_token_source`` is that of APIs that name none themselves.
    ``scope_claims`` are the claims whose texts are lists separated by spaces.
    ``authorization_parameters`` go into every authorization request besides our own.
    ``sign_out_method`` is the way in which a browser is sent to the provider's sign-out page (ADR 39).
    ``end_session_endpoint`` replaces the one in the metadata, and ``post_logout_redirect_parameter`` is the
    name under which ``post_logout_redirect_uri`` is sent there (D5).
    ``allow_insecure_loopback`` is the developer option that admits plain ``http`` on loopback addresses (D-7).
    """

    name: str
    issuer: str
    client_id: str
    profile: Profile | None = None
    metadata_url: str | None = None
    endpoints: tuple[tuple[str, str], ...] = ()
    client_secret: SecretRef | None = None
    token_endpoint_auth_method: AuthMethod = "none"
    token_endpoint_auth_signing_alg: str | None = None
    client_assertion_key: SecretRef | None = None
    client_assertion_key_id: str | None = None
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    scopes_by_default: bool = field(default=False, compare=False)
    offline_access_prompt: OfflineAccessPrompt = "consent"
    audience: str | None = None
    send_audience_in_authorize: bool = False
    api_bearer_token_source: BearerSource = "access_token"
    redirect_strategy: RedirectStrategy = "auto"
    redirect_uri: str | None = None
    response_mode: ResponseMode = "query"
    pushed_authorization_requests: Pushing = "auto"
    id_token_signed_response_alg: str | None = None
    userinfo_signed_response_alg: str | None = None
    userinfo_required: bool = True
    dpop_bound_access_tokens: bool = False
    tls_client_certificate_bound_access_tokens: bool = False
    trusted_audiences: tuple[str, ...] = ()
    prompt: str | None = None
    silent_sign_in: SilentSignIn | None = None
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    login_hint: str | None = None
    ui_locales: tuple[str, ...] = ()
    clock_skew: float = 60.0
    http_timeout: float = 10.0
    ca_bundle: str | None = None
    egress_proxy: str | None = None
    egress_proxy_credentials: SecretRef | None = None
    client_certificate: str | None = None
    client_certificate_key: SecretRef | None = None
    client_certificate_password: SecretRef | None = None
    authorization_parameters: tuple[tuple[str, str], ...] = ()
    sign_out_method: SignOutMethod = "form"
    end_session_endpoint: str | None = None
    post_logout_redirect_uri: str | None = None
    post_logout_redirect_parameter: str = STANDARD_LOGOUT_PARAMETER
    allowed_sign_out_origins: tuple[str, ...] = ()
    entitlement_claims: tuple[ClaimPath, ...] = ("roles", "groups", "permissions")
    scope_claims: tuple[str, ...] = ("scope", "scp")
    allow_insecure_loopback: bool = False
    apis: tuple[Api, ...] = ()

    @property
    def needs_id_token(self) -> bool:
        """Whether the ID token is sent anywhere: to an API that is called with it, or in the form of a sign-out."""
        return self.sign_out_method == "form" or any(api.bearer_token_source == "id_token" for api in self.apis)

    @property
    def mutual_tls(self) -> bool:
        """Whether calls to the provider use the client certificate and the endpoints for mutual TLS (RFC 8705, 5)."""
        return self.tls_client_certificate_bound_access_tokens or self.token_endpoint_auth_method in TLS_METHODS


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings: the providers, in order, and the storage of refresh tokens.

    ``keyring_backend`` is the class, ``module.Class``, that is used in place of the operating system's own stores.
    ``storage_folder`` is the folder of the encrypted file and the lock, in place of the one in Jupyter's data folder.
    """

    providers: tuple[Provider, ...] = ()
    storage: Storage = "auto"
    keyring_backend: str | None = None
    storage_folder: str | None = None

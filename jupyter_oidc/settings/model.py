"""The configured providers and APIs as frozen values, and with each field the entry of its setting (ADR 44).

An instance exists only after every check of :mod:`jupyter_oidc.settings.reading` passed, so no other module checks
again whether an issuer is a URL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from jupyter_oidc.contract.strategy import RequestedStrategy
from jupyter_oidc.language import N_
from jupyter_oidc.settings.algorithms import ALGORITHMS
from jupyter_oidc.settings.changes import (
    always,
    automatic,
    given,
    loosened,
    more,
    more_levels,
    more_origins,
    more_paths,
    never,
    raised,
    switched_off,
    switched_on,
    tells_more,
)
from jupyter_oidc.settings.fields import (
    NAME_PATTERN,
    REFERENCE_PATTERN,
    URL_PATTERN,
    Choice,
    Count,
    DisplayText,
    Flag,
    Own,
    PresetName,
    Reference,
    Scopes,
    Seconds,
    SentWords,
    Setting,
    Text,
    Url,
    WholeSeconds,
    Words,
    camel_case,
    either,
    entries,
    entry,
    no_key,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.contract.storage import RequestedStorage

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
ResponseMode = Literal["query", "form_post"]
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
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

_ADDRESS: Final[Mapping[str, Any]] = {"type": ["string", "null"], "pattern": URL_PATTERN}
_ENDPOINTS: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": dict.fromkeys(ENDPOINTS, _ADDRESS),
    "patternProperties": {f"^{camel_case(name)}$": _ADDRESS for name in ENDPOINTS},
    "additionalProperties": False,
}
_PARAMETERS: Final[Mapping[str, Any]] = {
    "type": "object",
    "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_.-]{0,63}$"},
    "additionalProperties": {"type": "string", "minLength": 1},
}
_CLAIM_PATHS: Final[Mapping[str, Any]] = {
    "type": "array",
    "items": {
        "type": ["string", "array"],
        "minLength": 1,
        "minItems": 1,
        "items": {"type": "string", "minLength": 1},
    },
}
_PATH_DATA: Final[Mapping[str, Any]] = {
    "type": "array",
    "items": {"anyOf": [{"enum": list(get_args(PathData))}, {"pattern": "^%(2f|5c)$"}]},
}
_SECRET_HEADERS: Final[Mapping[str, Any]] = {
    "type": "object",
    "additionalProperties": {"type": ["string", "null"], "pattern": REFERENCE_PATTERN},
}
_EXAMPLE: Final[Mapping[str, Any]] = {"type": "string", "pattern": r"^[^\s/\\#][^\s\\#]*$"}
_LINK: Final[Mapping[str, Any]] = {"type": "string", "pattern": URL_PATTERN}
_DOCUMENT: Final[Mapping[str, Any]] = {"type": "string", "pattern": "^(/.|[Hh][Tt][Tt][Pp][Ss]?://|file:.)"}
_APIS: Final[Mapping[str, Any]] = {
    "type": "object",
    "propertyNames": {"pattern": NAME_PATTERN},
    "additionalProperties": {"$ref": "#/$defs/api"},
}

_EGRESS_PROXY_CREDENTIALS: Final = entry(Reference(), always, "a reference to `user:password` for that proxy")
_CLIENT_CERTIFICATE_KEY: Final = entry(
    Reference(),
    always,
    "a reference to the private key (PEM): `file:PATH`, `keyring:SERVICE/USER` or `env:NAME`",
    unset="in the same file",
)
_CLIENT_CERTIFICATE_PASSWORD: Final = entry(Reference(), always, "a reference to the key's password")


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A reference to a secret: ``env:NAME``, ``file:PATH`` or ``keyring:SERVICE/USER``; never a value."""

    scheme: Literal["env", "file", "keyring"]
    name: str


@dataclass(frozen=True, slots=True)
class Api:
    """One API that the proxy opens; the entry of each field says what its key means.

    ``base_url`` ends with a slash; ``path_prefixes`` are relative to it and begin with one.
    ``scopes``, ``audience`` and ``resource`` are set only if the API needs an access token of its own.
    ``request_headers`` and ``reply_headers`` are lower-case names.
    ``ca_bundle`` is the provider's if the API names none; ``egress_proxy`` never is, and ``client_certificate`` only if
    access tokens are bound to it.
    Time limits are seconds.
    """

    name: str = field(metadata=no_key(always))
    provider: str = field(metadata=no_key(always))
    base_url: str = field(
        metadata=entry(
            Url(N_("Write the API's address, for example 'https://api.example.com/v1/'.")),
            always,
            "https, ending with a slash; calls go below it and nowhere else",
        )
    )
    bearer_token_source: BearerSource = field(
        default="access_token",
        metadata=entry(
            Choice(get_args(BearerSource)),
            always,
            "`access_token` or `id_token`",
            unset="the provider's",
            key="api_bearer_token_source",
        ),
    )
    methods: tuple[str, ...] = field(
        default=("GET", "HEAD", "POST"),
        metadata=entry(
            Words(METHODS),
            more,
            "the methods that are open, of `GET HEAD POST PUT PATCH DELETE`; `OPTIONS` is accepted here, but Jupyter answers it itself",
        ),
    )
    path_prefixes: tuple[str, ...] = field(
        default=("/",),
        metadata=entry(
            Words(),
            more_paths,
            "the paths that are open, relative to `base_url`; `/items` and `/items/` both open `/items` and everything below it, and not `/items2`",
        ),
    )
    path_data: frozenset[str] = field(
        default=frozenset(),
        metadata=entry(
            Own(_PATH_DATA),
            more,
            'some of `"%2F"`, `"%5C"`, `"%25"`, `"//"`, `"@"`: what stands in the paths of this API as data',
            page="; see [below](#data-in-paths)",
        ),
    )
    scopes: tuple[str, ...] | None = field(
        default=None,
        metadata=entry(Scopes(), always, "scopes of an access token of its own, sent with the refresh request"),
    )
    audience: str | None = field(
        default=None,
        metadata=entry(Text(), always, "audience of an access token of its own, sent with the refresh request"),
    )
    resource: str | None = field(
        default=None,
        metadata=entry(
            Text(), always, "resource (RFC 8707) of an access token of its own, sent with the refresh request"
        ),
    )
    requires: tuple[str, ...] = field(
        default=(),
        metadata=entry(
            Words(), never, "entitlements that a user should have; a summary shows which are missing, the API decides"
        ),
    )
    callers: tuple[CallerKind, ...] = field(
        default=("browser", "kernel"), metadata=entry(Words(get_args(CallerKind)), more, "who may call it")
    )
    request_headers: frozenset[str] = field(
        default=frozenset(),
        metadata=entry(
            Words(), more, "header names that pass up besides those that always do; none with authority over us"
        ),
    )
    reply_headers: frozenset[str] = field(
        default=frozenset(),
        metadata=entry(
            Words(),
            more,
            "header names that pass down besides those that always do; none with authority over the browser",
        ),
    )
    headers: tuple[tuple[str, SecretRef], ...] = field(
        default=(),
        metadata=entry(
            Own(_SECRET_HEADERS),
            always,
            '`{name: reference}`: secrets that go up beside the token, for example `{"Ocp-Apim-Subscription-Key": "file:/run/secrets/key"}`; each value is `file:PATH`, `keyring:SERVICE/USER` or `env:NAME`, and no caller ever sees it',
        ),
    )
    timeout_connect: float = field(default=10, metadata=entry(Seconds(0.1, 600), raised, "seconds to connect"))
    timeout_header: float = field(
        default=30,
        metadata=entry(
            Seconds(0.1, 3600),
            raised,
            "seconds until the head of the reply is there, on top of `timeout_connect`: both together count from the beginning of the call, and anew from the end of an upload; for the handshake of a WebSocket these seconds alone",
        ),
    )
    timeout_idle: float = field(
        default=60,
        metadata=entry(
            Seconds(0.1, 86_400),
            raised,
            "seconds of silence within a reply, or in which the API reads nothing of an upload",
        ),
    )
    timeout_upload: float = field(
        default=30, metadata=entry(Seconds(0.1, 3600), raised, "seconds between two pieces of an upload")
    )
    max_request_bytes: int | None = field(default=None, metadata=entry(Count(1, 2**53), raised, "bytes of an upload"))
    max_message_bytes: int = field(
        default=10_485_760, metadata=entry(Count(1_024, 2**31), raised, "bytes of one WebSocket message")
    )
    max_in_flight: int = field(
        default=100,
        metadata=entry(
            Count(1, 10_000),
            raised,
            "calls that are on their way at once, half of them for one worker grant, and as many WebSockets that may be "
            "open; beyond that they wait",
        ),
    )
    max_queue: int = field(
        default=1_000,
        metadata=entry(
            Count(0, 100_000),
            raised,
            "calls that wait, of each worker grant and of all others; beyond that they are answered `overloaded`",
        ),
    )
    allow_private_network: bool = field(
        default=False,
        metadata=entry(
            Flag(),
            switched_on,
            "whether the host name may lead to an address that is not on the public internet; an address that stands in `base_url` itself, and `localhost`, always may",
        ),
    )
    ca_bundle: str | None = field(
        default=None,
        metadata=entry(
            Text(),
            given,
            "a PEM file with one or more certificate authorities, trusted on top of the system's",
            unset="the provider's",
        ),
    )
    egress_proxy: str | None = field(
        default=None,
        metadata=entry(
            Text(),
            always,
            '`http://proxy.example.com:3128`, or `"none"`: the proxy through which this API is called; loopback hosts and those in `NO_PROXY` never are',
            unset="what the environment names; not the provider's",
        ),
    )
    egress_proxy_credentials: SecretRef | None = field(default=None, metadata=_EGRESS_PROXY_CREDENTIALS)
    client_certificate: str | None = field(
        default=None,
        metadata=entry(
            Text(),
            always,
            "a PEM file with the certificate that this server shows, intermediate ones after it, and with the private key if that has no file of its own",
            unset="none; the provider's only where access tokens are bound to that",
        ),
    )
    client_certificate_key: SecretRef | None = field(default=None, metadata=_CLIENT_CERTIFICATE_KEY)
    client_certificate_password: SecretRef | None = field(default=None, metadata=_CLIENT_CERTIFICATE_PASSWORD)
    title: str | None = field(
        default=None,
        metadata=entry(DisplayText(80), never, "the name by which people know the API, shown beside its own"),
    )
    description: str | None = field(
        default=None, metadata=entry(DisplayText(500), never, "what the API is for, in a sentence or two")
    )
    example: str | None = field(
        default=None,
        metadata=entry(
            Own(_EXAMPLE),
            never,
            "a path that works, below `base_url` and open, with its query: `items?limit=5`; people are shown it to begin with",
        ),
    )
    docs_url: str | None = field(
        default=None, metadata=entry(Own(_LINK), never, "the https address of the API's documentation for people")
    )
    openapi: str | None = field(
        default=None,
        metadata=entry(
            Own(_DOCUMENT),
            given,
            "where the API's OpenAPI document (3.0 or 3.1, JSON or YAML) is: a path below `base_url` that begins with `/`, an https address, or `file:PATH`",
            page="; see [describe your APIs](../how-to/describe-your-apis.md)",
        ),
    )


@dataclass(frozen=True, slots=True)
class Provider:
    """One OpenID Provider and our registration there (G-1, G-2); the entry of each field says what its key means.

    ``client_assertion_key`` signs the assertions of ``private_key_jwt`` (T-7), by ``token_endpoint_auth_signing_alg``
    or, without one, the algorithm of the key.
    ``scopes_by_default`` says that the settings do not name ``scopes``.
    ``silent_sign_in`` is ``None`` if the settings do not name it: a page tries under a Hub then, and nowhere else.
    ``egress_proxy`` is the address of a forward proxy, ``"none"``, or ``None`` for that of the environment.
    ``post_logout_redirect_parameter`` is the name under which ``post_logout_redirect_uri`` is sent (D5).
    ``allow_insecure_loopback`` is the developer option that admits plain ``http`` on loopback addresses (D-7).
    Time limits are seconds.
    """

    name: str = field(metadata=no_key(always))
    issuer: str = field(
        metadata=entry(
            Url(N_("Write the provider's issuer, for example 'https://id.example.com'.")),
            always,
            "the issuer identifier, exactly as the provider writes it",
        )
    )
    client_id: str = field(
        metadata=entry(Text(N_("Write the id of your registration at the provider.")), always, "our registration there")
    )
    # NOTE: it narrows, but what it sets (keys, methods, algorithms) waits, and is judged together.
    profile: Profile | None = field(
        default=None,
        metadata=entry(
            Choice(get_args(Profile)),
            always,
            "`fapi2`: the FAPI 2.0 Security Profile",
            page="; see [below](#a-security-profile)",
        ),
    )
    metadata_url: str | None = field(
        default=None,
        metadata=entry(
            Url(query=True),
            always,
            "where the metadata are, if not at `ISSUER/.well-known/openid-configuration`; the document must name `issuer` all the same",
            unset="below the issuer",
        ),
    )
    endpoints: tuple[tuple[str, str], ...] = field(
        default=(),
        metadata=entry(
            Own(_ENDPOINTS),
            always,
            "addresses in the place of those in the metadata, where this server reaches the provider by another name than browsers do: any of `authorization_endpoint`, `token_endpoint`, `jwks_uri`, `userinfo_endpoint`, `revocation_endpoint`, `device_authorization_endpoint`, `pushed_authorization_request_endpoint`; a change of these or of `metadata_url` ends the session",
        ),
    )
    client_secret: SecretRef | None = field(
        default=None,
        metadata=entry(
            Reference(), always, "a reference, `env:NAME`, `file:PATH` or `keyring:SERVICE/USER`; never a value"
        ),
    )
    token_endpoint_auth_method: AuthMethod = field(
        default="none",
        metadata=entry(
            Choice(get_args(AuthMethod)),
            always,
            "`none`, `client_secret_basic`, `client_secret_post`, `client_secret_jwt`, `private_key_jwt`, `tls_client_auth` or `self_signed_tls_client_auth`; the last two need `client_certificate` and no secret (mutual TLS, RFC 8705)",
        ),
    )
    token_endpoint_auth_signing_alg: str | None = field(
        default=None,
        metadata=entry(
            Choice(ALGORITHMS),
            always,
            "`RS256` to `RS512`, `PS256` to `PS512`, `ES256` to `ES512`, `EdDSA` or `Ed25519`; for `client_secret_jwt` `HS256` (default) to `HS512`, which need a secret of 32 to 64 bytes",
            unset="of the kind of key",
        ),
    )
    client_assertion_key: SecretRef | None = field(
        default=None,
        metadata=entry(
            Reference(),
            always,
            "for `private_key_jwt`: a reference to the private key, as PEM without a password or as JWK; a certificate in the same PEM text is named to the provider by its thumbprint (`x5t#S256`)",
        ),
    )
    client_assertion_key_id: str | None = field(
        default=None,
        metadata=entry(
            Text(),
            always,
            "the `kid` under which the provider knows the public half",
            unset="the key's own, or its thumbprint (RFC 7638)",
        ),
    )
    scopes: tuple[str, ...] = field(
        default=DEFAULT_SCOPES,
        metadata=entry(
            Scopes(),
            more,
            "what is asked for at sign-in; `openid` is required. Not set, `offline_access` is left out where the provider lists its scopes without it",
        ),
    )
    scopes_by_default: bool = field(default=False, compare=False, metadata=no_key(never))
    offline_access_prompt: OfflineAccessPrompt = field(
        default="consent",
        metadata=entry(
            Choice(get_args(OfflineAccessPrompt)),
            always,
            "`consent` or `none`: the prompt that goes along with the scope `offline_access` where `prompt` is not set; most providers give refresh tokens with consent only (OpenID Connect Core 1.0, 11), presets say `none` where they do not",
        ),
    )
    audience: str | None = field(
        default=None, metadata=entry(Text(), always, "value of the parameter `audience` of the authorization request")
    )
    send_audience_in_authorize: bool = field(
        default=False, metadata=entry(Flag(), always, "whether it is sent; without it, `audience` has no effect")
    )
    api_bearer_token_source: BearerSource = field(
        default="access_token",
        metadata=entry(
            Choice(get_args(BearerSource)),
            always,
            "`access_token` or `id_token`: which token its APIs get unless they say otherwise",
        ),
    )
    redirect_strategy: RequestedStrategy = field(
        default="auto",
        metadata=entry(
            Choice(get_args(RequestedStrategy)),
            always,
            either(get_args(RequestedStrategy)),
            page="; see [ways to sign in](#ways-to-sign-in)",
        ),
    )
    redirect_uri: str | None = field(
        default=None,
        metadata=entry(
            Url(plain_http="always"),
            always,
            "the registered value; for `server` it ends in `/jupyter-oidc/providers/NAME/callback`; needed for `paste`, and for `server` unless browsers reach the server at a loopback host; `device` needs none; under JupyterHub one address serves all users: `https://HUB/hub/user-redirect/jupyter-oidc/providers/NAME/callback`, with `response_mode` `query`",
        ),
    )
    response_mode: ResponseMode = field(
        default="query",
        metadata=entry(Choice(get_args(ResponseMode)), always, "`query` or `form_post`; `form_post` needs https"),
    )
    pushed_authorization_requests: Pushing = field(
        default="auto",
        metadata=entry(
            Choice(get_args(Pushing)),
            always,
            "`auto`, `always` or `never`: whether the request is handed to the provider first, so that the browser carries a reference to it and nothing else (PAR, RFC 9126); `auto` where the provider's metadata require it. What the provider does not take is never sent by the browser instead",
        ),
    )
    id_token_signed_response_alg: str | None = field(
        default=None,
        metadata=entry(
            Choice(ALGORITHMS),
            always,
            "the one algorithm that is accepted; not set, `RS256`, or where the provider lists its algorithms without it, those of its list that sign with a key: `RS256` to `RS512`, `PS256` to `PS512`, `ES256` to `ES512`, `EdDSA`, `Ed25519`, or `HS256` to `HS512`, which need a `client_secret`",
            unset="from the metadata",
        ),
    )
    userinfo_signed_response_alg: str | None = field(
        default=None,
        metadata=entry(
            Choice(ALGORITHMS, N_("Leave it out for unsigned.")),
            always,
            "one of the same algorithms, if the provider signs UserInfo",
        ),
    )
    userinfo_required: bool = field(
        default=True,
        metadata=entry(
            Flag(),
            switched_off,
            "whether a sign-in fails if UserInfo cannot be read, where the provider has it; UserInfo about another person is refused in any case",
        ),
    )
    # NOTE: it narrows, but the tokens of a running session are not bound to a key, and cannot be.
    dpop_bound_access_tokens: bool = field(
        default=False,
        metadata=entry(
            Flag(),
            always,
            "whether tokens are bound to a key of the session (DPoP); register the client with the same value. The provider has to take ES256, and each API has to take the scheme `DPoP`; one whose source is `id_token` still gets `Bearer`",
        ),
    )
    tls_client_certificate_bound_access_tokens: bool = field(
        default=False,
        metadata=entry(
            Flag(),
            always,
            "whether access tokens are bound to `client_certificate` (RFC 8705, 3); register the client with the same value. The provider has to say in its metadata that it does that, and APIs are shown the same certificate; one whose source is `id_token` is not",
        ),
    )
    trusted_audiences: tuple[str, ...] = field(
        default=(), metadata=entry(Words(), more, "further audiences that an ID token may name")
    )
    prompt: str | None = field(
        default=None,
        metadata=entry(
            Choice(("login", "consent", "select_account"), N_("Write 'login', 'consent' or 'select_account'.")),
            loosened,
            "`login`, `consent` or `select_account`, for every sign-in that does not ask for another",
        ),
    )
    silent_sign_in: SilentSignIn | None = field(
        default=None,
        metadata=entry(
            Choice(get_args(SilentSignIn)),
            automatic,
            "`auto` or `off`: whether a page that opens tries to sign in without asking",
            unset='`"auto"` under a Hub, else `"off"`',
            page="; see [when a page signs in by itself](#when-a-page-signs-in-by-itself)",
        ),
    )
    max_age: int | None = field(
        default=None,
        metadata=entry(WholeSeconds(), raised, "whole seconds; a real login at the provider may not be older"),
    )
    acr_values: tuple[str, ...] = field(
        default=(),
        metadata=entry(
            SentWords("levels", "['phr', 'phrh']"),
            more_levels,
            "levels of authentication (`acr`), the preferred one first: every sign-in asks for them and has to reach one, by what its ID token says; one that an API asks for has to be among them",
        ),
    )
    login_hint: str | None = field(
        default=None,
        metadata=entry(
            Text(),
            never,
            "who is going to sign in, as a hint for the provider's page, where the sign-in has none of its own",
        ),
    )
    ui_locales: tuple[str, ...] = field(
        default=(),
        metadata=entry(
            SentWords("languages", "['de-AT', 'en']"),
            never,
            'languages of the provider\'s page, the preferred one first, such as `["de-AT", "en"]`',
        ),
    )
    clock_skew: float = field(
        default=60,
        metadata=entry(Seconds(0, 300), raised, "seconds by which times in an ID token may be off"),
    )
    http_timeout: float = field(
        default=10,
        metadata=entry(
            Seconds(1, 60),
            raised,
            "seconds to connect to the provider and for each read; a whole call takes at most twice as long",
        ),
    )
    ca_bundle: str | None = field(
        default=None,
        metadata=entry(
            Text(),
            given,
            "a PEM file with one or more certificate authorities, trusted on top of the system's; also for calls to APIs",
        ),
    )
    egress_proxy: str | None = field(
        default=None,
        metadata=entry(
            Text(),
            always,
            '`http://proxy.example.com:3128`, or `"none"`: the proxy through which the provider is called; loopback hosts and those in `NO_PROXY` never are',
            unset="what the environment names",
        ),
    )
    egress_proxy_credentials: SecretRef | None = field(default=None, metadata=_EGRESS_PROXY_CREDENTIALS)
    client_certificate: str | None = field(
        default=None,
        metadata=entry(
            Text(),
            always,
            "a PEM file with the certificate that this server shows, intermediate ones after it, and with the private key if that has no file of its own",
        ),
    )
    client_certificate_key: SecretRef | None = field(default=None, metadata=_CLIENT_CERTIFICATE_KEY)
    client_certificate_password: SecretRef | None = field(default=None, metadata=_CLIENT_CERTIFICATE_PASSWORD)
    authorization_parameters: tuple[tuple[str, str], ...] = field(
        default=(),
        metadata=entry(
            Own(_PARAMETERS),
            always,
            "`{name: value}`: parameters of the authorization request that no other key stands for; none of those that jupyter_oidc sends itself",
        ),
    )
    sign_out_method: SignOutMethod = field(
        default="form",
        metadata=entry(
            Choice(get_args(SignOutMethod)),
            tells_more,
            "how a browser gets to the provider's sign-out page: `form` posts the ID token there from a one-time page ([decision 39](../adr/0039-sign-out-by-a-one-time-form.md)), `link` leads there without it, `none` offers nothing; use `link` where the provider finds its session by a `SameSite=Lax` cookie alone, or takes no `POST` there",
            unset='`"form"`, or `"link"` with a `post_logout_redirect_parameter` of its own',
        ),
    )
    end_session_endpoint: str | None = field(
        default=None,
        metadata=entry(
            Url(), given, "the provider's sign-out page, where the metadata name none", unset="that of the metadata"
        ),
    )
    post_logout_redirect_uri: str | None = field(
        default=None,
        metadata=entry(
            Url(plain_http="always"),
            given,
            "the registered value to which the provider sends the browser after its own sign-out, for example `https://jupyter.example.com/jupyter-oidc/providers/corp/signed-out`",
        ),
    )
    post_logout_redirect_parameter: str = field(
        default=STANDARD_LOGOUT_PARAMETER,
        metadata=entry(
            Text(),
            always,
            "what that page calls the address to return to; with another name than this, the page is offered only if there is an address",
        ),
    )
    allowed_sign_out_origins: tuple[str, ...] = field(
        default=(),
        metadata=entry(
            Words(),
            more_origins,
            "if not empty: the only origins (`https://id.example.com`) whose sign-out page is offered to a browser; a form may be led on to each of them",
        ),
    )
    entitlement_claims: tuple[ClaimPath, ...] = field(
        default=("roles", "groups", "permissions"),
        metadata=entry(
            Own(_CLAIM_PATHS),
            never,
            "claims that become [entitlements](#entitlements), each by its name (a dot may lead into an object) or as a list of keys",
        ),
    )
    scope_claims: tuple[str, ...] = field(
        default=("scope", "scp"),
        metadata=entry(
            Words(), never, "claims whose text is a list with blanks in between; any other text is one entitlement"
        ),
    )
    allow_insecure_loopback: bool = field(
        default=False,
        metadata=entry(
            Flag(),
            switched_on,
            "for developers: admit plain http at `localhost`, `127.0.0.1` and `[::1]` for the provider and its APIs",
        ),
    )
    apis: tuple[Api, ...] = field(
        default=(), metadata=entry(Own(_APIS), always, "what a session opens: `{name: {settings}}`")
    )

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
    storage: RequestedStorage = "auto"
    keyring_backend: str | None = None
    storage_folder: str | None = None

    def api_named(self, name: str) -> Api | None:
        """Return the API ``name``, or ``None`` if there is none."""
        return next((api for provider in self.providers for api in provider.apis if api.name == name), None)


PROVIDER_SETTINGS: Final = entries(
    Provider,
    without_field={
        "profile": Setting(
            key="preset",
            field=None,
            shape=PresetName(),
            default=None,
            meaning="the name of a [preset](presets.md), which fills in what differs at that provider",
        ),
        "sign_out_method": Setting(
            key="offer_provider_sign_out",
            field=None,
            shape=Flag(),
            default=True,
            deprecated=True,
            meaning='older; `False` is the same as `sign_out_method` `"none"`',
        ),
    },
)
"""The keys of a provider; ``apis`` is judged API by API when it changes: one that is gone is less, a new one is more."""
API_SETTINGS: Final = entries(Api, without_field={})
"""The keys of an API."""

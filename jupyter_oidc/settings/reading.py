"""Read settings from a plain mapping, and report every mistake at once.

The reader never raises on bad input and never repeats a value that could be a secret: each
:class:`Finding` names the key, the problem, and what to write instead (G-5, D8).
Keys are accepted in ``snake_case`` and in the ``camelCase`` of the desktop settings file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PureWindowsPath
from typing import Any, Final, get_args
from urllib.parse import urlsplit

from jupyter_oidc.settings.algorithms import ALGORITHMS
from jupyter_oidc.settings.client_authentication import read_client_authentication
from jupyter_oidc.settings.finding import Finding, Kind
from jupyter_oidc.settings.header_names import has_authority, may_be_listed
from jupyter_oidc.settings.model import (
    DEFAULT_SCOPES,
    ENDPOINTS,
    STANDARD_LOGOUT_PARAMETER,
    TLS_METHODS,
    Api,
    BearerSource,
    ClaimPath,
    OfflineAccessPrompt,
    PathData,
    Profile,
    Provider,
    Pushing,
    RedirectStrategy,
    SecretRef,
    Settings,
    SignOutMethod,
    SilentSignIn,
)
from jupyter_oidc.settings.network import NetworkSettings, check_certificate, read_network, with_provider_certificate
from jupyter_oidc.settings.profile import apply_profile, check_api
from jupyter_oidc.settings.redirect_uri import is_loopback, leads_through_hub, leads_to_callback, takes_any_port
from jupyter_oidc.settings.secret_reference import read_secret_reference

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z")
_UNNAMED: Final = "?"
"""The first character of a stand-in for an unusable name; no valid name begins with it."""

_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+\Z")  # RFC 6749, 3.3: scope-token
_LOCALE: Final = re.compile(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*\Z")  # RFC 5646, 2.1
_MAX_WORDS: Final = 20
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_]{0,41}\Z")
_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,31}\Z")
_CLASS: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+\Z", re.ASCII)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_CERTIFICATE_BOUND_TOKENS: Final = "tls_client_certificate_bound_access_tokens"
_SOURCES: Final[tuple[BearerSource, ...]] = get_args(BearerSource)
_PARAMETER: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}\Z")
_PLACEHOLDER: Final = re.compile(r"\{[A-Za-z_ -]*\}|<[A-Za-z_ -]*>")
_RESERVED_PARAMETERS: Final = frozenset(
    {
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge"),
        *("code_challenge_method", "response_mode", "prompt", "max_age", "acr_values", "audience", "resource"),
        *("login_hint", "dpop_jkt", "request", "request_uri", "id_token_hint", "client_secret", "client_assertion"),
        "client_assertion_type",
    },
)
"""Parameters of an authorization request that settings may not add: this client sends them, or must never do so."""


def read_settings(
    providers: object,
    storage: object = "auto",
    keyring_backend: object = None,
    storage_folder: object = None,
) -> Settings | list[Finding]:
    """Return validated :class:`Settings`, or all findings if there is at least one."""
    findings: list[Finding] = []
    read: list[Provider] = []
    if not isinstance(providers, Mapping):
        findings.append(Finding("providers", "is not a mapping", "Write {name: {settings}}."))
    else:
        for number, (name, body) in enumerate(providers.items(), 1):
            at = _Location(findings, f"providers.{_display_name(name, number, _LABEL)}")
            usable = _usable_name(name, at)
            if not isinstance(body, Mapping):
                at.add("", "is not a mapping", "Write the provider's settings as {key: value}.")
            else:
                read.append(_provider(usable, body, at))
    if storage not in ("auto", "keyring", "encrypted-file", "memory"):
        instead = "Write 'auto', 'keyring', 'encrypted-file' or 'memory'."
        findings.append(Finding("storage", "is not a known storage", instead))
    if keyring_backend is not None and not (isinstance(keyring_backend, str) and _CLASS.match(keyring_backend)):
        instead = "Write 'module.Class', for example 'keyring.backends.SecretService.Keyring', or remove it."
        findings.append(Finding("keyring_backend", "is not the name of a class", instead))
    if storage_folder is not None and not (isinstance(storage_folder, str) and _is_whole_path(storage_folder)):
        instead = "Write the whole path of a folder on this machine's own disk, or remove it."
        findings.append(Finding("storage_folder", "is not the whole path of a folder", instead))
    check_unique_apis(read, findings)
    if findings:
        return findings
    return Settings(tuple(read), storage, keyring_backend, storage_folder)  # type: ignore[arg-type]  # NOTE: checked


def _is_whole_path(text: str) -> bool:
    """Return whether ``text`` is an absolute path, or one from the home folder."""
    return text.isprintable() and (text.startswith(("/", "~/", "~\\")) or PureWindowsPath(text).is_absolute())


@dataclass(frozen=True, slots=True)
class _Location:
    """A place in the settings, and the list that collects its findings."""

    findings: list[Finding]
    path: str

    def add(self, key: str, problem: str, instead: str, kind: Kind = "malformed") -> None:
        self.findings.append(Finding(f"{self.path}.{key}" if key else self.path, problem, instead, kind))


@dataclass(slots=True)
class _Keys:
    """Reads one mapping key by key, and remembers which keys were read."""

    at: _Location
    body: dict[str, Any]
    asked: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, body: Mapping[Any, Any], at: _Location) -> _Keys:
        snake: dict[str, Any] = {}
        for number, (key, value) in enumerate(body.items(), 1):
            written = _display_name(key, number, _WORD)
            name = _CAMEL.sub(lambda found: "_" + found.group(1).lower(), written)
            if name in snake:
                at.add(name, "is written twice, in two spellings", "Keep one of them.", "contradictory")
            snake[name] = value
        return cls(at, snake)

    def take(self, key: str) -> Any:
        self.asked.add(key)
        return self.body.get(key)

    def text(self, key: str, *, required: str = "") -> str | None:
        """Read a text; ``required`` says what to write if it is missing, and is empty if the key is optional."""
        value = self.take(key)
        if value is None:
            if required:
                self.at.add(key, "is missing", required, "missing")
            return None
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            kind: Kind = "missing" if isinstance(value, str) and not value.strip() else "malformed"
            self.at.add(key, "is not a printable, non-empty text", "Write it in quotes.", kind)
            return None
        if _PLACEHOLDER.search(value):
            instead = "Write your own value in its place, without the brackets."
            self.at.add(key, "still holds a placeholder", instead, "missing")
            return None
        return value

    def choice(self, key: str, default: str | None, options: tuple[str, ...]) -> Any:
        value = self.take(key)
        if value is None or (isinstance(value, str) and value in options):
            return default if value is None else value
        problem = "is not one of the allowed values"
        kind: Kind = "malformed"
        if isinstance(value, str) and value.lower() == "none" and key.endswith("_response_alg"):
            problem, kind = "would let unsigned tokens in", "unsafe"
        self.at.add(key, problem, f"Write one of: {', '.join(options)}.", kind)
        return default

    def flag(self, key: str, *, default: bool = False) -> bool:
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            self.at.add(key, "is not true or false", "Write True or False without quotes.")
        return value if isinstance(value, bool) else default

    def fill_defaults(self, defaults: Mapping[str, Any]) -> None:
        """Fill in the keys that are missing."""
        self.body = {**defaults, **{key: value for key, value in self.body.items() if value is not None}}

    def number(self, key: str, default: float, low: float, high: float) -> float:
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            self.at.add(key, "is not a number in range", f"Write seconds from {low:g} to {high:g}.")
            return default
        return float(value)

    def count(self, key: str, default: int | None, low: int, high: int) -> int | None:
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.at.add(key, "is not a whole number in range", f"Write a number from {low} to {high}.")
            return default
        return value

    def words(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self.take(key)
        if value is None:
            return default
        if isinstance(value, str) or not isinstance(value, (list, tuple, set, frozenset)):
            self.at.add(key, "is not a list", f"Write for example {list(default) or ['a', 'b']}.")
            return default
        if not all(isinstance(word, str) and word and word.isprintable() for word in value):
            self.at.add(key, "holds something that is not text", "Write a list of quoted words.")
            return default
        return tuple(value)

    def scopes(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        words = self.words(key, default)
        if not all(_SCOPE.match(word) for word in words):
            self.at.add(key, "holds a scope with a space or an illegal character", "Write one list entry a scope.")
            return default
        return words

    def finish(self) -> None:
        for key in self.body:
            if key not in self.asked:
                close = difflib.get_close_matches(key, self.asked, n=1)
                hint = f"Did you mean '{close[0]}'?" if close else "Remove it."
                self.at.add(key, "is not a known key", hint)


def _usable_name(name: object, at: _Location) -> str:
    """Return ``name``, or report it and return a stand-in, so that the provider or API is checked all the same."""
    if isinstance(name, str) and _NAME.match(name):
        return name
    at.add("", "is not a usable name", "Use lower-case letters, digits, '-' and '_'.")
    return f"{_UNNAMED}{at.path}"


def _provider(name: str, body: Mapping[Any, Any], at: _Location) -> Provider:
    keys = _Keys.of(body, at)
    _preset(keys)
    profile = keys.choice("profile", None, get_args(Profile))
    apply_profile(keys, profile)
    loopback = keys.flag("allow_insecure_loopback")
    issuer = keys.text("issuer", required="Write the provider's issuer, for example 'https://id.example.com'.") or ""
    if issuer:
        _check_url(at, "issuer", issuer, loopback_http=loopback)
    scopes = keys.scopes("scopes", DEFAULT_SCOPES)
    if "openid" not in scopes:
        at.add("scopes", "does not contain 'openid'", "Add 'openid'; without it there is no ID token.", "missing")
    redirect_uri = keys.text("redirect_uri")
    if redirect_uri:
        # A loopback redirect URI is plain http by design (RFC 8252, 7.3).
        _check_url(at, "redirect_uri", redirect_uri, loopback_http=True)
    strategy = keys.choice("redirect_strategy", "auto", get_args(RedirectStrategy))
    response_mode = keys.choice("response_mode", "query", ("query", "form_post"))
    _check_strategy(at, name, strategy, redirect_uri, response_mode)
    alg = keys.choice("id_token_signed_response_alg", None, ALGORITHMS)
    userinfo_alg = keys.take("userinfo_signed_response_alg")
    if userinfo_alg is not None and not (isinstance(userinfo_alg, str) and userinfo_alg in ALGORITHMS):
        at.add("userinfo_signed_response_alg", "is not one of the allowed values", "Leave it out for unsigned.")
        userinfo_alg = None
    authentication = read_client_authentication(keys, alg or "")
    ca_bundle = keys.text("ca_bundle")
    audience, send_audience = _audience(keys)
    bearer = keys.choice("api_bearer_token_source", "access_token", _SOURCES)
    network, bound = read_network(keys), keys.flag("tls_client_certificate_bound_access_tokens")
    if authentication["token_endpoint_auth_method"] in TLS_METHODS or bound:
        by_method = authentication["token_endpoint_auth_method"] in TLS_METHODS
        wanted_by = authentication["token_endpoint_auth_method"] if by_method else _CERTIFICATE_BOUND_TOKENS
        check_certificate(keys, network, wanted_by)
    inherited = _Inherited(
        loopback_http=loopback,
        ca_bundle=ca_bundle,
        bearer=bearer,
        bound_certificate=network if bound else None,
        profile=profile,
    )
    provider = Provider(
        name=name,
        issuer=issuer,
        client_id=keys.text("client_id", required="Write the id of your registration at the provider.") or "",
        profile=profile,
        metadata_url=_url(keys, "metadata_url", loopback_http=loopback, query=True),
        endpoints=_endpoints(keys, loopback_http=loopback),
        **authentication,
        scopes=scopes,
        scopes_by_default=keys.body.get("scopes") is None,
        offline_access_prompt=keys.choice("offline_access_prompt", "consent", get_args(OfflineAccessPrompt)),
        audience=audience,
        send_audience_in_authorize=send_audience,
        api_bearer_token_source=bearer,
        redirect_strategy=strategy,
        redirect_uri=redirect_uri,
        response_mode=response_mode,
        pushed_authorization_requests=keys.choice("pushed_authorization_requests", "auto", get_args(Pushing)),
        id_token_signed_response_alg=alg,
        userinfo_signed_response_alg=userinfo_alg,
        userinfo_required=keys.flag("userinfo_required", default=True),
        dpop_bound_access_tokens=keys.flag("dpop_bound_access_tokens"),
        tls_client_certificate_bound_access_tokens=bound,
        trusted_audiences=keys.words("trusted_audiences", ()),
        prompt=_prompt(keys),
        silent_sign_in=keys.choice("silent_sign_in", None, get_args(SilentSignIn)),
        max_age=_max_age(keys),
        acr_values=_space_separated(keys, "acr_values", _SCOPE, "['phr', 'phrh']"),
        login_hint=keys.text("login_hint"),
        ui_locales=_space_separated(keys, "ui_locales", _LOCALE, "['de-AT', 'en']"),
        clock_skew=keys.number("clock_skew", 60, 0, 300),
        http_timeout=keys.number("http_timeout", 10, 1, 60),
        ca_bundle=ca_bundle,
        **network,
        authorization_parameters=_authorization_parameters(keys),
        sign_out_method=_sign_out_method(keys),
        end_session_endpoint=_url(keys, "end_session_endpoint", loopback_http=loopback),
        post_logout_redirect_uri=_url(keys, "post_logout_redirect_uri", loopback_http=True),
        post_logout_redirect_parameter=_logout_parameter(keys),
        allowed_sign_out_origins=_sign_out_origins(keys, loopback_http=loopback),
        entitlement_claims=_claim_paths(keys, "entitlement_claims", ("roles", "groups", "permissions")),
        scope_claims=keys.words("scope_claims", ("scope", "scp")),
        allow_insecure_loopback=loopback,
        apis=_apis(name, keys.take("apis"), at, inherited),
    )
    keys.finish()
    return provider


def _check_strategy(at: _Location, name: str, strategy: str, redirect_uri: str | None, response_mode: str) -> None:
    """Report a redirect URI that does not fit its strategy; each strategy allows other targets."""
    if strategy in ("loopback", "paste") and response_mode == "form_post":
        at.add(
            "response_mode",
            f"is 'form_post', and '{strategy}' reads the address",
            "Write 'query', or remove it.",
            "contradictory",
        )
    if strategy == "paste" and redirect_uri is None:
        at.add("redirect_uri", "is missing, and 'paste' needs it", "Write the address that is registered.", "missing")
    if redirect_uri is None:
        return
    if strategy == "loopback" and not is_loopback(redirect_uri):
        instead = "Write http://127.0.0.1/PATH; without a port any free one is taken. Register the same value."
        at.add("redirect_uri", "is not a loopback address, and 'loopback' needs one", instead, "contradictory")
    if leads_through_hub(redirect_uri, name) and response_mode == "form_post":
        at.add(
            "response_mode",
            "is 'form_post', and the redirect_uri leads through JupyterHub, which sends a browser on without the form",
            "Write 'query'.",
            "contradictory",
        )
    if name.startswith(_UNNAMED):
        return  # the callback's path depends on the name
    to_server = strategy == "server" or (strategy == "auto" and not takes_any_port(redirect_uri))
    if to_server and not leads_to_callback(redirect_uri, name):
        at.add(
            "redirect_uri",
            "does not lead to this server's callback",
            f"End it with /jupyter-oidc/providers/{name}/callback, and register the same value.",
        )


def _preset(keys: _Keys) -> None:
    """Fill in the settings of the preset that is named, if one is."""
    name = keys.take("preset")
    if name is None:
        return
    # NOTE: imported here, because few settings name a preset, and every start of a server would load it.
    from jupyter_oidc.settings.presets import names, preset

    known = names()
    if isinstance(name, str) and name in known:
        keys.fill_defaults(preset(name).settings)
    else:
        keys.at.add("preset", "is not the name of a preset", f"Write one of: {', '.join(known)}.")


def _url(keys: _Keys, key: str, *, loopback_http: bool, query: bool = False) -> str | None:
    url = keys.text(key)
    if url:
        _check_url(keys.at, key, url, loopback_http=loopback_http, query=query)
    return url


def _endpoints(keys: _Keys, *, loopback_http: bool) -> tuple[tuple[str, str], ...]:
    """Read the endpoints that replace the metadata's: of a closed list, by the same rules for addresses."""
    value = keys.take("endpoints")
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        keys.at.add("endpoints", "is not a mapping", "Write {'token_endpoint': 'https://...'}.")
        return ()
    named = _Keys.of(value, _Location(keys.at.findings, f"{keys.at.path}.endpoints"))
    read = ((name, _url(named, name, loopback_http=loopback_http, query=True)) for name in ENDPOINTS)
    found = tuple((name, url) for name, url in read if url)
    named.finish()
    return found


def _sign_out_method(keys: _Keys) -> SignOutMethod:
    """Return how a browser is sent to the provider's sign-out page; a page outside the standard takes no form.

    Version 0.1.0 wrote ``offer_provider_sign_out`` for ``none``.
    """
    of_its_own = keys.body.get("post_logout_redirect_parameter") not in (None, STANDARD_LOGOUT_PARAMETER)
    offered, written = keys.flag("offer_provider_sign_out", default=True), keys.take("sign_out_method")
    by_default = ("link" if of_its_own else "form") if offered else "none"
    method: SignOutMethod = keys.choice("sign_out_method", by_default, get_args(SignOutMethod))
    if written is not None and not offered and method != "none":
        instead = "Remove offer_provider_sign_out, or write sign_out_method 'none'."
        keys.at.add("offer_provider_sign_out", "is false, and sign_out_method says otherwise", instead, "contradictory")
    if of_its_own and method == "form":
        problem = "is 'form', and a page with a post_logout_redirect_parameter of its own takes none"
        keys.at.add("sign_out_method", problem, "Write 'link', or remove it.", "contradictory")
    return method


def _logout_parameter(keys: _Keys) -> str:
    key = "post_logout_redirect_parameter"
    name = keys.text(key) or STANDARD_LOGOUT_PARAMETER
    if not _PARAMETER.match(name) or name in ("client_id", "state", "id_token_hint"):
        keys.at.add(key, "is not the name of a parameter for an address", "Write for example 'logout_uri'.")
    return name


def _claim_paths(keys: _Keys, key: str, default: tuple[ClaimPath, ...]) -> tuple[ClaimPath, ...]:
    """Return claims, each as its name or as the list of keys on the way to it."""
    value = keys.take(key)
    if value is None:
        return default
    if isinstance(value, str) or not isinstance(value, (list, tuple, set, frozenset)):
        keys.at.add(key, "is not a list", f"Write for example {list(default)}.")
        return default
    paths: list[ClaimPath] = []
    for entry in value:
        parts = tuple(entry) if isinstance(entry, (list, tuple)) else (entry,)
        if not parts or not all(isinstance(part, str) and part and part.isprintable() for part in parts):
            keys.at.add(key, "holds something that is not text", "Write quoted words, or lists of quoted words.")
            return default
        paths.append(entry if isinstance(entry, str) else parts)
    return tuple(paths)


def _authorization_parameters(keys: _Keys) -> tuple[tuple[str, str], ...]:
    key, value = "authorization_parameters", keys.take("authorization_parameters")
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        keys.at.add(key, "is not a mapping", "Write {name: value}.")
        return ()
    for number, (name, text) in enumerate(value.items(), 1):
        if not isinstance(name, str) or not _PARAMETER.match(name):
            keys.at.add(key, "holds something that is not the name of a parameter", f"Remove entry {number}.")
        elif name in _RESERVED_PARAMETERS:
            problem = f"holds '{name}', which jupyter_oidc sends itself or never"
            keys.at.add(key, problem, "Remove it; what can be changed has a key of its own.", "unsafe")
        elif not isinstance(text, str) or not text or not text.isprintable():
            keys.at.add(key, "holds a value that is not text", f"Write entry {number} in quotes.")
    return tuple((str(name), str(text)) for name, text in value.items())


def _audience(keys: _Keys) -> tuple[str | None, bool]:
    audience, sent = keys.text("audience"), keys.flag("send_audience_in_authorize")
    if sent and keys.body.get("audience") is None:
        keys.at.add(
            "send_audience_in_authorize",
            "is true, but there is no audience to send",
            "Write the audience that the API's owner names, or set this to False.",
            "contradictory",
        )
    return audience, sent


def _sign_out_origins(keys: _Keys, *, loopback_http: bool) -> tuple[str, ...]:
    key = "allowed_sign_out_origins"
    origins = keys.words(key, ())
    for origin in origins:
        _check_url(keys.at, key, origin, loopback_http=loopback_http)
        if _path_of(origin) not in ("", "/"):
            keys.at.add(key, "holds an address with a path", "Write https://host and nothing more.")
    return origins


def _prompt(keys: _Keys) -> str | None:
    value = keys.take("prompt")
    if value is None or (isinstance(value, str) and value in ("login", "consent", "select_account")):
        return value
    keys.at.add("prompt", "is not one of the allowed values", "Write 'login', 'consent' or 'select_account'.")
    return None


def _max_age(keys: _Keys) -> int | None:
    value = keys.take("max_age")
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    keys.at.add("max_age", "is not a whole number of seconds", "Write for example 3600.")
    return None


def _space_separated(keys: _Keys, key: str, word: re.Pattern[str], example: str) -> tuple[str, ...]:
    """Read a list whose entries are sent in one text, separated by spaces."""
    words = keys.words(key, ())
    if len(words) > _MAX_WORDS or not all(word.match(one) for one in words):
        keys.at.add(key, "holds too many entries, or one that cannot be sent", f"Write for example {example}.")
        return ()
    return words


@dataclass(frozen=True, slots=True)
class _Inherited:
    """The settings that the APIs of a provider take from it unless they have their own.

    ``bound_certificate`` holds the certificate that access tokens are bound to, if they are.
    """

    loopback_http: bool
    ca_bundle: str | None
    bearer: BearerSource
    bound_certificate: NetworkSettings | None = None
    profile: Profile | None = None


def _apis(provider: str, body: object, at: _Location, inherited: _Inherited) -> tuple[Api, ...]:
    if body is None:
        return ()
    if not isinstance(body, Mapping):
        at.add("apis", "is not a mapping", "Write {name: {settings}}.")
        return ()
    read: list[Api] = []
    for number, (name, entry) in enumerate(body.items(), 1):
        here = _Location(at.findings, f"{at.path}.apis.{_display_name(name, number, _LABEL)}")
        usable = _usable_name(name, here)
        if not isinstance(entry, Mapping):
            here.add("", "is not a mapping", "Write the API's settings as {key: value}.")
        else:
            read.append(_api(provider, usable, entry, here, inherited))
    return tuple(read)


def _api(provider: str, name: str, body: Mapping[Any, Any], at: _Location, inherited: _Inherited) -> Api:
    keys = _Keys.of(body, at)
    check_api(keys, inherited.profile)
    base_url = (
        keys.text("base_url", required="Write the API's address, for example 'https://api.example.com/v1/'.") or ""
    )
    if base_url:
        _check_url(at, "base_url", base_url, loopback_http=inherited.loopback_http)
        if not base_url.endswith("/"):
            at.add("base_url", "does not end with a slash", "Add one, so that paths are joined below it.")
    methods = keys.words("methods", ("GET", "HEAD", "POST"))
    if any(method not in _METHODS for method in methods):
        at.add("methods", "holds an unknown method", f"Use upper-case words of: {', '.join(_METHODS)}.")
    prefixes = keys.words("path_prefixes", ("/",))
    _check_prefixes(at, prefixes)
    callers = keys.words("callers", ("browser", "kernel"))
    if not set(callers) <= {"browser", "kernel"} or not callers:
        at.add("callers", "is not a list of 'browser' and 'kernel'", "Write one or both of them.")
    scopes = keys.scopes("scopes", ())
    source = keys.choice("api_bearer_token_source", inherited.bearer, _SOURCES)
    audience, resource = keys.text("audience"), keys.text("resource")
    if keys.body.get("api_bearer_token_source") == "id_token" and (scopes or audience or resource):
        at.add(
            "api_bearer_token_source",
            "is 'id_token', but this API asks for an access token of its own",
            "Write 'access_token', or remove the API's scopes, audience and resource.",
            "contradictory",
        )
    network = read_network(keys)
    if inherited.bound_certificate is not None and source == "access_token":
        network = with_provider_certificate(keys, network, inherited.bound_certificate)
        if base_url.startswith("http:"):
            problem = "is not https, and the tokens of this API are bound to a certificate"
            at.add("base_url", problem, f"Write https, or set {_CERTIFICATE_BOUND_TOKENS} to False.", "contradictory")
    api = Api(
        name=name,
        provider=provider,
        base_url=base_url,
        bearer_token_source=source,
        methods=methods,
        path_prefixes=prefixes,
        path_data=_path_data(keys),
        scopes=scopes or None,
        audience=audience,
        resource=resource,
        requires=keys.words("requires", ()),
        callers=callers,  # type: ignore[arg-type]  # NOTE: checked above; a finding keeps the value from use
        request_headers=_header_names(keys, "request_headers"),
        reply_headers=_header_names(keys, "reply_headers"),
        headers=_secret_headers(keys),
        timeout_connect=keys.number("timeout_connect", 10, 0.1, 600),
        timeout_header=keys.number("timeout_header", 30, 0.1, 3600),
        timeout_idle=keys.number("timeout_idle", 60, 0.1, 86_400),
        timeout_upload=keys.number("timeout_upload", 30, 0.1, 3600),
        max_request_bytes=keys.count("max_request_bytes", None, 1, 2**53),
        max_message_bytes=keys.count("max_message_bytes", 10_485_760, 1_024, 2**31) or 0,
        max_in_flight=keys.count("max_in_flight", 100, 1, 10_000) or 0,
        max_queue=keys.count("max_queue", 1_000, 0, 100_000) or 0,
        allow_private_network=keys.flag("allow_private_network"),
        ca_bundle=keys.text("ca_bundle") or inherited.ca_bundle,
        **network,
    )
    keys.finish()
    return api


def _header_names(keys: _Keys, key: str) -> frozenset[str]:
    names = keys.words(key, ())
    for number, name in enumerate(names, 1):
        if not may_be_listed(name):
            known = has_authority(name)
            instead = f"Remove '{name}'." if known else f"Remove entry {number}."
            kind: Kind = "unsafe" if known else "malformed"
            keys.at.add(key, "holds a header that never passes, or no header name", instead, kind)
    return frozenset(name.lower() for name in names)


def _secret_headers(keys: _Keys) -> tuple[tuple[str, SecretRef], ...]:
    """Read names of headers and references to their values; a finding does not repeat an unusable name."""
    key = "headers"
    body = keys.take(key)
    if body is None:
        return ()
    if not isinstance(body, Mapping):
        keys.at.add(key, "is not a mapping", "Write {name: reference}.")
        return ()
    inside = _Keys(_Location(keys.at.findings, f"{keys.at.path}.{key}"), dict(body))
    read: dict[str, tuple[str, SecretRef]] = {}
    for number, name in enumerate(body, 1):
        if not isinstance(name, str) or not may_be_listed(name):
            inside.at.add(
                f"(entry {number})", "is a header that never passes, or no header name", "Remove it.", "unsafe"
            )
        elif name.lower() in read:
            inside.at.add(
                f"(entry {number})", "is written twice, in two spellings", "Keep one of them.", "contradictory"
            )
        else:
            header_name = _display_name(name, number, _LABEL)
            reference = read_secret_reference(_Keys(inside.at, {header_name: body[name]}), header_name)
            if reference is not None:
                read[name.lower()] = (name, reference)
    return tuple(read.values())


def _path_data(keys: _Keys) -> frozenset[str]:
    key, known = "path_data", get_args(PathData)
    forms = frozenset(form.upper() for form in keys.words(key, ()))
    if not forms <= set(known):
        keys.at.add(key, "holds something that can be no data of a path", f"Write some of: {', '.join(known)}.")
    return forms


def _check_prefixes(at: _Location, prefixes: tuple[str, ...]) -> None:
    for prefix in prefixes:
        if not prefix.startswith("/") or re.search(r"//|[?#%;\\\s]|/\.\.?(/|\Z)", prefix):
            at.add("path_prefixes", "holds something that is not a plain path", "Write for example '/items/'.")
    for one in prefixes:
        if any(other != one and one.startswith(other.rstrip("/") + "/") for other in prefixes):
            at.add("path_prefixes", "overlap: one entry lies inside another", "Keep the shorter one.", "contradictory")


def _check_url(at: _Location, key: str, url: str, *, loopback_http: bool, query: bool = False) -> None:
    """Report every fault of ``url`` that could send a token to a wrong host; never quote it.

    ``query`` says that a query is allowed: some providers name a policy there.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    plain = url.isascii() and not re.search(r"[\s\\]", url)
    if not host or parts.scheme not in ("https", "http") or port == 0 or not plain:
        at.add(key, "is not an absolute URL", "Write https://host/...")
        return
    if "@" in parts.netloc:
        at.add(key, "holds a user name or password", "Remove it; secrets never stand in a URL.", "unsafe")
    if parts.scheme == "http" and not (loopback_http and host in _LOOPBACK):
        loopback = host in _LOOPBACK
        hint = "Write https." + (" While developing, set 'allow_insecure_loopback': True." if loopback else "")
        at.add(key, "is not https", hint, "unsafe")
    if query and "#" in url:
        at.add(key, "holds a fragment", "Remove everything from '#' on.")
    if not query and (parts.query or parts.fragment or "?" in url or "#" in url):
        at.add(key, "holds a query or a fragment", "Remove everything from '?' or '#' on.")
    if re.search(r"[%;]|/\.\.?(/|\Z)", parts.path) or "//" in parts.path:
        at.add(key, "has a path with dot segments, escapes or empty segments", "Write a plain path.", "unsafe")


def _path_of(url: str) -> str:
    """Return the path of ``url``, or nothing if it is no URL, which is reported elsewhere."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _display_name(key: object, number: int, harmless: re.Pattern[str]) -> str:
    """Return ``key`` if it looks like one of ours or like a typing mistake; else only its position.

    A secret that was pasted as a key is not repeated, and no line break reaches a log.
    """
    return key if isinstance(key, str) and harmless.match(key) else f"(entry {number})"


def check_unique_apis(providers: Sequence[Provider], findings: list[Finding]) -> None:
    """Report every API whose name another provider's API has; an unusable name is reported elsewhere."""
    owners: dict[str, str] = {}
    for provider in providers:
        for api in provider.apis:
            if api.name in owners and not provider.name.startswith(_UNNAMED):
                findings.append(
                    Finding(
                        f"providers.{provider.name}.apis.{api.name}",
                        f"has the name of an API of provider '{owners[api.name]}'",
                        "Give each API a name of its own; callers know it by this name alone.",
                        "contradictory",
                    ),
                )
            owners.setdefault(api.name, provider.name)

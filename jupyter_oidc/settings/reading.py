"""Read settings from a plain mapping, and report every mistake at once.

The reader never raises on bad input and never repeats a value that could be a secret: each
:class:`Finding` names the key, says what is wrong, and what to write instead (G-5, D8).
Keys are accepted in ``snake_case`` and in the ``camelCase`` of the desktop settings file.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from jupyter_oidc.settings.header_names import may_be_listed
from jupyter_oidc.settings.model import Api, Provider, SecretRef, Settings
from jupyter_oidc.settings.network import read_network

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+\Z")  # RFC 6749, 3.3: scope-token
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])([A-Z])")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"),
)
_LATER: Final = "this version does not support it"


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: the ``key`` as a dotted path, the ``problem``, and what to write ``instead``."""

    key: str
    problem: str
    instead: str

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}. {self.instead}"


def read_settings(providers: object, storage: object = "auto") -> Settings | list[Finding]:
    """Return validated :class:`Settings`, or all findings if there is at least one."""
    findings: list[Finding] = []
    read: list[Provider] = []
    if not isinstance(providers, Mapping):
        findings.append(Finding("providers", "is not a mapping", "Write {name: {settings}}."))
    else:
        for name, body in providers.items():
            at = _At(findings, f"providers.{name}")
            if not isinstance(name, str) or not _NAME.match(name):
                at.add("", "is not a usable name", "Use lower-case letters, digits, '-' and '_'.")
            elif not isinstance(body, Mapping):
                at.add("", "is not a mapping", "Write the provider's settings as {key: value}.")
            else:
                read.append(_provider(name, body, at))
    if storage not in ("auto", "keyring", "encrypted-file", "memory"):
        instead = "Write 'auto', 'keyring', 'encrypted-file' or 'memory'."
        findings.append(Finding("storage", "is not a known storage", instead))
    _check_unique_apis(read, findings)
    if findings:
        return findings
    return Settings(tuple(read), storage)  # type: ignore[arg-type]  # NOTE: checked three lines above


@dataclass(frozen=True, slots=True)
class _At:
    """A place in the settings, and the list that its findings go to."""

    findings: list[Finding]
    path: str

    def add(self, key: str, problem: str, instead: str) -> None:
        self.findings.append(Finding(f"{self.path}.{key}" if key else self.path, problem, instead))


@dataclass(slots=True)
class _Keys:
    """Reads one mapping key by key, remembering which keys were asked for."""

    at: _At
    body: dict[str, Any]
    asked: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, body: Mapping[Any, Any], at: _At) -> _Keys:
        snake: dict[str, Any] = {}
        for key, value in body.items():
            name = _CAMEL.sub(lambda found: "_" + found.group(1).lower(), str(key))
            if name in snake:
                at.add(name, "is written twice, in two spellings", "Keep one of them.")
            snake[name] = value
        return cls(at, snake)

    def take(self, key: str) -> Any:
        self.asked.add(key)
        return self.body.get(key)

    def text(self, key: str, *, required: bool = False) -> str | None:
        value = self.take(key)
        if value is None:
            if required:
                self.at.add(key, "is missing", "It is required.")
            return None
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            self.at.add(key, "is not a printable, non-empty text", "Write it in quotes.")
            return None
        return value

    def choice(self, key: str, default: str, options: tuple[str, ...], later: tuple[str, ...] = ()) -> Any:
        value = self.take(key)
        if value is None or value in options:
            return default if value is None else value
        problem = _LATER if value in later else "is not one of the allowed values"
        self.at.add(key, problem, f"Write one of: {', '.join(options)}.")
        return default

    def flag(self, key: str) -> bool:
        value = self.take(key)
        if value is not None and not isinstance(value, bool):
            self.at.add(key, "is not true or false", "Write True or False without quotes.")
        return value is True

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
            self.at.add(key, "is not a list", f"Write ['a', 'b'], for example {list(default)}.")
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


def _provider(name: str, body: Mapping[Any, Any], at: _At) -> Provider:
    keys = _Keys.of(body, at)
    loopback = keys.flag("allow_insecure_loopback")
    issuer = keys.text("issuer", required=True) or ""
    if issuer:
        _check_url(at, "issuer", issuer, loopback_http=loopback)
    scopes = keys.scopes("scopes", ("openid", "profile", "email", "offline_access"))
    if "openid" not in scopes:
        at.add("scopes", "does not contain 'openid'", "Add 'openid'; without it there is no ID token.")
    redirect_uri = keys.text("redirect_uri")
    if redirect_uri:
        # A loopback redirect URI is plain http by design (RFC 8252, 7.3).
        _check_url(at, "redirect_uri", redirect_uri, loopback_http=True)
        if not urlsplit(redirect_uri).path.endswith(f"/jupyter-oidc/providers/{name}/callback"):
            at.add(
                "redirect_uri",
                "does not lead to this server's callback",
                f"End it with /jupyter-oidc/providers/{name}/callback, and register the same value.",
            )
    post_logout = keys.text("post_logout_redirect_uri")
    if post_logout:
        _check_url(at, "post_logout_redirect_uri", post_logout, loopback_http=True)
    if keys.take("preset") is not None:
        at.add("preset", _LATER, "Write the provider's settings out.")
    secret = _secret_ref(keys)
    method = keys.choice(
        "token_endpoint_auth_method",
        "none",
        ("none", "client_secret_basic", "client_secret_post"),
        later=("client_secret_jwt", "private_key_jwt"),
    )
    alg = keys.choice("id_token_signed_response_alg", "RS256", _ALGORITHMS)
    userinfo_alg = keys.take("userinfo_signed_response_alg")
    if userinfo_alg is not None and userinfo_alg not in _ALGORITHMS:
        at.add("userinfo_signed_response_alg", "is not one of the allowed values", "Leave it out for unsigned.")
    _check_client_secret(at, method, secret, keys.body.get("client_secret"), str(alg))
    origins = keys.words("allowed_sign_out_origins", ())
    for origin in origins:
        _check_url(at, "allowed_sign_out_origins", origin, loopback_http=loopback)
    ca_bundle = keys.text("ca_bundle")
    required = keys.take("userinfo_required")
    if required is not None and not isinstance(required, bool):
        at.add("userinfo_required", "is not true or false", "Write True or False without quotes.")
    provider = Provider(
        name=name,
        issuer=issuer,
        client_id=keys.text("client_id", required=True) or "",
        client_secret=secret,
        token_endpoint_auth_method=method,
        scopes=scopes,
        audience=keys.text("audience"),
        send_audience_in_authorize=keys.flag("send_audience_in_authorize"),
        redirect_strategy=keys.choice(
            "redirect_strategy",
            "auto",
            ("auto", "server"),
            later=("loopback", "device", "paste"),
        ),
        redirect_uri=redirect_uri,
        response_mode=keys.choice("response_mode", "query", ("query", "form_post")),
        id_token_signed_response_alg=alg,
        userinfo_signed_response_alg=userinfo_alg,
        userinfo_required=required is not False,
        dpop_bound_access_tokens=keys.flag("dpop_bound_access_tokens"),
        trusted_audiences=keys.words("trusted_audiences", ()),
        prompt=_prompt(keys),
        max_age=_max_age(keys),
        clock_skew=keys.number("clock_skew", 60, 0, 300),
        http_timeout=keys.number("http_timeout", 10, 1, 60),
        ca_bundle=ca_bundle,
        **read_network(keys),
        post_logout_redirect_uri=post_logout,
        allowed_sign_out_origins=origins,
        entitlement_claims=keys.words("entitlement_claims", ("roles", "groups", "permissions")),
        allow_insecure_loopback=loopback,
        apis=_apis(name, keys.take("apis"), at, loopback_http=loopback, ca_bundle=ca_bundle),
    )
    keys.finish()
    return provider


def _prompt(keys: _Keys) -> str | None:
    value = keys.take("prompt")
    if value is None or value in ("login", "consent", "select_account"):
        return value  # type: ignore[no-any-return]  # NOTE: one of four values
    keys.at.add("prompt", "is not one of the allowed values", "Write 'login', 'consent' or 'select_account'.")
    return None


def _max_age(keys: _Keys) -> int | None:
    value = keys.take("max_age")
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    keys.at.add("max_age", "is not a whole number of seconds", "Write for example 3600.")
    return None


def _secret_ref(keys: _Keys) -> SecretRef | None:
    value = keys.take("client_secret")
    if value is None:
        return None
    scheme, _, name = value.partition(":") if isinstance(value, str) else ("", "", "")
    if scheme in ("env", "file", "keyring") and name and name.isprintable():
        return SecretRef(scheme, name)  # type: ignore[arg-type]  # NOTE: checked in this very line
    keys.at.add(
        "client_secret",
        "is not a reference (its value is not shown here)",
        "Write 'env:NAME', 'file:PATH' or 'keyring:SERVICE/USER'; a secret never stands in the settings.",
    )
    return None


def _check_client_secret(at: _At, method: str, secret: SecretRef | None, written: object, alg: str) -> None:
    if written is not None and secret is None:
        return  # already reported
    if method == "none" and secret is not None and not alg.startswith("HS"):
        at.add(
            "token_endpoint_auth_method",
            "is 'none', but a client_secret is given",
            "Write 'client_secret_basic', or remove the client_secret.",
        )
    if method != "none" and secret is None:
        at.add("client_secret", f"is missing, and '{method}' needs it", "Write 'env:NAME' or another reference.")
    if alg.startswith("HS") and secret is None:
        at.add("id_token_signed_response_alg", "needs a client_secret", "Write 'RS256', or give the client_secret.")


def _apis(provider: str, body: object, at: _At, *, loopback_http: bool, ca_bundle: str | None) -> tuple[Api, ...]:
    if body is None:
        return ()
    if not isinstance(body, Mapping):
        at.add("apis", "is not a mapping", "Write {name: {settings}}.")
        return ()
    read: list[Api] = []
    for name, entry in body.items():
        here = _At(at.findings, f"{at.path}.apis.{name}")
        if not isinstance(name, str) or not _NAME.match(name):
            here.add("", "is not a usable name", "Use lower-case letters, digits, '-' and '_'.")
        elif not isinstance(entry, Mapping):
            here.add("", "is not a mapping", "Write the API's settings as {key: value}.")
        else:
            read.append(_api(provider, name, entry, here, loopback_http=loopback_http, ca_bundle=ca_bundle))
    return tuple(read)


def _api(
    provider: str, name: str, body: Mapping[Any, Any], at: _At, *, loopback_http: bool, ca_bundle: str | None
) -> Api:
    keys = _Keys.of(body, at)
    base_url = keys.text("base_url", required=True) or ""
    if base_url:
        _check_url(at, "base_url", base_url, loopback_http=loopback_http)
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
    api = Api(
        name=name,
        provider=provider,
        base_url=base_url,
        bearer_token_source=keys.choice("api_bearer_token_source", "access_token", ("access_token", "id_token")),
        methods=methods,
        path_prefixes=prefixes,
        scopes=scopes or None,
        audience=keys.text("audience"),
        resource=keys.text("resource"),
        requires=keys.words("requires", ()),
        callers=callers,  # type: ignore[arg-type]  # NOTE: checked above; a finding keeps the value from use
        request_headers=_header_names(keys, "request_headers"),
        reply_headers=_header_names(keys, "reply_headers"),
        timeout_connect=keys.number("timeout_connect", 10, 0.1, 600),
        timeout_header=keys.number("timeout_header", 30, 0.1, 3600),
        timeout_idle=keys.number("timeout_idle", 60, 0.1, 86_400),
        timeout_upload=keys.number("timeout_upload", 30, 0.1, 3600),
        max_request_bytes=keys.count("max_request_bytes", None, 1, 2**53),
        max_message_bytes=keys.count("max_message_bytes", 10_485_760, 1_024, 2**31) or 0,
        max_in_flight=keys.count("max_in_flight", 100, 1, 10_000) or 0,
        max_queue=keys.count("max_queue", 1_000, 0, 100_000) or 0,
        allow_private_network=keys.flag("allow_private_network"),
        ca_bundle=keys.text("ca_bundle") or ca_bundle,
        **read_network(keys),
    )
    keys.finish()
    return api


def _header_names(keys: _Keys, key: str) -> frozenset[str]:
    names = keys.words(key, ())
    for name in names:
        if not may_be_listed(name):
            keys.at.add(key, "holds a header that never passes, or no header name", f"Remove '{name[:40]}'.")
    return frozenset(name.lower() for name in names)


def _check_prefixes(at: _At, prefixes: tuple[str, ...]) -> None:
    for prefix in prefixes:
        if not prefix.startswith("/") or re.search(r"//|[?#%;\\\s]|/\.\.?(/|\Z)", prefix):
            at.add("path_prefixes", "holds something that is not a plain path", "Write for example '/items/'.")
    for one in prefixes:
        if any(other != one and one.startswith(other.rstrip("/") + "/") for other in prefixes):
            at.add("path_prefixes", "overlap: one entry lies inside another", "Keep the shorter one.")


def _check_url(at: _At, key: str, url: str, *, loopback_http: bool) -> None:
    """Report everything about ``url`` that could send a token to the wrong place; never quote it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in ("https", "http"):
        at.add(key, "is not an absolute URL", "Write https://host/...")
        return
    if "@" in parts.netloc:
        at.add(key, "holds a user name or password", "Remove it; secrets never stand in a URL.")
    if parts.scheme == "http" and not (loopback_http and host in _LOOPBACK):
        hint = "Write https. For a loopback address set 'allow_insecure_loopback': True while developing."
        at.add(key, "is not https", hint)
    if parts.query or parts.fragment or "?" in url or "#" in url:
        at.add(key, "holds a query or a fragment", "Remove everything from '?' or '#' on.")
    if re.search(r"[\s\\%;]|/\.\.?(/|\Z)", parts.path) or "//" in parts.path:
        at.add(key, "has a path with dot segments, escapes or empty segments", "Write a plain path.")


def _check_unique_apis(providers: list[Provider], findings: list[Finding]) -> None:
    owners: dict[str, str] = {}
    for provider in providers:
        for api in provider.apis:
            if api.name in owners:
                findings.append(
                    Finding(
                        f"providers.{provider.name}.apis.{api.name}",
                        f"has the name of an API of provider '{owners[api.name]}'",
                        "Give each API a name of its own; callers know it by this name alone.",
                    ),
                )
            owners.setdefault(api.name, provider.name)

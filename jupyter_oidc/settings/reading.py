"""Read settings from a plain mapping, and report every mistake at once.

The reader never raises on bad input and never repeats a value that could be a secret: each
:class:`Finding` names the key, the problem, and what to write instead (G-5, D8).
Keys are accepted in ``snake_case`` and in the ``camelCase`` of the desktop settings file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any, Final, cast, get_args
from urllib.parse import urlsplit

from jupyter_oidc.contract.storage import RequestedStorage
from jupyter_oidc.language import N_, any_of, sentence
from jupyter_oidc.settings.api_description import read_document, read_example, read_link
from jupyter_oidc.settings.client_authentication import read_client_authentication
from jupyter_oidc.settings.fields import Setting, Url
from jupyter_oidc.settings.finding import Finding, Kind
from jupyter_oidc.settings.header_names import has_authority, may_be_listed
from jupyter_oidc.settings.key_reader import LABEL, KeyReader, Location, check_url, display_name, such_as
from jupyter_oidc.settings.model import (
    API_SETTINGS,
    ENDPOINTS,
    METHODS,
    PROVIDER_SETTINGS,
    STANDARD_LOGOUT_PARAMETER,
    TLS_METHODS,
    Api,
    BearerSource,
    ClaimPath,
    PathData,
    Profile,
    Provider,
    SecretRef,
    Settings,
    SignOutMethod,
)
from jupyter_oidc.settings.network import NetworkSettings, check_certificate, read_network, with_provider_certificate
from jupyter_oidc.settings.profile import apply_profile, check_api
from jupyter_oidc.settings.redirect_uri import is_loopback, leads_through_hub, leads_to_callback, takes_any_port
from jupyter_oidc.settings.secret_reference import read_secret_reference
from jupyter_oidc.strategies import facts_of_setting

if TYPE_CHECKING:
    from jupyter_oidc.contract.strategy import RequestedStrategy

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z")
_UNNAMED: Final = "?"
"""The first character of a stand-in for an unusable name; no valid name begins with it."""

_CLASS: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+\Z", re.ASCII)
_CERTIFICATE_BOUND_TOKENS: Final = "tls_client_certificate_bound_access_tokens"
_PARAMETER: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}\Z")
_ENDPOINT_SETTINGS: Final = tuple(Setting(name, None, Url(query=True), None, "") for name in ENDPOINTS)
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
        findings.append(Finding("providers", N_("is not a mapping"), N_("Write {name: {settings}}.")))
    else:
        for number, (name, body) in enumerate(providers.items(), 1):
            at = Location(findings, f"providers.{display_name(name, number, LABEL)}")
            usable = _usable_name(name, at)
            if not isinstance(body, Mapping):
                at.add("", N_("is not a mapping"), N_("Write the provider's settings as {key: value}."))
            else:
                read.append(_provider(usable, body, at))
    if storage not in get_args(RequestedStorage):
        *others, last = (f"'{word}'" for word in get_args(RequestedStorage))
        alternatives = any_of([", ".join(others), last])
        instead: str = sentence("Write {alternatives}.", alternatives=alternatives)
        findings.append(Finding("storage", N_("is not a known storage"), instead))
    if keyring_backend is not None and not (isinstance(keyring_backend, str) and _CLASS.match(keyring_backend)):
        instead = N_("Write 'module.Class', for example 'keyring.backends.SecretService.Keyring', or remove it.")
        findings.append(Finding("keyring_backend", N_("is not the name of a class"), instead))
    if storage_folder is not None and not (isinstance(storage_folder, str) and _is_whole_path(storage_folder)):
        instead = N_("Write the whole path of a folder on this machine's own disk, or remove it.")
        findings.append(Finding("storage_folder", N_("is not the whole path of a folder"), instead))
    check_unique_apis(read, findings)
    if findings:
        return findings
    return Settings(tuple(read), storage, keyring_backend, storage_folder)  # type: ignore[arg-type]  # NOTE: checked


def _is_whole_path(text: str) -> bool:
    """Return whether ``text`` is an absolute path, or one from the home folder."""
    return text.isprintable() and (text.startswith(("/", "~/", "~\\")) or PureWindowsPath(text).is_absolute())


def _usable_name(name: object, at: Location) -> str:
    """Return ``name``, or report it and return one that stands for it, so that what it names is judged all the same."""
    if isinstance(name, str) and _NAME.match(name):
        return name
    at.add("", N_("is not a usable name"), N_("Use lower-case letters, digits, '-' and '_'."))
    return f"{_UNNAMED}{at.path}"


def _provider(name: str, body: Mapping[Any, Any], at: Location) -> Provider:
    keys = KeyReader.of(body, at, PROVIDER_SETTINGS)
    _preset(keys)
    profile = keys.value("profile")
    apply_profile(keys, profile)
    keys.loopback_http = keys.value("allow_insecure_loopback")
    keys.value("issuer")
    if "openid" not in keys.value("scopes"):
        at.add(
            "scopes", N_("does not contain 'openid'"), N_("Add 'openid'; without it there is no ID token."), "missing"
        )
    redirect_uri, strategy = keys.value("redirect_uri"), keys.value("redirect_strategy")
    _check_strategy(at, name, strategy, redirect_uri, keys.value("response_mode"))
    alg, _ = keys.value("id_token_signed_response_alg"), keys.value("userinfo_signed_response_alg")
    authentication = read_client_authentication(keys, alg or "")
    ca_bundle = keys.value("ca_bundle")
    _check_audience(keys)
    bearer = keys.value("api_bearer_token_source")
    network, bound = read_network(keys), keys.value(_CERTIFICATE_BOUND_TOKENS)
    by_method = authentication["token_endpoint_auth_method"] in TLS_METHODS
    if by_method or bound:
        wanted_by = authentication["token_endpoint_auth_method"] if by_method else _CERTIFICATE_BOUND_TOKENS
        check_certificate(keys, network, wanted_by)
    inherited = _Inherited(
        loopback_http=keys.loopback_http,
        ca_bundle=ca_bundle,
        bearer=bearer,
        bound_certificate=network if bound else None,
        profile=profile,
    )
    own: Mapping[str, Callable[[], object]] = {
        "endpoints": lambda: _endpoints(keys),
        "authorization_parameters": lambda: _authorization_parameters(keys),
        "sign_out_method": lambda: _sign_out_method(keys),
        "post_logout_redirect_parameter": lambda: _logout_parameter(keys),
        "allowed_sign_out_origins": lambda: _sign_out_origins(keys),
        "entitlement_claims": lambda: _claim_paths(keys, "entitlement_claims"),
        "apis": lambda: _apis(name, keys.take("apis"), at, inherited),
    }
    read = keys.fields(own, {**authentication, **network})
    keys.finish()
    return Provider(name=name, scopes_by_default=keys.take("scopes") is None, **read)


def _check_strategy(
    at: Location, name: str, strategy: RequestedStrategy, redirect_uri: str | None, response_mode: str
) -> None:
    """Report a redirect URI that does not fit its strategy; each strategy allows other targets."""
    facts = facts_of_setting(strategy)
    if facts is not None and facts.reads_address and response_mode == "form_post":
        at.add(
            "response_mode",
            sentence("is 'form_post', and '{strategy}' reads the address", strategy=strategy),
            N_("Write 'query', or remove it."),
            "contradictory",
        )
    if facts is not None and facts.needs_redirect_uri and redirect_uri is None:
        fault = sentence("is missing, and '{entry}' needs it", entry=strategy)
        at.add("redirect_uri", fault, N_("Write the address that is registered."), "missing")
    if redirect_uri is None:
        return
    target = facts and facts.redirect_target
    if target == "loopback" and not is_loopback(redirect_uri):
        instead = N_("Write http://127.0.0.1/PATH; without a port any free one is taken. Register the same value.")
        fault = sentence("is not a loopback address, and '{strategy}' needs one", strategy=strategy)
        at.add("redirect_uri", fault, instead, "contradictory")
    if leads_through_hub(redirect_uri, name) and response_mode == "form_post":
        at.add(
            "response_mode",
            N_(
                "is 'form_post', and the redirect_uri leads through JupyterHub, which sends a browser on without the "
                "form"
            ),
            N_("Write 'query'."),
            "contradictory",
        )
    if name.startswith(_UNNAMED):
        return  # the callback's path depends on the name
    to_server = target == "callback" or (facts is None and not takes_any_port(redirect_uri))
    if to_server and not leads_to_callback(redirect_uri, name):
        at.add(
            "redirect_uri",
            N_("does not lead to this server's callback"),
            sentence(
                "End it with /jupyter-oidc/providers/{provider}/callback, and register the same value.", provider=name
            ),
        )


def _preset(keys: KeyReader) -> None:
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
        keys.at.add(
            "preset", N_("is not the name of a preset"), sentence("Write one of: {options}.", options=", ".join(known))
        )


def _endpoints(keys: KeyReader) -> tuple[tuple[str, str], ...]:
    """Read the endpoints that replace the metadata's: of a closed list, by the same rules for addresses."""
    value = keys.take("endpoints")
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        keys.at.add("endpoints", N_("is not a mapping"), N_("Write {'token_endpoint': 'https://...'}."))
        return ()
    named = KeyReader.of(value, Location(keys.at.findings, f"{keys.at.path}.endpoints"), _ENDPOINT_SETTINGS)
    named.loopback_http = keys.loopback_http
    read = ((name, named.value(name)) for name in ENDPOINTS)
    found = tuple((name, url) for name, url in read if url)
    named.finish()
    return found


def _sign_out_method(keys: KeyReader) -> SignOutMethod:
    """Return how a browser is sent to the provider's sign-out page; a page outside the standard takes no form.

    Version 0.1.0 wrote ``offer_provider_sign_out`` for ``none``.
    """
    of_its_own = keys.take("post_logout_redirect_parameter") not in (None, STANDARD_LOGOUT_PARAMETER)
    offered, written = keys.value("offer_provider_sign_out"), keys.take("sign_out_method")
    by_default = ("link" if of_its_own else "form") if offered else "none"
    method: SignOutMethod = keys.value("sign_out_method", by_default)
    if written is not None and not offered and method != "none":
        instead = N_("Remove offer_provider_sign_out, or write sign_out_method 'none'.")
        keys.at.add(
            "offer_provider_sign_out", N_("is false, and sign_out_method says otherwise"), instead, "contradictory"
        )
    if of_its_own and method == "form":
        problem = N_("is 'form', and a page with a post_logout_redirect_parameter of its own takes none")
        keys.at.add("sign_out_method", problem, N_("Write 'link', or remove it."), "contradictory")
    return method


def _logout_parameter(keys: KeyReader) -> str:
    key = "post_logout_redirect_parameter"
    name: str = keys.value(key)
    if not _PARAMETER.match(name) or name in ("client_id", "state", "id_token_hint"):
        keys.at.add(key, N_("is not the name of a parameter for an address"), N_("Write for example 'logout_uri'."))
    return name


def _claim_paths(keys: KeyReader, key: str) -> tuple[ClaimPath, ...]:
    """Return claims, each as its name or as the list of keys on the way to it."""
    value, default = keys.take(key), cast("tuple[ClaimPath, ...]", keys.table[key].default)
    if value is None:
        return default
    if isinstance(value, str) or not isinstance(value, (list, tuple, set, frozenset)):
        keys.at.add(key, N_("is not a list"), such_as(list(default)))
        return default
    paths: list[ClaimPath] = []
    for entry in value:
        parts = tuple(entry) if isinstance(entry, (list, tuple)) else (entry,)
        if not parts or not all(isinstance(part, str) and part and part.isprintable() for part in parts):
            keys.at.add(
                key, N_("holds something that is not text"), N_("Write quoted words, or lists of quoted words.")
            )
            return default
        paths.append(entry if isinstance(entry, str) else parts)
    return tuple(paths)


def _authorization_parameters(keys: KeyReader) -> tuple[tuple[str, str], ...]:
    key, value = "authorization_parameters", keys.take("authorization_parameters")
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        keys.at.add(key, N_("is not a mapping"), N_("Write {name: value}."))
        return ()
    for number, (name, text) in enumerate(value.items(), 1):
        if not isinstance(name, str) or not _PARAMETER.match(name):
            keys.at.add(
                key,
                N_("holds something that is not the name of a parameter"),
                sentence("Remove entry {number}.", number=number),
            )
        elif name in _RESERVED_PARAMETERS:
            problem = sentence("holds '{name}', which jupyter_oidc sends itself or never", name=name)
            keys.at.add(key, problem, N_("Remove it; what can be changed has a key of its own."), "unsafe")
        elif not isinstance(text, str) or not text or not text.isprintable():
            keys.at.add(
                key, N_("holds a value that is not text"), sentence("Write entry {number} in quotes.", number=number)
            )
    return tuple((str(name), str(text)) for name, text in value.items())


def _check_audience(keys: KeyReader) -> None:
    keys.value("audience")
    if keys.value("send_audience_in_authorize") and keys.take("audience") is None:
        keys.at.add(
            "send_audience_in_authorize",
            N_("is true, but there is no audience to send"),
            N_("Write the audience that the API's owner names, or set this to False."),
            "contradictory",
        )


def _sign_out_origins(keys: KeyReader) -> tuple[str, ...]:
    key = "allowed_sign_out_origins"
    origins: tuple[str, ...] = keys.value(key)
    for origin in origins:
        check_url(keys.at, key, origin, loopback_http=keys.loopback_http)
        if _path_of(origin) not in ("", "/"):
            keys.at.add(key, N_("holds an address with a path"), N_("Write https://host and nothing more."))
    return origins


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


def _apis(provider: str, body: object, at: Location, inherited: _Inherited) -> tuple[Api, ...]:
    if body is None:
        return ()
    if not isinstance(body, Mapping):
        at.add("apis", N_("is not a mapping"), N_("Write {name: {settings}}."))
        return ()
    read: list[Api] = []
    for number, (name, entry) in enumerate(body.items(), 1):
        here = Location(at.findings, f"{at.path}.apis.{display_name(name, number, LABEL)}")
        usable = _usable_name(name, here)
        if not isinstance(entry, Mapping):
            here.add("", N_("is not a mapping"), N_("Write the API's settings as {key: value}."))
        else:
            read.append(_api(provider, usable, entry, here, inherited))
    return tuple(read)


def _api(provider: str, name: str, body: Mapping[Any, Any], at: Location, inherited: _Inherited) -> Api:
    keys = KeyReader.of(body, at, API_SETTINGS)
    keys.loopback_http = inherited.loopback_http
    check_api(keys, inherited.profile)
    base_url = keys.value("base_url")
    if base_url and not base_url.endswith("/"):
        at.add("base_url", N_("does not end with a slash"), N_("Add one, so that paths are joined below it."))
    if any(method not in METHODS for method in keys.value("methods")):
        at.add(
            "methods",
            N_("holds an unknown method"),
            sentence("Use upper-case words of: {options}.", options=", ".join(METHODS)),
        )
    _check_prefixes(at, keys.value("path_prefixes"))
    callers = keys.value("callers")
    if not set(callers) <= {"browser", "kernel"} or not callers:
        at.add("callers", N_("is not a list of 'browser' and 'kernel'"), N_("Write one or both of them."))
    scopes = keys.value("scopes") or None
    source = keys.value("api_bearer_token_source", inherited.bearer)
    audience, resource = keys.value("audience"), keys.value("resource")
    if keys.take("api_bearer_token_source") == "id_token" and (scopes or audience or resource):
        at.add(
            "api_bearer_token_source",
            N_("is 'id_token', but this API asks for an access token of its own"),
            N_("Write 'access_token', or remove the API's scopes, audience and resource."),
            "contradictory",
        )
    network = read_network(keys)
    if inherited.bound_certificate is not None and source == "access_token":
        network = with_provider_certificate(keys, network, inherited.bound_certificate)
        if base_url.startswith("http:"):
            problem = N_("is not https, and the tokens of this API are bound to a certificate")
            at.add(
                "base_url",
                problem,
                sentence("Write https, or set {entry} to False.", entry=_CERTIFICATE_BOUND_TOKENS),
                "contradictory",
            )
    own: Mapping[str, Callable[[], object]] = {
        "path_data": lambda: _path_data(keys),
        "request_headers": lambda: _header_names(keys, "request_headers"),
        "reply_headers": lambda: _header_names(keys, "reply_headers"),
        "headers": lambda: _secret_headers(keys),
        "ca_bundle": lambda: keys.value("ca_bundle", inherited.ca_bundle),
        "example": lambda: read_example(keys, keys.value("path_prefixes")),
        "docs_url": lambda: read_link(keys, "docs_url"),
        "openapi": lambda: read_document(keys),
    }
    read = keys.fields(own, {"scopes": scopes, **network})
    keys.finish()
    return Api(name=name, provider=provider, **read)


def _header_names(keys: KeyReader, key: str) -> frozenset[str]:
    names = keys.value(key)
    for number, name in enumerate(names, 1):
        if not may_be_listed(name):
            known = has_authority(name)
            instead = (
                sentence("Remove '{name}'.", name=name) if known else sentence("Remove entry {number}.", number=number)
            )
            kind: Kind = "unsafe" if known else "malformed"
            keys.at.add(key, N_("holds a header that never passes, or no header name"), instead, kind)
    return frozenset(name.lower() for name in names)


def _secret_headers(keys: KeyReader) -> tuple[tuple[str, SecretRef], ...]:
    """Read names of headers and references to their values; a finding does not repeat an unusable name."""
    key = "headers"
    body = keys.take(key)
    if body is None:
        return ()
    if not isinstance(body, Mapping):
        keys.at.add(key, N_("is not a mapping"), N_("Write {name: reference}."))
        return ()
    inside = Location(keys.at.findings, f"{keys.at.path}.{key}")
    read: dict[str, tuple[str, SecretRef]] = {}
    for number, name in enumerate(body, 1):
        if not isinstance(name, str) or not may_be_listed(name):
            inside.add(
                f"(entry {number})", N_("is a header that never passes, or no header name"), N_("Remove it."), "unsafe"
            )
        elif name.lower() in read:
            inside.add(
                f"(entry {number})", N_("is written twice, in two spellings"), N_("Keep one of them."), "contradictory"
            )
        else:
            header_name = display_name(name, number, LABEL)
            reference = read_secret_reference(KeyReader(inside, {header_name: body[name]}, {}), header_name)
            if reference is not None:
                read[name.lower()] = (name, reference)
    return tuple(read.values())


def _path_data(keys: KeyReader) -> frozenset[str]:
    key, known = "path_data", get_args(PathData)
    forms = frozenset(form.upper() for form in keys.words(key))
    if not forms <= set(known):
        keys.at.add(
            key,
            N_("holds something that can be no data of a path"),
            sentence("Write some of: {options}.", options=", ".join(known)),
        )
    return forms


def _check_prefixes(at: Location, prefixes: tuple[str, ...]) -> None:
    for prefix in prefixes:
        if not prefix.startswith("/") or re.search(r"//|[?#%;\\\s]|/\.\.?(/|\Z)", prefix):
            at.add("path_prefixes", N_("holds something that is not a plain path"), N_("Write for example '/items/'."))
    for one in prefixes:
        if any(other != one and one.startswith(other.rstrip("/") + "/") for other in prefixes):
            at.add(
                "path_prefixes",
                N_("overlap: one entry lies inside another"),
                N_("Keep the shorter one."),
                "contradictory",
            )


def _path_of(url: str) -> str:
    """Return the path of ``url``, or nothing if it is no URL, which is reported elsewhere."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def check_unique_apis(providers: Sequence[Provider], findings: list[Finding]) -> None:
    """Report every API whose name another provider's API has; an unusable name is reported elsewhere."""
    owners: dict[str, str] = {}
    for provider in providers:
        for api in provider.apis:
            if api.name in owners and not provider.name.startswith(_UNNAMED):
                findings.append(
                    Finding(
                        f"providers.{provider.name}.apis.{api.name}",
                        sentence("has the name of an API of provider '{owner}'", owner=owners[api.name]),
                        N_("Give each API a name of its own; callers know it by this name alone."),
                        "contradictory",
                    ),
                )
            owners.setdefault(api.name, provider.name)

"""Write validated settings back as a plain mapping: in full for display, or only non-default values for a file.

A client secret is written as its reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.settings.fields import Setting, camel_case
from jupyter_oidc.settings.model import API_SETTINGS, PROVIDER_SETTINGS, Api, Provider, SecretRef
from jupyter_oidc.settings.network import CERTIFICATE_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BEARER: Final = "api_bearer_token_source"
_API: Final = {one.key: one for one in API_SETTINGS}


def as_mapping(provider: Provider, *, in_full: bool) -> dict[str, Any]:
    """Return the settings of ``provider`` in ``snake_case``; without ``in_full`` only non-default values."""
    body = _as_json(provider, PROVIDER_SETTINGS, in_full=in_full)
    apis = {api.name: _api(api, provider, in_full=in_full) for api in provider.apis}
    return {**body, "apis": apis} if apis else body


def camel_cased(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``body`` with the keys of the desktop settings file, those of its APIs included."""
    found = {camel_case(key): value for key, value in body.items()}
    if "endpoints" in found:
        found["endpoints"] = camel_cased(found["endpoints"])
    if "apis" in found:
        found["apis"] = {name: camel_cased(api) for name, api in found["apis"].items()}
    return found


def _api(api: Api, provider: Provider, *, in_full: bool) -> dict[str, Any]:
    body = _as_json(api, API_SETTINGS, in_full=in_full)
    inherited = {"ca_bundle": provider.ca_bundle, _BEARER: provider.api_bearer_token_source}
    if provider.tls_client_certificate_bound_access_tokens and api.bearer_token_source == "access_token":
        inherited |= {name: _json(getattr(provider, name)) for name in CERTIFICATE_KEYS}
    own = {key: _json(getattr(api, str(_API[key].field))) for key in inherited}
    for key in () if in_full else inherited:
        body.pop(key, None)
        if own[key] != inherited[key]:
            body[key] = own[key]
    return body


def _as_json(value: Provider | Api, settings: Iterable[Setting], *, in_full: bool) -> dict[str, Any]:
    """Return the keys of ``value`` that a field holds; the APIs of a provider are written one by one."""
    return {
        one.key: _json(getattr(value, one.field), is_mapping=one.is_mapping)
        for one in settings
        if one.field is not None and one.key != "apis"
        if in_full or one.required or getattr(value, one.field) != one.default
    }


def _json(value: Any, *, is_mapping: bool = False) -> Any:
    if is_mapping:
        return {key: _json(one) for key, one in value}
    if isinstance(value, SecretRef):
        return f"{value.scheme}:{value.name}"
    if isinstance(value, frozenset):
        return sorted(value)
    return [_json(part) for part in value] if isinstance(value, tuple) else value

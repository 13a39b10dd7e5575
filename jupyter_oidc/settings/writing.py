"""Write validated settings back as a plain mapping: in full to look at them, or what differs from the defaults to keep.

A client secret is written as the reference that it is.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.settings.fields import camel_case
from jupyter_oidc.settings.model import Api, Provider, SecretRef
from jupyter_oidc.settings.network import CERTIFICATE_KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

_BEARER: Final = "api_bearer_token_source"
_RENAMED: Final = {"bearer_token_source": _BEARER}
_FIELDS: Final = {written: field for field, written in _RENAMED.items()}
_MAPPINGS: Final = frozenset({"authorization_parameters", "endpoints", "headers"})
_OWN_NAME: Final = frozenset({"name", "provider", "apis", "scopes_by_default"})


def as_mapping(provider: Provider, *, in_full: bool) -> dict[str, Any]:
    """Return the settings of ``provider`` in ``snake_case``; without ``in_full`` only what is no default."""
    body = _as_json(provider, in_full=in_full)
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
    body = _as_json(api, in_full=in_full)
    inherited = {"ca_bundle": provider.ca_bundle, _BEARER: provider.api_bearer_token_source}
    if provider.tls_client_certificate_bound_access_tokens and api.bearer_token_source == "access_token":
        inherited |= {name: _json(name, getattr(provider, name)) for name in CERTIFICATE_KEYS}
    own = {name: _json(name, getattr(api, _FIELDS.get(name, name))) for name in inherited}
    for key in () if in_full else inherited:
        body.pop(key, None)
        if own[key] != inherited[key]:
            body[key] = own[key]
    return body


def _as_json(value: Provider | Api, *, in_full: bool) -> dict[str, Any]:
    return {
        _RENAMED.get(part.name, part.name): _json(part.name, getattr(value, part.name))
        for part in fields(value)
        if part.name not in _OWN_NAME and (in_full or _differs(getattr(value, part.name), part.default))
    }


def _differs(value: object, default: object) -> bool:
    return default is MISSING or value != default


def _json(name: str, value: Any) -> Any:
    if name in _MAPPINGS:
        return {key: _json(key, one) for key, one in value}
    if isinstance(value, SecretRef):
        return f"{value.scheme}:{value.name}"
    if isinstance(value, frozenset):
        return sorted(value)
    return [_json("", part) for part in value] if isinstance(value, tuple) else value

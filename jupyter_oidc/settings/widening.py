"""Decides which changes of settings widen the access of a session, and which only narrow it (ADR 30).

A running session never follows a change that widens: it takes effect with the next sign-in of that provider.
Every field of a provider and of an API stands in one of two tables, with the function that tells whether its change
widens. Any change of a field that stands in none of them counts as widening; a law keeps the tables complete.
Values in, values out; it refuses to know sessions, files and their authors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Final, TypeVar

from jupyter_oidc.settings.model import Api, Provider

Question = Callable[[Any, Any], bool]
"""Takes the value before and the one after, which differ; returns whether the change widens."""

_Settings = TypeVar("_Settings", Provider, Api)


def _always(_before: object, _after: object) -> bool:
    """Return true: another host, key, token or method cannot be shown to be narrower."""
    return True


def _never(_before: object, _after: object) -> bool:
    """Return false: the value is only displayed."""
    return False


def _more(before: Any, after: Any) -> bool:
    """Return whether the list has a new entry."""
    return not set(after) <= set(before)


def _raised(before: Any, after: Any) -> bool:
    """Return whether a limit is higher, or gone."""
    return before is not None and (after is None or after > before)


def _switched_on(before: Any, after: Any) -> bool:
    """Return whether a permission was switched on."""
    return bool(after) and not before


def _switched_off(before: Any, after: Any) -> bool:
    """Return whether a demand was switched off."""
    return bool(before) and not after


def _given(_before: object, after: object) -> bool:
    """Return whether a value is named now, a new one or another one; removing it narrows."""
    return after is not None


def _automatic(_before: object, after: object) -> bool:
    """Return whether the automatic behaviour may happen now; switching it off narrows."""
    return after != "off"


def _loosened(before: object, _after: object) -> bool:
    """Return whether a demand changed or is gone; a new demand narrows."""
    return before is not None


def _tells_more(before: Any, after: Any) -> bool:
    """Return whether the browser is newly sent to the provider's page, or newly brings an ID token there."""
    return after not in {"form": ("link", "none"), "link": ("none",)}.get(before, ())


def _more_origins(before: Any, after: Any) -> bool:
    """Return whether a form may lead to a new origin; an empty list allows every origin for the sign-out page."""
    return _switched_off(before, after) or _more(before, after)


def _more_levels(before: Any, after: Any) -> bool:
    """Return whether a level is newly accepted; an empty list demands none."""
    return bool(before) and (not after or _more(before, after))


def _more_paths(before: Any, after: Any) -> bool:
    """Return whether a path lies below none of the earlier ones."""
    return not all(any(_is_below(path, opened) for opened in before) for path in after)


def _is_below(path: str, opened: str) -> bool:
    return path.rstrip("/") == opened.rstrip("/") or path.startswith(opened.rstrip("/") + "/")


PROVIDER: Final[Mapping[str, Question]] = {
    "name": _always,
    "issuer": _always,
    "client_id": _always,
    "client_secret": _always,
    "token_endpoint_auth_method": _always,
    "token_endpoint_auth_signing_alg": _always,
    "client_assertion_key": _always,
    "client_assertion_key_id": _always,
    # NOTE: it narrows, but the values that it sets (keys, methods, algorithms) wait, and are judged together.
    "profile": _always,
    "metadata_url": _always,
    "endpoints": _always,
    "scopes": _more,
    "scopes_by_default": _never,
    "offline_access_prompt": _always,
    "audience": _always,
    "send_audience_in_authorize": _always,
    "api_bearer_token_source": _always,
    "redirect_strategy": _always,
    "redirect_uri": _always,
    "response_mode": _always,
    "pushed_authorization_requests": _always,
    "id_token_signed_response_alg": _always,
    "userinfo_signed_response_alg": _always,
    "userinfo_required": _switched_off,
    # NOTE: it narrows, but the tokens of a running session are not bound to a key, and cannot be.
    "dpop_bound_access_tokens": _always,
    "tls_client_certificate_bound_access_tokens": _always,
    "trusted_audiences": _more,
    "prompt": _loosened,
    "silent_sign_in": _automatic,
    "max_age": _raised,
    "acr_values": _more_levels,
    "login_hint": _never,
    "ui_locales": _never,
    "clock_skew": _raised,
    "http_timeout": _raised,
    "ca_bundle": _given,
    "egress_proxy": _always,
    "egress_proxy_credentials": _always,
    "client_certificate": _always,
    "client_certificate_key": _always,
    "client_certificate_password": _always,
    "authorization_parameters": _always,
    "sign_out_method": _tells_more,
    "end_session_endpoint": _given,
    "post_logout_redirect_uri": _given,
    "post_logout_redirect_parameter": _always,
    "allowed_sign_out_origins": _more_origins,
    "entitlement_claims": _never,
    "scope_claims": _never,
    "allow_insecure_loopback": _switched_on,
    "apis": _always,
}
"""The function for each field of a provider; ``apis`` is judged API by API: a removed one narrows, a new one widens."""

API: Final[Mapping[str, Question]] = {
    "name": _always,
    "provider": _always,
    "base_url": _always,
    "bearer_token_source": _always,
    "methods": _more,
    "path_data": _more,
    "headers": _always,
    "path_prefixes": _more_paths,
    "scopes": _always,
    "audience": _always,
    "resource": _always,
    "requires": _never,
    "callers": _more,
    "request_headers": _more,
    "reply_headers": _more,
    "timeout_connect": _raised,
    "timeout_header": _raised,
    "timeout_idle": _raised,
    "timeout_upload": _raised,
    "max_request_bytes": _raised,
    "max_message_bytes": _raised,
    "max_in_flight": _raised,
    "max_queue": _raised,
    "allow_private_network": _switched_on,
    "ca_bundle": _given,
    "egress_proxy": _always,
    "egress_proxy_credentials": _always,
    "client_certificate": _always,
    "client_certificate_key": _always,
    "client_certificate_password": _always,
}


def widens(before: Provider, after: Provider) -> tuple[str, ...]:
    """Return the dotted names of the settings in ``after`` that allow more than in ``before``, or something else."""
    found = [name for name in _widening(before, after, PROVIDER) if name != "apis"]
    known = {api.name: api for api in before.apis}
    for api in after.apis:
        if api.name not in known:
            found.append(f"apis.{api.name}")
        else:
            found += [f"apis.{api.name}.{name}" for name in _widening(known[api.name], api, API)]
    return tuple(found)


def without_widening(before: Provider, after: Provider) -> Provider:
    """Return ``before`` with the changes of ``after`` that only narrow, which a running session follows."""
    wanted = {api.name: api for api in after.apis}
    apis = tuple(_narrowed(api, wanted[api.name], API) for api in before.apis if api.name in wanted)
    return replace(_narrowed(before, after, PROVIDER), apis=apis)


def _widening(before: _Settings, after: _Settings, questions: Mapping[str, Question]) -> list[str]:
    differing = [one.name for one in fields(before) if getattr(before, one.name) != getattr(after, one.name)]
    found = [name for name in differing if questions.get(name, _always)(getattr(before, name), getattr(after, name))]
    if "base_url" in found and "path_prefixes" in differing:
        found.append("path_prefixes")  # the same path below another address is another resource
    return list(dict.fromkeys(found))


def _narrowed(before: _Settings, after: _Settings, questions: Mapping[str, Question]) -> _Settings:
    kept = {name: getattr(before, name) for name in _widening(before, after, questions)}
    return replace(after, **kept)

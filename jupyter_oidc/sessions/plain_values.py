"""Turns what the sessions hold into the plain values of their border (ADR 45), field by field."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from jupyter_oidc.secret_access import reveal
from jupyter_oidc.sessions.api import ApiEntry, ProviderSettings, SignIn, SignOutForm
from jupyter_oidc.sessions.strategy import pins_callback, pins_server

if TYPE_CHECKING:
    from jupyter_oidc.clock import Moment
    from jupyter_oidc.sessions.pending import PendingSignIn
    from jupyter_oidc.sessions.sign_out_pages import Opened
    from jupyter_oidc.sessions.summary import ApiAccess
    from jupyter_oidc.settings import Api, Provider


def provider_settings_of(settings: Provider) -> ProviderSettings:
    """Return the part of ``settings`` that decides about addresses and pages."""
    return ProviderSettings(
        name=settings.name,
        issuer=settings.issuer,
        redirect_uri=settings.redirect_uri,
        response_mode=settings.response_mode,
        pins_server=pins_server(settings),
        pins_callback=pins_callback(settings),
    )


def api_entry_of(api: Api, state: str, access: ApiAccess) -> ApiEntry:
    """Return ``api`` as people and routes see it, in a session of ``state``."""
    return ApiEntry(
        name=api.name,
        provider=api.provider,
        base_url=api.base_url,
        methods=api.methods,
        callers=api.callers,
        state=state,
        access=access,
        path_prefixes=api.path_prefixes,
        title=api.title,
        description=api.description,
        example=api.example,
        docs_url=api.docs_url,
        has_operations=api.openapi is not None,
    )


def sign_in_of(pending: PendingSignIn, now: Moment) -> SignIn:
    """Return ``pending`` as it stands ``now``, without its verifier, nonce, digests and tokens."""
    return SignIn(
        flow=pending.flow,
        settings=provider_settings_of(pending.begun_with),
        strategy=pending.strategy,
        state=pending.progress,
        expires_in=int(pending.seconds_left(now)),
        silent=pending.options.silent,
        next=pending.options.next,
        overtaken=pending.overtaken,
        asks=pending.question is not None,
        code=pending.code,
        problem=pending.problem,
    )


def sign_out_form_of(opened: Opened) -> SignOutForm:
    """Return the form of the page; without a hint it uses GET, which sends the provider's ``SameSite=Lax`` cookies."""
    request, hint = opened.request, opened.id_token_hint
    if hint is not None:
        fields = (("id_token_hint", reveal(hint)), *request.fields)
        return SignOutForm(opened.page, request.endpoint, "post", request.origins, request.url, fields, opened.binding)
    parts = urlsplit(request.endpoint)
    action = urlunsplit(parts._replace(query="", fragment=""))
    fields = (*parse_qsl(parts.query, keep_blank_values=True), *request.fields)
    return SignOutForm(opened.page, action, "get", request.origins, request.url, fields, opened.binding)

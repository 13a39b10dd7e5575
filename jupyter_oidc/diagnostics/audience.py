"""Checks whether the token that an API gets names that API, or the API has to accept a wider audience.

A provider may issue access tokens without the API's audience; then the API has to accept our client id instead, in an
ID token or beside ``client_id``. Every API that does so accepts the tokens of all others that do.
This module reports such an API, and when the wider audience is no longer needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.language import N_, joined, sentence
from jupyter_oidc.sessions.grant import token_key

if TYPE_CHECKING:
    from jupyter_oidc.sessions.service import SessionService
    from jupyter_oidc.settings import Api, Provider

_SHORT_LIST: Final = N_(
    "Let as few APIs as possible accept the client id, and ask the provider for an audience of the API's."
)


def check_audience(provider: Provider, api: Api, session: SessionService | None) -> Check:
    """Judge one API by the settings and, if there is a session, by the audience of its access token."""
    about = Subject(sentence("audience of {api}", api=api.name), provider.name)
    key = token_key(api)
    seen = session.view.token_audience(key) if session is not None else None
    if api.bearer_token_source == "id_token":
        return _of_id_token(about, provider, api, seen)
    if seen is None and session is not None and session.view.token_ready(key):
        return about.unknown(
            N_("The API gets the access token, which is opaque: for whom it is, only the provider can tell."),
            N_("Ask the API's owner whether the API asks the provider about such tokens (introspection)."),
        )
    if seen is None:
        return about.unknown(
            N_("The API gets the access token; nobody is signed in whose token would show whether it names the API."),
            N_("Sign in, then look again."),
            "user",
        )
    if set(seen) & names_of(provider, api):
        return about.ok(N_("The API gets the access token, and that names the API."))
    if seen:
        return about.unknown(
            N_("The API gets the access token, which names an audience, but none that the settings give this API."),
            N_("Ask the API's owner whether the API accepts that audience. If so, set 'audience' of the API to it."),
        )
    return about.warning(
        N_(
            "The access token names no audience: an API that accepts it accepts what was meant for any other that does."
        ),
        _SHORT_LIST,
    )


def _of_id_token(about: Subject, provider: Provider, api: Api, seen: tuple[str, ...] | None) -> Check:
    if seen and set(seen) & names_of(provider, api):
        return about.warning(
            N_("The API gets the ID token, which is no longer needed: the access token names the API now."),
            N_(
                "Require that audience at the API, set api_bearer_token_source to 'access_token', and then take the "
                "client id out of the audiences that the API accepts."
            ),
        )
    if seen:
        return about.warning(
            N_(
                "The API gets the ID token; the access token names an audience, but none that the settings give this "
                "API."
            ),
            N_("Ask the API's owner whether it is the API's. If so, set api_bearer_token_source to 'access_token'."),
        )
    message = joined(
        N_(
            "The API gets the ID token, made for the client id: an API that accepts it accepts what was meant for any "
            "other that does."
        ),
        None if seen is None else N_("The access token does not name the API yet."),
    )
    return about.warning(message, _SHORT_LIST)


def names_of(provider: Provider, api: Api) -> set[str]:
    """Return the audiences by which an access token may name ``api``."""
    base = api.base_url
    named = {api.audience, api.resource, provider.audience, base, base.rstrip("/"), api.name}
    return {name for name in named if name}

"""Chooses the parameters of a sign-in, by the settings, what the provider says of itself, and what an API asked for.

It refuses to weaken an explicit setting: only defaults follow the metadata, and an API can ask for more alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import N_
from jupyter_oidc.problems import ConfigurationInvalid

if TYPE_CHECKING:
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.sessions.pending import SignInOptions
    from jupyter_oidc.sessions.step_up import StepUp
    from jupyter_oidc.settings import Provider

OFFLINE_ACCESS: Final = "offline_access"
"""The scope that asks for a refresh token (OpenID Connect Core 1.0, 11)."""


def leaves_out_offline_access(settings: Provider, metadata: Metadata) -> bool:
    """Return whether ``offline_access`` is one of our defaults, and the provider lists its scopes without it.

    Some providers refuse a sign-in with a scope that they do not know, and most of those give refresh tokens anyway.
    """
    listed = metadata.scopes_supported
    return settings.scopes_by_default and bool(listed) and OFFLINE_ACCESS not in (listed or ())


def scopes_of(settings: Provider, metadata: Metadata) -> tuple[str, ...]:
    """Return the scopes to ask for."""
    if not leaves_out_offline_access(settings, metadata):
        return settings.scopes
    return tuple(scope for scope in settings.scopes if scope != OFFLINE_ACCESS)


def prompt_of(settings: Provider, metadata: Metadata, options: SignInOptions) -> str | None:
    """Return the ``prompt`` of an authorization request.

    Where a refresh token is requested and no prompt is set, it is ``consent``: a provider must ignore
    ``offline_access`` without it (OpenID Connect Core 1.0, 11), unless the settings say that this one does not.
    A choice of accounts is asked for beside that, as the session with another account is to be refreshed, too.
    A sign-in that an API asked for is about strength and not about consent.
    """
    chooses = options.prompt == "select_account"
    if not chooses and (prompt := options.prompt or settings.prompt) is not None:
        return prompt
    words = (options.prompt if chooses else None, _consent_prompt(settings, metadata, options))
    return " ".join(word for word in words if word) or None


def _consent_prompt(settings: Provider, metadata: Metadata, options: SignInOptions) -> str | None:
    """Return ``consent`` where a refresh token is requested that the provider gives only with it."""
    stronger = bool(options.step_up.requested_acr_values) or options.step_up.max_age is not None
    if not supports_prompt(metadata, "consent"):
        return None  # the provider would refuse that prompt (Initiating User Registration 1.0, 4)
    if stronger or settings.offline_access_prompt == "none" or OFFLINE_ACCESS not in scopes_of(settings, metadata):
        return None
    return "consent"


def supports_prompt(metadata: Metadata, prompt: str) -> bool:
    """Return whether the provider accepts every word of ``prompt``; one that lists none may accept any."""
    return metadata.prompt_values is None or metadata.prompt_values.issuperset(prompt.split())


def uses_pushed_request(settings: Provider, metadata: Metadata) -> bool:
    """Return whether an authorization request goes to the provider before the browser does (P-1)."""
    if settings.pushed_authorization_requests == "auto":
        return metadata.requires_pushed_requests
    return settings.pushed_authorization_requests == "always"


def max_age_of(settings: Provider, options: SignInOptions) -> int | None:
    """Return the stricter ``max_age`` in seconds: that of the settings, or of the demanding API (A-8, V-13)."""
    wanted = [age for age in (settings.max_age, options.step_up.max_age) if age is not None]
    return min(wanted, default=None)


def demanded_step_up(settings: Provider, options: SignInOptions) -> StepUp:
    """Return the strength that the settings, and the API that asked for the sign-in, demand of it (Q5.14).

    Raises ``ConfigurationInvalid`` if the settings admit no level that is strong enough.
    """
    demanded = options.step_up.restricted_to(settings.acr_values)
    if demanded is None:
        raise ConfigurationInvalid(
            N_("The API wants a sign-in at a level that the settings do not admit."),
            action=N_("Ask your administrator to add that level to 'acr_values' in the settings."),
            detail="acr_values",
        )
    return demanded

"""How this application proves itself to the provider: one method per request, the configured one.

This module refuses to fall back: a method that the provider does not list, or that lacks its secret, is a
mistake in the settings and never a reason to try another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jupyter_oidc.errors import ConfigurationInvalid
from jupyter_oidc.protocol.message import BasicCredentials
from jupyter_oidc.secret import Secret

if TYPE_CHECKING:
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.protocol.message import FormField


@dataclass(frozen=True, slots=True)
class Client:
    """Our registration at the provider, as far as the token endpoint needs it (Core 1.0, 9)."""

    client_id: str
    method: Literal["none", "client_secret_basic", "client_secret_post"]
    client_secret: Secret | None = None


def check_client_method(metadata: Metadata, client: Client) -> None:
    """Refuse a client authentication method that the provider does not list (T-3).

    ``none`` passes always, because many providers take it without listing it.
    Raises :class:`ConfigurationInvalid`.
    """
    authenticate(client)
    listed = metadata.token_endpoint_auth_methods
    if client.method != "none" and listed is not None and client.method not in listed:
        raise ConfigurationInvalid(
            f"The provider does not list the client authentication method {client.method}.",
            action="Ask your administrator to set token_endpoint_auth_method to one that the provider lists.",
            detail="token.auth_method",
        )


def authenticate(client: Client) -> tuple[tuple[FormField, ...], BasicCredentials | None]:
    """Return body fields and credentials of exactly one method (RFC 6749, 2.3.1, 3.2.1; T-3, T-4, T-6).

    Raises :class:`ConfigurationInvalid` if the method needs a secret and there is none.
    """
    if client.method == "none":
        return (("client_id", client.client_id),), None
    if client.client_secret is None or client.client_secret == Secret(""):
        raise ConfigurationInvalid(
            f"The client authentication method {client.method} needs a client secret, and there is none.",
            action="Ask your administrator to set client_secret, or token_endpoint_auth_method to none.",
            detail="token.client_secret",
        )
    if client.method == "client_secret_basic":
        return (), BasicCredentials(client.client_id, client.client_secret)
    return (("client_id", client.client_id), ("client_secret", client.client_secret)), None

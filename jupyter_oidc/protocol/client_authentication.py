"""Authenticates this client at the provider: one method per request, the configured one.

This module refuses to fall back: a method that the provider does not list, or that lacks its secret, is a
mistake in the settings and never a reason to try another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import ConfigurationInvalid
from jupyter_oidc.protocol.client_assertion import ASSERTION_TYPE
from jupyter_oidc.protocol.message import BasicCredentials
from jupyter_oidc.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.protocol.message import FormField


Method = Literal[
    "none",
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
]
"""Core 1.0, 9; RFC 8705, 2."""


@dataclass(frozen=True, slots=True)
class Client:
    """Our registration at the provider, as far as the token endpoint needs it (Core 1.0, 9).

    ``assertion`` makes a new one for each request of the two methods that end in ``jwt``, signed by ``assertion_alg``.
    """

    client_id: str
    method: Method
    client_secret: Secret | None = None
    assertion: Callable[[], Secret] | None = None
    assertion_alg: str | None = None


def authenticate(client: Client) -> tuple[tuple[FormField, ...], BasicCredentials | None]:
    """Return body fields and credentials of exactly one method (RFC 6749, 2.3.1, 3.2.1; T-3, T-4, T-6 to T-9).

    Raises :class:`ConfigurationInvalid` if the method needs a secret or a key and there is none.
    """
    name = ("client_id", client.client_id)
    if client.method in ("none", "tls_client_auth", "self_signed_tls_client_auth"):
        # NOTE: a certificate authenticates the client on the connection; the body only names the client (RFC 8705, 2).
        return (name,), None
    if client.method in ("client_secret_jwt", "private_key_jwt"):
        if client.assertion is None:
            raise _incomplete(
                sentence(
                    "The client authentication method {method} needs a key to sign with, and there is none.",
                    method=client.method,
                )
            )
        return (name, ("client_assertion_type", ASSERTION_TYPE), ("client_assertion", client.assertion)), None
    if client.client_secret is None or client.client_secret == Secret(""):
        raise _incomplete(
            sentence(
                "The client authentication method {method} needs a client secret, and there is none.",
                method=client.method,
            )
        )
    if client.method == "client_secret_basic":
        return (), BasicCredentials(client.client_id, client.client_secret)
    return (name, ("client_secret", client.client_secret)), None


def _incomplete(message: str) -> ConfigurationInvalid:
    return ConfigurationInvalid(
        message,
        action=N_("Ask your administrator to set client_secret, or token_endpoint_auth_method to none."),
        detail="token.client_secret",
    )

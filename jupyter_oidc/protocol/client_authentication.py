"""How this application proves itself to the provider: one method per request, the configured one.

This module refuses to fall back: a method that the provider does not list, or that lacks its secret, is a
mistake in the settings and never a reason to try another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jupyter_oidc.errors import ConfigurationInvalid
from jupyter_oidc.protocol.client_assertion import ASSERTION_TYPE
from jupyter_oidc.protocol.message import BasicCredentials
from jupyter_oidc.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.protocol.discovery import Metadata
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


def check_client_method(metadata: Metadata, client: Client) -> None:
    """Refuse a client authentication method, or its algorithm, that the provider does not list (T-3).

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
    algs = metadata.token_endpoint_auth_signing_algs
    if client.assertion_alg is not None and algs is not None and client.assertion_alg not in algs:
        raise ConfigurationInvalid(
            f"The provider does not take a client's assertion that is signed with {client.assertion_alg}.",
            action="Ask your administrator to set token_endpoint_auth_signing_alg to one that the provider lists.",
            detail="token.auth_signing_alg",
        )


def check_certificate_bound(metadata: Metadata) -> None:
    """Refuse a provider that does not say that it binds access tokens to certificates (RFC 8705, 3.3).

    Raises :class:`ConfigurationInvalid`.
    """
    if not metadata.certificate_bound_tokens:
        raise ConfigurationInvalid(
            "The provider does not say that it binds access tokens to a client certificate.",
            action="Ask your administrator to enable that at the provider, "
            "or to set tls_client_certificate_bound_access_tokens to False.",
            detail="discovery.certificate_bound",
        )


def authenticate(client: Client) -> tuple[tuple[FormField, ...], BasicCredentials | None]:
    """Return body fields and credentials of exactly one method (RFC 6749, 2.3.1, 3.2.1; T-3, T-4, T-6 to T-9).

    Raises :class:`ConfigurationInvalid` if the method needs a secret or a key and there is none.
    """
    name = ("client_id", client.client_id)
    if client.method in ("none", "tls_client_auth", "self_signed_tls_client_auth"):
        # NOTE: a certificate proves the client on the connection; what is sent says whose it is (RFC 8705, 2).
        return (name,), None
    if client.method in ("client_secret_jwt", "private_key_jwt"):
        if client.assertion is None:
            raise _incomplete(client.method, "a key to sign with")
        return (name, ("client_assertion_type", ASSERTION_TYPE), ("client_assertion", client.assertion)), None
    if client.client_secret is None or client.client_secret == Secret(""):
        raise _incomplete(client.method, "a client secret")
    if client.method == "client_secret_basic":
        return (), BasicCredentials(client.client_id, client.client_secret)
    return (name, ("client_secret", client.client_secret)), None


def _incomplete(method: Method, what: str) -> ConfigurationInvalid:
    return ConfigurationInvalid(
        f"The client authentication method {method} needs {what}, and there is none.",
        action="Ask your administrator to set client_secret, or token_endpoint_auth_method to none.",
        detail="token.client_secret",
    )

"""Reads the network settings that a provider and an API have in common: trust, forward proxy, client certificate.

No key turns the verification of a certificate off, and none will (H-1, G-4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypedDict
from urllib.parse import urlsplit

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.settings.secret_reference import Keys

if TYPE_CHECKING:
    from jupyter_oidc.settings.finding import Kind
    from jupyter_oidc.settings.model import SecretRef

NO_PROXY: Final = "none"
"""The value of ``egress_proxy`` that forbids even a proxy of the environment."""


CERTIFICATE_KEYS: Final = ("client_certificate", "client_certificate_key", "client_certificate_password")
"""The keys of a certificate that this server presents."""


class NetworkSettings(TypedDict):
    """The arguments that :class:`Provider` and :class:`Api` have in common."""

    egress_proxy: str | None
    egress_proxy_credentials: SecretRef | None
    client_certificate: str | None
    client_certificate_key: SecretRef | None
    client_certificate_password: SecretRef | None


class _Keys(Keys, Protocol):
    def value(self, key: str) -> Any: ...


def read_network(keys: _Keys) -> NetworkSettings:
    """Read the keys, and report every mistake."""
    proxy, credentials = _egress_proxy(keys), keys.value("egress_proxy_credentials")
    missing = keys.take("egress_proxy") is None
    if credentials is not None and (missing or proxy == NO_PROXY):
        problem = (
            N_("is missing, and egress_proxy_credentials needs it")
            if missing
            else N_("is 'none', and egress_proxy_credentials needs it")
        )
        instead = N_("Write the proxy's address there; credentials go to no proxy that the settings do not name.")
        kind: Kind = "missing" if missing else "contradictory"
        keys.at.add("egress_proxy", problem, instead, kind)
    certificate: str | None = keys.value("client_certificate")
    key, password = (keys.value(f"client_certificate_{part}") for part in ("key", "password"))
    if certificate is None and (key or password):
        instead = N_("Write the path of the PEM file with the certificate there.")
        keys.at.add("client_certificate", N_("is missing, and its key or password is given"), instead, "missing")
    return {
        "egress_proxy": proxy,
        "egress_proxy_credentials": credentials,
        "client_certificate": certificate,
        "client_certificate_key": key,
        "client_certificate_password": password,
    }


def check_certificate(keys: _Keys, network: NetworkSettings, wanted_by: str) -> None:
    """Report a missing certificate if ``wanted_by`` needs one."""
    if network["client_certificate"] is None and keys.take("client_certificate") is None:
        instead = N_("Write the path of the PEM file with the certificate that the provider knows.")
        keys.at.add(
            "client_certificate", sentence("is missing, and '{entry}' needs it", entry=wanted_by), instead, "missing"
        )


def with_provider_certificate(
    keys: _Keys, network: NetworkSettings, provider_network: NetworkSettings
) -> NetworkSettings:
    """Return the network settings of an API with the provider's certificate, to which its tokens are bound."""
    own = network["client_certificate"]
    if own is not None and own != provider_network["client_certificate"]:
        problem = N_("is not the provider's, and the tokens of this API are bound to that")
        instead = N_("Remove it, or set tls_client_certificate_bound_access_tokens to False.")
        keys.at.add("client_certificate", problem, instead, "contradictory")
    if own is not None:
        return network
    return {
        **network,
        "client_certificate": provider_network["client_certificate"],
        "client_certificate_key": provider_network["client_certificate_key"],
        "client_certificate_password": provider_network["client_certificate_password"],
    }


def _egress_proxy(keys: _Keys) -> str | None:
    key = "egress_proxy"
    value: str | None = keys.value(key)
    if value is None or value == NO_PROXY:
        return value
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if "@" in value:
        instead = N_("Remove it, and name a secret of the form user:password in egress_proxy_credentials.")
        keys.at.add(key, N_("holds a user name or password"), instead, "unsafe")
    elif parts.scheme != "http" or not host or not port or parts.path not in ("", "/") or parts.query or parts.fragment:
        instead = N_("Write 'http://proxy.example.com:3128', with its port, or 'none'; TLS runs inside it, to its end.")
        keys.at.add(key, N_("is not the address of an http proxy"), instead)
    elif not value.isascii():
        keys.at.add(key, N_("is not the address of an http proxy"), N_("Write its host name in ASCII letters."))
    else:
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"
    return None

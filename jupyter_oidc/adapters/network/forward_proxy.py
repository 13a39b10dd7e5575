"""Chooses the forward proxy of a call, if it has one: by setting, or by the environment (C35).

Without a setting, ``HTTPS_PROXY`` (for plain http, ``HTTP_PROXY``) counts, else ``ALL_PROXY``; a name in small letters
wins over the same name in capitals.
``NO_PROXY`` counts in both cases, and a loopback host is never reached through a proxy, because it would be another
machine's.
The proxy gets ``CONNECT host:port`` and its own credentials; TLS with the destination runs inside.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from jupyter_oidc.adapters.storage.secret_refs import resolve
from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import ConfigurationInvalid
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.settings import SecretRef

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.adapters.network.network_route import NetworkRoute

_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class ForwardProxy:
    """A proxy; ``credentials`` are ``user:password``, or the reference that names them."""

    host: str
    port: int
    credentials: Secret | SecretRef | None = None

    @property
    def url(self) -> str:
        """Its address, without credentials."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def authorization(self) -> Secret | None:
        """Return the value of ``Proxy-Authorization`` (RFC 7617), if there are credentials.

        May wait for the disk or the keyring, so it must not run on the event loop's thread.
        Raises :class:`ConfigurationInvalid` if they are not there, and the errors of :func:`resolve`.
        """
        known = self.credentials
        if isinstance(known, SecretRef):
            known = resolve(known, what=sentence("egress proxy's password"), key="egress_proxy_credentials")
            if ":" not in reveal(known):
                raise ConfigurationInvalid(
                    N_("What egress_proxy_credentials names is not of the form user:password."),
                    detail="egress_proxy_credentials",
                )
        if known is None:
            return None
        return Secret("Basic " + base64.b64encode(reveal(known).encode()).decode("ascii"))


def proxy_for(url: str, network_route: NetworkRoute, environment: Mapping[str, str]) -> ForwardProxy | None:
    """Return the proxy through which ``url`` is called, or ``None`` for the direct way.

    Raises :class:`ConfigurationInvalid` if the environment names one that cannot be used.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    if network_route.proxy == "none" or is_loopback(host) or is_exempt(host, port, _variable("no_proxy", environment)):
        return None
    if network_route.proxy is not None:
        named = urlsplit(network_route.proxy)
        return ForwardProxy(named.hostname or "", named.port or 0, network_route.proxy_credentials)
    found = _variable(f"{parts.scheme}_proxy", environment) or _variable("all_proxy", environment)
    return _read(found) if found else None


def is_loopback(host: str) -> bool:
    """Return whether the name or address ``host`` stands for this machine; nothing is resolved."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_exempt(host: str, port: int, no_proxy: str) -> bool:
    """Return whether ``no_proxy`` names ``host``: by name or a domain above it, by address or network, or all by ``*``.

    An entry with a port spares that port only.
    """
    name = host.rstrip(".").lower()
    return any(_names(entry.lower(), name, port) for entry in re.split(r"[,\s]+", no_proxy) if entry)


def _names(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    found = re.fullmatch(r"([^:]+|\[.+\]):(\d{1,5})", entry)
    if found:
        return int(found[2]) == port and _names(found[1], host, port)
    try:
        address = ip_address(host)
    except ValueError:
        domain = entry.removeprefix("*").strip(".")
        return bool(domain) and (host == domain or host.endswith("." + domain))
    try:
        return address in ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return False  # a name


def _variable(name: str, environment: Mapping[str, str]) -> str:
    return environment.get(name) or environment.get(name.upper()) or ""


def _read(found: str) -> ForwardProxy:
    try:
        parts = urlsplit(found if "://" in found else f"http://{found}")
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        parts, host, port = urlsplit(""), None, 0
    # NOTE: an "@" behind the host means that a "/", "?" or "#" of a password ended the host too early: the parsed host
    # and port are a user and half a password, and must be neither resolved nor shown.
    if parts.scheme != "http" or not host or "@" in parts.path + parts.query + parts.fragment or "\\" in parts.netloc:
        raise ConfigurationInvalid(
            N_("The environment of the Jupyter server names an egress proxy that cannot be used."),
            action=N_("Ask your administrator to write HTTPS_PROXY=http://HOST:PORT, or to set egress_proxy."),
            detail="egress_proxy",
        )
    if parts.username is None:
        return ForwardProxy(host, port)
    return ForwardProxy(host, port, Secret(f"{unquote(parts.username)}:{unquote(parts.password or '')}"))

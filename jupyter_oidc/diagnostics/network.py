"""The way out: whose certificates are trusted, and through which proxy the provider is asked."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.diagnostics.surroundings import Surroundings
    from jupyter_oidc.settings import Provider

_KINDS: Final = ("https", "http", "all", "no")


async def check_certificates(place: Surroundings, provider: Provider) -> Check:
    """See whether the certificate authorities in the settings can be read."""
    about = Subject("certificates", provider.name)
    try:
        await asyncio.to_thread(place.trust, provider)
    except Problem as problem:
        return about.failed(problem, "Name a PEM file that the Jupyter server can read in ca_bundle.")
    more = ", and those in ca_bundle" if provider.ca_bundle else ""
    return about.ok(f"The authorities of this machine are trusted{more}; nothing switches verification off.")


def check_proxy(place: Surroundings, provider: Provider) -> Check:
    """Say which way calls to the provider take; a proxy's user name and password are not shown."""
    about = Subject("egress proxy", provider.name)
    parts = urlsplit(provider.issuer)
    named = _proxies(place.environment)
    proxy = named.get(parts.scheme) or named.get("all")
    if not proxy or _is_loopback(parts.hostname or "") or _is_exempt(parts.hostname or "", named.get("no", "")):
        return about.ok("The provider is asked directly.")
    where = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    host = f"{where.hostname}:{where.port}" if where.port else where.hostname
    return about.ok(f"The provider is asked through the proxy {host}.")


def _proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the proxies that the environment names; small letters win, as everywhere."""
    found = {}
    for kind in _KINDS:
        value = environment.get(f"{kind}_proxy") or environment.get(f"{kind}_proxy".upper())
        if value:
            found[kind] = value
    return found


def _is_exempt(host: str, listed: str) -> bool:
    """Return whether ``NO_PROXY`` names ``host`` or a domain above it."""
    names = [name.strip().lstrip(".").lower() for name in listed.split(",") if name.strip()]
    return "*" in names or any(host == name or host.endswith(f".{name}") for name in names)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

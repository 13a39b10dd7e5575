"""Tells public addresses from others, and which calls may go to public ones only (C34)."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from jupyter_oidc.settings import Api


def is_public(address: str) -> bool:
    """Return whether ``address`` is reachable from the public internet."""
    parsed = ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_global and not parsed.is_multicast


def must_be_public(url: str, api: Api) -> bool:
    """Return whether the host of ``url`` is a name whose addresses are judged before ``api`` is called."""
    host = urlsplit(url).hostname or ""
    if api.allow_private_network or host.rstrip(".").lower() == "localhost":
        return False
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return True
    return False

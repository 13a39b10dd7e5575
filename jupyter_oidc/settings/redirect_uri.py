"""Classifies a configured redirect URI by its target: loopback, callback route, or a Hub.

A loopback address without a port stands for every port (RFC 8252, 7.3): with such a registration the application
chooses another port each time.
A text that is no URL leads nowhere; ``reading`` reports it as a mistake.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit

LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def is_loopback(redirect_uri: str | None) -> bool:
    """Return whether ``redirect_uri`` leads to the browser's own machine."""
    parts, _ = _split(redirect_uri)
    return parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS


def takes_any_port(redirect_uri: str | None) -> bool:
    """Return whether ``redirect_uri`` is a loopback address without a port."""
    return is_loopback(redirect_uri) and _split(redirect_uri)[1] is None


def leads_to_callback(redirect_uri: str, provider: str) -> bool:
    """Return whether ``redirect_uri`` is the callback route of ``provider`` on some host."""
    return _split(redirect_uri)[0].path.endswith(f"/jupyter-oidc/providers/{provider}/callback")


def leads_through_hub(redirect_uri: str | None, provider: str) -> bool:
    """Return whether JupyterHub sends the browser on from ``redirect_uri`` to the callback route of each user's server.

    One such address serves all users; the Hub keeps the query of a GET and drops the body of a POST.
    """
    return _split(redirect_uri)[0].path.endswith(f"/user-redirect/jupyter-oidc/providers/{provider}/callback")


def _split(redirect_uri: str | None) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(redirect_uri or "")
        port = parts.port
    except ValueError:
        return urlsplit(""), None
    return parts, port

"""Decides which addresses of this server may be sent to a provider or offered to a browser.

A redirect URI comes from the settings; the ``Host`` header counts only for a loopback host, because an attacker cannot
send a browser to another machine with it (ADR 0001).
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urljoin, urlsplit

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import ConfigurationInvalid

if TYPE_CHECKING:
    from jupyter_oidc.sessions.api import SignIn
    from jupyter_oidc.web.front import Front

_LOOPBACK_HOST: Final = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?\Z")
MAX_NEXT_CHARACTERS: Final = 2048


def is_loopback_host(host: str) -> bool:
    """Return whether ``host``, as a ``Host`` header names it, is a loopback name: then the browser is on this machine.

    NOTE: or at the other end of a tunnel, which no request shows.
    """
    return _LOOPBACK_HOST.match(host) is not None


def redirect_uri_for(configured: str | None, *, protocol: str, host: str, callback_path: str) -> str:
    """Return the redirect URI for a browser that reached us as ``protocol://host``.

    Raises ``ConfigurationInvalid``, naming the key to set, if the host is not loopback and none is ``configured``.
    """
    if configured:
        return configured
    if is_loopback_host(host):
        return f"{protocol}://{host}{callback_path}"
    raise ConfigurationInvalid(
        N_("This server is not reached on a loopback address, so its redirect_uri has to be configured."),
        action=sentence(
            "Ask your administrator to set the provider's redirect_uri to the public address of this "
            "server followed by {callback_path}, and to register the same value at the provider.",
            callback_path=callback_path,
        ),
        detail="redirect_uri",
    )


def require_browser_on_this_machine(host: str, peer: str) -> None:
    """Require a browser on this machine, which came to ``host`` from the address ``peer``.

    Raises ``ConfigurationInvalid``: a browser elsewhere would reach a program on its own machine instead.
    """
    try:
        near = is_loopback_host(host) and ipaddress.ip_address(peer).is_loopback
    except ValueError:
        near = False
    if not near:
        raise ConfigurationInvalid(
            N_(
                "This browser is not on the machine of the Jupyter server, so it cannot come back through a "
                "listener there."
            ),
            action=N_(
                "Open JupyterLab at its loopback address, or ask your administrator to set redirect_strategy "
                "to 'auto' or 'device'."
            ),
            detail="loopback.elsewhere",
        )


def starts_elsewhere(redirect_uri: str, host: str) -> str | None:
    """Return the origin at which the sign-in has to start, if its host is not the browser's present one.

    The binding cookie must be set on the host that the provider sends the browser back to.
    """
    parts = urlsplit(redirect_uri)
    return None if parts.netloc.lower() == host.lower() else f"{parts.scheme}://{parts.netloc}"


def local_path(path: str | None, base_url: str) -> str | None:
    """Return ``path`` if it is a plain path below ``base_url`` of this server, else ``None`` (A-11, A29).

    One with dot segments could leave ``base_url``, for another user's server that a Hub serves on the same origin.
    """
    if not path or len(path) > MAX_NEXT_CHARACTERS or not path.startswith(base_url):
        return None
    for reading in (path, unquote(path)):
        if reading.startswith("//") or "\\" in reading or not reading.isprintable():
            return None
    parts = urlsplit(path)
    if parts.scheme or parts.netloc or not {".", ".."}.isdisjoint(unquote(parts.path).split("/")):
        return None
    return path


def target_of(front: Front, sign_in: SignIn) -> str:
    """Return the address at which the person goes on: at JupyterLab, on its own origin (R-10)."""
    return urljoin(front.home, sign_in.next or "")

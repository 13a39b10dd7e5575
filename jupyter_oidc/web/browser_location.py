"""Records the browser's location and the address at which it reaches this server; a kernel can know neither.

The ``Host`` of a browser's request is the address at which the browser reaches the server.
A kernel reaches it at a loopback address wherever the browser is, so for a kernel the newest browser counts, and
without one the server's own configuration.
Users see an address only if it comes from the settings, JupyterHub or a browser: never from the caller.
The result chooses the strategy of a sign-in and the address in links; the start route checks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from jupyter_oidc.settings.redirect_uri import LOOPBACK_HOSTS, leads_through_hub
from jupyter_oidc.web.redirects import is_loopback_host

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jupyter_oidc.sessions.strategy import Browser

MAX_ORIGIN_CHARACTERS: Final = 300
"""Characters of an origin that a browser sends; host names have at most 253."""


@dataclass(slots=True)
class BrowserLocation:
    """The newest location of a browser; ``seen`` begins with the guess from the server's own address.

    ``hub_told`` is the address that JupyterHub gave this server, and ``origin`` the one that a browser sent last; a
    server that ``has_own_host`` has another host than the Hub.
    """

    seen: Browser = "unknown"
    base_url: str = "/"
    hub_told: str | None = None
    origin: str | None = None
    has_own_host: bool = False

    @classmethod
    def of_server(cls, ip: str, environment: Mapping[str, str], base_url: str = "/") -> BrowserLocation:
        """Return the location by a server's own address: one on loopback only is used from this machine."""
        alone = ip in LOOPBACK_HOSTS and "JUPYTERHUB_USER" not in environment
        return cls(
            "here" if alone else "unknown",
            base_url,
            _told_by_hub(environment, base_url),
            has_own_host=bool(environment.get("JUPYTERHUB_HOST")),
        )

    def note(self, host: str, headers: Mapping[str, str]) -> None:
        """Record the host of a Jupyter user's request, if a browser sent it.

        NOTE: every holder of Jupyter's token can claim to be a browser, and only Jupyter's check of the host limits
        that claim; therefore settings and JupyterHub come first.
        """
        if is_browser(headers):
            shown = _origin_of(headers.get("Origin") or headers.get("Referer") or "")
            self.seen = _of(host if shown is None else urlsplit(shown).netloc)
            if shown is not None and urlsplit(shown).netloc == host.lower():
                self.origin = shown

    def of_caller(self, host: str, *, is_kernel: bool) -> Browser:
        """Return the location of the caller's browser; the request came for ``host``."""
        return self.seen if is_kernel else _of(host)

    def public_url(self, redirect_uri: str | None = None) -> str | None:
        """Return the address of this server for a person's browser, with a slash at its end; ``None`` if it is unknown.

        ``redirect_uri`` is that of a sign-in that comes back to this server: it has to start at the same host.
        """
        if self.hub_told is not None:
            return self.hub_told
        pinned = _origin_of(redirect_uri or "")
        if pinned is not None and is_loopback_host(urlsplit(pinned).netloc) and self.origin is not None:
            pinned = None  # NOTE: a tunnel may lead there from another port, which the browser shows
        origin = pinned or self.origin
        return None if origin is None else origin + self.base_url

    def address_in_report(self, here: str, headers: Mapping[str, str]) -> tuple[str, bool]:
        """Return the address of this server for a report, and whether a browser has reached it there.

        A request with these ``headers`` came to the address ``here``.
        """
        if is_browser(headers):
            return here, True
        # NOTE: JupyterHub's address is the one that browsers should use; none has reached the server there yet.
        address = self.public_url() or here
        return address, self.origin is not None and address == self.origin + self.base_url

    def public_url_for(self, pinned: Iterable[tuple[str | None, str]]) -> str | None:
        """Return the same, where each of ``pinned`` is a redirect URI that comes back to this server, and its provider."""
        # NOTE: one that leads through the Hub does not name the host of a server that has its own.
        usable = (uri for uri, name in pinned if not (self.has_own_host and leads_through_hub(uri, name)))
        return self.public_url(next(usable, None))


def is_browser(headers: Mapping[str, str]) -> bool:
    """Return whether ``headers`` show that a browser sent the request."""
    return "Sec-Fetch-Mode" in headers or "Referer" in headers


def _of(host: str) -> Browser:
    return "here" if is_loopback_host(host) else "elsewhere"


def _told_by_hub(environment: Mapping[str, str], base_url: str) -> str | None:
    """Return this server's public address in JupyterHub's environment variables, or ``None`` if none is usable."""
    server = environment.get("JUPYTERHUB_PUBLIC_URL", "")
    if _origin_of(server) is not None:
        return server.partition("?")[0].partition("#")[0].rstrip("/") + "/"
    hub = _origin_of(environment.get("JUPYTERHUB_PUBLIC_HUB_URL", ""))
    # NOTE: JUPYTERHUB_HOST is set if each user has a subdomain, and then the Hub's host is not the server's.
    return hub + base_url if hub is not None and not environment.get("JUPYTERHUB_HOST") else None


def _origin_of(address: str) -> str | None:
    """Return scheme, host and port of a web address, or ``None`` if it must not be shown."""
    try:
        parts = urlsplit(address)
        known = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    plain = parts.scheme in ("http", "https") and "@" not in parts.netloc and origin.isascii() and origin.isprintable()
    return origin if known and plain and len(origin) <= MAX_ORIGIN_CHARACTERS else None

"""Where the browser is, seen from this server; a kernel that begins a sign-in cannot know.

A request of a browser says by its host how the browser reaches us.
A kernel reaches us at a loopback address wherever the browser is, so for a kernel the browser that was seen last
counts, and before that what is known of the server itself.
This chooses between ways to sign in and protects nothing: the start of a sign-in looks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_oidc.server.redirects import is_loopback_host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.sessions.strategy import Browser


@dataclass(slots=True)
class Whereabouts:
    """The newest sight of a browser; ``seen`` begins with what the server's own address tells."""

    seen: Browser = "unknown"

    @classmethod
    def of_server(cls, ip: str, environment: Mapping[str, str]) -> Whereabouts:
        """Return what a server at ``ip`` can tell: one that listens on loopback for nobody else is used from here."""
        alone = ip in ("localhost", "127.0.0.1", "::1") and "JUPYTERHUB_USER" not in environment
        return cls("here" if alone else "unknown")

    def note(self, host: str, headers: Mapping[str, str]) -> None:
        """Take note of a request of a Jupyter user, if a browser sent it."""
        if "Sec-Fetch-Mode" in headers or "Referer" in headers:
            self.seen = _of(host)

    def of_caller(self, host: str, *, is_kernel: bool) -> Browser:
        """Return where the browser of a caller is whose request came for ``host``."""
        return self.seen if is_kernel else _of(host)


def _of(host: str) -> Browser:
    return "here" if is_loopback_host(host) else "elsewhere"

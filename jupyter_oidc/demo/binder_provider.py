"""Gives the demo's provider a public address if a browser can reach only the Jupyter server, as on Binder.

jupyter-server-proxy shows the provider's pages below the server's own address. Only a browser knows that address: its
first visit records it (:mod:`jupyter_oidc.demo.binder_landing`), and from then on the provider's invitation to
enter a code leads there. Discovery, tokens and keys stay on the loopback address.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_INVITATION = "/device_authorization"
_ADDRESSES = ("verification_uri", "verification_uri_complete")


class PublicAddressMiddleware:
    """WSGI middleware around the provider; the file ``told`` holds the public address once it is known."""

    def __init__(self, app: Callable[..., Iterable[bytes]], issuer: str, told: Path) -> None:
        self._app = app
        self._issuer = issuer
        self._told = told

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Pass the request on; in an invitation, replace the issuer by the public address."""
        if environ.get("PATH_INFO") != _INVITATION or not self._told.exists():
            return self._app(environ, start_response)
        begun: list[tuple[Any, ...]] = []
        body = b"".join(self._app(environ, lambda *head: begun.append(head)))
        status, headers = begun[0][:2]
        body = self._redirected(body)
        kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
        start_response(status, [*kept, ("Content-Length", str(len(body)))])
        return [body]

    def _redirected(self, body: bytes) -> bytes:
        reply = json.loads(body)
        public = self._told.read_text(encoding="utf-8").strip()
        for name in _ADDRESSES:
            if isinstance(reply.get(name), str) and reply[name].startswith(self._issuer):
                reply[name] = public + reply[name][len(self._issuer) :]
        return json.dumps(reply).encode()

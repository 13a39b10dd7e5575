"""What both doors of the proxy read from a request: which API, which path below it, and who is calling."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from jupyter_server.auth.identity import IdentityProvider, PasswordIdentityProvider
from tornado.routing import Matcher

from jupyter_oidc.errors import BadPath
from jupyter_oidc.proxy.request import ProxyRequest
from jupyter_oidc.proxy.target import without_reserved
from jupyter_oidc.server.handler import OidcHandler

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tornado.httputil import HTTPServerRequest


_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f]")
"""What tornado takes for blanks in an argument."""

_OWN_LOGINS: Final = (IdentityProvider, PasswordIdentityProvider)
"""They know one token, which is the server's."""


class Below(Matcher):
    """Matches what lies below ``prefix``: WebSocket handshakes, or everything else."""

    def __init__(self, prefix: str, *, sockets: bool) -> None:
        self._prefix = prefix
        self._sockets = sockets

    def match(self, request: HTTPServerRequest) -> dict[str, object] | None:
        """Return an empty mapping for a match, as tornado wants it."""
        if not request.path.startswith(self._prefix):
            return None
        return {} if (request.headers.get("Upgrade", "").lower() == "websocket") is self._sockets else None


class ProxiedHandler(OidcHandler):
    """Base of the HTTP and the WebSocket side of ``api/{name}/{path}``."""

    _api = ""

    def _proxy_request(self, body: AsyncIterator[bytes] | None = None, length: int | None = None) -> ProxyRequest:
        """Return the call as it came; raises ``BadPath`` if the slash after the name is missing."""
        prefix = self.context.proxy_prefix
        raw_path = (self.request.uri or "").partition("?")[0]
        if not raw_path.startswith(prefix):
            raise BadPath
        name, slash, rest = raw_path[len(prefix) :].partition("/")
        if not slash:
            raise BadPath("An API is called with a slash after its name.")
        self.services.proxy.gate(name)
        self._api = name
        query = self.request.query
        return ProxyRequest(
            api=name,
            method=self.request.method or "",
            raw_path=rest,
            raw_query=without_reserved(query, self._is_reserved) if query else "",
            headers=list(self.request.headers.get_all()),
            caller="browser" if self.kernel_id is None else "kernel",
            proxy_path=f"{prefix}{name}/",
            own_host=self.request.host,
            body=body,
            length=length,
        )

    def _is_reserved(self, name: str, value: str) -> bool:
        """Jupyter's own parameters never reach an API: its token, however Jupyter would read it, and its XSRF value.

        Another identity provider than Jupyter's own may take any token for a login: JupyterHub does, and JupyterLab
        puts the user's into the address of every WebSocket there.
        """
        if name != "token":
            return name == "_xsrf"
        if self.kernel_id is None and type(self.identity_provider) not in _OWN_LOGINS:
            return True
        return bool(self.token) and _CONTROL.sub(" ", value).strip() == self.token

    def _note_call(self, status: int, sent: int, outcome: str) -> None:
        """Write the call to counters and audit trail."""
        services = self.context.services
        if services is not None and self._api:
            services.journal.call(
                api=self._api,
                method=self.request.method or "",
                status=status,
                size=sent,
                seconds=self.request.request_time(),
                kernel_id=self.kernel_id,
                outcome=outcome,
            )

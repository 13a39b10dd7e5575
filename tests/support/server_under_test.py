"""A Jupyter server in this process with a clock that can be moved, used over HTTP like any other.

A test that needs an expired token or an hour of outage is quick this way, and still uses routes, services and sockets.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import httpx
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from yarl import URL

from jupyter_oidc.clock import Moment, SystemClock
from jupyter_oidc.compose import system_parts
from jupyter_oidc.server.extension import JupyterOIDC
from tests.support.kernels import Kernels
from tests.support.plain_http import PLAIN

if TYPE_CHECKING:
    from jupyter_oidc.adapters.telemetry.event_log import JupyterEventLog
    from jupyter_oidc.compose import Parts, Services
    from jupyter_oidc.proxy.ports import UpstreamPort
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.server.context import Context
    from jupyter_oidc.settings import Settings
    from tests.support.scripted_provider import ScriptedProvider
    from tests.support.upstream import Upstream

EXTENSION = __name__
ROUTE = "jupyter-oidc/providers/corp"


class ShiftedClock:
    """The system's clock, some seconds ahead."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> Moment:
        return SystemClock().now().later(self.ahead)


SEVERAL_POLLS_SECONDS = 1.5
"""Seconds in which the extension under test polls the settings files several times, also on a busy machine."""


class ExtensionUnderTest(JupyterOIDC):
    """The extension with a clock that can be moved; with ``upstream`` in place of real APIs, if a test sets one.

    It polls the settings files ten times as often as the real one.
    """

    poll_seconds = 0.2

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.clock = ShiftedClock()
        self.upstream: UpstreamPort | None = None
        self.create_parts = self._parts

    def _parts(self, settings: Settings, event_log: JupyterEventLog, storage_key: Secret | None) -> Parts:
        real = system_parts(settings, event_log, storage_key)
        return replace(real, clock=self.clock, upstream=self.upstream or real.upstream)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Offer the extension to Jupyter Server, under this module's name."""
    return [{"module": EXTENSION, "app": ExtensionUnderTest}]


def configured(provider: ScriptedProvider, upstream: Upstream, **server: Any) -> dict[str, Any]:
    """Return the server's configuration; ``server`` are further settings of the Jupyter server itself."""
    return {
        "ServerApp": {"jpserver_extensions": {EXTENSION: True}, **server},
        "JupyterOIDC": {
            "storage": "memory",
            "providers": {
                "corp": {
                    "issuer": provider.issuer,
                    "client_id": "jupyter",
                    "allow_insecure_loopback": True,
                    "apis": {"orders": {"base_url": upstream.url}},
                }
            },
        },
    }


def extension_of(serverapp: Any) -> ExtensionUnderTest:
    """Return the extension of the server, which must have been configured with ``EXTENSION``."""
    extension: ExtensionUnderTest = serverapp.extension_manager.extension_points["jupyter_oidc"].app
    return extension


class ServerUnderTest:
    """A server at ``url`` whose provider ``corp`` is ``provider``."""

    def __init__(self, serverapp: Any, provider: ScriptedProvider, url: str) -> None:
        self.provider = provider
        self.url = url
        self.token: str = serverapp.identity_provider.token
        self.application = serverapp.web_app
        self.extension = extension_of(serverapp)
        self.clock = self.extension.clock
        self.context: Context = self.extension.context
        self.kernels = Kernels()

    @property
    def services(self) -> Services:
        """The services; made at the first call, as by a request."""
        services = self.context.services
        assert services is not None
        return services

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        settings = self.context.settings
        assert settings is not None
        return settings

    def rules(self) -> list[Any]:
        """Return tornado's rules for this server; as behind a first request, those of our routes are among them."""
        address = urlsplit(self.url)
        line = RequestStartLine("GET", f"{address.path}jupyter-oidc/providers", "HTTP/1.1")
        first = HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": address.netloc}))
        self.application.find_handler(first)
        rules: list[Any] = self.application.default_router.rules
        return rules

    def client(self) -> httpx.AsyncClient:
        """Return a client with Jupyter's token, for any number of calls at once."""
        headers = {"Authorization": f"token {self.token}"}
        limits = httpx.Limits(max_connections=None)
        return httpx.AsyncClient(
            base_url=self.url, headers=headers, limits=limits, timeout=60, trust_env=False, verify=PLAIN
        )

    async def ask(self, verb: str, path: str, **rest: Any) -> httpx.Response:
        """Send one request below the base URL."""
        async with self.client() as client:
            return await client.request(verb, path, **rest)

    async def sign_in(self) -> None:
        """Sign in as a person does; the provider asks nothing."""
        started = (await self.ask("POST", f"{ROUTE}/sign-in", json={})).json()
        start = str(httpx.URL(self.url).join(started["start_url"]))
        page = await asyncio.to_thread(self.provider.browser().open, start)
        assert "You are signed in" in page.text, page.text

    async def session(self) -> dict[str, Any]:
        """Return the session summary."""
        summary: dict[str, Any] = (await self.ask("GET", f"{ROUTE}/session")).json()
        return summary

    async def state(self) -> tuple[str, str | None]:
        """Return state and reason."""
        summary = await self.session()
        return summary["state"], summary["reason"]

    async def call(self, count: int) -> list[int]:
        """Make ``count`` proxied calls at once; return their statuses."""
        # NOTE: aiohttp, because httpx compares each waiting call with each connection: seconds for hundreds of calls.
        async with aiohttp.ClientSession(
            headers={"Authorization": f"token {self.token}"},
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(60),
        ) as client:

            async def status(number: int) -> int:
                address = URL(f"{self.url}jupyter-oidc/api/orders/{number}", encoded=True)
                async with client.get(address) as reply:
                    await reply.read()
                    return reply.status

            return await asyncio.gather(*map(status, range(count)))

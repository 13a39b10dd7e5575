"""A Jupyter Server extension for comparison: the handler that people write themselves.

It fetches with tornado's own client and sends the whole answer when it is there. The connection is verified with a
context that is made once; its upstream and authority come from ``BENCH_ORIGIN`` and ``BENCH_AUTHORITY``.
"""

from __future__ import annotations

import os
import ssl
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.web import authenticated


class BufferedHandler(JupyterHandler):
    """Passes a GET on, with a bearer token as long as those that our proxy adds."""

    def initialize(self, origin: str, tls: ssl.SSLContext) -> None:
        """Remember where calls go."""
        self.origin, self.tls = origin, tls

    @authenticated
    async def get(self, path: str) -> None:
        """Fetch it all, then send it all."""
        headers = {"Authorization": f"Bearer {'x' * 900}"}
        reply = await AsyncHTTPClient().fetch(HTTPRequest(self.origin + path, headers=headers, ssl_options=self.tls))
        self.set_header("Content-Type", reply.headers["Content-Type"])
        self.finish(reply.body)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "tests.bench.proxy.buffered_extension"}]


def _load_jupyter_server_extension(server: Any) -> None:
    told = {
        "origin": os.environ["BENCH_ORIGIN"],
        "tls": ssl.create_default_context(cafile=os.environ["BENCH_AUTHORITY"]),
    }
    pattern = url_path_join(server.web_app.settings["base_url"], r"/buffered/(.*)")
    server.web_app.add_handlers(".*", [(pattern, BufferedHandler, told)])

"""A Jupyter Server extension of the demo on Binder: the first page, which learns its public address from the browser.

The address comes from the request of a logged-in user's browser. That is good enough only for a demo with two
invented people: the product takes no address from a request (ADR 1).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from jupyter_oidc.demo import parent_watch

ADDRESS_FILE_VARIABLE = "JUPYTER_OIDC_DEMO_TOLD"
"""The variable that names the file for the address."""

PROVIDER_PORT_VARIABLE = "JUPYTER_OIDC_DEMO_PROVIDER_PORT"
"""The variable that holds the provider's port."""


class BinderLandingHandler(JupyterHandler):
    """``jupyter-oidc-demo``: records the address and redirects to the notebook."""

    @web.authenticated
    def get(self) -> None:
        """Write the public address of the provider's pages for this browser, and redirect."""
        address = f"{self.request.protocol}://{self.request.host}{self.base_url}"
        parent_watch.publish(
            Path(os.environ[ADDRESS_FILE_VARIABLE]), f"{address}proxy/{os.environ[PROVIDER_PORT_VARIABLE]}"
        )
        self.redirect(url_path_join(self.base_url, "lab", "tree", "tutorial.ipynb"))


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "jupyter_oidc.demo.binder_landing"}]


def _load_jupyter_server_extension(server: Any) -> None:
    pattern = url_path_join(server.web_app.settings["base_url"], "jupyter-oidc-demo")
    server.web_app.add_handlers(".*", [(pattern, BinderLandingHandler)])

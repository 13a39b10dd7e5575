"""Canaille from PyPI: a confidential client, login and password on two pages, no ``offline_access``."""

from __future__ import annotations

import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_oidc.demo.environment import free_port
from tests.providers.environment import environment_with
from tests.providers.real import LOGIN, Addresses, Served, publishes_metadata

VERSION = "0.3.6"
SITE = Path(__file__).with_name("canaille_site.py")


class Canaille:
    """Implements ``RealProvider``; it is a Flask application on SQLite."""

    name = "Canaille"
    version = VERSION
    not_offered: Mapping[str, str] = {}

    def __init__(self, folder: Path, cache: Path) -> None:
        port = free_port()
        self.issuer = f"http://127.0.0.1:{port}"
        self._secret = secrets.token_urlsafe(32)
        self._python = environment_with(cache / "canaille", f"canaille[front,oidc,server,sqlite]=={VERSION}")
        self._data = folder / "canaille"
        self._data.mkdir()
        self._do("prepare", self.issuer)
        self._served = Served(
            (str(self._python.with_name("canaille")), "run", "--bind", f"127.0.0.1:{port}"),
            folder / "canaille.log",
            self._data,
        )

    def start(self) -> None:
        """Start it."""
        self._served.start(lambda: publishes_metadata(self.issuer))

    def stop(self) -> None:
        """Stop it; its data are in a file."""
        self._served.stop()

    def settings(self) -> dict[str, Any]:
        """Return the settings of a confidential client, which alone may take tokens back here."""
        return {"token_endpoint_auth_method": "client_secret_basic", "client_secret": "env:CORP_SECRET"}

    def environment(self) -> dict[str, str]:
        """Return the client's secret."""
        return {"CORP_SECRET": self._secret}

    def api(self, audience: str) -> dict[str, Any]:
        """Return nothing: a token's audience is a property of the client here."""
        del audience
        return {}

    def register(self, client_id: str, addresses: Addresses) -> None:
        """Register ``client_id``."""
        self._do("register", client_id, self._secret, addresses.callback, addresses.signed_out)

    def end_sessions(self) -> None:
        """Delete the person's tokens."""
        self._do("end-sessions", LOGIN[0])

    def _do(self, *words: str) -> None:
        # NOTE: isolated, since this module would be found in the place of the package of the same name.
        command = (str(self._python), "-I", str(SITE), str(self._data), *words)
        subprocess.run(command, check=True, capture_output=True, timeout=300)

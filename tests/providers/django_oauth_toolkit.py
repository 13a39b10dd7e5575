"""Django OAuth Toolkit from PyPI: refresh tokens that are good once, no ``offline_access``, no device flow in its metadata."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_oidc.demo.environment import free_port
from tests.providers.environment import environment_with
from tests.providers.real import LOGIN, Addresses, Served, publishes_metadata

VERSION = "3.4.1"
SITE = Path(__file__).with_name("django_site.py")


class DjangoOAuthToolkit:
    """Implements ``RealProvider``; it is a Django project on SQLite."""

    name = "Django OAuth Toolkit"
    version = VERSION
    not_offered: Mapping[str, str] = {}

    def __init__(self, folder: Path, cache: Path) -> None:
        port = free_port()
        self.issuer = f"http://127.0.0.1:{port}/o"
        python = environment_with(cache / "django", f"django-oauth-toolkit=={VERSION}", "django>=5,<6", "cryptography")
        data = folder / "django"
        data.mkdir()
        self._command = (str(python), str(SITE), str(data))
        self._served = Served((*self._command, "serve", str(port)), folder / "django.log", data)

    def start(self) -> None:
        """Start it."""
        self._served.start(lambda: publishes_metadata(self.issuer))

    def stop(self) -> None:
        """Stop it; its data are in a file."""
        self._served.stop()

    def settings(self) -> dict[str, Any]:
        """Return nothing: the defaults have to do."""
        return {}

    def environment(self) -> dict[str, str]:
        """Return nothing: the client is public."""
        return {}

    def api(self, audience: str) -> dict[str, Any]:
        """Return nothing: this provider has no audiences."""
        del audience
        return {}

    def register(self, client_id: str, addresses: Addresses) -> None:
        """Register ``client_id``."""
        self._do("register", client_id, addresses.callback, addresses.signed_out)

    def end_sessions(self) -> None:
        """Delete the person's tokens."""
        self._do("end-sessions", LOGIN[0])

    def _do(self, *words: str) -> None:
        subprocess.run((*self._command, *words), check=True, capture_output=True, timeout=120)

"""The oauth2-mock-server from npm, a server for tests: no person, no session, and every token is good."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_oidc.demo.environment import free_port
from tests.providers.real import Addresses, Served, publishes_metadata
from tests.support.node import find_node

VERSION = "8.2.3"
"""The last one for Node 20; from version 9 on it needs Node 22."""


class OAuth2MockServer:
    """Implements ``RealProvider``; it forgets everything when it is stopped, and comes back with another key."""

    name = "oauth2-mock-server"
    version = VERSION
    not_offered: Mapping[str, str] = {
        "rotation": "it takes whatever it is given for a refresh token, so that none is good only once",
        "step up": "nobody signs in, and its ID tokens tell no `auth_time`",
        "revoked": "it has no sessions, and refuses no token",
    }

    def __init__(self, folder: Path, cache: Path) -> None:
        port = free_port()
        self.issuer = f"http://localhost:{port}"
        node = find_node()
        home = cache / f"oauth2-mock-server-{VERSION}"
        program = home / "node_modules" / "oauth2-mock-server" / "dist" / "oauth2-mock-server.mjs"
        if not program.exists():
            home.mkdir(parents=True, exist_ok=True)
            wanted = f"oauth2-mock-server@{VERSION}"
            done = node.run("npm", "install", "--prefix", str(home), "--no-audit", "--no-fund", wanted, cwd=home)
            assert done.returncode == 0, done.stderr
        self._served = Served(
            (str(Path(node.folder) / "node"), str(program), "-a", "127.0.0.1", "-p", str(port)),
            folder / "oauth2-mock-server.log",
            folder,
        )

    def start(self) -> None:
        """Start it."""
        self._served.start(lambda: publishes_metadata(self.issuer))

    def stop(self) -> None:
        """Stop it."""
        self._served.stop()

    def settings(self) -> dict[str, Any]:
        """Return nothing: the defaults have to do."""
        return {}

    def environment(self) -> dict[str, str]:
        """Return nothing: the client is public."""
        return {}

    def api(self, audience: str) -> dict[str, Any]:
        """Return nothing: its access tokens have no audience."""
        del audience
        return {}

    def register(self, client_id: str, addresses: Addresses) -> None:
        """Do nothing: every client is welcome."""

    def end_sessions(self) -> None:
        """Do nothing: there are none."""

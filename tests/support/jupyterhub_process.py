"""A real JupyterHub in a process of its own, with the proxy of its project, on loopback ports.

Everybody logs in with one password. A broker is one of its services, by the file of ``docs/how-to``, as an administrator
configures it who starts it elsewhere.
"""

from __future__ import annotations

import json
import os
import secrets
import ssl
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from jupyter_oidc.demo.child import Child
from jupyter_oidc.demo.environment import free_port
from tests.support.broker_process import BrokerProcess
from tests.support.clean_environment import without_jupyter
from tests.support.node import find_node

if TYPE_CHECKING:
    from typing_extensions import Self

    from tests.support.certificate import Certificate

PROXY_FOLDER = Path(__file__).with_name("hub_proxy")
PATIENCE = 90.0
SERVICE = "oidc"
PREFIX = f"/services/{SERVICE}/"

_CONFIG = Path(__file__).with_name("jupyterhub_config.py")
DOCUMENTED = Path(__file__).parents[2] / "docs" / "how-to" / "jupyterhub_config_broker.py"
DOCUMENTED_LISTEN = "http://127.0.0.1:10101"
"""The address of the broker on the page."""


@dataclass
class HubProcess:
    """Context manager; its ``url`` has no slash at the end.

    ``environment`` is added to that of the users' servers, which read their settings in the folder ``etc``.
    ``commands`` starts the server of a user in place of the usual command. With a ``certificate`` it speaks HTTPS, and
    browsers find it at ``public``; users and the broker may have hosts of their own below that one.
    """

    folder: Path
    users: Sequence[str] = ("ada", "bob")
    environment: Mapping[str, str] = field(default_factory=dict)
    public: str = ""
    has_user_hosts: bool = False
    certificate: Certificate | None = None
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    api_token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    broker_token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    _child: Child | None = None

    def __post_init__(self) -> None:
        self.port, self.hub_port, self.proxy_port, self.broker_port = (free_port() for _ in range(4))

    @property
    def url(self) -> str:
        """Where browsers find the Hub, and all that is behind its proxy."""
        return self.public or self.inside

    @property
    def inside(self) -> str:
        """Where programs of this machine find it."""
        return f"{'http' if self.certificate is None else 'https'}://localhost:{self.port}"

    @property
    def trust(self) -> ssl.SSLContext | bool:
        """What a client has to trust."""
        return True if self.certificate is None else ssl.create_default_context(cafile=self.certificate.certfile)

    @property
    def broker_url(self) -> str:
        """Where browsers find the broker."""
        return f"{self._at(f'{SERVICE}--service')}{PREFIX}"

    def server_url(self, user: str, name: str = "") -> str:
        """Return where browsers find the server ``name`` of ``user``."""
        return f"{self._at(user)}/user/{user}/{name}{'/' if name else ''}"

    def _at(self, label: str) -> str:
        return self.url.replace("://", f"://{label}.") if self.has_user_hosts else self.url

    def callback(self, provider: str) -> str:
        """Return the redirect URI that the provider knows."""
        return f"{self.broker_url}jupyter-oidc/providers/{provider}/callback"

    def service_environment(self) -> dict[str, str]:
        """What an administrator sets for a service that the Hub does not start itself."""
        return {
            "JUPYTERHUB_SERVICE_NAME": SERVICE,
            "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
            "JUPYTERHUB_API_URL": f"http://127.0.0.1:{self.hub_port}/hub/api",
            "JUPYTERHUB_API_TOKEN": self.broker_token,
            "JUPYTERHUB_BASE_URL": "/",
            **({"JUPYTERHUB_HOST": self.url} if self.has_user_hosts else {}),
        }

    def __enter__(self) -> Self:
        node = find_node()
        node.install(PROXY_FOLDER)
        documented, token = self.folder / "documented.py", self.folder / "broker-token"
        broker_url = f"http://127.0.0.1:{self.broker_port}"
        text = DOCUMENTED.read_text(encoding="utf-8")
        documented.write_text(text.replace(DOCUMENTED_LISTEN, broker_url), encoding="utf-8")
        token.write_text(f"{self.broker_token}\n", encoding="ascii")
        tls = self.certificate
        said = {
            "url": self.inside.replace("localhost", "127.0.0.1"),
            "subdomain_host": self.url if self.has_user_hosts else "",
            "tls": None if tls is None else [str(tls.certfile), str(tls.keyfile)],
            "commands": {user: list(command) for user, command in self.commands.items()},
            "documented": str(documented),
            "hub_port": self.hub_port,
            "proxy_port": self.proxy_port,
            "proxy": [str(PROXY_FOLDER / "node_modules" / ".bin" / "configurable-http-proxy")],
            "folder": str(self.folder),
            "password": self.password,
            "users": list(self.users),
            "server": [sys.executable, "-m", "jupyterhub.singleuser"],
            "environment": {
                "NO_PROXY": "localhost,127.0.0.1",
                "JUPYTER_CONFIG_PATH": str(self.folder / "etc"),
                **self.environment,
            },
            "api_token": self.api_token,
        }
        environment = {
            **without_jupyter(),
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), node.folder, os.environ.get("PATH", ""))),
            "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(16),
            "NO_PROXY": "localhost,127.0.0.1",
            "JUPYTER_OIDC_BROKER_TOKEN_FILE": str(token),
            "HUB_UNDER_TEST": json.dumps(said),
        }
        log = self.folder / "hub.log"
        self._child = Child.start("JupyterHub", ("-m", "jupyterhub", "-f", str(_CONFIG)), log, environment)
        try:
            self.until(self._answers, "The Hub did not start")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the Hub, and with it its proxy and the users' servers."""
        child, self._child = self._child, None
        if child is not None:
            child.process.terminate()
            child.release()
            child.finish(within=30)

    def ask(self, verb: str, path: str, **options: Any) -> httpx.Response:
        """Ask the Hub's REST API as its administrator."""
        headers = {"Authorization": f"token {self.api_token}"}
        address = f"http://127.0.0.1:{self.hub_port}/hub/api/{path}"
        return httpx.request(verb, address, headers=headers, trust_env=False, timeout=60, **options)

    def token_of(self, user: str, *scopes: str) -> str:
        """Return a token of ``user`` with ``scopes``; by itself with that for the broker, as a server's has it."""
        wanted = list(scopes) or [f"access:services!service={SERVICE}"]
        made = self.ask("POST", f"users/{user}/tokens", json={"scopes": wanted})
        assert made.status_code == 201, made.text
        return str(made.json()["token"])

    def until(self, wanted: Callable[[], bool], otherwise: str) -> None:
        """Wait until something is so; raises ``AssertionError`` with the end of the Hub's log."""
        last = time.monotonic() + PATIENCE
        while not wanted():
            if time.monotonic() > last or (self._child is not None and self._child.process.poll() is not None):
                lines = (self.folder / "hub.log").read_text(encoding="utf-8", errors="replace").splitlines()[-30:]
                raise AssertionError("\n".join((f"{otherwise}.", *lines)))
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "users").status_code == 200
        except httpx.TransportError:
            return False


@dataclass(slots=True)
class BrokerAtHub(BrokerProcess):
    """A broker that is a service of ``hub``."""

    hub: HubProcess | None = None

    @property
    def address(self) -> str:
        """What a Jupyter server writes into its settings; where hosts are told apart, it goes past the Hub's proxy."""
        assert self.hub is not None
        at = f"http://127.0.0.1:{self.hub.broker_port}" if self.hub.has_user_hosts else self.hub.inside
        return f"{at}{PREFIX}"

    @property
    def settings(self) -> dict[str, Any]:
        """Where it listens, and how browsers reach it."""
        assert self.hub is not None
        return {
            "listen": f"http://127.0.0.1:{self.hub.broker_port}",
            "public_url": self.hub.broker_url,
            "allow_shared_host": not self.hub.has_user_hosts,
        }

    @property
    def environment(self) -> dict[str, str]:
        """What the Hub tells its service."""
        assert self.hub is not None
        return self.hub.service_environment()

    def ask(self, path: str, **headers: str) -> httpx.Response:
        """Send a GET to it, past the Hub's proxy."""
        assert self.hub is not None
        address = f"http://127.0.0.1:{self.hub.broker_port}/{path}"
        return httpx.get(address, headers=headers, trust_env=False, timeout=10)

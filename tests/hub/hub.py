"""A JupyterHub as its project ships it: from pip into an environment of its own, its proxy from npm, users without accounts.

The users' servers run this checkout's extension, with the very files of ``docs/how-to`` for the Hub and for the settings.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from jupyter_oidc.demo.environment import free_port
from tests.providers.environment import environment_with
from tests.support.jupyter_process import BUILT
from tests.support.jupyterhub_process import PROXY_FOLDER
from tests.support.node import find_node

if TYPE_CHECKING:
    from typing_extensions import Self

DOCUMENTED = Path(__file__).parents[2] / "docs" / "how-to"
CONFIG, SETTINGS = DOCUMENTED / "jupyterhub_config.py", DOCUMENTED / "jupyter_oidc_hub.json"
REQUIREMENTS = ("jupyterhub>=5,<7", "jupyterhub-idle-culler>=1.4")
START_SECONDS = 120.0
HUB, PROVIDER, API = "https://hub.example.com", "https://id.example.com", "https://api.example.com/"
"""The documentation's placeholders for the addresses of a Hub, a provider and an API."""


@dataclass
class RealHub:
    """Context manager; ``url`` has no slash at its end. Its log is in ``folder``."""

    folder: Path
    cache: Path
    port: int = field(default_factory=free_port)
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    api_token: str = field(default_factory=lambda: secrets.token_hex(24), repr=False)
    _process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.python = environment_with(self.cache / "jupyterhub", *REQUIREMENTS)
        self._share_site_packages()
        find_node().install(PROXY_FOLDER)

    @property
    def url(self) -> str:
        """Where the browser finds the Hub."""
        return f"http://localhost:{self.port}"

    def server_url(self, user: str, name: str = "") -> str:
        """Return where browsers find the server ``name`` of ``user``."""
        return f"{self.url}/user/{user}/{name}{'/' if name else ''}"

    @property
    def redirect_uri(self) -> str:
        """The one that is registered at the provider, as the settings of the documentation have it."""
        written: str = json.loads(SETTINGS.read_text(encoding="utf-8"))["JupyterOIDC"]["providers"]["corp"][
            "redirect_uri"
        ]
        return written.replace(HUB, self.url)

    def write_settings(self, issuer: str, api: str) -> None:
        """Write the settings of the documentation, with true addresses, to where only root can change them."""
        text = SETTINGS.read_text(encoding="utf-8").replace(HUB, self.url).replace(PROVIDER, issuer).replace(API, api)
        document = json.loads(text)
        document["JupyterOIDC"]["providers"]["corp"]["allow_insecure_loopback"] = True
        folder = self.folder / "etc" / "jupyter_server_config.d"
        folder.mkdir(parents=True)
        (folder / "jupyter_oidc.json").write_text(json.dumps(document), encoding="utf-8")

    def __enter__(self) -> Self:
        key = self.folder / "hub-key"
        key.write_bytes(secrets.token_bytes(32))
        key.chmod(0o600)
        with (self.folder / "hub.log").open("wb") as log:
            self._process = subprocess.Popen(
                (str(self.python), "-m", "jupyterhub", "-f", str(Path(__file__).with_name("hub_config.py"))),
                cwd=self.folder,
                env=self._environment(key),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.until(self._answers, "the Hub did not start", within=START_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for name in ("ada", "bob"):
            self.ask("DELETE", f"users/{name}/server")
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def ask(self, verb: str, path: str, **options: Any) -> httpx.Response:
        """Ask the Hub's REST API as its administrator."""
        headers = {"Authorization": f"token {self.api_token}"}
        return httpx.request(
            verb, f"{self.url}/hub/api/{path}", headers=headers, trust_env=False, timeout=60, **options
        )

    def runs(self, name: str, server: str = "") -> bool:
        """Whether this server of the user is up."""
        servers: dict[str, Any] = self.ask("GET", f"users/{name}").json().get("servers") or {}
        return bool(servers.get(server, {}).get("ready"))

    def stop_server(self, name: str) -> None:
        """Stop the user's default server, as its person does in the Hub's control panel."""
        self.ask("DELETE", f"users/{name}/server")
        self.until(lambda: not self.runs(name), f"the server of {name} did not stop")

    def cull(self, name: str) -> None:
        """Let the Hub's own culler find that the user's server is idle."""
        environment = {**os.environ, "JUPYTERHUB_API_TOKEN": self.api_token, "NO_PROXY": "localhost,127.0.0.1"}
        wanted = (f"--url={self.url}/hub/api", "--timeout=2", "--cull-every=1")
        with (self.folder / "culler.log").open("wb") as log:
            culler = subprocess.Popen(
                (str(self.python), "-m", "jupyterhub_idle_culler", *wanted),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self.until(lambda: not self.runs(name), f"the server of {name} was not culled")
        finally:
            culler.terminate()
            culler.wait(30)

    def until(self, wanted: Callable[[], bool], otherwise: str, *, within: float = 60.0) -> None:
        """Wait until something is so; raises ``AssertionError`` with the end of the Hub's log."""
        last = time.monotonic() + within
        while not wanted():
            if time.monotonic() > last or (self._process is not None and self._process.poll() is not None):
                lines = (self.folder / "hub.log").read_text(encoding="utf-8", errors="replace").splitlines()[-30:]
                raise AssertionError("\n".join((f"{otherwise}.", *lines)))
            time.sleep(0.3)

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "users").status_code == 200
        except httpx.TransportError:
            return False

    def _environment(self, key: Path) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_", "PYTHON"))}
        here = Path(sys.prefix)
        return {
            **kept,
            "PATH": os.pathsep.join((str(self.python.parent), find_node().folder, os.environ.get("PATH", ""))),
            "NO_PROXY": "localhost,127.0.0.1",
            "JUPYTER_PATH": os.pathsep.join((str(self._front_end()), str(here / "share" / "jupyter"))),
            "JUPYTER_CONFIG_PATH": os.pathsep.join((str(self.folder / "etc"), str(here / "etc" / "jupyter"))),
            "JUPYTERLAB_DIR": str(here / "share" / "jupyter" / "lab"),
            "JUPYTER_OIDC_HUB_KEY_FILE": str(key),
            "CONFIGPROXY_AUTH_TOKEN": secrets.token_hex(24),
            "HUB_CHECK_FOLDER": str(self.folder),
            "HUB_CHECK_URL": f"http://127.0.0.1:{self.port}",
            "HUB_CHECK_HUB_PORT": str(free_port()),
            "HUB_CHECK_PROXY_PORT": str(free_port()),
            "HUB_CHECK_PROXY": str(PROXY_FOLDER / "node_modules" / ".bin" / "configurable-http-proxy"),
            "HUB_CHECK_PASSWORD": self.password,
            "HUB_CHECK_API_TOKEN": self.api_token,
            "HUB_CHECK_DOCUMENTED": str(CONFIG),
        }

    def _front_end(self) -> Path:
        """Serve the front end that this checkout has built, whichever one the environment has installed."""
        share = self.folder / "share"
        shutil.copytree(BUILT, share / "labextensions" / "@jupyter-oidc" / "labextension", dirs_exist_ok=True)
        return share

    def _share_site_packages(self) -> None:
        """Let the Hub's environment find the packages of this one: JupyterLab, and this checkout's extension."""
        theirs = subprocess.run(
            (str(self.python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        ours = sysconfig.get_path("purelib")
        Path(theirs, "this-checkout.pth").write_text(f"import site; site.addsitedir({ours!r})\n", encoding="utf-8")

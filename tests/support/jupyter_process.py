"""A real Jupyter server or JupyterLab in a process of its own, with this checkout's extension.

It logs at DEBUG into a file below its folder, where the canary looks at the end of the run.
"""

from __future__ import annotations

import json
import secrets
import shutil
import socket
import ssl
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import httpx
from jupyter_server.auth.security import passwd

from jupyter_oidc.demo.child import Child
from jupyter_oidc.demo.environment import free_port
from jupyter_oidc.demo.running_kernel import Server
from tests.support.canary import CANARY
from tests.support.clean_environment import without_jupyter
from tests.support.forked import FORKS, fork
from tests.support.plain_http import PLAIN

if TYPE_CHECKING:
    import subprocess
    from types import TracebackType

    from typing_extensions import Self

    from tests.support.certificate import Certificate

PATIENCE = 60.0
BUILT = Path(__file__).parents[2] / "jupyter_oidc" / "labextension"

LAB_PORTS: list[int] = []
"""The ports at which JupyterLabs of this process have been; browsers that visited them know their scripts."""


def lab_port() -> int:
    """Return a port at which a JupyterLab has been and that is free; the first time any free one."""
    while LAB_PORTS:
        port = LAB_PORTS.pop()
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    return free_port()


@dataclass(slots=True)
class JupyterProcess:
    """Context manager; ``url`` ends with a slash and includes the base URL.

    With ``password`` there is no token: clients log in by the login form. ``server`` and ``extension`` are further
    settings of Jupyter and of ours, ``program`` those of a Python file; ``preferences`` are JupyterLab's, by package and plugin. The app ``jupyterlab``
    serves Notebook 7 too, with our front end and, ``beside`` it, only those of the environment that are named;
    ``built_beside`` are folders of extensions that a test has built, by name. With
    ``sock`` the server listens on that Unix socket and on nothing else. It inherits the open ``descriptors``. Started
    ``as_program`` it is a process as the system makes one for a user; else it is a fork that does the same sooner.
    """

    folder: Path
    providers: dict[str, Any]
    app: str = "jupyter_server"
    base_url: str = "/"
    server: dict[str, Any] = field(default_factory=dict)
    extension: dict[str, Any] = field(default_factory=dict)
    program: str = ""
    storage: str = "memory"
    password: str = ""
    certificate: Certificate | None = None
    sock: Path | None = None
    host: str = "localhost"
    enabled: bool = True
    log_level: str = "DEBUG"
    environment: dict[str, str] = field(default_factory=dict)
    preferences: dict[str, dict[str, Any]] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    built_beside: dict[str, Path] = field(default_factory=dict)
    descriptors: tuple[int, ...] = ()
    as_program: bool = False
    port: int = 0
    token: str = field(default_factory=lambda: secrets.token_hex(20))
    _child: Child | None = None

    def __post_init__(self) -> None:
        self.port = self.port or (lab_port() if self.app == "jupyterlab" else free_port())
        if self.password:
            self.token = ""

    @property
    def url(self) -> str:
        """Where the server is."""
        scheme = "https" if self.certificate else "http"
        if self.sock:
            return f"{scheme}://localhost{self.base_url}"
        return f"{scheme}://{self.host}:{self.port}{self.base_url}"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._child is not None
        return self._child.process.pid

    @property
    def log(self) -> str:
        """The server's log so far."""
        return (self.folder / "jupyter.log").read_text(encoding="utf-8", errors="replace")

    @property
    def trust(self) -> ssl.SSLContext | None:
        """A context that trusts the server's certificate; ``None`` without HTTPS."""
        if self.certificate is None:
            return None
        context = ssl.create_default_context(cafile=str(self.certificate.certfile))
        if self.certificate.for_other_names:
            context.check_hostname = False
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        if "client_ca" in self.server:
            context.load_cert_chain(self.certificate.certfile, self.certificate.keyfile)
        return context

    def callback(self, provider: str) -> str:
        """The redirect URI of ``provider``."""
        return f"{self.url}jupyter-oidc/providers/{provider}/callback"

    def __enter__(self) -> Self:
        self.work.mkdir(parents=True)
        settings = self.folder / "config"
        settings.mkdir()
        (settings / "jupyter_server_config.json").write_text(json.dumps(self._settings()), encoding="utf-8")
        if self.program:
            (settings / "jupyter_server_config.py").write_text(self.program, encoding="utf-8")
        self._child = self._start()
        self._await()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.release()
            self._child.finish(within=20)
            if self.app == "jupyterlab":
                LAB_PORTS.append(self.port)

    @property
    def work(self) -> Path:
        """The server's root folder for files."""
        return self.folder / "work"

    def client(self, **options: Any) -> httpx.Client:
        """Return a client of the REST API that is logged in to Jupyter like a browser or a script."""
        client = self.stranger(**options)
        if self.password:
            client.get("login")
            form = {"password": self.password, "_xsrf": client.cookies["_xsrf"]}
            client.post("login", data=form)
            client.headers["X-XSRFToken"] = client.cookies["_xsrf"]
        else:
            client.headers["Authorization"] = f"token {self.token}"
        return client

    def stranger(self, **options: Any) -> httpx.Client:
        """Return a client that is not logged in; every reply is shown to the canary."""
        return httpx.Client(
            base_url=self.url,
            trust_env=False,
            timeout=30,
            verify=self.trust or PLAIN,
            event_hooks={"response": [_watch]},
            transport=httpx.HTTPTransport(uds=str(self.sock), verify=self.trust or PLAIN) if self.sock else None,
            **options,
        )

    def rest(self, client: httpx.Client) -> Server:
        """Return the interface to kernels, logged in like ``client``; close its ``client`` afterwards."""
        headers = {name: client.headers[name] for name in ("X-XSRFToken",) if name in client.headers}
        # NOTE: as one header, since a cookie jar would quote the values anew.
        headers["Cookie"] = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
        session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(self.sock))
            if self.sock
            else aiohttp.TCPConnector(ssl=self.trust or True),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
        )
        return Server(self.url, self.token, _saw, session)

    def _start(self) -> Child:
        """Start the server."""
        log, environment = self.folder / "jupyter.log", self._environment()
        arguments = (str(self.folder / "nothing"), self.app)
        by_python = any(name.startswith("PYTHON") for name in self.environment)  # read when a Python starts
        if self.as_program or by_python or self.descriptors or not FORKS:
            program = ("-m", "jupyter_oidc.demo.parent_watch", *arguments)
            return Child.start("Jupyter", program, log, environment, self.descriptors)
        # NOTE: a forked process has the part of the interface of Popen that a Child uses.
        return Child("Jupyter", cast("subprocess.Popen[bytes]", fork(arguments, log, environment)), log)

    def _settings(self) -> dict[str, Any]:
        tls = (
            {"certfile": str(self.certificate.certfile), "keyfile": str(self.certificate.keyfile)}
            if self.certificate
            else {}
        )
        hashed: Callable[[str, str], str] = passwd  # NOTE: Jupyter has no types here
        identity = (
            {"PasswordIdentityProvider": {"hashed_password": hashed(self.password, "sha1")}}
            if self.password
            else {"IdentityProvider": {"token": self.token}}
        )
        return {
            "JupyterOIDC": {"providers": self.providers, "storage": self.storage, **self.extension},
            "ServerApp": {
                **({} if self.sock else {"ip": self.host, "port": self.port, "port_retries": 0}),
                "base_url": self.base_url,
                "root_dir": str(self.work),
                "open_browser": False,
                "allow_root": True,
                "log_level": self.log_level,
                "jpserver_extensions": {
                    "jupyter_oidc": self.enabled,
                    "jupyterlab": self.app == "jupyterlab",
                    "jupyter_server_proxy": False,  # NOTE: the benchmark and Binder want it, no test here
                    "notebook": self.app == "jupyterlab",
                },
                **tls,
                **({"sock": str(self.sock)} if self.sock else {}),
                **self.server,
            },
            # NOTE: to look for language servers takes as long as the rest of a start, and no test uses one.
            "LanguageServerManager": {"autodetect": False},
            "LabApp": self._lab(),
            "JupyterNotebookApp": self._lab(),
            **identity,
        }

    def _lab(self) -> dict[str, Any]:
        """Return the settings of JupyterLab and of Notebook 7."""
        return {
            # NOTE: other extensions in the environment are no part of a test.
            "labextensions_path": [str(self._share / "labextensions")],
            # NOTE: not by the environment, which JupyterLab reads when it is imported: before a server is forked.
            "user_settings_dir": str(self._lab_settings()),
            "workspaces_dir": str(self.folder / "lab-workspaces"),
        }

    def _environment(self) -> dict[str, str]:
        kept = without_jupyter()
        return {
            **kept,
            "JUPYTER_CONFIG_DIR": str(self.folder / "config"),
            "JUPYTER_DATA_DIR": str(self.folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.folder / "runtime"),
            "JUPYTER_PATH": str(self._front_end()),
            "IPYTHONDIR": str(self.folder / "ipython"),
            "PYTHONUNBUFFERED": "1",
            "NO_PROXY": "localhost,127.0.0.1",
            **self.environment,
        }

    @property
    def _share(self) -> Path:
        return self.folder / "share"

    def _front_end(self) -> Path:
        """Serve the front end that this checkout has built, whichever one the environment has installed."""
        if BUILT.is_dir():
            to = self._share / "labextensions" / "@jupyter-oidc" / "labextension"
            shutil.copytree(BUILT, to, dirs_exist_ok=True)
        installed = Path(sys.prefix) / "share" / "jupyter" / "labextensions"
        for name, source in {**{name: installed / name for name in self.beside}, **self.built_beside}.items():
            shutil.copytree(source, self._share / "labextensions" / name, dirs_exist_ok=True)
        return self._share

    def _lab_settings(self) -> Path:
        """Answer JupyterLab's question about news with no, since it would cover the page."""
        folder = self.folder / "lab-settings"
        news = {"@jupyterlab/apputils-extension": {"notification": {"fetchNews": "false"}}}
        for package, plugins in {**news, **self.preferences}.items():
            (folder / package).mkdir(parents=True, exist_ok=True)
            for plugin, settings in plugins.items():
                path = folder / package / f"{plugin}.jupyterlab-settings"
                path.write_text(json.dumps(settings), encoding="utf-8")
        return folder

    def _await(self) -> None:
        assert self._child is not None
        until = time.monotonic() + PATIENCE
        with self.stranger() as client:
            while time.monotonic() < until:
                self._child.check()
                try:
                    client.get("api")
                except httpx.TransportError:
                    time.sleep(0.1)
                else:
                    return
        raise TimeoutError(f"Jupyter did not start.\n{self._child.last_lines()}")


def _watch(response: httpx.Response) -> None:
    """Show the reply to the canary; an event stream is not read to its end here."""
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        return
    response.read()
    CANARY.look_at_reply(response)


def _saw(what: str, content: bytes) -> None:
    CANARY.look(what, content)

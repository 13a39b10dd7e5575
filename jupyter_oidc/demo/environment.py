"""The whole demo: provider, API and a JupyterLab of its own, started together and stopped together.

Everything it writes lies in one temporary folder, and no setting of the user's own Jupyter is read or changed.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

import httpx
from typing_extensions import Self

from jupyter_oidc.demo.child import Child, ChildFailed
from jupyter_oidc.demo.interrupts import StopRequests
from jupyter_oidc.demo.personas import API, CLIENT_ID, PROVIDER, SCOPES

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

NOTEBOOK: Final = "tutorial.ipynb"
_START_TIMEOUT_SECONDS: Final = 90.0
_STOP_TIMEOUT_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """The options of the demo: ``port`` 0 means a free one.

    ``watched`` records issued codes and tokens, and logs at DEBUG.
    """

    port: int = 0
    base_url: str = "/"
    watched: bool = False


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of the demo's files, all below ``root``."""

    root: Path

    def make(self) -> None:
        """Create the folders, for this user only."""
        for folder in (self.work, self.logs, self.settings, self.runtime):
            folder.mkdir(mode=0o700, parents=True)

    @property
    def work(self) -> Path:
        """JupyterLab's own working folder; the notebook lies here."""
        return self.root / "work"

    @property
    def logs(self) -> Path:
        """One log a process."""
        return self.root / "logs"

    @property
    def settings(self) -> Path:
        """Jupyter's configuration and data folders."""
        return self.root / "jupyter"

    @property
    def runtime(self) -> Path:
        """Jupyter's runtime folder: connection files."""
        return self.root / "runtime"

    @property
    def provider(self) -> Path:
        """The provider's configuration and keys, and the issued tokens of a watched run."""
        return self.root / "provider"


class DemoEnvironment:
    """The running demo; a context manager that leaves nothing behind.

    ``requests`` are the requests to stop that this process listens to, if any.
    """

    def __init__(
        self, options: DemoOptions, write_line: Callable[[str], None], requests: StopRequests | None = None
    ) -> None:
        self._write_line = write_line
        self._requests = requests or StopRequests()
        self._children: list[Child] = []
        self._token = secrets.token_urlsafe(24)
        self._base = "/" + "/".join(part for part in options.base_url.split("/") if part)
        self._base += "" if self._base.endswith("/") else "/"
        self.options = options
        self.port = options.port or free_port()
        self.places = Places(Path(tempfile.mkdtemp(prefix="jupyter-oidc-demo-")))

    def __enter__(self) -> Self:
        """Start everything, in order; raises :class:`ChildFailed` and cleans up if a part does not start."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop everything and delete the folder."""
        self.stop()

    @property
    def url(self) -> str:
        """The address of the Jupyter server, ending with a slash."""
        return f"http://localhost:{self.port}{self._base}"

    @property
    def token(self) -> str:
        """Jupyter's own access token of this run."""
        return self._token

    @property
    def lab_url(self) -> str:
        """The address that a browser opens."""
        return f"{self.url}lab/tree/{NOTEBOOK}?token={self._token}"

    @property
    def issued_tokens(self) -> Path:
        """The file in which a watched run records the codes and tokens that the provider issues."""
        return self.places.provider / "issued-tokens"

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The processes that were started."""
        return tuple(child.process.pid for child in self._children)

    def check(self) -> None:
        """Raise :class:`ChildFailed` if a process has ended by itself."""
        for child in self._children:
            child.check()

    def stop(self) -> None:
        """Stop everything, the server first, and remove the folder.

        No request to stop interrupts it. Can be called again.
        """
        self._requests.ignore_further()
        if self.places.root.exists():
            self._write_line_if_possible(
                "stopping JupyterLab, the API and the provider, and removing the folder with their keys"
            )
        for child in reversed(self._children):
            child.release()
            child.finish(within=_STOP_TIMEOUT_SECONDS)
        shutil.rmtree(self.places.root, ignore_errors=True)
        if self.places.root.exists():
            self._write_line_if_possible(
                f"{self.places.root} could not be removed; it holds keys of the demo: remove it"
            )

    def _write_line_if_possible(self, line: str) -> None:
        with suppress(OSError):  # the terminal may have gone, and the remaining steps must run all the same
            self._write_line(line)

    def _start(self) -> None:
        places = self.places
        places.make()
        callback = f"jupyter-oidc/providers/{PROVIDER}/callback"
        redirects = [f"http://{host}:{self.port}{self._base}{callback}" for host in ("localhost", "127.0.0.1")]
        watched = ["--issued-tokens", str(self.issued_tokens)] if self.options.watched else []
        issuer = self._helper(
            "provider",
            *(argument for uri in redirects for argument in ("--redirect-uri", uri)),
            *("--folder", str(places.provider)),
            *watched,
        )
        self._write_line(f"the provider is running at {issuer}")
        api_url = self._helper("api", "--issuer", issuer)
        self._write_line(f"the API is running at {api_url}")
        self._start_jupyter(issuer, api_url)
        self._write_line(f"JupyterLab is running at {self.url}")

    def _helper(self, name: str, *arguments: str) -> str:
        """Start the module ``name`` of the demo and return the text that it publishes."""
        ready = self.places.runtime / f"{name}.ready"
        child = Child.start(
            f"The demo's {name}",
            ("-m", f"jupyter_oidc.demo.{name}", "--ready", str(ready), *arguments),
            self.places.logs / f"{name}.log",
            _environment(self.places),
        )
        self._children.append(child)
        return child.published(ready, within=_START_TIMEOUT_SECONDS)

    def _start_jupyter(self, issuer: str, api_url: str) -> None:
        places = self.places
        notebook = resources.files("jupyter_oidc.demo") / "notebooks" / NOTEBOOK
        (places.work / NOTEBOOK).write_bytes(notebook.read_bytes())
        configuration = places.settings / "jupyter_server_config.json"
        configuration.touch(mode=0o600)
        document = jupyter_settings(self, issuer, api_url)
        configuration.write_text(json.dumps(document, indent=2), encoding="utf-8")
        answer_questions(places.settings / "lab-settings")
        child = Child.start(
            "JupyterLab",
            ("-m", "jupyter_oidc.demo.parent_watch", str(places.root), "jupyterlab"),
            places.logs / "jupyter.log",
            _environment(places),
        )
        self._children.append(child)
        self._await_jupyter(child)

    def _await_jupyter(self, child: Child) -> None:
        until = time.monotonic() + _START_TIMEOUT_SECONDS
        headers = {"Authorization": f"token {self._token}"}
        with httpx.Client(trust_env=False, headers=headers) as client:
            while time.monotonic() < until:
                child.check()
                try:
                    reply = client.get(f"{self.url}jupyter-oidc/providers")
                except httpx.TransportError:
                    time.sleep(0.2)
                    continue
                if reply.status_code == 200:
                    return
                raise ChildFailed(
                    f"JupyterLab runs, but jupyter_oidc answers {reply.status_code} in it.\n{child.last_lines()}",
                )
        raise ChildFailed(
            f"JupyterLab did not become ready in {_START_TIMEOUT_SECONDS:.0f} seconds.\n{child.last_lines()}"
        )


def jupyter_settings(demo: DemoEnvironment, issuer: str, api_url: str) -> dict[str, Any]:
    """Return the configuration of the demo's Jupyter server; its section ``JupyterOIDC`` is the example for readers."""
    section = oidc_settings(issuer, api_url)
    # NOTE: only here, because the reader's browser is on this machine; on Binder it could not open the address.
    section["providers"][PROVIDER]["apis"][API]["docs_url"] = urljoin(api_url, "/docs")
    return {
        "JupyterOIDC": section,
        "ServerApp": {
            "ip": "localhost",
            "port": demo.port,
            "port_retries": 0,
            "base_url": demo.options.base_url,
            "root_dir": str(demo.places.work),
            "open_browser": False,
            "allow_root": True,
            "log_level": "DEBUG" if demo.options.watched else "INFO",
            "jpserver_extensions": {"jupyterlab": True, "jupyter_oidc": True},
        },
        "IdentityProvider": {"token": demo.token},
        "LabApp": {"news_url": None, "check_for_updates_class": "jupyterlab.NeverCheckForUpdate"},
    }


def answer_questions(settings: Path) -> None:
    """Answer JupyterLab's question about news, which would cover the notebook, with no."""
    preferences = settings / "@jupyterlab" / "apputils-extension"
    preferences.mkdir(parents=True)
    (preferences / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}', encoding="utf-8")


def oidc_settings(issuer: str, api_url: str, **more: str) -> dict[str, Any]:
    """Return the section ``JupyterOIDC``; ``more`` goes to the provider."""
    return {
        "providers": {
            PROVIDER: {
                "issuer": issuer,
                "client_id": CLIENT_ID,
                "scopes": list(SCOPES),
                "entitlement_claims": ["roles"],
                # NOTE: the provider speaks http on the loopback address; a real one never does.
                "allow_insecure_loopback": True,
                "apis": {
                    API: {
                        "base_url": api_url,
                        "methods": ["GET", "HEAD", "POST"],
                        "title": "Orders of the demo's shop",
                        "description": "A few orders to list, search and add; each call shows that the token is renewed.",
                        "example": "orders?status=open",
                        "openapi": "/openapi.json",
                    }
                },
                **more,
            },
        },
        "storage": "memory",
    }


def free_port() -> int:
    """Return a port that was free a moment ago, from below the range that systems hand out by themselves.

    A port from that range could be given to the provider, the API or any connection before Jupyter listens on it.
    """
    for _ in range(100):
        port = 10_000 + secrets.randbelow(20_000)
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise ChildFailed("No free port was found. Choose one with --port.")


def _environment(places: Places) -> dict[str, str]:
    """Return the environment of the processes: the user's, without the variables of the user's own Jupyter."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY_", "NANOIDP"))}
    return kept | {
        "JUPYTER_CONFIG_DIR": str(places.settings),
        "JUPYTER_DATA_DIR": str(places.settings / "data"),
        "JUPYTER_RUNTIME_DIR": str(places.runtime),
        "JUPYTERLAB_SETTINGS_DIR": str(places.settings / "lab-settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(places.settings / "lab-workspaces"),
        "IPYTHONDIR": str(places.settings / "ipython"),
        "PYTHONUNBUFFERED": "1",
        # No call of the demo leaves this machine, so no forward proxy is used.
        "NO_PROXY": ",".join(filter(None, (os.environ.get("NO_PROXY"), "localhost,127.0.0.1"))),
    }

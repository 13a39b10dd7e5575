"""A real broker in a process of its own, begun by ``jupyter oidc broker serve`` with a settings file."""

from __future__ import annotations

import json
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from jupyter_oidc.demo.child import Child
from tests.support.canary import CANARY
from tests.support.clean_environment import without_jupyter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

PATIENCE = 30.0


@dataclass(slots=True)
class BrokerProcess:
    """Context manager; ``folder`` holds its settings, database, socket and log, and its path has to be short."""

    folder: Path
    providers: dict[str, Any]
    broker: dict[str, Any] = field(default_factory=dict)
    key: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    is_quiet: bool = False
    _child: Child | None = None

    def __post_init__(self) -> None:
        CANARY.hold(self.key)

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / "broker.sock"

    @property
    def address(self) -> str:
        """What a Jupyter server writes into its settings."""
        return f"unix:{self.socket}"

    @property
    def settings(self) -> dict[str, Any]:
        """The part of its settings that says where it is."""
        return {"listen": self.address}

    @property
    def environment(self) -> dict[str, str]:
        """What its environment has to tell it."""
        return {}

    @property
    def log(self) -> str:
        """Its log so far."""
        return (self.folder / "broker.log").read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._child is not None
        return self._child.process.pid

    def __enter__(self) -> Self:
        settings = {
            "JupyterOIDC": {"providers": self.providers},
            "JupyterOIDCBroker": {
                **self.settings,
                "database": f"sqlite:{self.folder / 'sessions.sqlite'}",
                "key": "env:BROKER_KEY",
                "close_process": False,  # NOTE: the tests look into its memory
                "allow_public_clients": True,
                **self.broker,
            },
        }
        (self.folder / "broker.json").write_text(json.dumps(settings), encoding="utf-8")
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and return when it is ready."""
        arguments = (
            "-m",
            "jupyter_oidc.cli",
            "broker",
            "serve",
            f"--settings={self.folder / 'broker.json'}",
            *(() if self.is_quiet else ("--debug",)),
        )
        ours = {"BROKER_KEY": self.key, "NO_PROXY": "localhost,127.0.0.1", **self.environment}
        environment = {**without_jupyter(), **ours}
        log = self.folder / "broker.log"
        self._child = child = self._launched(arguments, environment, log)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            child.check()
            with suppress(httpx.TransportError):
                if self.ask("health/ready").status_code == 200:
                    return
            time.sleep(0.05)
        raise TimeoutError(f"The broker did not start.\n{child.last_lines()}")

    def _launched(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Child:
        return Child.start("the broker", arguments, log, environment)

    def stop(self) -> None:
        """Ask it to stop, as systemd does, and wait for its end; fail if it has to be killed."""
        child, self._child = self._child, None
        if child is not None:
            child.process.terminate()
            child.release()
            child.finish(within=20)
            assert child.process.returncode == 0, child.last_lines()
            CANARY.look("the broker's log", (self.folder / "broker.log").read_bytes())

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        child, self._child = self._child, None
        assert child is not None
        child.process.kill()
        child.process.wait()

    def ask(self, path: str, **headers: str) -> httpx.Response:
        """Send a GET to it, past every Jupyter server."""
        transport = httpx.HTTPTransport(uds=str(self.socket))
        with httpx.Client(transport=transport, base_url="http://broker/", trust_env=False, timeout=10) as client:
            return client.get(path, headers=headers)

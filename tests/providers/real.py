"""The interface of a real provider: start it, stop it, register a client, end a session from its side."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx

LOGIN = ("ada", "analytical")
"""The one person that every provider knows."""

START_SECONDS = 600.0
"""Until a provider must answer; a Java server that is built at its first start takes long on a busy machine."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of a Jupyter server's client that are registered at the provider."""

    callback: str
    signed_out: str
    backchannel_logout: str


class RealProvider(Protocol):
    """One provider, with its data in a folder of its own.

    ``not_offered`` holds steps that it cannot make, each with the reason that its documentation gives; steps that its
    metadata rule out need not be repeated there.
    """

    name: str
    version: str
    issuer: str
    not_offered: Mapping[str, str]

    def start(self) -> None:
        """Start it, or start it again with the data that it had."""
        ...

    def stop(self) -> None:
        """Stop it; its data stay."""
        ...

    def register(self, client_id: str, addresses: Addresses) -> None:
        """Register a client, with the secret that :meth:`environment` returns if it has one."""
        ...

    def settings(self) -> dict[str, Any]:
        """Return the settings of this provider besides issuer, client and APIs."""
        ...

    def environment(self) -> dict[str, str]:
        """Return the variables to which the settings refer, for the environment of the Jupyter server."""
        ...

    def api(self, audience: str) -> dict[str, Any]:
        """Return the settings of an API that wants an access token for ``audience``; or an empty dict if it has none."""
        ...

    def end_sessions(self) -> None:
        """End all sessions of the person, as an administrator does."""
        ...


@dataclass
class Served:
    """A server process of a provider, in a process group of its own."""

    command: Sequence[str]
    log: Path
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], bool]) -> None:
        """Start the process and wait until it is ``ready``; raises ``RuntimeError`` with the end of its log."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                list(self.command),
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if ready():
                    return
            time.sleep(0.5)
        self.stop()
        raise RuntimeError("\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]))

    def stop(self) -> None:
        """End the process and its children."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def publishes_metadata(issuer: str) -> bool:
    """Return whether the metadata of ``issuer`` are to be had."""
    return httpx.get(_metadata_address(issuer), trust_env=False, timeout=10).status_code == 200


def metadata_of(issuer: str) -> dict[str, Any]:
    """Return the metadata of ``issuer``."""
    told: dict[str, Any] = httpx.get(_metadata_address(issuer), trust_env=False, timeout=30).json()
    return told


def _metadata_address(issuer: str) -> str:
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"

"""A Jupyter server between hostile clients and hostile APIs, with a signed-in user; all over real sockets.

The provider is the scripted one, because these tests are not about signing in.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.support.canary import CANARY
from tests.support.jupyter_process import JupyterProcess
from tests.support.kernel_proof import GRANT, proof, start_kernel
from tests.support.raw_client import RawClient, RawConnection
from tests.support.raw_upstream import RawUpstream, Step, wait_for
from tests.support.scripted_provider import ScriptedProvider

ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


@dataclass
class RealEnvironment:
    """``jupyter`` is an honest client that is logged in, ``raw`` one that sends bytes; ``api`` is behind ``orders``."""

    process: JupyterProcess
    provider: ScriptedProvider
    api: RawUpstream
    jupyter: httpx.Client
    raw: RawClient

    def sign_in(self) -> None:
        """Sign in as a browser would."""
        begun = self.jupyter.post("jupyter-oidc/providers/corp/sign-in", json={})
        assert begun.status_code == 201, begun.text
        last = self.provider.browser().open(str(httpx.URL(self.process.url).join(begun.json()["start_url"])))
        assert last.status_code == 200, last.text

    def call_as_kernel(self) -> None:
        """Let a kernel of this server call the APIs from now on; everything else is still asked with the login."""
        grant = self.grant()
        self.raw = replace(self.raw, grant=grant)

        def show_grant(request: httpx.Request) -> None:
            if "/jupyter-oidc/api/" in request.url.path:
                request.headers["Authorization"] = f"Bearer {grant}"

        self.jupyter.event_hooks["request"].append(show_grant)

    def grant(self) -> str:
        """Start a kernel and return a grant of it."""
        kernel_id, key = start_kernel(self.process, self.jupyter)
        with self.process.stranger() as kernel:
            told: str = kernel.post(GRANT, json=proof(kernel_id, key)).json()["grant"]
        CANARY.hold(told)
        return told

    def post(self, act: str) -> httpx.Response:
        """Refresh or sign out."""
        return self.jupyter.post(f"jupyter-oidc/providers/corp/{act}", json={})

    def summary(self) -> dict[str, Any]:
        """Read the session summary."""
        told: dict[str, Any] = self.jupyter.get("jupyter-oidc/providers/corp/session").json()
        return told

    @property
    def proxy(self) -> str:
        """The path of the API ``orders`` on the server, with a slash at the end."""
        return f"{self.raw.path}jupyter-oidc/api/orders/"

    @property
    def server(self) -> psutil.Process:
        """The server's process."""
        child = self.process._child
        assert child is not None
        return psutil.Process(child.process.pid)

    def links(self, api: RawUpstream) -> int:
        """Return how many connections the server has to ``api``, in use or not."""
        found = self.server.net_connections("tcp")
        return sum(bool(one.raddr) and one.raddr.port == api.port and one.status == "ESTABLISHED" for one in found)

    def is_alive(self) -> bool:
        """Return whether an honest call still passes: a fault of one call must not be one of the next."""
        return self.jupyter.get("jupyter-oidc/api/orders/honest").status_code == 200


@contextmanager
def start_environment(
    folder: Path, api: RawUpstream, *, apis: dict[str, Any] | None = None, **options: Any
) -> Iterator[RealEnvironment]:
    """Start everything and sign in; ``apis`` are configured beside ``orders``, or change it."""
    with ScriptedProvider() as provider:
        orders = {"base_url": api.url, "methods": ALL_METHODS}
        settings = {
            "issuer": provider.issuer,
            "client_id": "jupyter",
            "scopes": ["openid", "offline_access"],
            "allow_insecure_loopback": True,
            "apis": {"orders": orders, **(apis or {})},
        }
        process = JupyterProcess(folder / "jupyter", {"corp": settings}, **options)
        with process, closing(process.client()) as jupyter:
            real_environment = RealEnvironment(process, provider, api, jupyter, RawClient(process.url, process.token))
            real_environment.sign_in()
            yield real_environment
            CANARY.look("the log of the Jupyter server", process.log)


@contextmanager
def deaf(api: RawUpstream, path: str, *first: Step | bytes) -> Iterator[None]:
    """Let ``api`` play ``first`` for a call of ``path`` and then neither read nor write, as long as the block lasts."""
    over = threading.Event()
    api.script(path, *first, wait_for(over), reads=False)
    try:
        yield
    finally:
        over.set()


def within(seconds: float, true: Callable[[], object]) -> bool:
    """Wait until ``true`` is, and return whether that came in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.01)
    return bool(true())


def fill(connection: RawConnection) -> int:
    """Send until nothing more is taken for a second; return how many bytes went."""
    sent = 0
    connection.plug.settimeout(1)
    try:
        while sent < 200_000_000:
            sent += connection.plug.send(b"x" * 65_536)
    except TimeoutError:
        pass
    return sent

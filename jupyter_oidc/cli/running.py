"""The Jupyter server that runs for this user, asked over HTTP with its own token.

The token goes into the request's header and nowhere else.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from jupyter_oidc.diagnostics import Check

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

_EVERYWHERE: Final = frozenset({"", "*", "0.0.0.0", "::"})  # noqa: S104 - read, not bound
_AUDIENCE: Final = "audience of "


class NoAnswer(Exception):
    """The running server cannot be asked, or says no; ``message`` and ``action`` are for a person.

    ``code`` is that of the server's refusal, if it is one.
    """

    def __init__(self, message: str, action: str, code: str = "") -> None:
        self.message = message
        self.action = action
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server: ``url`` ends with a slash and includes the base URL."""

    url: str
    token: str = field(repr=False)
    has_password: bool
    certificate: Path | None = None

    def client(self) -> httpx.Client:
        """Return a client that is logged in, if the server has a token."""
        import httpx

        return httpx.Client(**self._options())

    async def get(self, path: str) -> dict[str, Any]:
        """Return the reply to ``GET path``; raises :class:`NoAnswer`."""
        import httpx

        async with httpx.AsyncClient(**self._options()) as client:
            try:
                return _read(await client.get(path))
            except httpx.HTTPError:
                raise _silent(self.url) from None

    def call(self, verb: str, path: str, *, wait: float = 0.0, body: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the reply to ``verb path``; ``wait`` is how many seconds the server may take longer than usual."""
        import httpx

        with self.client() as client:
            try:
                sent = dict(body or {}) if verb == "POST" else None
                return _read(client.request(verb, path, json=sent, timeout=20 + wait))
            except httpx.HTTPError:
                raise _silent(self.url) from None

    def _options(self) -> dict[str, Any]:
        import ssl

        context = ssl.create_default_context()
        if self.certificate is not None:
            context.load_verify_locations(cafile=str(self.certificate))
        headers = {"Authorization": f"token {self.token}"} if self.token else {}
        return {"base_url": self.url, "headers": headers, "timeout": 20, "trust_env": False, "verify": context}


def running_servers() -> list[RunningServer]:
    """Return the servers that run for this user, the newest last."""
    from jupyter_core.paths import jupyter_runtime_dir
    from jupyter_server.serverapp import list_running_servers

    runtime = jupyter_runtime_dir()
    found = sorted(list_running_servers(runtime), key=lambda told: _started(runtime, told["pid"]))
    return [_server(told, runtime) for told in found]


def running_server(url: str = "") -> RunningServer | None:
    """Return the server at ``url``, or the newest; ``None`` if there is none."""
    servers = [one for one in running_servers() if not url or one.url.rstrip("/") == url.rstrip("/")]
    return servers[-1] if servers else None


def address_of(server: RunningServer | None, config: Mapping[str, Any]) -> str | None:
    """Return the address of ``server``, or the one that the configuration would give it, if it is a loopback one."""
    if server is not None:
        return server.url
    settings = config.get("ServerApp", {})
    host, port = settings.get("ip", "localhost"), settings.get("port", 8888)
    if not isinstance(host, str) or host in _EVERYWHERE:
        host = "localhost"
    base = str(settings.get("base_url", "/")).strip("/")
    return f"http://{host}:{port}/{base}/" if base else f"http://{host}:{port}/"


async def ask_about_tokens(server: RunningServer | None) -> tuple[Check, ...]:
    """Return what only a running server knows: for whom its access tokens are."""
    if server is None:
        return ()
    try:
        told = await server.get("jupyter-oidc/diagnostics")
    except NoAnswer:
        return ()
    return tuple(Check(**check) for check in told["checks"] if check["name"].startswith(_AUDIENCE))


def _server(told: Mapping[str, Any], runtime: str) -> RunningServer:
    url = str(told["url"])
    parts = urlsplit(url)
    if (parts.hostname or "") in _EVERYWHERE:
        url = f"{parts.scheme}://localhost:{parts.port}{parts.path}"
    certificate = None
    try:
        named = json.loads((Path(runtime) / f"jupyter-oidc-{told['pid']}.json").read_text(encoding="utf-8"))
        certificate = Path(named["certificate"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # NOTE: a server without TLS of its own has no such file
    return RunningServer(url, str(told.get("token") or ""), bool(told.get("password")), certificate)


def _started(runtime: str, pid: int) -> float:
    try:
        return (Path(runtime) / f"jpserver-{pid}.json").stat().st_mtime
    except OSError:
        return 0.0


def _silent(url: str) -> NoAnswer:
    return NoAnswer(f"The Jupyter server at {url} does not answer.", "Look whether it still runs: jupyter server list.")


def _read(reply: httpx.Response) -> dict[str, Any]:
    if reply.status_code == 404 and "X-OIDC-Error" not in reply.headers:
        raise NoAnswer(
            "The running Jupyter server does not have jupyter_oidc.",
            "Install it where that server runs, or switch it on: jupyter server extension enable jupyter_oidc.",
        )
    try:
        told = reply.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise NoAnswer("The running Jupyter server gave an answer that cannot be used.", "Read the server's log.")
    if reply.status_code >= 400:
        message = str(told.get("message") or "The running Jupyter server refused the request.")
        action = str(told.get("action") or "Give the server a token: it may have a password only.")
        raise NoAnswer(message, action, str(told.get("code") or ""))
    return told

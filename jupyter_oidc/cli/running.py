"""Finds this user's running Jupyter server on this machine, and calls it over HTTP with its own token.

Servers announce themselves (ADR 34); among several the user chooses, and not the order of their files.
The token is sent in the request's header only. A reply is read by the contract of its route, as a kernel reads it.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, unquote, urlsplit

from jupyter_oidc.contract import ContractBroken
from jupyter_oidc.contract.announcement import (
    SERVER_VARIABLE,
    Announcement,
    announced_in,
    read,
    these_processes,
    this_machine,
)
from jupyter_oidc.contract.reader import OTHER
from jupyter_oidc.contract.reader import read as read_message
from jupyter_oidc.contract.version import CONTRACT_HEADER, ServerAge, server_age, version_in
from jupyter_oidc.diagnostics import Check
from jupyter_oidc.diagnostics.check import Status, Subject
from jupyter_oidc.language import N_, _, heard, sentence, told

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    import httpx

    from jupyter_oidc.kernel.find import Server

_ANY_ADDRESS: Final = frozenset({"", "*", "0.0.0.0", "::"})  # noqa: S104 - read, not bound
_SERVER_CHECK_PREFIXES: Final = (
    *("audience of ", "session", "sign-in of ", "entitlements", "redirect URI", "way to sign in", "conversions"),
)
"""Beginnings of the names of checks that only a running server can make."""
_T = TypeVar("_T")

_CONTRACTS: Final = (
    (re.compile(r"jupyter-oidc/providers"), "providers.reply"),
    (re.compile(r"jupyter-oidc/providers/[^/]+/session"), "session.reply"),
    (re.compile(r"jupyter-oidc/providers/[^/]+/sign-in"), "sign-in.reply"),
    (re.compile(r"jupyter-oidc/providers/[^/]+/sign-in/[^/]+(/complete)?"), "sign-in-progress.reply"),
    (re.compile(r"jupyter-oidc/providers/[^/]+/sign-out"), "sign-out.reply"),
    (re.compile(r"jupyter-oidc/commands"), "command.reply"),
    (re.compile(r"jupyter-oidc/commands/[^/]+"), "command-lease.reply"),
    (re.compile(r"jupyter-oidc/grants(/[^/]+)?"), "grants.reply"),
    (re.compile(r"jupyter-oidc/diagnostics"), "diagnostics.reply"),
)
"""The contract of the reply of each route that the command line calls."""


@dataclass(slots=True)
class SeenVersion:
    """What the replies of one server say about its version of the contract: a sentence, empty if it is that of here."""

    text: str = ""
    _is_told: bool = False

    def judge(self, headers: Mapping[str, str]) -> None:
        """Keep the sentence about the version in ``headers``, of a reply of a route of ours."""
        from jupyter_oidc.kernel.version_warning import version_text

        version = version_in(headers.get(CONTRACT_HEADER))
        age = server_age(version)
        self.text = "" if age == "same" else version_text(age, version, "this command", _ADVICE[age])

    def tell(self) -> None:
        """Write the sentence to standard error, once."""
        if self.text and not self._is_told:
            self._is_told = True
            sys.stderr.write(f"{told(self.text)}\n")


class ServerError(Exception):
    """The running server cannot be reached, or refuses a request; ``message`` and ``action`` are for the user.

    ``refusal`` is the code of the server's refusal, if it is one.
    """

    code = 1
    """The exit code of the command line."""

    def __init__(self, message: str, action: str, refusal: str = "") -> None:
        self.message = message
        self.action = action
        self.refusal = refusal
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server: ``url`` ends with a slash and includes the base URL, ``announced`` is its announcement file."""

    url: str
    token: str = field(repr=False)
    announced: Path
    where: Announcement
    seen_version: SeenVersion = field(default_factory=SeenVersion, compare=False)

    def client(self) -> httpx.Client:
        """Return a client that is logged in, if the server has a token; raises :class:`ServerError`."""
        import httpx

        from jupyter_oidc.kernel.tls import direct_transport

        return httpx.Client(transport=_make_transport(lambda: direct_transport(self._server)), **self._options())

    async def get(self, path: str) -> dict[str, Any]:
        """Return the reply to ``GET path``; raises :class:`ServerError`."""
        import httpx

        from jupyter_oidc.kernel.tls import async_direct_transport

        transport = _make_transport(lambda: async_direct_transport(self._server))
        async with httpx.AsyncClient(transport=transport, **self._options()) as client:
            try:
                return _read_reply(await client.get(path), path, self.seen_version)
            except httpx.HTTPError as error:
                raise _unreachable(self.url, error) from None

    def call(self, verb: str, path: str, *, wait: float = 0.0, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the reply to ``verb path``; ``wait`` is the seconds that the server may take longer than usual.

        The first reply of another version is told on standard error.
        """
        import httpx

        with self.client() as client:
            try:
                sent = body or {} if verb == "POST" else None
                reply = client.request(verb, path, json=sent, timeout=20 + wait)
            except httpx.HTTPError as error:
                raise _unreachable(self.url, error) from None
        try:
            return _read_reply(reply, path, self.seen_version)
        finally:
            self.seen_version.tell()

    def summaries(self, wanted: Collection[str] = ()) -> list[dict[str, Any]]:
        """Return the session summary of each provider, or of those ``wanted``, as :meth:`call` does."""
        names = [one["name"] for one in self.call("GET", "jupyter-oidc/providers")["providers"]]
        return [
            self.call("GET", f"jupyter-oidc/providers/{quote(name, safe='')}/session")
            for name in names
            if not wanted or name in wanted
        ]

    async def answers_at(self, host: str) -> bool | None:
        """Return whether this server answers a request for ``host``; ``None`` if it cannot be asked.

        Jupyter refuses a host that it does not know with status 403, and any request for it (``check_host``).
        """
        import httpx

        from jupyter_oidc.kernel.tls import async_direct_transport

        try:
            transport = _make_transport(lambda: async_direct_transport(self._server))
            async with httpx.AsyncClient(transport=transport, **self._options()) as client:
                own = (await client.get("api")).status_code
                other = (await client.get("api", headers={"Host": host})).status_code
        except (httpx.HTTPError, ServerError):
            return None
        if own != 200:
            return None
        return other == 200 or (None if other != 403 else False)

    @property
    def _server(self) -> Server:
        from jupyter_oidc.kernel.find import server_from_announcement

        return server_from_announcement(self.where)

    def _options(self) -> dict[str, Any]:
        headers = {"Authorization": f"token {self.token}"} if self.token else {}
        return {"base_url": self.url, "headers": headers, "timeout": 20, "trust_env": False}


def running_servers() -> list[RunningServer]:
    """Return the servers with jupyter_oidc that run on this machine for this user.

    In a terminal or a notebook of JupyterLab it is the server that opened it.
    """
    from jupyter_core.paths import jupyter_runtime_dir
    from jupyter_server.utils import check_pid

    named = os.environ.get(SERVER_VARIABLE)
    announced = read(named) if named else None
    here = [(Path(named), announced)] if named and announced else announced_in(jupyter_runtime_dir())
    return [
        _running(path, where)
        for path, where in here
        if where.machine == this_machine() and (where.processes != these_processes() or check_pid(where.pid))
    ]


def server_of_process(pid: int) -> RunningServer | None:
    """Return the server that is the process ``pid`` of this machine, or ``None``."""
    from jupyter_core.paths import jupyter_runtime_dir

    here = (this_machine(), these_processes(), pid)
    found = announced_in(jupyter_runtime_dir())
    return next(
        (_running(path, where) for path, where in found if (where.machine, where.processes, where.pid) == here), None
    )


def _running(path: Path, where: Announcement) -> RunningServer:
    return RunningServer(where.url, _token(path.parent, where), path, where)


def running_server(url: str = "") -> RunningServer | None:
    """Return the server at ``url``, or the only one, or ``None`` if there is none; raises :class:`ServerError`."""
    servers = [one for one in running_servers() if not url or _is_at(one.where, url)]
    if len(servers) > 1:
        listed = ", ".join(one.url if one.where.socket is None else one.where.socket for one in servers)
        raise ServerError(
            _("Several Jupyter servers run here."), _("Name one with --server, of: {servers}.", servers=listed)
        )
    if not servers and next(_jupyter_server_pids(), None) is not None and not url:
        raise _not_installed()
    return servers[0] if servers else None


def address_of(server: RunningServer | None, config: Mapping[str, Any]) -> str | None:
    """Return the address of ``server``, or the one that the configuration would give it, if it is a loopback one."""
    if server is not None:
        return server.url
    settings = config.get("ServerApp", {})
    host, port = settings.get("ip", "localhost"), settings.get("port", 8888)
    if not isinstance(host, str) or host in _ANY_ADDRESS:
        host = "localhost"
    base = str(settings.get("base_url", "/")).strip("/")
    return f"http://{host}:{port}/{base}/" if base else f"http://{host}:{port}/"


def admits_by(config: Mapping[str, Any], netloc: str) -> bool:
    """Return whether a server with this configuration, and Jupyter's defaults, would answer requests for ``netloc``."""
    settings = config.get("ServerApp", {})
    host, ip = urlsplit(f"//{netloc}").hostname or "", settings.get("ip", "localhost")
    remote = settings.get("allow_remote_access")
    if not isinstance(remote, bool):
        remote = not (isinstance(ip, str) and ip not in _ANY_ADDRESS and _is_loopback(ip))
    known = settings.get("local_hostnames", ["localhost"])
    return remote or _is_loopback(host) or (isinstance(known, list) and host in known)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def fetch_server_checks(server: RunningServer | None) -> tuple[Check, ...]:
    """Return the checks that only a running server can make: of its sessions, their tokens, and its browsers."""
    if server is None:
        return ()
    try:
        reply = await server.get("jupyter-oidc/diagnostics")
    except ServerError:
        return ()
    checks = (_check(one) for one in reply["checks"] if one["name"].startswith(_SERVER_CHECK_PREFIXES))
    version = server.seen_version.text
    if not version:
        return tuple(checks)
    about, action = Subject(sentence("running server")), sentence("Install the same version of jupyter_oidc in both.")
    return (about.warning(version, action), *checks)


def sentences_of(reply: Mapping[str, Any]) -> tuple[str, str]:
    """Return message and action of an error or a check in a ``reply``, which its contract has admitted."""
    message, action = str(reply["message"]), str(reply["action"] or "")
    return heard(message, reply.get("message_sentences", ())), heard(action, reply.get("action_sentences", ()))


def refusal_in(reply: Mapping[str, Any]) -> tuple[str, str]:
    """Return message and action of a refusal, in the language of here; a text that is missing is empty."""
    try:
        message, action = sentences_of(read_message("error", reply))
    except ContractBroken:
        return str(reply.get("message") or ""), str(reply.get("action") or "")
    return told(message), told(action)


def _check(reply: Mapping[str, Any]) -> Check:
    """Return a check that a server told; a status or a person that is not known here is ``unknown``, or nobody."""
    status: Status = "unknown" if reply["status"] == OTHER else reply["status"]
    who = None if reply["who"] == OTHER else reply["who"]
    message, action = sentences_of(reply)
    return Check(
        reply["name"], reply["provider"], status, message, action if reply["action"] is not None else None, who
    )


def _is_at(where: Announcement, url: str) -> bool:
    """Return whether ``url`` means ``where``: the same socket, or the same port and path at any name of the host."""
    if where.socket is not None:
        return where.socket in (url, unquote(urlsplit(url).netloc))
    try:
        own, meant = urlsplit(where.url), urlsplit(url)
        return (own.port, own.path.rstrip("/")) == (meant.port, meant.path.rstrip("/"))
    except ValueError:
        return False


def _token(runtime: Path, where: Announcement) -> str:
    """Return the token in Jupyter's runtime file, unless another server with the same home has overwritten the file."""
    written = _json(runtime / f"jpserver-{where.pid}.json")
    own = (where.socket or "", urlsplit(where.url).path)
    same = own == (written.get("sock"), written.get("base_url")) and (
        where.socket or urlsplit(where.url).port == written.get("port")
    )
    return str(written.get("token") or "") if same else ""


def _jupyter_server_pids() -> Iterator[int]:
    """Yield the process ids of running Jupyter servers, with jupyter_oidc or without it."""
    from jupyter_core.paths import jupyter_runtime_dir
    from jupyter_server.utils import check_pid

    for path in Path(jupyter_runtime_dir()).glob("jpserver-*.json"):
        process = _json(path).get("pid")
        if isinstance(process, int) and check_pid(process):
            yield process


def _json(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _make_transport(make: Callable[[], _T]) -> _T:
    """Return the result of ``make``; raises :class:`ServerError` for a certificate that cannot be used."""
    from jupyter_oidc.kernel.errors import ServerNotFound

    try:
        return make()
    except ServerNotFound as problem:
        raise ServerError(told(problem.message), told(problem.action)) from None


def _not_installed() -> ServerError:
    return ServerError(
        _("The running Jupyter server does not have jupyter_oidc."),
        _("Install it where that server runs, or switch it on: jupyter server extension enable jupyter_oidc."),
    )


def _unusable() -> ServerError:
    return ServerError(
        _("The running Jupyter server gave an answer that cannot be used."),
        _("Install the same version of jupyter_oidc here and there; if it is the same, read the server's log."),
    )


_ADVICE: Final[dict[ServerAge, str]] = {
    "newer": N_("What is new there is not understood here. Run the jupyter_oidc of the server's environment."),
    "older": N_("What is new here does not work there. Restart the server if it was updated, or update it."),
}
_LIST_SERVERS_ACTION: Final = N_("Look whether it still runs: jupyter server list.")
_NO_TOKEN: Final = N_(
    "Give the server a token: it may have a password only. If several servers share a home, give each its own "
    "JUPYTER_RUNTIME_DIR."
)


def _unreachable(url: str, error: BaseException) -> ServerError:
    from jupyter_oidc.kernel.connection_failure import connection_failure
    from jupyter_oidc.kernel.replies import unreachable

    if connection_failure(error) == "silent":
        return ServerError(
            _("The Jupyter server at {address} does not answer.", address=url), told(_LIST_SERVERS_ACTION)
        )
    problem = unreachable(error)
    return ServerError(
        f"{told(problem.message)} ({url})",
        told(_LIST_SERVERS_ACTION if connection_failure(error) == "nobody listens" else problem.action),
    )


def _read_reply(reply: httpx.Response, path: str, seen: SeenVersion) -> dict[str, Any]:
    """Return what this version knows of the reply to ``path``; raises :class:`ServerError`."""
    if reply.status_code == 404 and "X-OIDC-Error" not in reply.headers:
        raise _not_installed()
    if reply.status_code < 400 or "X-OIDC-Error" in reply.headers:
        seen.judge(reply.headers)
    try:
        body = reply.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _unusable()
    if reply.status_code >= 400:
        message, action = refusal_in(body)
        message = message or _("The running Jupyter server refused the request.")
        raise ServerError(message, action or told(_NO_TOKEN), str(body.get("code") or ""))
    contract = next(name for route, name in _CONTRACTS if route.fullmatch(path.partition("?")[0]))
    try:
        return read_message(contract, body)
    except ContractBroken:
        raise _unusable() from None

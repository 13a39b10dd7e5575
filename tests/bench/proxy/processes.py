"""The processes of the benchmark: nginx, the Jupyter server with what others use, and the one with ours.

The server under test and nginx as a proxy have the first core to themselves, one of them busy at a time; the clients
and the API behind the proxies share the second. Each process ends with its context manager, or with this process,
however that ends.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx

from jupyter_oidc.demo.child import Child
from jupyter_oidc.demo.environment import free_port
from jupyter_oidc.kernel.find import Kernel, Server
from jupyter_oidc.kernel.grant import GrantAuth
from tests.bench.proxy.report import NotMeasured
from tests.bench.proxy.wire import Call, download
from tests.interop.person import SCOPES
from tests.support.authority import Authority
from tests.support.form_sign_in import FormBrowser
from tests.support.jupyter_process import JupyterProcess
from tests.support.scripted_provider import ScriptedProvider

Credential = Literal["grant", "token", "cookie"]
"""A credential for the proxy: a kernel grant, Jupyter's token in the Authorization header, the cookie of a login."""

GIB = 1 << 30
MIB = 1 << 20
TOKEN_BYTES = 900
A_DAY = 86_400
_SMALL = json.dumps({"items": "x" * 1011})
"""1,024 bytes."""

_EXTENSIONS = (
    "jupyter_lsp",
    "jupyter_server_fileid",
    "jupyter_server_proxy",
    "jupyter_server_terminals",
    "jupyter_server_ydoc",
    "jupyterlab",
    "jupyter_oidc",
    "nbclassic",
    "notebook",
    "notebook_shim",
)
"""Extensions that may be installed beside ours; both servers load only the one that is measured."""


_TALLY = "tests.bench.proxy.tally_extension"
_ROOT = Path(__file__).parents[3]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Let the processes that are started meanwhile run on ``core`` only; this one goes back to where it was."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _make_files(folder: Path, large: int, medium: int) -> None:
    """Make the files that nginx serves as ``/large`` and ``/medium``, of empty pages, which take no room."""
    folder.mkdir()
    for name, size in (("large", large), ("medium", medium)):
        with (folder / name).open("wb") as file:
            file.truncate(size)


@contextmanager
def nginx(folder: Path, servers: str) -> Iterator[None]:
    """Run one nginx with one worker; its files and its configuration are below ``folder``."""
    folder.mkdir()
    path = folder / "nginx.conf"
    path.write_text(_NGINX.format(user="user root;" if os.geteuid() == 0 else "", servers=servers), encoding="utf-8")
    command = ["nginx", "-p", str(folder), "-c", str(path), "-e", str(folder / "error.log")]
    child = Child.start(
        "nginx", ("-m", "tests.bench.proxy.leashed", *command), folder / "nginx.log", {**os.environ, **_environment()}
    )
    try:
        until = time.monotonic() + 30
        while not (folder / "nginx.pid").exists() and time.monotonic() < until:
            child.check()
            time.sleep(0.05)
        yield
    finally:
        child.release()
        child.finish(within=20)


def origin_servers(port: int, tls_port: int, files: Path, certificate: Path) -> str:
    """Return the servers of the nginx that is the API: plain and with TLS."""
    what = f"""
      root {files};
      default_type application/octet-stream;
      location = /small {{ default_type application/json; return 200 '{_SMALL}'; }}
    }}"""
    return f"""
    server {{ listen 127.0.0.1:{port}; {what}
    server {{ listen 127.0.0.1:{tls_port} ssl; ssl_certificate {certificate}; ssl_certificate_key {certificate}; {what}
    """


def proxy_servers(port: int, origin_port: int) -> str:
    """Return the server of the nginx that is a proxy: it adds a header and streams."""
    return f"""
    upstream origin {{ server 127.0.0.1:{origin_port}; keepalive 64; }}
    server {{
      listen 127.0.0.1:{port};
      location / {{
        proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
        proxy_set_header Authorization "Bearer {"x" * TOKEN_BYTES}"; proxy_max_temp_file_size 0;
      }}
    }}"""


@dataclass(slots=True)
class Ours:
    """The Jupyter server with our extension, signed in, with a kernel that never runs a cell."""

    process: JupyterProcess
    cookie: str
    grant: GrantAuth

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self.process.pid

    def call(self, api: str, path: str, credential: Credential = "grant") -> Call:
        """Return the call of ``path`` of ``api`` through the proxy; a grant that grows old is replaced."""
        headers = {
            "grant": lambda: {"Authorization": f"Bearer {self.grant.current()}"},
            "token": lambda: {"Authorization": f"token {self.process.token}"},
            "cookie": lambda: {"Cookie": self.cookie},
        }[credential]()
        return Call(f"{self.process.url}jupyter-oidc/api/{api}/{path}", headers)

    def status(self) -> Call:
        """Return the call of Jupyter's own status, as a page makes it."""
        return Call(f"{self.process.url}api/status", {"Authorization": f"token {self.process.token}"})


@dataclass(slots=True)
class RealEnvironment:
    """Everything that runs, and how to call it. Each method returns the call for the same ``path`` by another way."""

    folder: Path
    ours: Ours
    anchors: JupyterProcess
    origin_port: int
    origin_tls_port: int
    nginx_port: int
    upstream_port: int
    core: int
    """The core of the servers under test."""

    def ways(self) -> list[Call]:
        """Return the small call by every way."""
        ours = [self.ours.call(api, "small", how) for api in ("plain", "tls") for how in ("grant", "token", "cookie")]
        return [self.direct("small"), self.nginx("small"), self.jsp("small"), self.buffered("small"), *ours]

    def direct(self, path: str) -> Call:
        """Without a proxy, from nginx."""
        return Call(f"http://127.0.0.1:{self.origin_port}/{path}", {"Authorization": f"Bearer {'x' * TOKEN_BYTES}"})

    def own(self, path: str) -> Call:
        """Without a proxy, from the API of our own."""
        return Call(f"http://127.0.0.1:{self.upstream_port}/{path}", {"Authorization": "Bearer x"})

    def nginx(self, path: str) -> Call:
        """Through nginx."""
        return Call(f"http://127.0.0.1:{self.nginx_port}/{path}", {})

    def jsp(self, path: str) -> Call:
        """Through jupyter-server-proxy."""
        url = f"{self.anchors.url}proxy/127.0.0.1:{self.origin_port}/{path}"
        return Call(url, {"Authorization": f"token {self.anchors.token}"})

    def buffered(self, path: str) -> Call:
        """Through a handler that fetches with tornado's own client, over TLS."""
        return Call(f"{self.anchors.url}buffered/{path}", {"Authorization": f"token {self.anchors.token}"})


@contextmanager
def real_environment(folder: Path, large: int, medium: int, cores: tuple[int, int]) -> Iterator[RealEnvironment]:
    """Start everything, make the first call by every way, which is the slowest, and end it all afterwards."""
    tested, others = cores
    _make_files(folder / "files", large, medium)
    trust = folder / "trust"
    trust.mkdir()
    authority = Authority.in_folder(trust)
    authority.server()
    ports = [free_port() for _ in range(3)]
    with ExitStack() as stack:
        with on_core(others):
            servers = origin_servers(ports[0], ports[1], folder / "files", trust / "server.pem")
            stack.enter_context(nginx(folder / "origin", servers))
            provider = stack.enter_context(ScriptedProvider(lifetime=A_DAY, access_token_bytes=TOKEN_BYTES))
            upstream_port = stack.enter_context(_own_upstream(folder))
        with on_core(tested):
            stack.enter_context(nginx(folder / "nginx", proxy_servers(ports[2], ports[0])))
            apis = {
                "plain": f"http://127.0.0.1:{ports[0]}/",
                "tls": f"https://127.0.0.1:{ports[1]}/",
                "own": f"http://127.0.0.1:{upstream_port}/",
            }
            ours = stack.enter_context(our_server(folder / "ours", provider, apis, authority.bundle))
            anchors = stack.enter_context(_anchors(folder / "anchors", apis["tls"], authority.bundle))
        running = RealEnvironment(folder, ours, anchors, ports[0], ports[1], ports[2], upstream_port, tested)
        for call in running.ways():
            download(call, len(_SMALL))
        yield running


@contextmanager
def _own_upstream(folder: Path) -> Iterator[int]:
    ready = folder / "upstream.ready"
    arguments = ("-m", "tests.bench.proxy.upstream", str(ready))
    child = Child.start("The upstream", arguments, folder / "upstream.log", {**os.environ, **_environment()})
    try:
        yield int(child.published(ready, within=30))
    finally:
        child.release()
        child.finish(within=20)


@contextmanager
def our_server(
    folder: Path, provider: ScriptedProvider, apis: dict[str, str], ca_bundle: str | None = None
) -> Iterator[Ours]:
    """Run a server of ours that is signed in at ``provider`` and has a kernel."""
    settings = {
        "issuer": provider.issuer,
        "client_id": "jupyter",
        "scopes": SCOPES,
        "ca_bundle": ca_bundle,
        "allow_insecure_loopback": True,
        "apis": {name: {"base_url": url, "methods": ["GET", "POST"]} for name, url in apis.items()},
    }
    process = JupyterProcess(
        folder,
        {"corp": settings},
        host="127.0.0.1",
        log_level="INFO",
        server=_only("jupyter_oidc", _TALLY),
        # NOTE: else only root could read the memory of the server from /proc.
        extension={"close_process": False},
        environment=_environment(),
        as_program=True,
    )
    with process, closing(process.client()) as client:
        started = client.post("jupyter-oidc/providers/corp/sign-in", json={}).json()
        page = FormBrowser(provider.issuer).open(str(httpx.URL(process.url).join(started["start_url"])))
        if "You are signed in" not in page.text:
            raise NotMeasured("The sign-in at the provider of the benchmark failed.")
        yield Ours(process, _login(process), _grant(process, client))


def _grant(process: JupyterProcess, client: httpx.Client) -> GrantAuth:
    """Start a kernel and speak for it, as the helper inside it would."""
    started = client.post("api/kernels", json={"name": "python3"})
    if started.status_code != 201:
        raise NotMeasured(f"The server started no kernel: it answered {started.status_code}.")
    kernel_id = started.json()["id"]
    path = process.folder / "runtime" / f"kernel-{kernel_id}.json"
    until = time.monotonic() + 30
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)
    key = json.loads(path.read_text(encoding="utf-8"))["key"].encode()
    return GrantAuth(Server(process.url, same_machine=True), Kernel(kernel_id, key))


def _login(process: JupyterProcess) -> str:
    """Log in by the form, as a browser does, and return the cookies as one header."""
    with process.stranger() as client:
        client.get("login")
        client.post("login", data={"password": process.token, "_xsrf": client.cookies["_xsrf"]})
        # NOTE: as one header, since a cookie jar would quote the values anew.
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)


@contextmanager
def _anchors(folder: Path, tls_origin: str, ca_bundle: str) -> Iterator[JupyterProcess]:
    process = JupyterProcess(
        folder,
        {},
        host="127.0.0.1",
        log_level="INFO",
        enabled=False,
        server=_only("jupyter_server_proxy", _TALLY, "tests.bench.proxy.buffered_extension"),
        environment={**_environment(), "BENCH_ORIGIN": tls_origin, "BENCH_AUTHORITY": ca_bundle},
        as_program=True,
    )
    with process:
        yield process


def _environment() -> dict[str, str]:
    """Let a process find this checkout, wherever it works."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))}


def _only(*names: str) -> dict[str, Any]:
    return {"jpserver_extensions": {**dict.fromkeys(_EXTENSIONS, False), **dict.fromkeys(names, True)}}


_NGINX = """
daemon off;
worker_processes 1;
pid nginx.pid;
error_log error.log error;
{user}
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile on;
  tcp_nodelay on;
  keepalive_requests 100000000;
  keepalive_timeout 3600s;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  {servers}
}}
"""

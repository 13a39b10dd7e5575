"""The processes of the benchmark: the API, nginx, oauth2-proxy with Redis, and a broker at a stand-in for a Hub.

The proxies under test have the first core, one of them busy at a time; the clients, the API, Redis and the provider share
the second.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from aiohttp import web

from jupyter_oidc.demo.child import Child
from jupyter_oidc.demo.environment import free_port
from jupyter_oidc.settings import Api
from jupyter_oidc.web.forwarded import FORWARDED
from tests.bench.proxy.processes import A_DAY, TOKEN_BYTES, nginx, on_core, origin_servers, proxy_servers
from tests.bench.proxy.report import NotMeasured
from tests.bench.proxy.wire import Call
from tests.support.authority import Authority
from tests.support.broker_process import BrokerProcess
from tests.support.form_sign_in import FormBrowser
from tests.support.forwarded_facts import facts_of
from tests.support.loop_thread import ServedInThread
from tests.support.scripted_provider import ScriptedProvider
from tests.unit.adapters.storage.database.replicas import ONE
from tests.unit.broker.real_accounts import real_accounts

OAUTH2_PROXY = "github.com/oauth2-proxy/oauth2-proxy/v7@v7.8.1"
CACHE = Path(__file__).parents[3] / ".cache" / "bench-broker"
SECRET = "bench-client-secret-0123456789"
PREFIX = "/services/oidc/"
_TOKEN = secrets.token_hex(16)


def oauth2_proxy() -> Path:
    """Return oauth2-proxy, compiled once from its Go module; raises :class:`NotMeasured` with the next step."""
    program = CACHE / "oauth2-proxy"
    if program.exists():
        return program
    if shutil.which("go") is None:
        raise NotMeasured("Go is missing, which compiles oauth2-proxy. Install it: apt-get install golang-go")
    CACHE.mkdir(parents=True, exist_ok=True)
    print("Compiling oauth2-proxy (a few minutes, once) ...", flush=True)
    done = subprocess.run(
        ["go", "install", OAUTH2_PROXY],
        env={**os.environ, "GOBIN": str(CACHE)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotMeasured(f"oauth2-proxy cannot be compiled: {done.stderr[-400:]}")
    return program


class StandInHub:
    """Answers whose token it is, as a Hub does; what a Hub costs is asked once a minute, and not measured."""

    def __init__(self, service: str) -> None:
        application = web.Application()
        application.router.add_get("/hub/api/user", self._user)
        application.router.add_get("/hub/api/users", self._users)
        self._scope = f"access:services!service={service}"
        self.served = ServedInThread(application)

    async def _user(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"token {_TOKEN}":
            return web.json_response({"kind": "service", "name": "oidc", "scopes": ["list:users"]})
        return web.json_response({"kind": "user", "name": "ada", "scopes": [self._scope], "session_id": None})

    async def _users(self, _: web.Request) -> web.Response:
        return web.json_response({"items": [{"name": "ada"}], "_pagination": {"next": None}})


@dataclass(slots=True)
class MeasuredBroker(BrokerProcess):
    """A broker at a stand-in for a Hub, with a session that is stored already."""

    hub_port: int = 0
    port: int = field(default_factory=free_port)

    @property
    def settings(self) -> dict[str, Any]:
        """Where it listens, and its name in a browser."""
        return {
            "listen": f"http://127.0.0.1:{self.port}",
            "public_url": f"http://127.0.0.1:{self.port}{PREFIX}",
            "allow_shared_host": True,
        }

    @property
    def environment(self) -> dict[str, str]:
        """What a Hub tells its service."""
        return {
            "JUPYTERHUB_SERVICE_NAME": "oidc",
            "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
            "JUPYTERHUB_API_URL": f"http://127.0.0.1:{self.hub_port}/hub/api",
            "JUPYTERHUB_API_TOKEN": secrets.token_hex(16),
        }

    def ask(self, path: str, **headers: str) -> httpx.Response:
        """Send a GET to it."""
        return httpx.get(f"http://127.0.0.1:{self.port}/{path}", headers=headers, trust_env=False, timeout=10)

    def call(self, path: str) -> Call:
        """Return the call of ``path`` as a Jupyter server forwards that of a kernel."""
        facts = facts_of("ada", caller_kind="kernel", caller_name="kernel:k1")
        headers = {"Authorization": f"token {_TOKEN}", FORWARDED: facts.text()}
        return Call(f"http://127.0.0.1:{self.port}{PREFIX}jupyter-oidc/api/orders/{path}", headers)


@dataclass(frozen=True, slots=True)
class Proxies:
    """What runs; each call is that of the same small answer by another way, with the process that answers it."""

    folder: Path
    core: int
    ways: Mapping[str, tuple[Call, int | None]]


@contextmanager
def proxies(folder: Path, cores: Sequence[int]) -> Iterator[Proxies]:
    """Start everything and sign in everywhere; end it all afterwards."""
    tested, others = cores
    (folder / "files").mkdir()
    trust = folder / "trust"
    trust.mkdir()
    Authority.in_folder(trust).server()
    origin, origin_tls, plain, redis, guarded = (free_port() for _ in range(5))
    with ExitStack() as stack:
        with on_core(others):
            servers = origin_servers(origin, origin_tls, folder / "files", trust / "server.pem")
            stack.enter_context(nginx(folder / "origin", servers))
            stack.enter_context(_program("Redis", ["redis-server", *_redis(redis)], folder))
            provider = stack.enter_context(
                ScriptedProvider(
                    client_secret=SECRET,
                    auth_method="unchecked",
                    claims={"email": "ada@example.com", "email_verified": True},
                    lifetime=A_DAY,
                    access_token_bytes=TOKEN_BYTES,
                )
            )
            hub = StandInHub("oidc")
            stack.enter_context(hub.served)
        with on_core(tested):
            stack.enter_context(nginx(folder / "nginx", proxy_servers(plain, origin)))
            command = [str(oauth2_proxy()), *_oauth2_proxy(provider.issuer, guarded, redis, origin)]
            proxy = stack.enter_context(_program("oauth2-proxy", command, folder))
            broker = stack.enter_context(_broker(folder / "broker", provider, hub.served.port, origin))
        cookie = _login(provider.issuer, guarded)
        ways: dict[str, tuple[Call, int | None]] = {
            "nginx": (Call(f"http://127.0.0.1:{plain}/small", {}), None),
            "oauth2-proxy": (Call(f"http://127.0.0.1:{guarded}/small", {"Cookie": cookie}), _child_of(proxy)),
            "broker": (broker.call("small"), broker.pid),
        }
        for name, (call, _) in ways.items():
            answer = httpx.get(call.url, headers=dict(call.headers), trust_env=False)
            if answer.status_code != 200 or len(answer.content) != 1024:
                raise NotMeasured(f"The call by {name} was answered {answer.status_code}.")
        yield Proxies(folder, tested, ways)


@contextmanager
def _broker(folder: Path, provider: ScriptedProvider, hub_port: int, origin: int) -> Iterator[MeasuredBroker]:
    folder.mkdir()
    api = f"http://127.0.0.1:{origin}/"
    asyncio.run(_store_session(folder / "sessions.sqlite", provider, api))
    settings = {
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "client_secret": "env:BENCH_SECRET",
        "token_endpoint_auth_method": "client_secret_basic",
        "allow_insecure_loopback": True,
        "apis": {"orders": {"base_url": api}},
    }
    os.environ["BENCH_SECRET"] = SECRET
    with MeasuredBroker(folder, {"corp": settings}, key=ONE, hub_port=hub_port, is_quiet=True) as broker:
        yield broker


async def _store_session(path: Path, provider: ScriptedProvider, api: str) -> None:
    """Sign the account in, and store its session as a broker does."""
    async with real_accounts(path, provider, apis=[Api("orders", "corp", api)]) as made:
        services = made.making.make("hub:ada")
        await made.sign_in(services, "hub:ada")
        await services.aclose()


@contextmanager
def _program(name: str, command: Sequence[str], folder: Path) -> Iterator[Child]:
    arguments = ("-m", "tests.bench.proxy.leashed", *command)
    environment = {**os.environ, "GOMAXPROCS": "1", "PYTHONPATH": str(Path(__file__).parents[3])}
    child = Child.start(name, arguments, folder / f"{name}.log", environment)
    try:
        yield child
    finally:
        child.release()
        child.finish(within=20)


def _redis(port: int) -> list[str]:
    return ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]


def _oauth2_proxy(issuer: str, port: int, redis: int, origin: int) -> list[str]:
    """Return the options: as its documentation has them for an OpenID Connect provider and sessions in Redis."""
    said = {
        "provider": "oidc",
        "oidc-issuer-url": issuer,
        "client-id": "jupyter",
        "client-secret": SECRET,
        "code-challenge-method": "S256",
        "cookie-secret": secrets.token_hex(16),
        "cookie-secure": "false",
        "session-store-type": "redis",
        "redis-connection-url": f"redis://127.0.0.1:{redis}",
        "email-domain": "*",
        "pass-access-token": "true",
        "skip-provider-button": "true",
        "http-address": f"127.0.0.1:{port}",
        "redirect-url": f"http://127.0.0.1:{port}/oauth2/callback",
        "upstream": f"http://127.0.0.1:{origin}/",
    }
    return [f"--{name}={value}" for name, value in said.items()]


def _login(issuer: str, port: int) -> str:
    """Log in at oauth2-proxy through the provider; return the cookies as one header."""
    browser, until = FormBrowser(issuer), time.monotonic() + 30
    while time.monotonic() < until:
        with suppress(OSError):
            page = browser.open(f"http://127.0.0.1:{port}/small")
            if page.status_code == 200:
                return "; ".join(f"{one.name}={one.value}" for one in browser.cookies)
        time.sleep(0.2)
    raise NotMeasured("The login at oauth2-proxy failed.")


def _child_of(child: Child) -> int:
    """Return the process id of the program that a leash holds."""
    children = Path(f"/proc/{child.process.pid}/task/{child.process.pid}/children").read_text(encoding="ascii").split()
    return int(children[0])

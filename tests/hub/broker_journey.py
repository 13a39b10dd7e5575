"""The steps of three people at a Hub whose sessions a broker holds: three users of this machine, TLS, PostgreSQL.

Each server runs as its user and has a host of its own, and so has the broker. Browsers come by https, and one redirect URI
is registered at the provider.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, expect

from jupyter_oidc.secret_access import reveal
from tests.e2e.lab_page import SLOW, Lab, answer_certified, new_notebook
from tests.hub.labs import SIGN_IN, WAIT_MS, Place, asked, back, lab_of
from tests.support.browser import chromium
from tests.support.certificate import Certificate, of_a_company
from tests.support.certified_provider import CertifiedProvider, ProviderDocument, RegisteredClient
from tests.support.jupyterhub_process import SERVICE, BrokerAtHub, HubProcess
from tests.support.memory import holders
from tests.support.postgres import Postgres
from tests.support.upstream import Upstream
from tests.wall.place import start_as
from tests.wall.users import as_user

if TYPE_CHECKING:
    from typing_extensions import Self

    from jupyter_oidc.demo.child import Child

BROKER, USERS = 61_000, {"ada": 61_001, "bob": 61_002, "eve": 61_003}
"""Numbers of users that no machine has given away (systemd keeps those from 61184 on for itself)."""

HOST = "hub.example.com"
"""Where browsers find the Hub; servers, users and the broker are at hosts below it."""

SECRET = "hub-check-client-secret-0123456789"
SCOPES = ["openid", "profile", "email", "offline_access"]
CORP = "jupyter-oidc/providers/corp"
SILENT_SECONDS = 3.0
CALL = "import jupyter_oidc as oidc\noidc.api('orders').get('items').status_code"


@dataclass(slots=True)
class UsersBrokerAtHub(BrokerAtHub):
    """A broker that runs as the user ``uid``."""

    uid: int = BROKER
    hold: Path = Path()

    def _launched(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Child:
        migrate = (*arguments[:3], "migrate", f"--settings={self.folder / 'broker.json'}")
        command = as_user(self.uid, [sys.executable, *migrate], self.hold)
        done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return start_as(self.uid, self.hold, "the broker", arguments, log, environment)


@dataclass
class BrokerJourney:
    """The Hub, its broker, provider and API, and a browser profile of each person."""

    folder: Path
    people: dict[str, Lab] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._open = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._open.close()
            raise
        return self

    def _start(self) -> None:
        self.folder.chmod(0o711)
        self.provider = self._open.enter_context(CertifiedProvider(ProviderDocument()))
        self.api = self._open.enter_context(Upstream(accepts=lambda token: token in self.provider.issued()))
        self.postgres = self._open.enter_context(Postgres())
        self.postgres.run("CREATE DATABASE sessions")
        self.certificate = self._certificate()
        self.hub = HubProcess(
            self._made("hub"),
            tuple(USERS),
            {"JUPYTERLAB_DIR": str(Path(sys.prefix) / "share" / "jupyter" / "lab"), "SSL_CERT_FILE": self._bundle},
            public=f"https://{HOST}",
            has_user_hosts=True,
            certificate=self.certificate,
            commands={
                name: as_user(uid, [sys.executable, "-m", "jupyterhub.singleuser"], self._made(f"views/{name}"))
                for name, uid in USERS.items()
            },
        )
        self._write_settings()
        self.provider.register_client(
            RegisteredClient(
                "jupyter",
                (self.hub.callback("corp"),),
                "client_secret_basic",
                SECRET,
                more={
                    "backchannel_logout_uri": f"http://127.0.0.1:{self.hub.broker_port}/services/{SERVICE}/{CORP}/backchannel-logout",
                    "backchannel_logout_session_required": True,
                },
            )
        )
        self.broker = self._open.enter_context(self._broker())
        self._open.enter_context(self.hub)
        for name in USERS:
            self.hub.ask("POST", f"users/{name}")
        self.browser = self._open.enter_context(chromium(**{HOST: self.hub.port, f"*.{HOST}": self.hub.port}))

    def __exit__(self, *reason: object) -> None:
        for name in USERS:
            self.hub.ask("DELETE", f"users/{name}/server")
        self._open.close()

    def _made(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(parents=True)
        return path

    def _certificate(self) -> Certificate:
        made = of_a_company(self._made("tls"), [HOST, f"*.{HOST}", "localhost"])
        self._bundle = str(made.certfile)
        return made

    def _write_settings(self) -> None:
        """Write the one line that a Jupyter server needs, to where only root can change it."""
        etc = self.hub.folder / "etc"
        etc.mkdir()
        said = {"JupyterOIDC": {"broker": UsersBrokerAtHub(self.folder, {}, hub=self.hub).address}}
        (etc / "jupyter_server_config.json").write_text(json.dumps(said), encoding="utf-8")
        for name, uid in USERS.items():
            home = self._made(f"hub/home/{name}")
            new_notebook(home)
            for path in (home, *home.rglob("*")):
                os.chown(path, uid, uid)
            home.chmod(0o700)

    def _broker(self) -> UsersBrokerAtHub:
        at = self._made("broker")
        os.chown(at, BROKER, BROKER)
        secret = at / "client.secret"
        secret.write_text(SECRET, encoding="ascii")
        secret.chmod(0o400)
        os.chown(secret, BROKER, BROKER)
        database = at / "database"
        database.write_text(reveal(self.postgres.address("sessions")), encoding="ascii")
        database.chmod(0o400)
        os.chown(database, BROKER, BROKER)
        settings = {
            "issuer": self.provider.issuer,
            "client_id": "jupyter",
            "client_secret": f"file:{secret}",
            "token_endpoint_auth_method": "client_secret_basic",
            "scopes": SCOPES,
            "prompt": "consent",
            "allow_insecure_loopback": True,
            "apis": {"orders": {"base_url": self.api.url, "methods": ["GET", "POST"]}},
        }
        broker = {"database": f"file:{database}", "allow_public_clients": False, "close_process": True}
        return UsersBrokerAtHub(at, {"corp": settings}, broker=broker, hub=self.hub, hold=self._made("views/broker"))

    def at_the_hub(self, name: str, context: BrowserContext | None = None) -> Lab:
        """Log in to the Hub as ``name``, which starts their server, and wait for JupyterLab."""
        page = (
            context or self.browser.new_context(viewport={"width": 1280, "height": 800}, ignore_https_errors=True)
        ).new_page()
        lab = self.people[name] = lab_of(name, self.hub, page)
        return lab

    def stop(self, name: str) -> None:
        """Stop the user's default server, as a culler does."""
        self.hub.ask("DELETE", f"users/{name}/server")
        self.hub.until(lambda: not self.hub.ask("GET", f"users/{name}").json()["servers"], "The server did not stop")

    def runs(self, name: str, server: str) -> bool:
        """Whether this server of the user is up."""
        servers: dict[str, Any] = self.hub.ask("GET", f"users/{name}").json()["servers"]
        return bool(servers.get(server, {}).get("ready"))


def sign_in_from_the_panel(journey: BrokerJourney) -> None:
    """Ada logs in at the Hub and presses *Sign in*; the provider's answer goes to the broker's one redirect URI."""
    lab = journey.at_the_hub("ada")
    lab.says("Sign in")
    window = lab.begin()
    answer_certified(window)
    lab.says("Example User")
    lab.gone(window)


def sign_in_from_a_cell(journey: BrokerJourney) -> None:
    """The link of Bob's cell leads to the Hub's host, and through the broker; he is another person at the provider."""
    lab = journey.at_the_hub("bob")
    lab.says("Sign in")
    lab.start_code(SIGN_IN)
    link = lab.page.locator(".jp-OutputArea a", has_text="Open the sign-in page").first
    expect(link).to_be_visible(timeout=SLOW)
    href = link.get_attribute("href") or ""
    assert href.startswith(f"{journey.hub.server_url('bob')}jupyter-oidc/start/"), href
    with lab.page.context.expect_page() as opened:
        link.click()
    answer_certified(opened.value, "user2")
    lab.gone(opened.value)
    lab.says("Other User")
    people = {name: asked(lab, f"{CORP}/session")[1]["user"]["sub"] for name, lab in journey.people.items()}
    assert people == {"ada": "user1", "bob": "user2"}, people


def call(journey: BrokerJourney) -> None:
    """Kernels of both call the API, each with the token of its user, which neither has."""
    for name in ("ada", "bob"):
        said = journey.people[name].run_code(CALL)
        assert said.strip() == "200", said


def named_server(journey: BrokerJourney) -> None:
    """A named server of Ada's has her session, and a sign-in there comes back to it."""
    page = journey.people["ada"].page.context.new_page()
    journey.hub.ask("POST", "users/ada/servers/gpu")
    journey.hub.until(lambda: journey.runs("ada", "gpu"), "The named server did not start")
    gpu = Lab(page, Place(journey.hub.server_url("ada", "gpu")))
    page.goto(f"{gpu.place.url}lab")
    expect(gpu.item).to_be_visible(timeout=WAIT_MS)
    gpu.says("Example User")
    gpu.sign_out()
    window = gpu.begin()
    answer_certified(window)
    gpu.says("Example User")
    gpu.gone(window)
    page.close()
    journey.hub.ask("DELETE", "users/ada/servers/gpu", json={"remove": True})


def stop_and_start(journey: BrokerJourney) -> None:
    """Ada's server is stopped and started: she is signed in; what she writes into her own settings changes nothing."""
    own = journey.hub.folder / "home" / "ada" / ".jupyter" / "jupyter_server_config.d" / "mine.json"
    own.parent.mkdir(parents=True)
    mine = {"issuer": journey.provider.issuer, "client_id": "mine", "allow_insecure_loopback": True}
    own.write_text(json.dumps({"JupyterOIDC": {"providers": {"mine": mine}}}), encoding="utf-8")
    lab = journey.people["ada"]
    lab.page.goto("about:blank")
    journey.stop("ada")
    back(lab)
    lab.says("Example User")
    _, told = asked(lab, "jupyter-oidc/providers")
    assert [one["name"] for one in told["providers"]] == ["corp"], told
    assert lab.run_code(CALL).strip() == "200"


def restarted_broker(journey: BrokerJourney) -> None:
    """The broker is killed and started; everybody is still signed in, from the database."""
    journey.broker.kill()
    journey.broker.start()
    for name in ("ada", "bob"):
        status, told = asked(journey.people[name], f"{CORP}/session")
        assert (status, told.get("state")) == (200, "active"), told


def no_token_beside_a_kernel(journey: BrokerJourney) -> None:
    """No process of Ada's holds a token, nor does a dump of the database; the broker's memory does."""
    kinds = ("access_token", "refresh_token", "id_token")
    secrets = {f"{kind} {n}": text.encode() for kind in kinds for n, text in enumerate(journey.provider.issued(kind))}
    uids = set(USERS.values())
    theirs = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit() and _uid_of(path) in uids]
    assert len(theirs) >= 4, f"servers and kernels of two people: {theirs}"
    assert holders(journey.broker.pid, secrets), "the search finds nothing where tokens are"
    for process in theirs:
        assert holders(process, secrets) == [], process
    dump = journey.postgres.dump("sessions")
    assert b"oidc_entries" in dump
    assert [name for name, secret in secrets.items() if secret in dump] == []


def _uid_of(process: Path) -> int:
    try:
        return process.stat().st_uid
    except FileNotFoundError:
        return -1


def silent(journey: BrokerJourney) -> None:
    """In a browser that the provider knows, Eve's page signs in without a click, within three seconds of JupyterLab."""
    context = journey.people["ada"].page.context
    journey.people["ada"].page.goto(f"{journey.hub.url}/hub/logout")
    lab = journey.at_the_hub("eve", context)
    began = time.monotonic()
    lab.says("Example User")
    took = time.monotonic() - began
    journey.notes.append(f"signed in {took:.1f} s after JupyterLab had its sign-in button")
    assert took < SILENT_SECONDS, took
    assert urlsplit(lab.page.url).path.startswith("/user/eve/lab")


def logout_by_the_provider(journey: BrokerJourney) -> None:
    """Bob's server is stopped; he signs out at the provider, which tells the broker (back channel)."""
    lab = journey.people["bob"]
    lab.page.goto("about:blank")
    journey.stop("bob")
    lab.page.goto(f"{journey.provider.issuer}/session/end")
    lab.page.locator("button[name=logout]").click()
    expect(lab.page.get_by_text("Sign-out Success")).to_be_visible()
    lab.page.goto(f"{journey.hub.url}/hub/home")
    back(lab)
    expect(lab.item).not_to_have_text("Sign-in…", timeout=SLOW)
    status, told = asked(lab, f"{CORP}/session")
    assert (status, told["state"], told["reason"]) == (200, "signed-out-expired", "signed_out_at_provider"), told


def guest(journey: BrokerJourney) -> None:
    """Bob, whom nobody has let in, gets nothing from Ada's server, and a link of hers is nothing in his browser."""
    bob, ada = journey.people["bob"], journey.people["ada"]
    ada.start_code(SIGN_IN.replace("sign_in()", "sign_in(prompt='login')"))
    link = ada.page.locator(".jp-OutputArea a", has_text="Open the sign-in page").first
    expect(link).to_be_visible(timeout=SLOW)
    ticket = (link.get_attribute("href") or "").rpartition("/")[2]
    stranger = bob.page.context.new_page()
    answered = stranger.goto(f"{journey.hub.server_url('ada')}{CORP}/session")
    assert answered is not None
    assert answered.status == 403, answered.status
    stranger.goto(f"{journey.hub.broker_url}jupyter-oidc/start/{ticket}")
    expect(stranger.get_by_text("Sign-in did not work")).to_be_visible()
    stranger.close()
    ada.page.goto("about:blank")
    back(ada)
    ada.says("Example User")


STEPS: dict[str, Callable[[BrokerJourney], None]] = {
    "sign in from the panel": sign_in_from_the_panel,
    "sign in from a cell": sign_in_from_a_cell,
    "call an API": call,
    "named server": named_server,
    "stop and start": stop_and_start,
    "broker killed and started": restarted_broker,
    "no token beside a kernel": no_token_beside_a_kernel,
    "another person": guest,
    "logout by the provider": logout_by_the_provider,
    "silent sign-in": silent,
}

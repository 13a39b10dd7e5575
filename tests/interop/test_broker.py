"""Jupyter servers with a real broker: sessions, tokens and policy live in its process, and in no other (issue of the wall)."""

from __future__ import annotations

import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import httpx
import pytest

from jupyter_oidc.demo.child import Child
from tests.interop.person import Person, settings_for
from tests.support.broker_process import BrokerProcess
from tests.support.canary import CANARY
from tests.support.certified_provider import CertifiedProvider, RegisteredClient
from tests.support.form import forms_of
from tests.support.form_sign_in import FormBrowser
from tests.support.jupyter_process import JupyterProcess
from tests.support.memory import holders, with_children
from tests.support.notebook import run_cells
from tests.support.upstream import Upstream

SESSION = "jupyter-oidc/providers/corp/session"
CALL = "import jupyter_oidc as oidc\nprint(oidc.api('orders').get('items/1').status_code)"


@dataclass
class Place:
    """A broker, and the people at its Jupyter servers."""

    broker: BrokerProcess
    folder: Path
    provider: CertifiedProvider
    stack: ExitStack
    callbacks: list[str] = field(default_factory=list)

    def server(self, name: str, password: str = "", **changes: Any) -> Person:
        """Start a Jupyter server that hands everything to the broker."""
        extension = {"broker": self.broker.address, "close_process": False, **changes}
        process = JupyterProcess(self.folder / name, {}, extension=extension, password=password)
        self.callbacks.append(process.callback("corp"))
        self.provider.register_client(RegisteredClient("jupyter", tuple(self.callbacks)))
        self.stack.enter_context(process)
        jupyter = self.stack.enter_context(closing(process.client()))
        return Person(process, self.provider, jupyter, FormBrowser(self.provider.issuer))


@contextmanager
def place_of(folder: Path, provider: CertifiedProvider, upstream: Upstream, **broker: Any) -> Iterator[Place]:
    with ExitStack() as stack:
        short = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="broker")))
        process = BrokerProcess(short, {"corp": settings_for(provider, upstream)}, broker=broker)
        stack.enter_context(process)
        yield Place(process, folder, provider, stack)


@pytest.fixture
def place(tmp_path: Path, provider: CertifiedProvider, upstream: Upstream) -> Iterator[Place]:
    with place_of(tmp_path, provider, upstream) as place:
        yield place


def state(person: Person) -> str:
    return str(person.jupyter.get(SESSION).json()["state"])


def test_one_sign_in_serves_every_server_and_kernel_of_the_user_and_outlives_them(place: Place) -> None:
    here, there = place.server("here"), place.server("there")
    page = here.sign_in()
    assert "You are signed in" in page.text, page.text
    assert [state(here), state(there)] == ["active", "active"]
    (cell,) = run_cells(there.process, CALL)
    assert cell.text == "200\n"
    assert (here.jupyter.get(SESSION).json()["storage"], here.jupyter.get(SESSION).json()["user"]["sub"]) == (
        "database",
        "user1",
    )
    place.broker.stop()
    place.broker.start()
    assert [state(here), state(there)] == ["active", "active"], "the database has the session"
    here.jupyter.post("jupyter-oidc/providers/corp/sign-out", json={})
    assert [state(here), state(there)] == ["signed-out", "signed-out"]


def test_no_token_is_in_a_server_or_a_kernel_and_the_database_holds_none_in_the_clear(
    place: Place, provider: CertifiedProvider
) -> None:
    """The search finds the tokens in the broker, so that it would find them elsewhere."""
    person = place.server("here")
    person.sign_in()
    (cell,) = run_cells(person.process, CALL)
    assert cell.text == "200\n"
    kinds = {"access_token", "refresh_token", "id_token"}
    secrets = {f"{kind} {number}": text.encode() for kind in kinds for number, text in enumerate(provider.issued(kind))}
    assert {name.partition(" ")[0] for name in secrets} == kinds
    assert holders(place.broker.pid, secrets), "the search finds nothing where tokens are"
    for process in with_children([person.process.pid]):
        assert holders(process, secrets) == []
    stored = b"".join(path.read_bytes() for path in place.broker.folder.glob("sessions.sqlite*"))
    assert stored
    assert [name for name, secret in secrets.items() if secret in stored] == []
    with sqlite3.connect(f"file:{place.broker.folder / 'sessions.sqlite'}?mode=ro", uri=True) as database:
        ((account,),) = database.execute("SELECT account FROM oidc_entries WHERE sealed IS NOT NULL")
    assert account.startswith("uid:")


def test_a_server_says_so_while_its_broker_is_away_and_goes_on_when_it_is_back(place: Place) -> None:
    """DESIGN-2, 7: sessions stay."""
    person = place.server("here")
    person.sign_in()
    place.broker.kill()
    refused = person.jupyter.get(SESSION)
    assert (refused.status_code, refused.json()["code"], refused.headers["Retry-After"]) == (
        503,
        "broker_unavailable",
        "2",
    )
    called = person.jupyter.get("jupyter-oidc/api/orders/items/1")
    assert (called.status_code, called.json()["code"], called.json()["retryable"]) == (503, "broker_unavailable", True)
    place.broker.start()
    assert state(person) == "active"
    assert person.jupyter.get("jupyter-oidc/api/orders/items/1").status_code == 200


def test_a_new_key_in_front_keeps_the_sessions_and_with_a_lost_one_people_sign_in_again(place: Place) -> None:
    """What the page about operating a broker says of its keys."""
    person, old, new = place.server("here"), place.broker.key, token_urlsafe(32)
    CANARY.hold(new)
    person.sign_in()
    with_keys(place.broker, new)
    assert state(person) == "signed-out"
    assert person.jupyter.get(SESSION).json()["reason"] == "storage_key"
    for keys in (old, f"{new}\n{old}", new):
        with_keys(place.broker, keys)
        assert state(person) == "active", "the first use after a start renews the tokens, and seals the row anew"
    with_keys(place.broker, old)
    assert state(person) == "signed-out"
    assert "You are signed in" in person.sign_in().text
    with_keys(place.broker, old)
    assert state(person) == "active"


def with_keys(broker: BrokerProcess, keys: str) -> None:
    broker.stop()
    broker.key = keys
    broker.start()


def test_a_kernel_waits_for_a_broker_that_is_started_again(place: Place) -> None:
    person = place.server("here")
    person.sign_in()
    place.broker.kill()
    started = time.monotonic()
    again = threading.Timer(2.0, place.broker.start)
    again.start()
    (cell,) = run_cells(person.process, CALL)
    again.join()
    assert "200" in cell.text, cell.text
    assert time.monotonic() - started > 2.0


def test_the_settings_of_a_server_with_a_broker_do_not_count(place: Place, upstream: Upstream) -> None:
    """A user's own file adds no API, and the log says that the broker's settings count."""
    own = {
        "corp": {"issuer": "https://evil.example.com", "client_id": "x", "apis": {"mine": {"base_url": upstream.url}}}
    }
    person = place.server("here", providers=own)
    person.sign_in()
    assert [api["name"] for api in person.jupyter.get("jupyter-oidc/apis").json()["apis"]] == ["orders"]
    assert person.jupyter.get("jupyter-oidc/api/mine/x").json()["code"] == "unknown_api"
    assert "the settings of providers here do not count" in person.process.log


def test_what_a_sign_out_page_posts_has_no_id_token(place: Place, provider: CertifiedProvider) -> None:
    """ADR 39: the page goes through the server of the user, who must not see the token."""
    person = place.server("here", password="of the server")
    person.sign_in()
    told = person.jupyter.post("jupyter-oidc/providers/corp/sign-out", json={}).json()
    navigation = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin"}
    page = person.jupyter.get(str(httpx.URL(person.process.url).join(told["end_session_url"])), headers=navigation)
    (form,) = forms_of(page.text)
    assert form.values("")["client_id"] == "jupyter"
    assert "id_token_hint" not in form.values("")
    assert all(token not in page.text for token in provider.issued("id_token"))


def test_a_request_past_the_server_needs_what_only_a_server_says(place: Place) -> None:
    """The socket is open to every user, and each gets their own sessions only; the facts of a server are checked."""
    for path in ("jupyter-oidc/providers", "jupyter-oidc/api/orders/x", "jupyter-oidc/nothing", ""):
        refused = place.broker.ask(path)
        assert (refused.status_code, refused.json()["code"]) == (400, "request_invalid")
    forged = place.broker.ask("jupyter-oidc/providers", **{"X-OIDC-Forwarded": '{"caller_kind":"root"}'})
    assert forged.json()["code"] == "request_invalid"
    assert place.broker.ask("health/live").text == "ok\n"
    assert "jupyter_oidc_calls" in place.broker.ask("metrics").text


AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


@dataclass(slots=True)
class HandedBroker(BrokerProcess):
    """A broker that gets its socket handed over, which stays open here, as it does in systemd."""

    handed: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_UNIX))

    def _launched(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Child:
        number = self.handed.fileno()
        return Child.start("the broker", ("-c", AS_SYSTEMD, str(number), *arguments), log, environment, (number,))


def test_a_socket_that_systemd_has_handed_over_outlives_its_broker() -> None:
    """systemd.socket(5): systemd makes the path once, and hands the same socket to the next broker."""
    with tempfile.TemporaryDirectory(prefix="broker") as folder:
        broker = HandedBroker(Path(folder), {})
        with broker.handed:
            broker.handed.bind(str(broker.socket))
            broker.handed.listen()
            made = broker.socket.stat().st_ino
            with broker:
                broker.stop()
                assert broker.socket.stat().st_ino == made
                broker.start()
                assert broker.ask("health/live").text == "ok\n"
            assert broker.socket.stat().st_ino == made

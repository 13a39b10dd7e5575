"""A broker of one user, and Jupyter servers of others, at a provider and an API of this process."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_oidc.demo.child import Child
from tests.interop.person import Person, settings_for
from tests.support.broker_process import BrokerProcess
from tests.support.certified_provider import CertifiedProvider, RegisteredClient
from tests.support.form_sign_in import FormBrowser
from tests.support.jupyter_process import JupyterProcess
from tests.support.upstream import Upstream
from tests.wall.users import as_user, run_as

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

BROKER, ADA, BOB = 61_000, 61_001, 61_002
"""Numbers of users that no machine has given away (systemd keeps those from 61184 on for itself)."""


def start_as(
    uid: int, hold: Path, name: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str]
) -> Child:
    """Run ``python arguments...`` as the user ``uid``, as :meth:`Child.start` does."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            as_user(uid, [sys.executable, *arguments], hold),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=log.parent,
            start_new_session=True,
        )
    return Child(name, process, log)


@dataclass(slots=True)
class UsersJupyter(JupyterProcess):
    """The Jupyter server of the user ``uid``, whose files are the user's."""

    uid: int = 0
    hold: Path = Path()

    def _start(self) -> Child:
        environment = {**self._environment(), "HOME": str(self.folder), "USER": str(self.uid)}
        for path in (self.folder, *self.folder.rglob("*")):
            os.chown(path, self.uid, self.uid)
        program = ("-m", "jupyter_oidc.demo.parent_watch", str(self.folder / "nothing"), self.app)
        log = self.folder / "jupyter.log"
        return start_as(self.uid, self.hold, "Jupyter", program, log, environment)


@dataclass(slots=True)
class UsersBroker(BrokerProcess):
    """The broker, as the user ``uid``; its memory is closed to others, as it is by default."""

    uid: int = 0
    hold: Path = Path()

    def _launched(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Child:
        return start_as(self.uid, self.hold, "the broker", arguments, log, environment)


@dataclass(slots=True)
class Place:
    """Context manager; ``folder`` is a folder of root's below which each user has one."""

    folder: Path
    provider: CertifiedProvider = field(default_factory=CertifiedProvider)
    upstream: Upstream = field(default_factory=lambda: Upstream(lambda _: True))
    people: dict[str, Person] = field(default_factory=dict)
    _broker: UsersBroker | None = None
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def broker(self) -> UsersBroker:
        """The running broker."""
        assert self._broker is not None
        return self._broker

    def __enter__(self) -> Self:
        self.folder.chmod(0o711)
        self._stack.enter_context(self.provider)
        self._stack.enter_context(self.upstream)
        servers = {
            name: UsersJupyter(
                self.folder / name, {}, extension={"broker": ""}, as_program=True, uid=uid, hold=self._hold(name)
            )
            for name, uid in (("ada", ADA), ("bob", BOB))
        }
        callbacks = tuple(server.callback("corp") for server in servers.values())
        self.provider.register_client(RegisteredClient("jupyter", callbacks))
        at = self.folder / "broker"
        at.mkdir(mode=0o755)
        os.chown(at, BROKER, BROKER)
        self._broker = UsersBroker(
            at,
            {"corp": settings_for(self.provider, self.upstream)},
            broker={"close_process": True},
            uid=BROKER,
            hold=self._hold("broker"),
        )
        self._stack.enter_context(self._broker)
        for name, server in servers.items():
            server.extension["broker"] = self._broker.address
            self._stack.enter_context(server)
            jupyter = self._stack.enter_context(closing(server.client()))
            self.people[name] = Person(server, self.provider, jupyter, FormBrowser(self.provider.issuer))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def as_user(self, uid: int, program: str, *arguments: str) -> str:
        """Run the Python ``program`` as the user ``uid``; return what it prints."""
        return run_as(uid, program, self._hold(f"program-{uid}"), *arguments)

    def _hold(self, name: str) -> Path:
        path = self.folder / "views" / name
        path.mkdir(parents=True, exist_ok=True)
        return path

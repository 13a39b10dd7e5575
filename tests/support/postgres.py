"""A PostgreSQL server of its own for tests, which can be stopped, killed and started again."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

import psycopg
from typing_extensions import Self

from jupyter_oidc.demo.environment import free_port
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal

PATIENCE_SECONDS = 60.0


class PostgresNotFound(Exception):
    """There are no programs of PostgreSQL here."""


def programs() -> Path:
    """Return the folder of ``initdb`` and ``postgres``; Debian keeps them out of ``PATH``."""
    found = shutil.which("postgres")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if found is None and not folders:
        raise PostgresNotFound("Install PostgreSQL: .ci/find-tools database")
    return Path(found).resolve().parent if found else folders[-1]


class Postgres:
    """Context manager; the server answers at ``port`` of this machine."""

    def __init__(self) -> None:
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="jupyter-oidc-postgres-"))
        self._data = self._folder / "data"
        self._process: subprocess.Popen[bytes] | None = None

    def address(self, database: str = "postgres") -> Secret:
        """Return the address of a database of it."""
        return Secret(f"postgresql://oidc:oidc@127.0.0.1:{self.port}/{database}")

    def __enter__(self) -> Self:
        password = self._folder / "password"
        password.write_text("oidc")
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            for path in (self._folder, password):
                shutil.chown(path, "postgres")
        made = self._command("initdb", "-D", self._data, "-U", "oidc", "--auth=scram-sha-256", "-N", "-E", "UTF8")
        subprocess.run([*made, f"--pwfile={password}"], check=True, stdout=subprocess.DEVNULL)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = (
            "-c",
            "fsync=off",
            "-c",
            f"unix_socket_directories={self._folder}",
            "-c",
            "listen_addresses=127.0.0.1",
        )
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("postgres", "-D", self._data, "-p", str(self.port), *options), stdout=log, stderr=log
            )
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.run("SELECT 1")
            except psycopg.OperationalError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: ``SIGINT`` closes all connections, ``SIGQUIT`` is what a crash is like."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE_SECONDS)
            self._process = None

    def run(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement as the owner; return its rows."""
        with psycopg.connect(reveal(self.address(database)), autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def dump(self, database: str) -> bytes:
        """Return everything in ``database`` (``pg_dump``)."""
        address = reveal(self.address(database))
        return subprocess.run([str(programs() / "pg_dump"), address], check=True, capture_output=True).stdout

    def _command(self, program: str, *arguments: str | Path) -> list[str]:
        if os.geteuid() != 0:
            return [str(programs() / program), *map(str, arguments)]
        user = pwd.getpwnam("postgres")
        as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
        return [*as_user, str(programs() / program), *map(str, arguments)]

"""The delegations of jobs that run at set times: makes one at a broker, keeps it for the job's process, and ends it (ADR 66).

A delegation is a worker grant that outlives the Jupyter server. Its text is in a file that only this user can read, and
is worth the calls that it names until it is revoked, or its session ends; it holds no token.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from jupyter_oidc.adapters.storage.vault_file import storage_folder
from jupyter_oidc.adapters.system.private_directory import PrivateDirectory
from jupyter_oidc.cli.running import ServerError
from jupyter_oidc.kernel.delegation import grant_of
from jupyter_oidc.kernel.find import Kernel, server_from_announcement
from jupyter_oidc.kernel.grant import GrantAuth
from jupyter_oidc.kernel.server_connection import ServerConnection
from jupyter_oidc.language import N_

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jupyter_oidc.cli.running import RunningServer

APIS: Final = "oidc_apis"
METHODS: Final = "oidc_methods"
HOURS: Final = "oidc_hours"
"""The parameters of a job that name what it may call, and for how many hours; names are separated by commas or spaces."""

OURS: Final = (APIS, METHODS, HOURS)
MAX_FILE_BYTES: Final = 65_536
_SEPARATORS: Final = re.compile(r"[,\s]+")
_AROUND: Final = " \t\n'\""
"""What may stand around a value: jupyter-scheduler takes the values of parameters for Python's, so texts have quotes."""

NAME_APIS: Final = N_(
    "This notebook calls APIs, and a job at a set time needs a delegation for them. Name them in its parameters, as in "
    "oidc_apis = orders; oidc_methods names methods beside GET and HEAD, and oidc_hours how long it may call, 720 at most."
)
ENDED: Final = N_(
    "The delegation of this job has ended: its time is over, it was revoked, or you have signed out. "
    "Make the job anew while you are signed in."
)


class NoDelegation(Exception):
    """A job that has no delegation, or none that is good; the text is for the person."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a job at a set time may call, by its parameters; ``hours`` is ``None`` for as long as the broker allows."""

    apis: tuple[str, ...]
    methods: tuple[str, ...]
    hours: float | None

    @classmethod
    def of(cls, parameters: Mapping[str, str] | None) -> Wish:
        """Return the wish in the ``parameters`` of a job; raises :class:`NoDelegation` if they name no API."""
        said = parameters or {}
        apis, methods, hours = (_SEPARATORS.split(str(said.get(one, "")).strip(_AROUND)) for one in OURS)
        try:
            wanted = float(hours[0]) if any(hours) else None
        except ValueError:
            wanted = math.nan
        if not any(apis) or (wanted is not None and not math.isfinite(wanted)):
            raise NoDelegation(NAME_APIS)
        more = tuple(method.upper() for method in methods if method)
        return cls(tuple(api for api in apis if api), ("GET", "HEAD", *more), wanted)


class JobDelegations:
    """The delegations of the jobs of this user; they are kept in ``folder``, by default in ours."""

    def __init__(self, folder: Path | None = None) -> None:
        self._files = PrivateDirectory(lambda: (storage_folder() if folder is None else folder) / "jobs")

    def are_possible(self, server: RunningServer) -> bool:
        """Return whether grants of ``server`` outlive it, at a broker; raises ``ServerError``."""
        return bool(server.call("GET", "jupyter-oidc/grants")["are_stored"])

    def make(self, server: RunningServer, wish: Wish, name: str) -> dict[str, Any]:
        """Make the delegation of the job ``name`` at the broker of ``server``; return the reply ``grant.reply``.

        Raises ``ServerError``, and :class:`~jupyter_oidc.kernel.errors.OIDCError` for a wish that is refused.
        """
        terms = server.call("GET", "jupyter-oidc/grants")
        begun = server.call("POST", "jupyter-oidc/commands")
        try:
            at = server_from_announcement(server.where)
            connection = ServerConnection(at, GrantAuth(at, Kernel(begun["command_id"], begun["key"].encode())))
            return connection.make_grant(
                {
                    "apis": list(wish.apis),
                    "methods": list(dict.fromkeys(wish.methods)),
                    "hours": terms["max_hours"] if wish.hours is None else wish.hours,
                    "name": name[:100],
                    "outlives_kernel": True,
                }
            )
        finally:
            with suppress(ServerError):  # NOTE: its lease ends it, too
                server.call("DELETE", f"jupyter-oidc/commands/{quote(begun['command_id'], safe='')}")

    def keep(self, definition: str, made: Mapping[str, Any]) -> None:
        """Keep the delegation ``made`` for the jobs of a ``definition``; raises ``StorageUnavailable``."""
        self._files.write(_file_of(definition), json.dumps(dict(made)).encode())

    def has(self, definition: str) -> bool:
        """Return whether the jobs of the ``definition`` have a delegation; raises ``StorageUnavailable``."""
        return self._kept(definition) is not None

    def variables(self, definition: str, server: RunningServer) -> dict[str, str]:
        """Return the environment variables by which a job of the ``definition``, started by ``server``, calls.

        Raises :class:`NoDelegation`, ``ServerError`` and ``StorageUnavailable``.
        """
        kept = self._kept(definition)
        if kept is None:
            raise NoDelegation(NAME_APIS)
        living = server.call("GET", "jupyter-oidc/grants")["grants"]
        if kept["id"] not in [one["id"] for one in living]:
            raise NoDelegation(ENDED)
        return grant_of(kept, server_from_announcement(server.where)).environment()

    def end(self, definition: str, server: RunningServer) -> None:
        """Revoke the delegation of the ``definition`` and forget it; raises ``ServerError`` and ``StorageUnavailable``."""
        kept = self._kept(definition)
        if kept is not None:
            self.revoke(kept["id"], server)
            self._files.remove(_file_of(definition))

    def revoke(self, grant_id: str, server: RunningServer) -> None:
        """Revoke a delegation; raises ``ServerError``."""
        server.call("DELETE", f"jupyter-oidc/grants/{quote(grant_id, safe='')}")

    def _kept(self, definition: str) -> dict[str, Any] | None:
        content = self._files.read(_file_of(definition), MAX_FILE_BYTES)
        try:
            kept = None if content is None else json.loads(content)
        except ValueError:
            return None
        return kept if isinstance(kept, dict) and isinstance(kept.get("id"), str) else None


def _file_of(definition: str) -> str:
    """Return the name of the file of a job definition, whose id a request may name."""
    return f"{hashlib.sha256(definition.encode('utf-8', 'surrogatepass')).hexdigest()}.json"

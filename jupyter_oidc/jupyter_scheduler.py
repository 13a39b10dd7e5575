"""Lets the jobs of jupyter-scheduler call APIs: ``c.SchedulerApp.scheduler_class = "jupyter_oidc.jupyter_scheduler.Scheduler"``.

A job runs a notebook in a kernel that no Jupyter server has started. If the notebook's code names ``jupyter_oidc``, the
job has the identity of a kernel of its server for as long as it runs (:mod:`jupyter_oidc.cli.command_identity`).
A job at a set time calls by a delegation, which a broker keeps when this server stops: it is made with the job definition,
for the APIs that the parameters of the job name (:mod:`jupyter_oidc.cli.job_delegations`).
What cannot work fails with its sentence before the first cell: a job without a session, a job at a set time without a
delegation, and a job that another user of a shared server creates.
Who created a job decides, and not what its notebook held at that time: a file can be changed before it is run.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from jupyter_scheduler import scheduler
from jupyter_scheduler.exceptions import SchedulerError
from jupyter_scheduler.executors import DefaultExecutionManager
from traitlets import default

from jupyter_oidc.cli.command_identity import held_identity
from jupyter_oidc.cli.job_delegations import OURS, JobDelegations, NoDelegation, Wish
from jupyter_oidc.cli.running import ServerError, server_of_process
from jupyter_oidc.kernel.errors import OIDCError
from jupyter_oidc.language import N_, told
from jupyter_oidc.problems import StorageUnavailable
from jupyter_oidc.server.sharing import current_jupyter_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.cli.running import RunningServer

_T = TypeVar("_T")

_MARKS: Final = ("jupyter_oidc", "%oidc")
"""What the code of a notebook contains that calls APIs by this package."""

_WITH_A_SESSION: Final = ("active", "refresh-failed")

NO_SERVER: Final = N_("The Jupyter server of this job does not run any more.")
SIGNED_OUT: Final = N_("Nobody is signed in, and this notebook calls APIs. Sign in, then run the job again.")
SET_TIME: Final = N_(
    "This notebook calls APIs, and a job at a set time cannot without a broker: your session ends with this server. "
    "Run the notebook as a job now, while you are signed in."
)
NOT_CHANGED: Final = N_(
    "jupyter-scheduler changes the parameters of a job only together with its schedule. "
    "Change that, too, or delete the job and make it anew."
)
OTHER_USER: Final = N_(
    "This notebook calls APIs. Only the owner of this server may run it as a job, since it would call as the owner."
)


class JobNotRun(Exception):
    """A job that cannot call what it needs; jupyter-scheduler shows the text as the job's status."""


class JobExecution(DefaultExecutionManager):  # type: ignore[misc]  # NOTE: jupyter-scheduler has no types
    """Executes one job, in a process that the Jupyter server has started for it."""

    is_of_owner = True
    """Whether the owner of the server, and no other user, has created the job."""

    def execute(self) -> None:
        """Execute the notebook; raises :class:`JobNotRun` before its first cell."""
        if not calls_apis(self.staging_paths["input"]):
            super().execute()
            return
        if not self.is_of_owner:
            raise JobNotRun(told(OTHER_USER))
        server = server_of_process(os.getppid())
        if server is None:
            raise JobNotRun(told(NO_SERVER))
        definition = self.model.job_definition_id
        try:
            if definition:
                os.environ.update(JobDelegations().variables(definition, server))
                for name in OURS:  # NOTE: jupyter-scheduler would make a cell of them, with the names as Python's
                    (self.model.parameters or {}).pop(name, None)
                super().execute()
                return
            _require_session(server)
            with held_identity(server) as variables:
                os.environ.update(variables)
                super().execute()
        except (NoDelegation, ServerError, StorageUnavailable) as problem:
            raise JobNotRun(_text_of(problem)) from None


class JobOfAnotherUser(JobExecution):
    """Executes a job that another user than the owner has created."""

    is_of_owner = False


class Scheduler(scheduler.Scheduler):  # type: ignore[misc]
    """Creates jobs whose notebooks may call APIs."""

    execution_manager_class: Any

    @default("execution_manager_class")
    def _execute_with_an_identity(self) -> type[JobExecution]:
        return JobExecution

    def create_job(self, model: Any) -> str:
        """Create a job, which starts at once; raises ``SchedulerError`` for one that another user creates."""
        if _is_the_owner_asking():
            return str(super().create_job(model))
        if self._calls_apis(model.input_uri):
            raise SchedulerError(told(OTHER_USER))
        usual = self.execution_manager_class
        if issubclass(usual, JobExecution):
            self.execution_manager_class = JobOfAnotherUser
        try:
            return str(super().create_job(model))
        finally:
            self.execution_manager_class = usual

    async def create_job_definition(self, model: Any) -> str:
        """Create what starts jobs later, with a delegation if the notebook calls APIs; raises ``SchedulerError``."""
        if not self._calls_apis(model.input_uri):
            return str(super().create_job_definition(model))
        made = await _delegated(model.parameters, model.name)
        definition = ""
        try:
            definition = str(super().create_job_definition(model))
            await _in_thread(lambda: JobDelegations().keep(definition, made))
        except Exception:
            await _revoke(made)
            if definition:
                super().delete_job_definition(definition)
            raise
        return definition

    async def update_job_definition(self, job_definition_id: str, model: Any) -> None:
        """Change what starts jobs later; raises ``SchedulerError``.

        Another notebook that calls APIs, and other parameters, need another delegation, which takes the place of the first.
        """
        described = self.get_job_definition(job_definition_id)
        has_one = await _in_thread(lambda: JobDelegations().has(job_definition_id))
        calls = self._calls_apis(model.input_uri) if model.input_uri else has_one
        changes = bool(model.input_uri) or model.parameters not in (None, described.parameters)
        if has_one and not _is_the_owner_asking():
            raise SchedulerError(told(OTHER_USER))
        if not (calls and changes):
            super().update_job_definition(job_definition_id, model)
            if has_one and not calls:
                await _end(job_definition_id)
            return
        parameters = described.parameters if model.parameters is None else model.parameters
        made = await _delegated(parameters, model.name or described.name)
        try:
            super().update_job_definition(job_definition_id, model)
            if (self.get_job_definition(job_definition_id).parameters or {}) != (parameters or {}):
                raise SchedulerError(told(NOT_CHANGED))  # NOTE: it changes nothing if schedule and name are the same
            await _end(job_definition_id)
            await _in_thread(lambda: JobDelegations().keep(job_definition_id, made))
        except Exception:
            await _revoke(made)
            raise

    async def delete_job_definition(self, job_definition_id: str) -> None:
        """Delete what starts jobs later, and revoke its delegation; raises ``SchedulerError`` if that is not possible."""
        await _end(job_definition_id)
        super().delete_job_definition(job_definition_id)

    def _calls_apis(self, input_uri: str) -> bool:
        return calls_apis(str(Path(self.root_dir, input_uri)))


async def _delegated(parameters: dict[str, str] | None, name: str) -> dict[str, Any]:
    """Return a new delegation for the job ``name``, for what its ``parameters`` name; raises ``SchedulerError``."""
    if not _is_the_owner_asking():
        raise SchedulerError(told(OTHER_USER))

    def make() -> dict[str, Any]:
        server, delegations = _own_server(), JobDelegations()
        if not delegations.are_possible(server):
            raise NoDelegation(SET_TIME)
        return delegations.make(server, Wish.of(parameters), name)

    return await _in_thread(make)


async def _end(definition: str) -> None:
    """Revoke the delegation of a job definition, if it has one; raises ``SchedulerError``."""

    def end() -> None:
        delegations = JobDelegations()
        if delegations.has(definition):
            delegations.end(definition, _own_server())

    await _in_thread(end)


async def _revoke(made: dict[str, Any]) -> None:
    """Revoke a delegation that belongs to no job definition; raises ``SchedulerError``."""
    await _in_thread(lambda: JobDelegations().revoke(made["id"], _own_server()))


def _own_server() -> RunningServer:
    """Return the server that is this process; raises :class:`NoDelegation`."""
    server = server_of_process(os.getpid())
    if server is None:
        raise NoDelegation(NO_SERVER)
    return server


async def _in_thread(work: Callable[[], _T]) -> _T:
    """Return the result of ``work``, which asks this very server; raises ``SchedulerError``."""
    try:
        return await asyncio.to_thread(work)
    except (NoDelegation, ServerError, OIDCError, StorageUnavailable) as problem:
        raise SchedulerError(_text_of(problem)) from None


def _text_of(problem: Exception) -> str:
    """Return what a person reads about ``problem``."""
    if isinstance(problem, (ServerError, OIDCError, StorageUnavailable)):
        return f"{told(problem.message)} {told(problem.action or '')}".strip()
    return told(str(problem))


def _is_the_owner_asking() -> bool:
    """Return whether the present request is the owner's, or none: a server without a Hub has one user."""
    owner, user = os.environ.get("JUPYTERHUB_USER"), current_jupyter_user()
    return not owner or user is None or user == owner


def calls_apis(path: str) -> bool:
    """Return whether the code of the notebook at ``path`` names this package; a file that is none is left to others."""
    try:
        notebook = json.loads(Path(path).read_text(encoding="utf-8"))
        cells = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return any(mark in "".join(source) for source in cells for mark in _MARKS)


def _require_session(server: RunningServer) -> None:
    if not any(session["state"] in _WITH_A_SESSION for session in server.summaries()):
        raise JobNotRun(told(SIGNED_OUT))

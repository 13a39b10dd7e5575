"""Lets the jobs of jupyter-scheduler call APIs: ``c.SchedulerApp.scheduler_class = "jupyter_oidc.jupyter_scheduler.Scheduler"``.

A job runs a notebook in a kernel that no Jupyter server has started. If the notebook's code names ``jupyter_oidc``, the
job has the identity of a kernel of its server for as long as it runs (:mod:`jupyter_oidc.cli.command_identity`).
What cannot work fails with its sentence before the first cell: a job without a session, a job at a set time, which no
session of this server is promised to outlast, and a job that another user of a shared server creates.
Who created a job decides, and not what its notebook held at that time: a file can be changed before it is run.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_scheduler import scheduler
from jupyter_scheduler.exceptions import SchedulerError
from jupyter_scheduler.executors import DefaultExecutionManager
from traitlets import default

from jupyter_oidc.cli.command_identity import held_identity
from jupyter_oidc.cli.running import ServerError, server_of_process
from jupyter_oidc.language import N_, told
from jupyter_oidc.server.sharing import current_jupyter_user

if TYPE_CHECKING:
    from jupyter_oidc.cli.running import RunningServer

_MARKS: Final = ("jupyter_oidc", "%oidc")
"""What the code of a notebook contains that calls APIs by this package."""

_WITH_A_SESSION: Final = ("active", "refresh-failed")

NO_SERVER: Final = N_("The Jupyter server of this job does not run any more.")
SIGNED_OUT: Final = N_("Nobody is signed in, and this notebook calls APIs. Sign in, then run the job again.")
SET_TIME: Final = N_(
    "This notebook calls APIs, and a job at a set time cannot: your session may have ended by then. "
    "Run the notebook as a job now, while you are signed in."
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
        if self.model.job_definition_id:
            raise JobNotRun(told(SET_TIME))
        server = server_of_process(os.getppid())
        if server is None:
            raise JobNotRun(told(NO_SERVER))
        try:
            _require_session(server)
            with held_identity(server) as variables:
                os.environ.update(variables)
                super().execute()
        except ServerError as problem:
            raise JobNotRun(f"{problem.message} {problem.action}") from None


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

    def create_job_definition(self, model: Any) -> str:
        """Create what starts jobs later; raises ``SchedulerError`` for a notebook that calls APIs."""
        self._refuse_calls(model.input_uri)
        return str(super().create_job_definition(model))

    def update_job_definition(self, job_definition_id: str, model: Any) -> None:
        """Change what starts jobs later; raises ``SchedulerError`` for a notebook that calls APIs."""
        if model.input_uri:
            self._refuse_calls(model.input_uri)
        super().update_job_definition(job_definition_id, model)

    def _refuse_calls(self, input_uri: str) -> None:
        if self._calls_apis(input_uri):
            raise SchedulerError(told(SET_TIME))

    def _calls_apis(self, input_uri: str) -> bool:
        return calls_apis(str(Path(self.root_dir, input_uri)))


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

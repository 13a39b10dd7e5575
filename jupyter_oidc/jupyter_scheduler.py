"""Lets the jobs of jupyter-scheduler call APIs: ``c.SchedulerApp.scheduler_class = "jupyter_oidc.jupyter_scheduler.Scheduler"``.

A job runs a notebook in a kernel that no Jupyter server has started. If the notebook's code names ``jupyter_oidc``, the
job has the identity of a kernel of its server for as long as it runs (:mod:`jupyter_oidc.cli.command_identity`).
What cannot work fails with its sentence before the first cell: a job without a session, a job at a set time, which no
session of this server is promised to outlast, and a job that another user of a shared server creates.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from jupyter_scheduler import scheduler
from jupyter_scheduler.exceptions import SchedulerError
from jupyter_scheduler.executors import DefaultExecutionManager
from traitlets import default

from jupyter_oidc.cli.command_identity import held_identity
from jupyter_oidc.cli.running import ServerError, server_of_process
from jupyter_oidc.language import N_, told
from jupyter_oidc.server.sharing import current_jupyter_user

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.cli.running import RunningServer

_MARKS: Final = ("jupyter_oidc", "%oidc")
"""What the code of a notebook contains that calls APIs by this package."""

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

    def execute(self) -> None:
        """Execute the notebook; raises :class:`JobNotRun` before its first cell."""
        if not calls_apis(self.staging_paths["input"]):
            super().execute()
            return
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


class Scheduler(scheduler.Scheduler):  # type: ignore[misc]
    """Creates jobs whose notebooks may call APIs."""

    @default("execution_manager_class")
    def _execute_with_an_identity(self) -> type[JobExecution]:
        return JobExecution

    def create_job(self, model: Any) -> str:
        """Create a job, which starts at once; raises ``SchedulerError`` for one that another user creates."""
        if self._calls_apis(model):
            owner, user = os.environ.get("JUPYTERHUB_USER"), current_jupyter_user()
            if owner and user is not None and user != owner:
                raise SchedulerError(told(OTHER_USER))
        return str(super().create_job(model))

    def create_job_definition(self, model: Any) -> str:
        """Create what starts jobs later; raises ``SchedulerError`` for a notebook that calls APIs."""
        if self._calls_apis(model):
            raise SchedulerError(told(SET_TIME))
        return str(super().create_job_definition(model))

    def _calls_apis(self, model: Any) -> bool:
        return calls_apis(str(Path(self.root_dir, model.input_uri)))


def calls_apis(path: str) -> bool:
    """Return whether the code of the notebook at ``path`` names this package; a file that is none is left to others."""
    try:
        notebook = json.loads(Path(path).read_text(encoding="utf-8"))
        cells = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return any(mark in "".join(source) for source in cells for mark in _MARKS)


def _require_session(server: RunningServer) -> None:
    providers = server.call("GET", "jupyter-oidc/providers")["providers"]
    sessions: list[Mapping[str, Any]] = [
        server.call("GET", f"jupyter-oidc/providers/{quote(one['name'], safe='')}/session") for one in providers
    ]
    if all(session["state"] != "active" for session in sessions):
        raise JobNotRun(told(SIGNED_OUT))

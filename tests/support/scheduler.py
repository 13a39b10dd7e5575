"""Our scheduler with stand-ins for jupyter-scheduler's classes, which the tests do not install."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from traitlets import Any as AnyTrait
from traitlets import HasTraits, Unicode

from jupyter_oidc.contract.announcement import KERNEL_VARIABLE, SERVER_VARIABLE

CALLS = "import jupyter_oidc as oidc\noidc.api('orders').get('items')"


class SchedulerError(Exception):
    """As jupyter-scheduler has it."""


class Scheduler(HasTraits):
    """The part of jupyter-scheduler's class that ours builds on."""

    root_dir = Unicode()
    execution_manager_class = AnyTrait()
    changes_parameters = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.definitions: dict[str, Any] = {}

    def create_job(self, model: Any) -> str:
        return f"job of {model.input_uri} by {self.execution_manager_class.__name__}"

    def update_job_definition(self, job_definition_id: str, model: Any) -> None:
        """Change the parameters, unless that is without effect, as it is where the schedule stays the same."""
        if self.changes_parameters and model.parameters is not None:
            self.definitions[job_definition_id] = model.parameters

    def delete_job_definition(self, job_definition_id: str) -> None:
        """Forget the definition."""
        self.definitions.pop(job_definition_id, None)

    def get_job_definition(self, job_definition_id: str) -> Any:
        return SimpleNamespace(parameters=self.definitions.get(job_definition_id), name=job_definition_id)

    def create_job_definition(self, model: Any) -> str:
        definition = f"definition of {model.input_uri}"
        self.definitions[definition] = model.parameters
        return definition


def definition_wish(**changes: Any) -> SimpleNamespace:
    """A wish for jobs at set times."""
    return SimpleNamespace(**{"input_uri": "report.ipynb", "name": "nightly", "parameters": None, **changes})


class Execution:
    """The part of jupyter-scheduler's class that ours builds on; it notes with which variables a notebook runs."""

    def __init__(self, notebook: Path, definition: str | None = None) -> None:
        self.staging_paths = {"input": str(notebook)}
        self.model = SimpleNamespace(job_definition_id=definition, parameters={"oidc_apis": "orders", "day": "1"})
        self.ran: dict[str, str] | None = None

    def execute(self) -> None:
        self.ran = {name: value for name, value in os.environ.items() if name in (KERNEL_VARIABLE, SERVER_VARIABLE)}
        if KERNEL_VARIABLE in self.ran:
            assert json.loads(Path(self.ran[KERNEL_VARIABLE]).read_text(encoding="utf-8"))["key"]


@contextmanager
def our_jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Our module, with stand-ins for jupyter-scheduler's."""
    package, scheduler = ModuleType("jupyter_scheduler"), ModuleType("jupyter_scheduler.scheduler")
    exceptions, executors = ModuleType("jupyter_scheduler.exceptions"), ModuleType("jupyter_scheduler.executors")
    vars(scheduler)["Scheduler"] = Scheduler
    vars(exceptions)["SchedulerError"] = SchedulerError
    vars(executors).update(DefaultExecutionManager=Execution, ExecutionManager=Execution)
    vars(package)["scheduler"] = scheduler
    for module in (package, scheduler, exceptions, executors):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delitem(sys.modules, "jupyter_oidc.jupyter_scheduler", raising=False)
    for name in (KERNEL_VARIABLE, SERVER_VARIABLE):
        monkeypatch.setenv(name, "")  # and so the variables of a job are gone behind the test
        monkeypatch.delenv(name)
    yield import_module("jupyter_oidc.jupyter_scheduler")
    sys.modules.pop("jupyter_oidc.jupyter_scheduler", None)


def notebook(folder: Path, *cells: str, kind: str = "code") -> Path:
    path = folder / "report.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": kind, "source": [cell]} for cell in cells]}), encoding="utf-8")
    return path

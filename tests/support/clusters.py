"""Programs of a cluster that no kernel has started, without anything of Jupyter's in their environment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from jupyter_oidc.demo.environment import free_port
from tests.support.clean_environment import without_jupyter


@contextmanager
def programs(folder: Path, log: str, *commands: list[str], **environment: str) -> Iterator[None]:
    """Run modules of this Python, each with its arguments, that write to one ``log`` in ``folder``."""
    clean = without_jupyter()
    with ExitStack() as running, (folder / log).open("wb") as output:
        for command in commands:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=folder,
                env={**clean, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            running.callback(process.wait)
            running.callback(process.terminate)
        yield


@contextmanager
def dask_cluster(folder: Path) -> Iterator[int]:
    """Run a scheduler of Dask and two workers, which log to ``dask.log``; yield the scheduler's port."""
    port = free_port()
    scheduler = ["dask", "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--no-show"]
    worker = ["dask", "worker", f"tcp://127.0.0.1:{port}", "--nthreads", "1", "--no-dashboard", "--no-nanny"]
    with programs(folder, "dask.log", scheduler, worker, worker, DASK_TEMPORARY_DIRECTORY=str(folder / "dask")):
        yield port

"""Notebook cells in a kernel that a Jupyter server under test starts for them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

    from jupyter_oidc.demo.running_kernel import CellRun
    from tests.support.jupyter_process import JupyterProcess


def run_cells(process: JupyterProcess, *cells: str) -> list[CellRun]:
    """Run ``cells`` in one kernel of ``process``, and end it.

    They run in a thread, because a browser of another test may keep a loop in this one.
    """
    with closing(process.client()) as jupyter, ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(_run(process, jupyter, cells))).result()


async def _run(process: JupyterProcess, jupyter: httpx.Client, cells: tuple[str, ...]) -> list[CellRun]:
    door = process.rest(jupyter)
    async with door.client:
        kernel = await door.kernel("notebook.ipynb")
        try:
            return [await kernel.run(cell) for cell in cells]
        finally:
            await kernel.aclose()

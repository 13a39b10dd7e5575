"""Holds kernels, terminals and conversions back until the server has imported all modules that it needs (Q8.3).

Kernels and conversions wait without blocking other requests.
The function that makes a terminal is not a coroutine, so just after the start it blocks the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_core.utils import ensure_async

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.adapters.system.early_imports import EarlyImports


def hold_kernels_back(manager: Any, imports: EarlyImports) -> None:
    """Let ``manager`` start no kernel before ``imports`` are done; a restart comes after a start."""
    start = manager.start_kernel

    async def start_kernel(*arguments: Any, **named: Any) -> Any:
        await imports.done()
        return await ensure_async(start(*arguments, **named))

    manager.start_kernel = start_kernel


def hold_terminals_back(settings: Mapping[str, Any], imports: EarlyImports) -> None:
    """Let no terminal start before ``imports`` are done; a server may have no terminals."""
    manager = settings.get("terminal_manager")
    if manager is None:
        return
    make = manager.new_terminal

    def new_terminal(**options: Any) -> Any:
        imports.wait()
        return make(**options)

    manager.new_terminal = new_terminal

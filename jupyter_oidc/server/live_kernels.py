"""The live kernels of this server, and the connection key with which each can prove its identity."""

from __future__ import annotations

from typing import Any

from tornado.web import HTTPError


class LiveKernels:
    """Asks the server's kernel manager, of any class."""

    __slots__ = ("_manager",)

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    def run_of(self, kernel_id: str) -> object | None:
        """Return the object that identifies the present run of ``kernel_id``; ``None`` if it does not run here.

        A restart keeps the kernel's id and its connection key, and starts another process. A manager without processes
        of its own (a gateway's) has one run for each kernel.
        """
        kernel = self._live(kernel_id)
        provisioner = getattr(kernel, "provisioner", None)
        process: object | None = getattr(provisioner, "process", None)
        return process or kernel

    def key_of(self, kernel_id: str) -> bytes | None:
        """Return the connection key of the live kernel ``kernel_id``, or ``None`` if there is none here."""
        return getattr(getattr(self._live(kernel_id), "session", None), "key", None) or None

    def _live(self, kernel_id: str) -> Any:
        try:
            kernel = self._manager.get_kernel(kernel_id)
        except (KeyError, HTTPError):  # Jupyter raises the second for the first
            return None
        if not getattr(kernel, "has_kernel", False) or getattr(kernel, "execution_state", "") == "dead":
            return None
        return kernel

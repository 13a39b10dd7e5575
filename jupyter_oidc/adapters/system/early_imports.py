"""Imports every module that this package needs in the process, before code that users write can run (Q8.3, ADR 35).

A module that is imported for the first time while a kernel runs may be one that the kernel has written.
The server's start does not wait for this: it happens in a thread, once the server listens.
This module refuses to know what the modules are for, and to fail because one of them is missing or broken: the code
that needs that module raises the error when it needs it.
"""

from __future__ import annotations

import asyncio
import threading
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Final

from jupyter_oidc.adapters.storage.keyring_backends import system_stores
from jupyter_oidc.adapters.system.module_folders import remove_from_sys_path, remove_user_writable_folders

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable
    from types import ModuleType

IMPORT_TIMEOUT_SECONDS: Final = 60.0
"""Seconds that a kernel waits for the imports; only a file system that has stopped is slower."""

OUR_PARTS: Final = (
    *("adapters", "secret_access", "background", "catalogue", "clock", "compat", "compose", "contract", "diagnostics"),
    *(
        "entropy",
        "facts",
        "language",
        "problems",
        "protocol",
        "proxy",
        "secret",
        "server",
        "sessions",
        "settings",
        "strategies",
    ),
    "web",
)
"""The parts of this package that run in the server.

The others run in kernels, at terminals and in processes of their own.
"""

LIBRARIES: Final = (
    *("aiohttp", "filelock", "httpx", "joserfc.jwe", "joserfc.jwk", "joserfc.jws", "keyring.backend", "truststore"),
    *("httpcore", "anyio._backends._asyncio", "cryptography.hazmat.backends.openssl.backend"),
    *("encodings.idna", "encodings.unicode_escape"),
)
"""The libraries that functions of this package import, then those that they import when used; a law and a journey of
the suite keep this list in step with the code."""


class EarlyImports:
    """The imports of one server; ``more`` are modules that its settings name, ``folders`` those that it serves."""

    def __init__(
        self,
        log: logging.Logger,
        *,
        more: Iterable[str] = (),
        folders: Iterable[str] = (),
        timeout: float = IMPORT_TIMEOUT_SECONDS,
    ) -> None:
        self._log = log
        self._timeout = timeout
        self._more = tuple(more)
        self._folders = tuple(folders)
        self._done = threading.Event()
        self._begun = False

    def begin(self) -> None:
        """Start the importing thread, unless it was started before."""
        if not self._begun:
            self._begun = True
            self._tell(remove_from_sys_path(self._folders))
            threading.Thread(target=self._run, name="jupyter_oidc imports", daemon=True).start()

    async def done(self) -> None:
        """Wait until everything is imported; starts the thread unless it was started before."""
        self.begin()
        if not self._done.is_set():
            await asyncio.to_thread(self.wait)

    def wait(self) -> None:
        """Wait as :meth:`done` does, and hold up the caller's thread."""
        self.begin()
        if not self._done.wait(self._timeout):
            self._log.warning(
                "jupyter_oidc: not everything is imported after %.0f seconds; a module that somebody writes now could "
                "run in this server.",
                self._timeout,
            )

    def _run(self) -> None:
        try:
            self._import()
        except BaseException as error:  # noqa: BLE001 - no caller joins this thread, so the error is logged here
            self._log.warning(
                "jupyter_oidc: the imports did not finish (%s); a module that somebody writes now could run in this "
                "server.",
                type(error).__name__,
            )
        finally:
            self._done.set()

    def _import(self) -> None:
        try:
            for name in import_everything(self._more):
                self._log.debug("jupyter_oidc: the module %s cannot be imported here", name)
        finally:
            self._tell(remove_user_writable_folders())

    def _tell(self, left: tuple[str, ...]) -> None:
        if left:
            self._log.info("jupyter_oidc: this server looks no longer for modules in %s", ", ".join(map(repr, left)))


def import_everything(more: Iterable[str] = ()) -> tuple[str, ...]:
    """Import our own parts, the libraries and ``more``; return the names of those that cannot be imported here.

    A module that fails, even with ``SystemExit``, does not keep the others from being imported; our own come first.
    """
    backends = (name.rpartition(".")[0] for name in system_stores())
    missing: list[str] = []
    for part in OUR_PARTS:
        _import_all_of(f"jupyter_oidc.{part}", missing)
    for name in (*LIBRARIES, *backends, *more):
        _import(name, missing)
    return tuple(missing)


def _import(name: str, missing: list[str]) -> ModuleType | None:
    try:
        return import_module(name)
    except BaseException:  # noqa: BLE001 - an optional module may raise anything; 'SystemExit' must not end the loop
        missing.append(name)
        return None


def _import_all_of(name: str, missing: list[str]) -> None:
    module = _import(name, missing)
    for found in iter_modules(getattr(module, "__path__", ())):
        _import_all_of(f"{name}.{found.name}", missing)

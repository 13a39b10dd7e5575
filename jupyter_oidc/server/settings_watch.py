"""Notices that a settings file has changed, and has the new settings applied while the server runs (D9).

What cannot be read, or contains a mistake, changes nothing: the settings before stay in force, and the log says why.
It refuses to run a Python configuration file again; what stands there changes with the next start.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.adapters.named_files import with_files
from jupyter_oidc.server.config import CHOICES, Fingerprint, configured, fingerprint, fixed, unreadable
from jupyter_oidc.settings import Settings, read_settings

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Mapping, Sequence

INTERVAL: Final = 2.0
"""Seconds between two looks; a change is taken when a file has not changed since the look before."""


class SettingsWatch:
    """Watches the JSON files in ``paths``; ``own`` is the configuration that the server started with.

    ``settings`` are those in force, or ``None`` if they contained mistakes.
    """

    def __init__(
        self,
        paths: Sequence[str],
        own: Mapping[str, Any],
        settings: Settings | None,
        apply: Callable[[Settings], Awaitable[None]],
        log: logging.Logger,
    ) -> None:
        self._paths = paths
        self._fixed = fixed(own, paths)
        self._settings = settings
        self._apply = apply
        self._log = log
        self._known = fingerprint(paths)
        self._changing: Fingerprint | None = None

    async def look(self) -> None:
        """Look once; apply what changed and has come to rest."""
        try:
            now = await asyncio.to_thread(fingerprint, self._paths)
        except OSError:
            return  # a file went away between its name and its time; the next look sees it gone
        if now == self._known:
            self._changing = None
        elif now != self._changing:
            self._changing = now  # somebody may still be writing
        else:
            self._known, self._changing = now, None
            await self._read_again()

    async def _read_again(self) -> None:
        broken = await asyncio.to_thread(unreadable, self._paths)
        if broken:
            self._log.error("jupyter_oidc: the settings before stay in force: not JSON: %s", ", ".join(broken))
            return
        read = await asyncio.to_thread(with_files, read_settings(*configured(self._fixed, self._paths)))
        if not isinstance(read, Settings):
            for finding in read:
                self._log.error("jupyter_oidc: the settings before stay in force until this is corrected: %s", finding)
            return
        if self._settings is not None:
            kept = {name: getattr(self._settings, name) for name in CHOICES}
            for name in (name for name in CHOICES if getattr(read, name) != kept[name]):
                self._log.warning("jupyter_oidc: '%s' changes with the next start of the server.", name)
            read = replace(read, **kept)
        if read == self._settings:
            return
        self._settings = read
        await self._apply(read)
        self._log.info("jupyter_oidc: the settings have changed and are in force.")

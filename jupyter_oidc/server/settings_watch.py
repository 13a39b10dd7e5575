"""Polls the settings files and applies changed settings while the server runs (D9).

Settings that cannot be read, or contain a mistake, are not applied: the old ones stay in force, and the log says why.
Absence is not an instruction: a file that is empty, gone or unreadable counts with its last content, and a provider
that no file mentions any more stays until the next start. ``"NAME": null`` removes one explicitly.
It refuses to run a Python configuration file again; a change there takes effect with the next start.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.server.config import (
    STORAGE_KEYS,
    Configured,
    Reading,
    merged_settings,
    settings_outside_files,
    system_programs,
)
from jupyter_oidc.server.settings_file import Fingerprint, fingerprint, settings_files
from jupyter_oidc.settings.reading import check_unique_apis

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from jupyter_oidc.adapters.system.ownership import Owners
    from jupyter_oidc.settings import Finding, Settings

CHECK_INTERVAL_SECONDS: Final = 2.0
"""Seconds between two polls; a change is applied when the file has not changed since the poll before."""


class SettingsSource:
    """Reads the configuration; remembers the last readable content of each file.

    ``paths`` are Jupyter's configuration folders, ``own`` is the section that Jupyter itself has read at the start.
    """

    def __init__(
        self,
        paths: Sequence[str],
        own: Mapping[str, Any],
        owners: Owners | None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._paths = paths
        self._owners = owners
        self._environment = os.environ if environment is None else environment
        self._known = {file.path: file for file in settings_files(paths, owners)}
        self._programs, self.troubles = system_programs(paths, owners)
        self._own = settings_outside_files(own, self._known.values())
        self.troubles += [f"{file.path} {file.trouble}" for file in self._known.values() if file.trouble]

    def fingerprint(self) -> Fingerprint:
        """Return a value that differs once a file has changed."""
        return fingerprint(self._paths)

    def now(self) -> Configured:
        """Return the configuration of the last reading."""
        return merged_settings(self._own, [*self._programs, *self._known.values()], self._environment)

    def read_again(self) -> tuple[Configured, tuple[str, ...]]:
        """Read every file again; return the configuration, and notes about files that count with their last content."""
        present = {file.path: file for file in settings_files(self._paths, self._owners)}
        lost: list[str] = []
        for path, before in self._known.items():
            after = present.get(path)
            if not before.section or (after is not None and after.trouble is None):
                continue
            present[path] = before
            lost.append(f"{path} {after.trouble if after is not None else 'is gone'}")
        lost += [f"{path} {file.trouble}" for path, file in present.items() if file.trouble]
        self._known = present
        return self.now(), tuple(lost)


class SettingsWatch:
    """Watches the files of ``source``; ``settings`` are those in force, or ``None`` if they contained mistakes.

    The storage of sessions stays as it was at the start, even if no settings were valid then.
    """

    def __init__(
        self,
        source: SettingsSource,
        settings: Settings | None,
        apply: Callable[[Settings], Awaitable[None]],
        log: logging.Logger,
    ) -> None:
        self._source = source
        self._settings = settings
        self._apply = apply
        self._log = log
        start = source.now()
        self._system, self._choices = start.system, start.choices
        self._fingerprint = source.fingerprint()
        self._unsettled: Fingerprint | None = None
        self._noted: frozenset[str] = frozenset()

    async def poll(self) -> None:
        """Check the files once; apply a change if they are the same as at the poll before."""
        now = await asyncio.to_thread(self._source.fingerprint)
        if now == self._fingerprint:
            self._unsettled = None
        elif now != self._unsettled:
            self._unsettled = now  # another process may still be writing the file
        else:
            self._fingerprint, self._unsettled = now, None
            await self._read_again()

    async def _read_again(self) -> None:
        said, lost = await asyncio.to_thread(self._source.read_again)
        read = await asyncio.to_thread(said.read)
        notes = [f"{one}: what it said before stays in force until the next start of the server" for one in lost]
        if not isinstance(read, list) and said.choices != self._choices:
            for name, one, before in zip(STORAGE_KEYS, said.choices, self._choices, strict=True):
                if one != before:
                    self._log.warning("jupyter_oidc: '%s' changes with the next start of the server.", name)
            said = replace(said, choices=self._choices)
            read = await asyncio.to_thread(said.read)
        if isinstance(read, list):
            self._say_once(notes)
            self._refuse(read)
            return
        settings, kept = self._with_absent_providers(read, said)
        self._say_once([*notes, *read.log_notes, *kept])
        doubled: list[Finding] = []
        check_unique_apis(settings.providers, doubled)
        if doubled:
            self._refuse(doubled)
            return
        if settings == self._settings:
            return
        self._settings = settings
        await self._apply(settings)
        self._log.info("jupyter_oidc: the settings have changed.")

    def _with_absent_providers(self, read: Reading, said: Configured) -> tuple[Settings, list[str]]:
        """Keep every provider that no file mentions any more; only ``null`` removes one (Q7.1).

        One that a system file excludes is not kept, and the notes say so.
        """
        settings = read.settings
        gone = {one.name for one in settings.providers} | said.removed | set(read.left_out)
        before = () if self._settings is None else self._settings.providers
        absent = tuple(
            one for one in before if one.name not in gone and (said.sources == "all" or one.name in self._system)
        )
        self._system = said.system | (self._system & {one.name for one in absent})
        return replace(settings, providers=(*settings.providers, *absent)), [
            f"provider '{one.name}' stands in no settings file any more: it stays in force until the next start of the "
            f'server. Write "{one.name}": null under "providers" to remove it now'
            for one in absent
        ]

    def _say_once(self, notes: Sequence[str]) -> None:
        for note in notes:
            if note not in self._noted:
                self._log.warning("jupyter_oidc: %s.", note)
        self._noted = frozenset(notes)

    def _refuse(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            self._log.error("jupyter_oidc: the settings before stay in force until this is corrected: %s", finding)

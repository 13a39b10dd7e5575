"""Reads the JSON files that may hold settings, and whether this user could change each of them.

It refuses to decide what a missing or broken file means.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jupyter_oidc.adapters.system.json_file import read_json_object
from jupyter_oidc.adapters.system.ownership import Owners, is_system_file

SECTION: Final = "JupyterOIDC"
FILE_NAME: Final = "jupyter_server_config"

Fingerprint = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """One file; ``section`` is our part of it, empty if it has none or ``trouble`` says why it cannot be read.

    ``rank`` orders files by importance, the most important last; ``is_main`` is one that Jupyter itself reads, too.
    """

    path: str
    rank: tuple[int, bool, str]
    section: Mapping[str, Any]
    is_system: bool = False
    trouble: str | None = None
    others: tuple[str, ...] = ()

    @property
    def is_main(self) -> bool:
        """``True`` for ``jupyter_server_config.json`` and not a file in the folder beside it."""
        return self.rank[1]


def settings_files(paths: Sequence[str], owners: Owners | None) -> list[SettingsFile]:
    """Return every file that may hold settings, the least important first.

    ``paths`` are Jupyter's configuration folders, the most important first.
    A folder that cannot be listed is returned as if it were such a file.
    """
    return [settings_file(path, rank, owners) for rank, path in _listed(paths)]


def fingerprint(paths: Sequence[str]) -> Fingerprint:
    """Return name, number, time and size of every file that may hold settings; equal means unchanged."""
    return tuple(_stamp(path) for _, path in _listed(paths))


def section_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return our part of a configuration; one of a wrong type is returned as it is, to be reported as a mistake."""
    found = document.get(SECTION, {})
    return found if isinstance(found, Mapping) else {"providers": found}


def _stamp(path: str) -> tuple[str, int, int, int]:
    try:
        seen = Path(path).stat()
    except OSError as error:
        return path, -1, -1, error.errno or 0
    return path, seen.st_ino, seen.st_mtime_ns, seen.st_size


def _listed(paths: Sequence[str]) -> Iterator[tuple[tuple[int, bool, str], str]]:
    for weight, folder in enumerate(reversed(paths)):
        parts = Path(folder) / f"{FILE_NAME}.d"
        try:
            names = sorted(entry.name for entry in os.scandir(parts) if entry.name.endswith(".json"))
        except (FileNotFoundError, NotADirectoryError):
            names = []
        except OSError:
            names = []
            yield (weight, False, ""), str(parts)
        for name in names:
            yield (weight, False, name), str(parts / name)
        main = Path(folder) / f"{FILE_NAME}.json"
        if os.path.lexists(main):
            yield (weight, True, main.name), str(main)


def settings_file(
    path: str, rank: tuple[int, bool, str] = (0, False, ""), owners: Owners | None = None
) -> SettingsFile:
    """Return the file at ``path``, of any name."""
    document = read_json_object(path)
    if isinstance(document, str):
        return SettingsFile(path, rank, {}, trouble=document)
    return SettingsFile(
        path, rank, section_of(document), is_system_file(path, owners), others=tuple(map(str, document))
    )

"""Where this process looks for modules: nowhere that users write and the installation does not need (Q8.3, ADR 35).

Whatever is on the way to a module that is imported for the first time decides what that module is.
A folder is needed if something has been loaded from it; the folders of the installation itself always are.
This module refuses to take away what anything has been loaded from, however unsafe that place may be.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_OF_THE_INSTALLATION: Final = ("stdlib", "platstdlib", "purelib", "platlib")


def leave(folders: Iterable[str]) -> tuple[str, ...]:
    """Look for modules no longer in the working folder and in ``folders``, unless something came from there.

    Returns the entries that were taken off; one that is relative and needed is replaced by what it means now.
    """
    places = {os.path.realpath(folder) for folder in ("", *folders)}
    return _keep(lambda place: place not in places)


def leave_what_users_write() -> tuple[str, ...]:
    """Look for modules no longer where this user can write or begin to, unless something came from there.

    Returns the entries that were taken off.
    """
    # NOTE: 'Path.is_dir' raises where this user may not look.
    installation = {os.path.realpath(place) for place in _installation() if os.path.isdir(place)}  # noqa: PTH112
    return _keep(lambda place: place in installation or not _writable(Path(place)))


def _keep(wanted: Callable[[str], bool]) -> tuple[str, ...]:
    """Keep the entries whose real path is ``wanted`` or needed."""
    needed = _loaded_from()
    kept, left = [], []
    for entry in sys.path:
        place = os.path.realpath(entry)
        if place in needed:
            kept.append(entry if Path(entry).is_absolute() else place)
        elif wanted(place):
            kept.append(entry)
        else:
            left.append(entry)
    if kept != sys.path:
        # NOTE: another list and not the same one, because a thread may be on its way through it.
        sys.path = kept
    return tuple(left)


def _loaded_from() -> set[str]:
    """Return the real path of every folder and archive from which a module has been loaded by its whole name."""
    found: set[Path] = set()
    for module in list(sys.modules.values()):
        spec = getattr(module, "__spec__", None)
        origin = getattr(spec, "origin", None)
        if spec is None or not spec.has_location or not isinstance(origin, str):
            continue
        file = Path(origin)
        parts = spec.name.split(".")
        if file.stem == "__init__":
            file = file.parent
        if file.name.partition(".")[0] == parts[-1] and len(file.parents) >= len(parts):
            found.add(file.parents[len(parts) - 1])
    return {os.path.realpath(place) for place in found}


def _installation() -> list[str]:
    paths = sysconfig.get_paths()
    return [*(paths[name] for name in _OF_THE_INSTALLATION if name in paths), *site.getsitepackages()]


def _writable(place: Path) -> bool:
    """Return whether this user can write in ``place``, or could make it."""
    while not os.path.lexists(place):
        if place == place.parent:
            return False
        place = place.parent
    return os.access(place, os.W_OK)

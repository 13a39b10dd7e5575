"""Removes folders that users can write from ``sys.path``, unless the installation needs them (Q8.3, ADR 35).

Each folder and link on the path to a module decides which code its first import runs.
A folder is needed if a module has been loaded from it; the folders of the installation itself always are.
This module refuses to remove a folder from which a module has been loaded, however unsafe it may be.
"""

from __future__ import annotations

import os
import site
import stat
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MAX_LINKS: Final = 40
"""Links on the way to one entry; more than that are taken for a cycle."""

_OF_THE_INSTALLATION: Final = ("stdlib", "platstdlib", "purelib", "platlib")


def remove_from_sys_path(folders: Iterable[str]) -> tuple[str, ...]:
    """Remove the working folder and ``folders`` from ``sys.path``, unless a module was loaded from there.

    Returns the removed entries; an entry that stays is replaced by its real path, which no link can change later.
    """
    places = {os.path.realpath(folder) for folder in ("", *folders)}
    return _keep(lambda _, place: place not in places)


def remove_user_writable_folders() -> tuple[str, ...]:
    """Remove folders that this user can write or create from ``sys.path``, unless a module was loaded from there.

    Returns the removed entries.
    """
    # NOTE: 'Path.is_dir' raises where this user may not look.
    installation = {os.path.realpath(place) for place in _installation() if os.path.isdir(place)}  # noqa: PTH112
    return _keep(lambda entry, place: place in installation or not _writable(entry))


def _keep(wanted: Callable[[str, str], bool]) -> tuple[str, ...]:
    """Keep the real path of each entry that is needed, or that ``wanted`` accepts as written and by its real path.

    An entry that does not exist is kept as it is written: it may be a marker for an import hook, and no path.
    """
    needed = _loaded_from()
    kept, left = [], []
    for entry in sys.path:
        place = os.path.realpath(entry)
        if place in needed or wanted(entry, place):
            kept.append(place if os.path.lexists(place) else entry)
        else:
            left.append(entry)
    if kept != sys.path:
        # NOTE: a new list, because another thread may iterate over the old one.
        sys.path = kept
    return tuple(left)


def _loaded_from() -> set[str]:
    """Return the real path of every folder and archive from which a module has been loaded by its whole name."""
    found: set[str] = set()
    for module in list(sys.modules.values()):
        spec = getattr(module, "__spec__", None)
        origin = getattr(spec, "origin", None)
        if spec is None or not spec.has_location or not isinstance(origin, str):
            continue
        # NOTE: thousands of modules at each start of a server: os.path takes a third of the time of Path here.
        file = os.path.dirname(origin) if _stem(origin) == "__init__" else origin  # noqa: PTH120
        *packages, name = spec.name.split(".")
        if _stem(file) == name:
            folder = os.path.dirname(file)  # noqa: PTH120
            for _ in packages:
                folder = os.path.dirname(folder)  # noqa: PTH120
            found.add(folder)
    return {os.path.realpath(place) for place in found}


def _stem(path: str) -> str:
    """Return the last part of ``path`` up to its first dot: the name of a module there."""
    return os.path.basename(path).partition(".")[0]  # noqa: PTH119


def _installation() -> list[str]:
    paths = sysconfig.get_paths()
    return [*(paths[name] for name in _OF_THE_INSTALLATION if name in paths), *site.getsitepackages()]


def _writable(entry: str) -> bool:
    """Return whether this user can change ``entry``: can write to a folder on the way to it, or create it.

    The path is walked as the system walks it, through every link as it is written and then through its target: a user
    who may write to a folder may replace any folder or link in it. The owner of a folder can grant themselves write
    access at any time. In a folder with the sticky bit, as ``/tmp``, only the owner of an item may replace it, so an
    item of root is safe there; an item of another user counts as writable, and so does one that does not exist yet.
    """
    rest = [*Path(os.path.join(os.getcwd(), entry)).parts]  # noqa: PTH109, PTH118 - a Path would not keep '..' as written
    here, links = rest.pop(0), 0
    while True:
        after = os.path.join(here, rest[0]) if rest else None  # noqa: PTH118
        if _may_replace(here, after):
            return True
        if after is None:
            return False
        try:
            target = os.readlink(after) if os.path.islink(after) else None  # noqa: PTH114, PTH115
        except OSError:
            return True
        rest.pop(0)
        if target is None:
            here = os.path.realpath(after)
            continue
        links += 1
        if links > MAX_LINKS:
            return True
        parts = [*Path(target).parts]
        if Path(target).is_absolute():
            here = parts.pop(0)
        rest[:0] = parts


def _may_replace(folder: str, inside: str | None) -> bool:
    """Return whether this user may create an item in ``folder``, or replace the item ``inside``."""
    try:
        of_folder = os.stat(folder)  # noqa: PTH116
    except OSError:
        return False  # absent, or hidden from this user; the folders on the way to it are judged on their own
    me = os.geteuid() if hasattr(os, "geteuid") else None
    if me is not None and of_folder.st_uid == me:
        return True
    if not os.access(folder, os.W_OK):
        return False
    if inside is None or not of_folder.st_mode & stat.S_ISVTX:
        return True
    try:
        return os.lstat(inside).st_uid != 0
    except OSError:
        return True

"""Judges which users could change a file, by the owners and modes of the file and of every folder on the way to it.

``os.access`` is no help here: it is always true for root, and it says nothing about the folders above.
On a system without user numbers (Windows), every file counts as changeable.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_LINKS: Final = 40
"""Symbolic links that are followed on one way; Linux follows as many."""

_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class PathEntry:
    """One step of the path: a folder, a link or the file itself, with its owner's number and its mode."""

    uid: int
    mode: int


@dataclass(frozen=True, slots=True)
class Owners:
    """The user of this process (``uid``), and the ``trusted`` users: root and the owner of the installation."""

    uid: int
    trusted: frozenset[int]


def owners_here() -> Owners | None:
    """Return the owners as this process sees them; ``None`` on a system without user numbers."""
    number = getattr(os, "getuid", None)
    if number is None:
        return None
    uid = int(number())
    installer = Path(__file__).stat().st_uid
    return Owners(uid, frozenset({0, *({installer} - {uid})}))


def path_entries(path: str) -> tuple[PathEntry, ...]:
    """Return every step from the root folder to the file at ``path``, including links and the steps of their targets.

    Raises ``OSError`` if a step is missing or there are too many links.
    """
    root = Path(Path(path).absolute().anchor)
    left, here, links = deque(_parent_paths(Path(path).absolute())), root, 0
    entries = [_path_entry(root.lstat())]
    while left:
        step = here / left.popleft()
        seen = step.lstat()
        if stat.S_ISLNK(seen.st_mode):
            links += 1
            if links > MAX_LINKS:
                raise OSError(f"more than {MAX_LINKS} links")
            # NOTE: a link's mode lets every user write; its owner, and users who may write its folder, may replace it.
            entries.append(PathEntry(seen.st_uid, seen.st_mode & ~_OTHERS_WRITE))
            target = step.readlink()
            left.extendleft(reversed(_parent_paths(target)))
            here = root if target.is_absolute() else here
        elif step.name == "..":
            here = here.parent
        else:
            entries.append(_path_entry(seen))
            here = step
    return tuple(entries)


def is_protected(entries: Sequence[PathEntry], owners: Owners) -> bool:
    """Return whether only trusted owners could change the file at the end of ``entries``, or what leads to it.

    A folder in which all users may create files but none may touch those of others (``/tmp``) is harmless above a
    trusted folder, and not above a file or link.
    """
    for position, step in enumerate(entries, 1):
        shared = step.mode & _OTHERS_WRITE
        sticky = step.mode & stat.S_ISVTX and position < len(entries) and stat.S_ISDIR(entries[position].mode)
        if step.uid not in owners.trusted or (shared and not sticky):
            return False
    return bool(entries)


def is_system_file(path: str, owners: Owners | None) -> bool:
    """Return whether the file at ``path`` is out of this user's reach; one that cannot be looked at is not."""
    if owners is None:
        return False
    try:
        return is_protected(path_entries(path), owners)
    except OSError:
        return False


def _parent_paths(path: PurePath) -> list[str]:
    return list(path.parts[1:] if path.is_absolute() else path.parts)


def _path_entry(seen: os.stat_result) -> PathEntry:
    return PathEntry(seen.st_uid, seen.st_mode)

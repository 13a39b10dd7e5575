"""Runs programs as other users of this machine, in a view of its files in which they can read this Python.

A user number needs no entry in ``/etc/passwd``. Where the interpreter is in a folder that only root may enter, the view
shows the interpreter alone there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]

_VIEW = r"""
set -e
hold=$1; shift
while [ "$1" != -- ]; do
  closed=$1; shown=$2; shift 2
  mkdir -p "$hold$shown"
  mount --bind "$shown" "$hold$shown"
  mount -t tmpfs -o mode=755 tmpfs "$closed"
  mkdir -p "$shown"
  mount --bind "$hold$shown" "$shown"
done
shift
exec "$@"
"""


def as_user(uid: int, arguments: Sequence[str], hold: Path) -> list[str]:
    """Return the command that runs ``arguments`` as the user ``uid``; ``hold`` is an empty folder of root's."""
    closed = [text for pair in _closed((Path(sys.base_prefix), Path(sys.prefix), ROOT)) for text in map(str, pair)]
    user = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs", "--", *arguments]
    return ["unshare", "--mount", "--propagation=private", "sh", "-c", _VIEW, "view", str(hold), *closed, "--", *user]


def run_as(uid: int, program: str, hold: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Run the Python ``program`` as the user ``uid`` and return what it prints."""
    done = subprocess.run(
        as_user(uid, [sys.executable, "-c", program, *arguments], hold),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "HOME": "/nonexistent", **(environment or {})},
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _closed(needed: Iterable[Path]) -> list[tuple[Path, Path]]:
    """Return the folders that others may not enter, each with what they need below it."""
    found: dict[Path, Path] = {}
    for path in needed:
        real = path.resolve()
        for folder in (*reversed(real.parents), real):
            if not folder.stat().st_mode & 0o001:
                assert found.setdefault(folder, real) == real, f"two needed folders are below {folder}"
                break
    return list(found.items())

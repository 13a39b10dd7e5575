"""Runs the tests that are near to what has changed: ``python -m tests.changed``, or ``make test-fast``.

What has changed is the working tree against the place where its branch left ``main`` (``--against`` names another).
A file of tests is the nearer, the fewer imports lead from it to a changed module; the laws and contracts are always
near. Files are taken, nearest and quickest first, until their seconds fill the time; none with a browser is taken. What is left out is counted, and ``make test`` runs it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tests.support.nearest_tests import Choice, choose, imports_of, seconds_of, sources
from tests.support.slowest_plugin import LIST, read

ROOT = Path(__file__).parents[1]


def changed_files(root: Path, against: str) -> list[str]:
    """Return the files that differ from the common ancestor with ``against``, and those that git does not know yet."""
    base = _git(root, "merge-base", "HEAD", against)[0]
    return [
        *_git(root, "diff", "--name-only", base),
        *_git(root, "ls-files", "--others", "--exclude-standard"),
    ]


def _git(root: Path, *arguments: str) -> list[str]:
    said = subprocess.run(("git", *arguments), cwd=root, capture_output=True, text=True, check=False)
    if said.returncode:
        raise SystemExit(f"{said.stderr}git cannot say what has changed. Name a commit with --against.")
    return said.stdout.splitlines()


def told(choice: Choice, changed: int) -> str:
    """Return one line about the choice."""
    left = f"; {choice.left} nearby files wait for 'make test'" if choice.left else ""
    return (
        f"{changed} files have changed: {len(choice.files)} files of tests, about {choice.seconds:.0f} seconds "
        f"of work{left}."
    )


def main() -> int:
    """Choose and run; the code to exit with."""
    parser = argparse.ArgumentParser(prog="python -m tests.changed", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--against", default="main", help="a commit or branch of git (main)")
    parser.add_argument("--seconds", type=float, default=100.0, help="seconds of work, for all processes together")
    parser.add_argument("--list", action="store_true", help="print the files and run nothing")
    parser.add_argument("pytest", nargs="*", help="further arguments for pytest, after --")
    asked = parser.parse_args()
    changed = changed_files(ROOT, asked.against)
    known = seconds_of(ROOT, read(ROOT / LIST))
    choice = choose(changed, imports_of(ROOT, sources(ROOT)), known, asked.seconds)
    print(told(choice, len(changed)), flush=True)
    if asked.list:
        print(*choice.files, sep="\n")
        return 0
    return subprocess.run(
        (sys.executable, "-m", "pytest", *asked.pytest, *choice.files), cwd=ROOT, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())

"""Chooses the files of tests that are near to a change: by the imports that lead to it, and by its name.

Imports do not show what a server in another process runs; there the name helps, and the whole suite decides.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.slowest_plugin import Line

ALWAYS = ("tests/laws/", "tests/contract/")
"""They look at the whole tree, so that every change is theirs."""

WITH_A_BROWSER = "tests/e2e/"

FARTHEST = 2
"""Imports between a test and a change; with more of them nearly everything is near to everything."""

UNMEASURED = {"tests/interop/": 20.0, "tests/integration/": 15.0}
"""Seconds of a file that no run has measured yet, by folder; one second elsewhere."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The files to run with their sum of seconds, and the number of near files for which there is no time."""

    files: tuple[str, ...]
    seconds: float
    left: int


def sources(root: Path) -> list[str]:
    """Return every Python file of the package and of the tests."""
    return sorted(
        path.relative_to(root).as_posix() for top in ("jupyter_oidc", "tests") for path in root.glob(f"{top}/**/*.py")
    )


def is_test(file: str) -> bool:
    """Whether pytest collects ``file``, and without a browser."""
    return Path(file).name.startswith("test_") and not file.startswith(WITH_A_BROWSER)


def named_after(file: str, module: str) -> bool:
    """Whether the words of ``module``'s name stand together in the name of this file of tests."""
    return Path(file).name.startswith("test_") and f"_{module}_" in f"_{Path(file).stem}_"


def seconds_of(root: Path, known: Mapping[str, Line]) -> dict[str, float]:
    """Return the seconds of each file of tests: as measured, or as is usual in its folder."""
    return {
        file: known[file].seconds
        if file in known
        else next((seconds for folder, seconds in UNMEASURED.items() if file.startswith(folder)), 1.0)
        for file in sources(root)
        if is_test(file)
    }


def imports_of(root: Path, files: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the files that each of ``files`` imports itself, functions included."""
    known = set(files)
    return {file: frozenset(_imported(root / file, known)) for file in known}


def _imported(path: Path, known: set[str]) -> Iterable[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            base = name.replace(".", "/")
            yield from {f"{base}.py", f"{base}/__init__.py"} & known


def distances(changed: Iterable[str], imports: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """Return how many imports lead from each file to the nearest that has changed, up to ``FARTHEST``.

    A ``conftest.py`` that has changed counts as imported by every file below its folder, and a module by the tests
    that are named after it.
    """
    changed = set(changed)
    folders = tuple(file.removesuffix("conftest.py") for file in changed if file.endswith("/conftest.py"))
    named = {Path(file).stem for file in changed if file.startswith("jupyter_oidc/")} - {"__init__"}
    found = {file: 0 for file in imports if file in changed}
    found |= {
        file: 1
        for file in imports
        if file not in found and (file.startswith(folders) or any(named_after(file, name) for name in named))
    }
    for distance in range(1, FARTHEST + 1):
        nearer = {file for file, known in found.items() if known < distance}
        found |= {file: distance for file, named in imports.items() if file not in found and named & nearer}
    return found


def choose(
    changed: Iterable[str], imports: Mapping[str, frozenset[str]], seconds: Mapping[str, float], time: float
) -> Choice:
    """Return the files of tests for ``changed`` whose ``seconds`` fit into ``time``, nearest and quickest first.

    A file that has changed itself is taken however long it takes.
    """
    far = distances(changed, imports)
    near = {file: far.get(file, 1) for file in seconds if file in far or file.startswith(ALWAYS)}
    taken: list[str] = []
    used = 0.0
    for file in sorted(near, key=lambda file: (near[file], seconds[file], file)):
        if near[file] == 0 or used + seconds[file] <= time:
            taken.append(file)
            used += seconds[file]
    return Choice(tuple(taken), used, len(near) - len(taken))

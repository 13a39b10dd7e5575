"""Writes how long each file of tests took, and lets a run in several processes begin with the slowest files.

The list is ``.cache/slowest.txt``: ``make slowest`` shows it, and ``make test-fast`` chooses by it. A file that was
run in part (by ``-k``, by its tests' names, or up to a failure) keeps its line, since its seconds would be too few.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).parents[2]
LIST = Path(".cache") / "slowest.txt"
"""Where the list is, below the root of the run."""

FOLDERS = ("tests/e2e/", "tests/interop/", "tests/integration/")
"""The folders that are begun with, the slowest first; files of one folder stay together, because they share a browser
or a provider."""

HEAD = "seconds  tests  longest  file\n"


@dataclass(frozen=True, slots=True)
class Line:
    """One file's sum of seconds, its number of tests, and the seconds of the longest one."""

    file: str
    seconds: float
    tests: int
    longest: float


def read(path: Path) -> dict[str, Line]:
    """Return the lines of the list by file; none if there is no list yet."""
    if not path.is_file():
        return {}
    rows = [row.split() for row in path.read_text(encoding="utf-8").splitlines()[1:]]
    return {file: Line(file, float(seconds), int(tests), float(longest)) for seconds, tests, longest, file in rows}


def write(path: Path, lines: Iterable[Line]) -> None:
    """Write the list, the slowest file first."""
    rows = [
        f"{line.seconds:7.1f}  {line.tests:5}  {line.longest:7.1f}  {line.file}\n"
        for line in sorted(lines, key=lambda line: (-line.seconds, line.file))
    ]
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(HEAD + "".join(rows), encoding="utf-8")
    draft.replace(path)


def place(file: str, known: Mapping[str, Line]) -> tuple[int, float]:
    """Return where ``file`` stands in the order of a run: by its folder, then by its seconds, longest first."""
    rank = next((rank for rank, folder in enumerate(FOLDERS) if file.startswith(folder)), len(FOLDERS))
    return rank, -known[file].seconds if file in known else 0.0


def file_of(nodeid: str) -> str:
    """Return the file of a test's id."""
    return nodeid.partition("::")[0]


class Stopwatch:
    """Adds up the seconds of the tests of a run, with what was set up and torn down for them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seconds: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add the seconds of one phase of a test."""
        self._seconds[file_of(report.nodeid)][report.nodeid] += report.duration

    @pytest.hookimpl
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the list anew, unless files were run in part."""
        if session.shouldfail or session.shouldstop or run_in_part(session.config):
            return
        ran = {
            file: Line(file, sum(tests.values()), len(tests), max(tests.values()))
            for file, tests in self._seconds.items()
        }
        kept = {file: line for file, line in read(self._path).items() if (session.config.rootpath / file).is_file()}
        if ran:
            write(self._path, {**kept, **ran}.values())


def run_in_part(config: pytest.Config) -> bool:
    """Whether the command line chooses among the tests of a file."""
    chosen = config.option.keyword or config.option.markexpr or config.option.deselect
    return bool(chosen) or any("::" in argument for argument in config.args)


def pytest_configure(config: pytest.Config) -> None:
    """Measure in the process that hears of all tests: in the only one, or in the one that gives out the work."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Stopwatch(config.rootpath / LIST), "slowest stopwatch")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the slowest files where several processes share the run, so that none is left alone with one."""
    if hasattr(config, "workerinput"):
        known = read(config.rootpath / LIST)
        items.sort(key=lambda item: place(file_of(item.nodeid), known))

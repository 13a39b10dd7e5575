"""Law 9 over the whole suite: no secret in a log record, an exception, a warning, an output, a reply or a file.

A leak fails the test in which it happened; one that is found only at the end fails the run.
Where several processes share the run, each looks after its own part and reports at the end.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.canary import CANARY, Canary

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

_LARGEST_FILE = 20_000_000
_FORMATTER = logging.Formatter()
_REPORT = "law 9"
_of_others: list[str] = []


@pytest.fixture(scope="session")
def canary() -> Canary:
    """The canary: give it to providers (``hold``) and to clients (``look_at_reply``)."""
    return CANARY


@pytest.fixture(autouse=True)
def _no_secret_leaves(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test in which a secret was seen outside."""
    before = len(CANARY.leaks)
    yield
    leaks = CANARY.leaks[before:]
    del CANARY.leaks[before:]
    if leaks:
        pytest.fail("Law 9: " + "; ".join(sorted({str(leak) for leak in leaks})), pytrace=False)


def pytest_configure(config: pytest.Config) -> None:
    """Look at every log record as it is made: no level, filter or missing handler hides one."""
    make = logging.getLogRecordFactory()

    def watched(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + _FORMATTER.formatException(record.exc_info)
        CANARY.look(f"a record of the log {record.name}", text)
        return record

    logging.setLogRecordFactory(watched)
    config.add_cleanup(lambda: logging.setLogRecordFactory(make))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Search a test's output and failure for secrets, before pytest shows them."""
    report = yield
    failure = report.longreprtext if report.longrepr is not None else ""
    texts = [text for _, text in report.sections]
    if failure.startswith("Law 9: "):
        report.sections = [section for section in report.sections if CANARY.find(section[1]) is None]
    elif not CANARY.look(f"the {call.when} report of {item.name}", "\n".join((failure, *texts))):
        report.outcome = "failed"
        report.longrepr = f"Law 9: {CANARY.leaks.pop()}"
        report.sections = []
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Look into every file that the run left behind: logs of other processes, notebooks, runtime folders."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    base = getattr(factory, "_basetemp", None)
    if base is not None:
        for path in sorted(base.rglob("*")):
            _look_into(path, base)
    report = getattr(session.config, "workeroutput", None)
    if report is not None:
        report[_REPORT] = [str(leak) for leak in CANARY.leaks]
    if _found():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take over the findings of one of several processes; one that crashed has told why itself."""
    _of_others.extend(getattr(node, "workeroutput", {}).get(_REPORT, ()))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say where secrets were found at the end."""
    if _found():
        terminalreporter.section("law 9: secrets outside", red=True, bold=True)
        for leak in _found():
            terminalreporter.line(leak)


def _found() -> list[str]:
    return [*map(str, CANARY.leaks), *_of_others]


def _look_into(path: Path, base: Path) -> None:
    """Look into a regular file; files of the provider itself (a folder ``provider``) may hold its secrets."""
    relative = path.relative_to(base)
    if path.is_symlink() or not path.is_file() or "provider" in relative.parts:
        return
    if path.stat().st_size <= _LARGEST_FILE:
        CANARY.look(f"the file {relative}", path.read_bytes())

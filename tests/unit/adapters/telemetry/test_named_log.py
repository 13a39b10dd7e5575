"""The level of the logger ``jupyter_oidc``: no line is made that the server's log does not write."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator

import pytest

from jupyter_oidc.adapters.telemetry.named_log import NAME, SERVER, forward_to_server_log

_NUMBERS = itertools.count()


@pytest.fixture(autouse=True)
def fresh_logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger(NAME)
    before = (logger.level, list(logger.handlers), logger.propagate)
    logger.handlers = []
    logger.setLevel(logging.NOTSET)
    yield logger
    logger.setLevel(before[0])
    logger.handlers, logger.propagate = before[1:]


def server_log(level: int, *handlers: int) -> tuple[logging.Logger, list[logging.LogRecord]]:
    """A server's log with handlers of these levels, and the lines that they write."""
    log = logging.getLogger(f"server {next(_NUMBERS)}")
    log.setLevel(level)
    lines: list[logging.LogRecord] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record)

    for one in handlers:
        log.addHandler(Kept(one))
    log.propagate = False
    return log, lines


@pytest.mark.parametrize(
    ("log", "handlers", "level"),
    [
        (logging.DEBUG, [logging.INFO], logging.INFO),
        (logging.DEBUG, [logging.WARNING, logging.DEBUG], logging.DEBUG),
        (logging.DEBUG, [logging.NOTSET], logging.DEBUG),
        (logging.WARNING, [logging.DEBUG], logging.WARNING),
        (logging.INFO, [], logging.INFO),
    ],
)
def test_the_level_is_the_one_from_which_a_line_is_written(log: int, handlers: list[int], level: int) -> None:
    logger = forward_to_server_log(server_log(log, *handlers)[0])
    assert logger.level == level
    assert SERVER.isEnabledFor(level)
    assert not SERVER.isEnabledFor(level - 1)


def test_a_log_that_hands_its_lines_on_decides_by_its_own_level() -> None:
    log, _ = server_log(logging.DEBUG, logging.ERROR)
    log.propagate = True
    assert forward_to_server_log(log).level == logging.DEBUG


def test_a_level_that_the_configuration_has_set_stays(fresh_logger: logging.Logger) -> None:
    fresh_logger.setLevel(logging.DEBUG)
    assert forward_to_server_log(server_log(logging.DEBUG, logging.WARNING)[0]).level == logging.DEBUG


def test_the_next_server_sets_its_own_level() -> None:
    forward_to_server_log(server_log(logging.DEBUG, logging.ERROR)[0])
    log, lines = server_log(logging.DEBUG, logging.INFO)
    assert forward_to_server_log(log).level == logging.INFO
    SERVER.info("a line")
    SERVER.debug("another")
    assert [line.getMessage() for line in lines] == ["a line"]

"""The logger ``jupyter_oidc``, with a child for each package that logs.

Its lines go to the server's log, as if the server had written them; an administrator can give it, or one of its
children, a level and handlers of its own (``logging_config``).
"""

from __future__ import annotations

import logging
from typing import Final

NAME: Final = "jupyter_oidc"

SERVER: Final = logging.getLogger(f"{NAME}.server")
"""Refused requests, and defects."""

BROKER: Final = logging.getLogger(f"{NAME}.broker")
"""What a broker says about itself, its refused requests, and defects."""

SESSIONS: Final = "sessions"
PROXY: Final = "proxy"
PROTOCOL: Final = logging.getLogger(f"{NAME}.protocol")
"""Calls to providers, at DEBUG."""


class _ServerLogHandler(logging.Handler):
    """Hands records to the handlers of ``log``, as far as its level allows."""

    def __init__(self, log: logging.Logger, *, has_set_level: bool) -> None:
        super().__init__()
        self._log = log
        self.has_set_level = has_set_level

    def emit(self, record: logging.LogRecord) -> None:
        """Hand ``record`` to the server's log."""
        if self._log.isEnabledFor(record.levelno) and self._log.filter(record):
            for handler in self._log.handlers:
                if record.levelno >= handler.level:
                    handler.handle(record)


def forward_to_server_log(log: logging.Logger) -> logging.Logger:
    """Forward the lines of ``jupyter_oidc`` to ``log``, the server's, and return their logger.

    A level that the configuration has set stays; else the logger gets the level from which ``log`` writes lines. A
    process has one such logger, and the server that was started last gets the lines.
    """
    logger = logging.getLogger(NAME)
    before = [handler for handler in logger.handlers if isinstance(handler, _ServerLogHandler)]
    for handler in before:
        logger.removeHandler(handler)
    takes_level = logger.level == logging.NOTSET or any(handler.has_set_level for handler in before)
    if takes_level:
        logger.setLevel(_lowest_written_level(log))
    logger.addHandler(_ServerLogHandler(log, has_set_level=takes_level))
    logger.propagate = log.propagate  # NOTE: a common ancestor's handlers get each line once
    return logger


def _lowest_written_level(log: logging.Logger) -> int:
    """Return the level from which ``log`` or a handler of it takes lines.

    The server's logger has the level ``DEBUG`` and leaves the choice to its handlers; a line for none of them costs time.
    """
    level = log.getEffectiveLevel()
    return level if log.propagate or not log.handlers else max(level, min(handler.level for handler in log.handlers))

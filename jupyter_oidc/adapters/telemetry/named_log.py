"""The logger ``jupyter_oidc``, with a child for each package that has something to say.

Its lines go to the server's log, as if the server had written them; whoever runs the server can give it, or one of its
children, a level and handlers of its own (``logging_config``).
"""

from __future__ import annotations

import logging
from typing import Final

NAME: Final = "jupyter_oidc"

SERVER: Final = logging.getLogger(f"{NAME}.server")
"""What was refused at the door, and defects."""

SESSIONS: Final = "sessions"
PROXY: Final = "proxy"
PROTOCOL: Final = logging.getLogger(f"{NAME}.protocol")
"""The trail of calls to providers, at DEBUG."""


class _ServerLogHandler(logging.Handler):
    """Hands records to the handlers of ``log``, as far as that one takes them."""

    def __init__(self, log: logging.Logger, *, has_set_level: bool) -> None:
        super().__init__()
        self._log = log
        self.has_set_level = has_set_level

    def emit(self, record: logging.LogRecord) -> None:
        """Let the server's log have ``record``."""
        if self._log.isEnabledFor(record.levelno) and self._log.filter(record):
            for handler in self._log.handlers:
                if record.levelno >= handler.level:
                    handler.handle(record)


def forward_to_server_log(log: logging.Logger) -> logging.Logger:
    """Let the lines of ``jupyter_oidc`` go to ``log``, the server's, and return their logger.

    A level that somebody has given it stays; else it is that of ``log``. A process has one such logger, and the server
    that was started last gets the lines.
    """
    logger = logging.getLogger(NAME)
    before = [handler for handler in logger.handlers if isinstance(handler, _ServerLogHandler)]
    for handler in before:
        logger.removeHandler(handler)
    takes_level = logger.level == logging.NOTSET or any(handler.has_set_level for handler in before)
    if takes_level:
        logger.setLevel(log.getEffectiveLevel())
    logger.addHandler(_ServerLogHandler(log, has_set_level=takes_level))
    logger.propagate = log.propagate  # NOTE: to whom both go on comes once
    return logger

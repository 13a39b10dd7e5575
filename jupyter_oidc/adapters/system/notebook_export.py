"""Has notebooks converted by a process that holds no secret, because templates and exporters are code (Q8.2, ADR 32).

The process returns data: text for a page, a media type, a file name's extension, and files; these are checked for shape
and size, and never imported, unpickled or rendered here.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import logging

MAX_CONVERSION_SECONDS: Final = 600.0
MAX_ANSWER_BYTES: Final = 256 * 1024 * 1024
_MAX_LOGGED_LINES: Final = 20
_MAX_LOGGED_CHARACTERS: Final = 300
_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9.+-]{1,64}/[A-Za-z0-9.+-]{1,64}\Z")
_EXTENSION: Final = re.compile(r"(\.[A-Za-z0-9_-]{1,16}){0,3}\Z")
_SECTION: Final = re.compile(r"[A-Za-z0-9_]*(Exporter|Preprocessor)\Z|NbConvertBase\Z|Highlight2(HTML|Latex)\Z")
"""The sections of Jupyter's configuration that concern a conversion; no other leaves this process."""


class ConversionFailed(Exception):
    """A conversion failed; ``status`` is the HTTP status for the caller."""

    def __init__(self, status: int, problem: str) -> None:
        self.status = status
        super().__init__(problem)


@dataclass(frozen=True, slots=True)
class Converted:
    """A converted notebook: its content, its media type and extension, and the files that belong to it."""

    content: bytes
    mimetype: str | None
    extension: str
    files: Mapping[str, bytes] = field(default_factory=dict)


def convert(
    to: str,
    notebook: Mapping[str, Any],
    resources: Mapping[str, Any],
    *,
    config: Mapping[str, Any],
    traits: Mapping[str, Any],
    log: logging.Logger,
) -> Converted:
    """Return ``notebook`` in the format ``to``; ``config`` is Jupyter's. Waits, so it must not run on the event loop.

    Raises :class:`ConversionFailed`.
    """
    answer = _run_converter(
        {
            "do": "convert",
            "format": to,
            "notebook": notebook,
            "resources": resources,
            "config": _for_conversion(config, log),
            "traits": traits,
        },
        log,
    )
    try:
        mimetype, extension = answer["mimetype"], answer["extension"]
        return Converted(
            base64.b64decode(answer["content"]),
            mimetype if isinstance(mimetype, str) and _MEDIA_TYPE.match(mimetype) else None,
            extension if isinstance(extension, str) and _EXTENSION.match(extension) else "",
            {str(name): base64.b64decode(data) for name, data in answer["files"].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error):
        raise ConversionFailed(500, "nbconvert failed: its answer cannot be read.") from None


def exporters(log: logging.Logger) -> dict[str, dict[str, str]]:
    """Return the formats that there are, with the media type of each; waits as :func:`convert` does."""
    found = _run_converter({"do": "list"}, log).get("exporters")
    if not isinstance(found, dict):
        raise ConversionFailed(500, "nbconvert failed: its answer cannot be read.")
    return found


def _run_converter(order: Mapping[str, Any], log: logging.Logger) -> dict[str, Any]:
    # NOTE: by its path, so that the working folder of the server is not on the process's 'sys.path'.
    program = str(resources.files("jupyter_oidc") / "converter" / "__main__.py")
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as stderr:
        process = subprocess.Popen(  # noqa: S603 - this interpreter, and a file of this package
            (sys.executable, program),
            stdin=subprocess.PIPE,
            stdout=answer,
            stderr=stderr,
            start_new_session=True,
        )
        try:
            process.communicate(json.dumps(order, default=str).encode(), timeout=MAX_CONVERSION_SECONDS)
        except subprocess.TimeoutExpired:
            raise ConversionFailed(504, "nbconvert took too long.") from None
        finally:
            _kill(process)
        _log_output(stderr, log)
        if os.fstat(answer.fileno()).st_size > MAX_ANSWER_BYTES:
            raise ConversionFailed(500, "nbconvert failed: its answer is too large.")
        answer.seek(0)
        try:
            reply = json.loads(answer.read())
        except (ValueError, RecursionError):
            reply = None
    if not isinstance(reply, dict):
        raise ConversionFailed(500, "nbconvert failed: it gave no answer.")
    if "problem" in reply:
        raise ConversionFailed(404 if reply.get("status") == 404 else 500, str(reply["problem"])[:2_000])
    return reply


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and its process group."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):  # its group is empty already
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _log_output(stderr: Any, log: logging.Logger) -> None:
    """Write the process's stderr into the log, a bounded amount and line by line."""
    stderr.seek(0)
    lines = stderr.read(_MAX_LOGGED_LINES * _MAX_LOGGED_CHARACTERS).decode("utf-8", "replace").splitlines()
    for line in lines[:_MAX_LOGGED_LINES]:
        log.info("nbconvert: %s", ascii(line[:_MAX_LOGGED_CHARACTERS])[1:-1])


def _for_conversion(config: Mapping[str, Any], log: logging.Logger) -> dict[str, dict[str, Any]]:
    """Return the sections of Jupyter's configuration about conversions, as far as they are plain data."""
    chosen: dict[str, dict[str, Any]] = {}
    for section, values in config.items():
        if not _SECTION.match(section) or not isinstance(values, Mapping):
            continue
        for name, value in values.items():
            # NOTE: 'c.Section.name.append(...)' is kept by traitlets as changes to a default that is known later.
            reply = {"changes": value.to_dict()} if hasattr(value, "to_dict") else {"value": value}
            try:
                json.dumps(reply)
            except (TypeError, ValueError):
                log.warning("jupyter_oidc: %s.%s is no plain data and does not reach conversions.", section, name)
            else:
                chosen.setdefault(section, {})[name] = reply
    return chosen

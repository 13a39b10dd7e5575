"""Starts the process that reads an OpenAPI document, and takes its answer (ADR 52).

The process gets the document and nothing else: no environment, no working folder, no descriptor of the server.
It has a limit of memory and of time; the event loop waits for it in a thread, and the server parses its answer line by line.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.catalogue.operation import AnswerUnusable, ReadDocument, Unreadable, read_answer
from jupyter_oidc.language import sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_MEMORY_BYTES: Final = 512 * 1024 * 1024
"""Bytes of the address space of the reading process, its libraries included."""

MAX_CPU_SECONDS: Final = 30
MAX_READ_SECONDS: Final = 60.0
"""Seconds that a document may take to be read, on a busy machine."""

MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
MAX_LINE_BYTES: Final = 1024 * 1024
_BLOCK_BYTES: Final = 1024 * 1024
"""Bytes of the answer that are read at once.

A thread that lets the interpreter go for a moment more often than every 5 ms (``sys.getswitchinterval``), as for each
of many small reads, takes it back before the event loop has woken up, and the event loop stands still until the end.
"""

_LIBRARIES: Final = ("jupyter_oidc", "yaml", "referencing", "rpds", "attr", "typing_extensions")
_KEPT_VARIABLES: Final = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""Variables without which an interpreter may not start at all."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one reading process."""

    memory_bytes: int = MAX_MEMORY_BYTES
    cpu_seconds: int = MAX_CPU_SECONDS
    seconds: float = MAX_READ_SECONDS


_USUAL: Final = Limits()


class _Reading:
    """One document on its way through a process, which can be given up."""

    def __init__(self, order: bytes, finish: Callable[[ReadDocument], ReadDocument], limits: Limits) -> None:
        self._order = order
        self._finish = finish
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._is_given_up = False

    def run(self) -> ReadDocument | Unreadable:
        """Wait for the answer; not on the event loop."""
        with tempfile.TemporaryFile() as order, tempfile.TemporaryFile(buffering=_BLOCK_BYTES) as answer:
            order.write(self._order)
            order.seek(0)
            process = self._process = self._start(order, answer)
            try:
                if self._is_given_up:
                    return Unreadable(sentence("nothing waits for it any more"))
                process.wait(self._limits.seconds)
            except subprocess.TimeoutExpired:
                return Unreadable(sentence("it takes too long to be read"))
            finally:
                self.give_up()
                process.wait()
            if process.returncode > 0:
                return Unreadable(sentence("the process that reads it has failed"))
            if process.returncode < 0 or os.fstat(answer.fileno()).st_size > MAX_ANSWER_BYTES:
                return Unreadable(sentence("it takes too much memory or time to be read"))
            answer.seek(0)
            try:
                read = read_answer(_lines_of(answer))
            except (AnswerUnusable, ValueError, RecursionError):
                return Unreadable(sentence("the process that reads it gave no usable answer"))
        return self._finish(read) if isinstance(read, ReadDocument) else read

    def give_up(self) -> None:
        """Kill the process, if it still runs."""
        self._is_given_up = True
        process = self._process
        if process is not None and process.poll() is None:
            with suppress(OSError):
                process.kill()

    def _start(self, order: Any, answer: Any) -> subprocess.Popen[bytes]:
        program = Path(__file__).parents[2] / "openapi_reader" / "__main__.py"
        limits = (str(self._limits.memory_bytes), str(self._limits.cpu_seconds))
        return subprocess.Popen(  # noqa: S603 - this interpreter, and a file of this package
            (sys.executable, "-I", "-S", str(program), *limits, *_folders()),
            stdin=order,
            stdout=answer,
            stderr=subprocess.DEVNULL,
            cwd=os.sep,
            env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
            start_new_session=True,
        )


async def read_document(
    content: bytes,
    base_url: str,
    document_url: str,
    finish: Callable[[ReadDocument], ReadDocument],
    limits: Limits = _USUAL,
) -> ReadDocument | Unreadable:
    """Return what a process reads of the OpenAPI document ``content``; ``finish`` completes it in a thread."""
    order = json.dumps({"base_url": base_url, "document_url": document_url}).encode() + b"\n"
    reading = _Reading(order + content, finish, limits)
    try:
        return await asyncio.to_thread(reading.run)
    except asyncio.CancelledError:
        reading.give_up()
        raise


async def read_file(path: str, max_bytes: int) -> bytes:
    """Return the first bytes of the file at ``path``, one more than ``max_bytes`` at most; raises ``OSError``."""
    return await asyncio.to_thread(_read_file, path, max_bytes)


def _read_file(path: str, max_bytes: int) -> bytes:
    try:
        # NOTE: without blocking, because the open of a pipe would wait for its writer.
        descriptor = os.open(Path(path).expanduser(), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (ValueError, RuntimeError):  # RuntimeError: there is no such home directory
        raise OSError from None
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError
        return file.read(max_bytes + 1)


def _lines_of(answer: Any) -> Iterator[Any]:
    while line := answer.readline(MAX_LINE_BYTES):
        yield json.loads(line)


@cache
def _folders() -> tuple[str, ...]:
    """Return the folders with the modules that the process needs."""
    found = (find_spec(name) for name in _LIBRARIES)
    places = [Path(spec.origin) for spec in found if spec is not None and spec.origin is not None]
    folders = [str((place.parent if place.name == "__init__.py" else place).parent) for place in places]
    return tuple(dict.fromkeys(folders))

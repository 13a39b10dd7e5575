"""Searches what processes hold: their memory, their environment and their command line (Linux)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import psutil

_PIECE_BYTES = 16 * 1024 * 1024


def with_children(processes: Iterable[int]) -> set[int]:
    """Return ``processes`` that still run, and all that they have started."""
    found = set[int]()
    for process in processes:
        if psutil.pid_exists(process):
            found.add(process)
            found.update(child.pid for child in psutil.Process(process).children(recursive=True))
    return found


def holders(process: int, secrets: Mapping[str, bytes]) -> list[str]:
    """Return the names of the ``secrets`` that the process holds, with the place; raises ``OSError`` if it is gone."""
    places = Path("/proc") / str(process)
    texts = {place: (places / place).read_bytes() for place in ("environ", "cmdline")}
    found = [
        f"{name} in {place}" for place, text in texts.items() for name, secret in secrets.items() if secret in text
    ]
    longest = max(map(len, secrets.values()))
    held = {name for piece in _memory(places, longest) for name, secret in secrets.items() if secret in piece}
    return found + [f"{name} in memory" for name in sorted(held)]


def _memory(places: Path, overlap: int) -> Iterator[bytes]:
    """Yield the readable memory in pieces; each begins with the end of the one before."""
    with (places / "mem").open("rb", buffering=0) as memory:
        for line in (places / "maps").read_text().splitlines():
            span, rights, *_ = line.split()
            begin, end = (int(number, 16) for number in span.split("-"))
            if "r" not in rights or line.endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                continue
            kept = b""
            for at in range(begin, end, _PIECE_BYTES):
                try:
                    memory.seek(at)
                    piece = memory.read(min(_PIECE_BYTES, end - at))
                except OSError:  # a mapping of a device, or one that has just gone
                    break
                yield kept + piece
                kept = piece[-overlap:]

"""Prints the one table of the benchmark and its verdicts.

A line without a target is there for comparison: it can be neither met nor missed. A part that could not be measured
counts as missed, since it has not shown that its target is met.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tests.bench.proxy.samples import median

Sign = Literal[">=", "<=", "<"]
Verdict = Literal["met", "MISSED", ""]

_HEAD = ("part", "measured", "target", "median", "lowest", "highest", "verdict")


class NotMeasured(Exception):
    """A part could not be measured; the text names the reason and the next step."""


@dataclass(frozen=True, slots=True)
class Target:
    """The limit for a median."""

    sign: Sign
    bound: float

    def is_met(self, value: float) -> bool:
        """Return whether ``value`` is on the right side of the bound."""
        if self.sign == ">=":
            return value >= self.bound
        return value < self.bound if self.sign == "<" else value <= self.bound


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: one sample a round, in ``unit`` (``x`` is a ratio)."""

    part: str
    what: str
    samples: tuple[float, ...]
    unit: str
    target: Target | None = None

    @property
    def verdict(self) -> Verdict:
        """Whether the median meets the target; the empty string if there is none."""
        if self.target is None:
            return ""
        return "met" if self.target.is_met(median(self.samples)) else "MISSED"


@dataclass(frozen=True, slots=True)
class Gap:
    """A part that was not measured, and why."""

    part: str
    reason: str


Entry = Line | Gap
"""The content of the table."""


def table(entries: Sequence[Entry]) -> str:
    """Return the table; gaps stand below it as sentences."""
    rows = [_HEAD, *[_cells(entry) for entry in entries if isinstance(entry, Line)]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [_row(row, widths) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    lines += [f"{gap.part}: not measured. {gap.reason}" for gap in entries if isinstance(gap, Gap)]
    return "\n".join(lines)


def verdicts(entries: Sequence[Entry]) -> str:
    """Return the last words: how many targets were met, and each that was not."""
    held = [entry for entry in entries if isinstance(entry, Line) and entry.target is not None]
    missed = [entry for entry in held if entry.verdict == "MISSED"]
    gaps = [entry for entry in entries if isinstance(entry, Gap)]
    lines = [f"{len(held) - len(missed)} of {len(held)} targets are met."]
    lines += [f"Missed: {line.part}, {line.what}: {_value(line, median(line.samples))}" for line in missed]
    lines += [f"Not measured, which counts as missed: {gap.part}." for gap in gaps]
    return "\n".join(lines)


def exit_code(entries: Sequence[Entry]) -> int:
    """Return 0 if every target is met and every part was measured, else 1."""
    return int(any(isinstance(entry, Gap) or entry.verdict == "MISSED" for entry in entries))


def _cells(line: Line) -> tuple[str, ...]:
    target = f"{line.target.sign} {line.target.bound:g} {line.unit}" if line.target else ""
    numbers = (median(line.samples), min(line.samples), max(line.samples))
    return (line.part, line.what, target, *[_value(line, number) for number in numbers], line.verdict)


def _value(line: Line, number: float) -> str:
    digits = 0 if abs(number) >= 1000 else 1 if abs(number) >= 10 else 2
    return f"{number:.{digits}f} {line.unit}"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    shown = [
        cell.rjust(width) if 2 <= column <= 5 else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(shown).rstrip()

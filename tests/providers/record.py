"""The outcomes of the journey at each provider, kept in ``record.json``, and the matrix in the documentation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.providers.journey import STEPS

FILE = Path(__file__).with_name("record.json")
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "providers.md"
BEGIN, END = "<!-- made by `make providers-check WRITE=1` -->\n", "<!-- made until here -->\n"
MADE, NOT_OFFERED, FAILED, NOT_MADE = "✓", "not offered", "✗", "not made yet"


@dataclass(frozen=True)
class Outcome:
    """One journey: the outcome of each step, and the reasons of those that are not offered.

    ``day`` is a date of ISO 8601; ``steps`` has the steps in their order with ``MADE``, ``NOT_OFFERED`` or ``FAILED``.
    """

    provider: str
    version: str
    day: str
    steps: Mapping[str, str]
    reasons: Mapping[str, str]

    def count(self, word: str) -> int:
        """Return how many steps became ``word``."""
        return list(self.steps.values()).count(word)


def matrix(outcomes: Sequence[Outcome]) -> str:
    """Return the table of ``outcomes``, with the reason of each step that is not offered, in Markdown."""
    head = ["Step", *(f"{made.provider} {made.version}" for made in outcomes)]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {step} | {' | '.join(made.steps.get(step, NOT_MADE) for made in outcomes)} |" for step in STEPS]
    lines.append(f"| made on | {' | '.join(made.day for made in outcomes)} |")
    reasons = [f"- {made.provider}, {step}: {why}." for made in outcomes for step, why in made.reasons.items()]
    return "\n".join([*lines, *(["", "Not offered:", "", *reasons] if reasons else [])]) + "\n"


def steps() -> str:
    """Return the list of the steps, in Markdown, each with the first line of its function's docstring."""
    told = [f"| {step} | {(make.__doc__ or '').splitlines()[0]} |" for step, make in STEPS.items()]
    return "\n".join(["| Step | What is done |", "|---|---|", *told]) + "\n"


def read() -> dict[str, Outcome]:
    """Return the kept outcomes by the names of the providers."""
    if not FILE.exists():
        return {}
    return {name: Outcome(**told) for name, told in json.loads(FILE.read_text(encoding="utf-8")).items()}


def section(outcomes: Sequence[Outcome]) -> str:
    """Return the part of the page that is made of ``outcomes``, with the marks around it."""
    return f"{BEGIN}\n{steps()}\n{matrix(outcomes)}\n{END}"


def written(page: str, outcomes: Sequence[Outcome]) -> str:
    """Return ``page`` with the part that is made of ``outcomes`` in the place of the old one."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + section(outcomes) + after


def write(outcomes: Mapping[str, Outcome], order: Sequence[str]) -> None:
    """Keep ``outcomes`` beside those of other providers, in ``order``, and make the page's part anew."""
    known = {**read(), **outcomes}
    kept = {name: known[name] for name in order if name in known}
    FILE.write_text(
        json.dumps({name: asdict(made) for name, made in kept.items()}, indent=2, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), list(kept.values())), encoding="utf-8")

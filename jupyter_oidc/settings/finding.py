"""One mistake in the settings: its place, its class, the problem, and what to write instead (D8).

A finding never repeats a value, because any value could be a misplaced secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["missing", "malformed", "unsafe", "contradictory", "refused"]
"""``missing``: the entry is absent. ``malformed``: no program could use it. ``unsafe``: it works, but a token could
reach a wrong host. ``contradictory``: two entries exclude each other. ``refused``: the provider refuses it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: the ``key`` as a dotted path, the ``problem``, what to write ``instead``, and its class."""

    key: str
    problem: str
    instead: str
    kind: Kind = "malformed"

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}. {self.instead}"

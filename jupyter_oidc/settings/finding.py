"""One mistake in the settings: where, of which class, what is wrong, and what to write instead (D8).

A finding never repeats a value, because any value could be a secret that stands where it should not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["missing", "malformed", "unsafe", "contradictory", "refused"]
"""``missing``: nothing is there. ``malformed``: no program could use it. ``unsafe``: it would work, and a token could end
up where it does not belong. ``contradictory``: two entries cannot both be meant. ``refused``: the provider says no."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: the ``key`` as a dotted path, the ``problem``, what to write ``instead``, and its class."""

    key: str
    problem: str
    instead: str
    kind: Kind = "malformed"

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}. {self.instead}"

"""One mistake in the settings: its place, its class, the problem, and what to write instead (D8).

A finding never repeats a value, because any value could be a misplaced secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from jupyter_oidc.language import N_, Sentence, joined, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["missing", "malformed", "unsafe", "contradictory", "refused"]
"""``missing``: the entry is absent. ``malformed``: no program could use it. ``unsafe``: it works, but a token could
reach a wrong host. ``contradictory``: two entries exclude each other. ``refused``: the provider refuses it."""


_KINDS: Final[Mapping[Kind, str]] = {
    "missing": N_("missing"),
    "malformed": N_("malformed"),
    "unsafe": N_("unsafe"),
    "contradictory": N_("contradictory"),
    "refused": N_("refused"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: the ``key`` as a dotted path, the ``problem``, what to write ``instead``, and its class.

    ``problem`` and ``instead`` are sentences or their templates.
    """

    key: str
    problem: str
    instead: str
    kind: Kind = "malformed"

    @property
    def text(self) -> Sentence:
        """The mistake as a text for people: where it is, what it is, and what to write instead."""
        return joined(sentence("{key}: {problem}.", key=self.key, problem=joined(self.problem)), self.instead)

    @property
    def kind_in_words(self) -> Sentence:
        """The class, to be told in a language."""
        return Sentence(_KINDS[self.kind])

    def numbered(self, number: int) -> Sentence:
        """Return :attr:`text` as one of several, with its ``number``."""
        problem = joined(self.problem)
        told = sentence("({number}) {key}: {problem}.", number=number, key=self.key, problem=problem)
        return joined(told, self.instead)

    def __str__(self) -> str:
        return str(self.text)

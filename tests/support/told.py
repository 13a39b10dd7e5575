"""Says which sentences of a text no catalogue can hold, because the sources do not mark their templates."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from jupyter_oidc.language import Sentence
from tests.support.catalogues import sentences


@cache
def catalogued() -> frozenset[str]:
    """Return the templates of the sources; for a number of things that of several."""
    return frozenset(found.id if isinstance(found.id, str) else found.id[1] for found in sentences())


def unknown(text: Sentence, known: frozenset[str]) -> Iterator[str]:
    """Yield the templates of ``text``, and of the sentences among its facts, that are not ``known``."""
    for leaf in text.leaves:
        if leaf.template not in known:
            yield leaf.template
        for fact in leaf.facts.values():
            if isinstance(fact, Sentence):
                yield from unknown(fact, known)

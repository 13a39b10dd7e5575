"""Follows references within one document; what lies elsewhere is never fetched, and named as a problem."""

from __future__ import annotations

from typing import Any, Final

from referencing import Registry, Resource
from referencing.exceptions import Unresolvable

from jupyter_oidc.language import Sentence, sentence

MAX_HOPS: Final = 20
"""References that lead to a reference."""


class Broken(Exception):
    """A part of the document cannot be used; ``where`` is its JSON pointer."""

    def __init__(self, where: str, message: Sentence) -> None:
        self.where = where
        self.message = message
        super().__init__(message)


def below(where: str, *parts: object) -> str:
    """Return the JSON pointer of a part below ``where`` (RFC 6901, 3)."""
    return "/".join([where, *(str(part).replace("~", "~0").replace("/", "~1") for part in parts)])


class References:
    """The references of one document."""

    def __init__(self, document: dict[str, Any]) -> None:
        # NOTE: a registry without a way to retrieve anything; opaque, because no '$id' changes what a pointer means here.
        registry: Any = Registry().with_resource("", Resource.opaque(document))
        self._resolver = registry.resolver()
        self._known: dict[str, Any] = {}

    def follow(self, value: Any, where: str) -> Any:
        """Return ``value``, or what its ``$ref`` leads to; raises :class:`Broken`."""
        seen = 0
        while isinstance(value, dict) and isinstance(value.get("$ref"), str):
            seen += 1
            if seen > MAX_HOPS:
                raise Broken(where, sentence("The reference leads back to itself."))
            value = self._lookup(value["$ref"], where)
        return value

    def _lookup(self, reference: str, where: str) -> Any:
        if not reference.startswith("#"):
            raise Broken(where, sentence("The reference leads to another document, which is not read."))
        if reference not in self._known:
            try:
                self._known[reference] = self._resolver.lookup(reference).contents
            except (Unresolvable, LookupError, TypeError, ValueError):
                raise Broken(where, sentence("The reference leads nowhere.")) from None
        return self._known[reference]

"""Reads a person's entitlements from claims of many shapes, and limits how many a summary shows.

Soft by design: an entitlement changes only what clients *show*; the API decides about access.
So this module refuses to call an entitlement missing if the provider did not list all of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jupyter_oidc.settings import ClaimPath

MAX_SHOWN: Final = 200
"""Entitlements in a summary."""

MAX_SHOWN_BYTES: Final = 16_384
"""Bytes of the entitlements in a summary, written as JSON."""

MAX_STORED_BYTES: Final = 4_096
"""The same for a stored entry, which a keyring cuts into small pieces."""

_MAX_ENTITLEMENT_CHARACTERS: Final = 1_024
"""Characters of one entitlement."""

_NAMES: Final = ("name", "value")
"""Members that hold the entitlement's name in an object of a list."""


@dataclass(frozen=True, slots=True)
class Entitlements:
    """``names``, and how many ``more`` there are; not ``known`` if the provider did not list them."""

    names: tuple[str, ...] = ()
    more: int = 0
    known: bool = True

    def missing(self, required: Iterable[str]) -> tuple[str, ...]:
        """Return which of ``required`` the person certainly lacks: none if not all entitlements are listed here."""
        if self.more or not self.known:
            return ()
        return tuple(need for need in required if need not in self.names)

    def within(self, *, count: int, size: int, first: Iterable[str] = ()) -> Entitlements:
        """Return at most ``count`` of them in at most ``size`` bytes of JSON, in the same order.

        ``first`` are kept first.
        """
        wanted = frozenset(first)
        chosen: set[int] = set()
        used = 0
        ranked = sorted(range(len(self.names)), key=lambda place: self.names[place] not in wanted)
        for place in ranked:
            needs = len(json.dumps(self.names[place])) + 2
            if len(chosen) == count or used + needs > size:
                break
            chosen.add(place)
            used += needs
        kept = tuple(name for place, name in enumerate(self.names) if place in chosen)
        return Entitlements(kept, self.more + len(self.names) - len(kept), self.known)


NO_ENTITLEMENTS: Final = Entitlements()

UNKNOWN_ENTITLEMENTS: Final = Entitlements(known=False)
"""The entitlements of a person before the provider has sent any claims."""


def entitlements_of(
    claims: Mapping[str, Any], paths: tuple[ClaimPath, ...], scope_claims: tuple[str, ...]
) -> Entitlements:
    """Collect entitlements from the claims at ``paths``.

    A text is one entitlement, unless the claim is one of ``scope_claims``, whose texts are lists separated by spaces
    (RFC 6749, 3.3).
    A list holds texts, or objects that have a name; an object holds entitlements as its keys, save those that are
    false.
    """
    found: dict[str, None] = {}
    known = True
    for path in paths:
        value = _reach(claims, path)
        if value is None:
            known = known and not _left_out(claims, path)
        else:
            found.update(
                (word[:_MAX_ENTITLEMENT_CHARACTERS], None)
                for word in _words(value, split=_is_scope(path, scope_claims))
                if word
            )
    return Entitlements(tuple(found), known=known)


def _words(value: object, *, split: bool) -> Iterator[str]:
    if isinstance(value, str):
        yield from value.split() if split else (value,)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, str):
                yield item
            elif isinstance(item, Mapping):
                yield from _name_of(item)
    elif isinstance(value, Mapping):
        yield from (key for key, granted in value.items() if granted is not None and granted is not False)


def _name_of(item: Mapping[str, Any]) -> Iterator[str]:
    names = (item.get(member) for member in _NAMES)
    yield from [name for name in names if isinstance(name, str) and name][:1]


def _is_scope(path: ClaimPath, scope_claims: tuple[str, ...]) -> bool:
    last = path.rpartition(".")[2] if isinstance(path, str) else path[-1]
    return last in scope_claims or path in scope_claims


def _reach(claims: Mapping[str, Any], path: ClaimPath) -> object:
    """Return the value at ``path``; a list of parts is followed exactly, in a text a dot may belong to a key."""
    if isinstance(path, str):
        return _reach_dotted(claims, path.split("."))
    value: object = claims
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _reach_dotted(value: object, parts: list[str]) -> object:
    """Follow ``parts`` by the longest keys that lead to the end."""
    if not parts:
        return value
    if not isinstance(value, Mapping):
        return None
    for length in range(len(parts), 0, -1):
        key = ".".join(parts[:length])
        found = _reach_dotted(value[key], parts[length:]) if key in value else None
        if found is not None:
            return found
    return None


def _left_out(claims: Mapping[str, Any], path: ClaimPath) -> bool:
    """Return whether the provider left out the claim at ``path`` because it would have been too long.

    The provider then refers to another source, which is not read here (OpenID Connect Core 1.0, 5.6.2), or sends a
    flag.
    """
    parts = path.split(".") if isinstance(path, str) else path[:1]
    tops = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
    elsewhere = claims.get("_claim_names")
    if isinstance(elsewhere, Mapping) and not tops.isdisjoint(elsewhere):
        return True
    return any(claims.get(f"has{top}") in (True, "true") for top in tops)

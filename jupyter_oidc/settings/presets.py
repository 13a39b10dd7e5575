"""Presets: the differences between providers as data, one JSON file each, with the source of every fact (ADR 0020).

A preset fills in missing settings; the settings file wins.
Each file also says by which members of a provider's metadata it is recognised, and what the provider's page for
registrations calls a redirect URI.
This package refuses to know any provider by name: the names are those of the files in ``config/providers``, which an
installed package has beside this module.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_INSTALLED: Final = Path(__file__).with_name("providers")
_CHECKOUT: Final = Path(__file__).parents[2] / "config" / "providers"


@dataclass(frozen=True, slots=True)
class Fact:
    """One peculiarity of a provider, in our words, and the address of its documentation."""

    topic: str
    fact: str
    source: str


@dataclass(frozen=True, slots=True)
class RegistrationPage:
    """The page of a provider on which a client is registered: the way there, and the label of its redirect URIs."""

    where: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Preset:
    """One provider.

    ``issuer`` is the form of its issuer and ``template`` the other settings of an administrator; both may hold
    ``{placeholders}``, which ``placeholders`` explains. ``settings`` are the values that the preset fills in.
    Each entry of ``recognised_by`` maps members of the metadata to patterns; one whose patterns are all found is enough.
    """

    name: str
    title: str
    issuer: str
    placeholders: Mapping[str, str]
    template: Mapping[str, Any]
    settings: Mapping[str, Any]
    recognised_by: tuple[Mapping[str, str], ...]
    registration: RegistrationPage
    facts: tuple[Fact, ...]

    def recognises(self, metadata: Mapping[str, str | None]) -> bool:
        """Return whether ``metadata`` (the issuer and the endpoints, by their names) have the form of this provider's."""
        return any(
            all(re.search(pattern, metadata.get(member) or "") for member, pattern in patterns.items())
            for patterns in self.recognised_by
        )

    def body(self) -> dict[str, Any]:
        """Return a provider's settings with the placeholders to fill in."""
        return {"preset": self.name, "issuer": self.issuer, "client_id": "{client_id}", **self.template}


def names() -> tuple[str, ...]:
    """Return the names of all presets, sorted."""
    return tuple(sorted(path.stem for path in _folder().glob("*.json")))


@cache
def preset(name: str) -> Preset:
    """Return the preset ``name``; raises ``KeyError`` if there is none."""
    if name not in names():
        raise KeyError(name)
    told = json.loads((_folder() / f"{name}.json").read_text(encoding="utf-8"))
    facts = tuple(Fact(one["topic"], one["fact"], one["source"]) for one in told.pop("facts"))
    page, patterns = RegistrationPage(**told.pop("registration")), tuple(told.pop("recognised_by"))
    return Preset(name=name, facts=facts, registration=page, recognised_by=patterns, **told)


def recognised(metadata: Mapping[str, str | None]) -> Preset | None:
    """Return the preset that recognises ``metadata``; ``None`` if none does, or more than one."""
    found = [one for one in map(preset, names()) if one.recognises(metadata)]
    return found[0] if len(found) == 1 else None


def _folder() -> Path:
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT

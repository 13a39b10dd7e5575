"""Which changes of settings widen what a session opens, and which only narrow it (ADR 30).

A running session never follows a change that widens: it takes effect with the next sign-in of that provider.
Every field of a provider and of an API has an entry with the question that tells whether its change widens
(:mod:`jupyter_oidc.settings.model`); without one there is no field, and a law holds that too.
Values in, values out; it refuses to know sessions, files and who wrote them.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Final, TypeVar

from jupyter_oidc.settings.fields import questions
from jupyter_oidc.settings.model import Api, Provider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.settings.changes import Question

_PROVIDER: Final = questions(Provider)
_API: Final = questions(Api)
_Settings = TypeVar("_Settings", Provider, Api)


def widens(before: Provider, after: Provider) -> tuple[str, ...]:
    """Return the dotted names of everything in ``after`` that opens more than ``before`` does, or something else."""
    found = [name for name in _widening(before, after, _PROVIDER) if name != "apis"]
    known = {api.name: api for api in before.apis}
    for api in after.apis:
        if api.name not in known:
            found.append(f"apis.{api.name}")
        else:
            found += [f"apis.{api.name}.{name}" for name in _widening(known[api.name], api, _API)]
    return tuple(found)


def without_widening(before: Provider, after: Provider) -> Provider:
    """Return what of ``after`` a session follows that runs under ``before``: everything that only narrows."""
    wanted = {api.name: api for api in after.apis}
    apis = tuple(_narrowed(api, wanted[api.name], _API) for api in before.apis if api.name in wanted)
    return replace(_narrowed(before, after, _PROVIDER), apis=apis)


def _widening(before: _Settings, after: _Settings, asked: Mapping[str, Question]) -> list[str]:
    differing = [one.name for one in fields(before) if getattr(before, one.name) != getattr(after, one.name)]
    found = [name for name in differing if asked[name](getattr(before, name), getattr(after, name))]
    if "base_url" in found and "path_prefixes" in differing:
        found.append("path_prefixes")  # below another address the same path is another one
    return list(dict.fromkeys(found))


def _narrowed(before: _Settings, after: _Settings, asked: Mapping[str, Question]) -> _Settings:
    kept = {name: getattr(before, name) for name in _widening(before, after, asked)}
    return replace(after, **kept)

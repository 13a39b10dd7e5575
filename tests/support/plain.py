"""Plain values as JSON, driven by type hints alone: what has no hint of a plain type cannot be sent.

A plain value is a text, a number, a truth value, ``None``, one of some listed texts, a tuple or frozen dataclass of plain
values, or a :class:`~jupyter_oidc.problems.Problem`, which is sent as its code, texts and seconds.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import sys
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from jupyter_oidc.problems import BY_CODE, Problem

SCALARS = (str, int, float, bool, NoneType)
PROBLEM_FIELDS = ("detail", "retry_after")


class NotPlain(TypeError):
    """A type, or a value of another type than its hint."""


@cache
def names_for_hints(module: str) -> dict[str, Any]:
    """Import what ``module`` imports for type checkers only."""
    blocks = [
        node
        for node in ast.parse(inspect.getsource(sys.modules[module])).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    imports = [line for block in blocks for line in block.body if isinstance(line, ast.ImportFrom)]
    return {
        name.asname or name.name: getattr(importlib.import_module(line.module or ""), name.name)
        for line in imports
        for name in line.names
    }


def hints_of(thing: Any) -> dict[str, Any]:
    """Return the type hints of a function or class."""
    return get_type_hints(thing, localns=names_for_hints(thing.__module__))


def check_plain(hint: Any, path: str = "", seen: frozenset[Any] = frozenset()) -> list[str]:
    """Return the places in ``hint`` that are no plain type; an empty list if it is plain."""
    if hint in SCALARS or get_origin(hint) is Literal or hint in seen:
        return []
    if _is_union(hint) or get_origin(hint) is tuple:
        rest = [argument for argument in get_args(hint) if argument is not ...]
        tagless = _is_union(hint) and len([one for one in rest if one is not NoneType]) > 1
        return [f"{path}: {hint}"] if tagless else [fault for one in rest for fault in check_plain(one, path, seen)]
    if inspect.isclass(hint) and issubclass(hint, Problem):
        return []
    if inspect.isclass(hint) and issubclass(hint, Enum):
        return [] if issubclass(hint, str) else [f"{path}: {hint.__name__}"]
    if dataclasses.is_dataclass(hint) and getattr(hint, "__dataclass_params__").frozen:  # noqa: B009 - in no stub
        hints, inside = hints_of(hint), seen | {hint}
        fields = [(field.name, hints[field.name]) for field in dataclasses.fields(hint)]
        return [fault for name, one in fields for fault in check_plain(one, f"{path}.{name}", inside)]
    return [f"{path}: {getattr(hint, '__name__', hint)}"]


def to_json(hint: Any, value: Any) -> Any:
    """Return ``value`` as what ``json`` can write; raises :class:`NotPlain` if it is not of the type ``hint``."""
    if _is_union(hint):
        return None if value is None else to_json(_wanted(hint), value)
    if get_origin(hint) is tuple and isinstance(value, tuple):
        return [to_json(one, part) for one, part in zip(_parts(hint, len(value)), value, strict=True)]
    if get_origin(hint) is Literal and value in get_args(hint):
        return value
    if hint in SCALARS and (type(value) is hint or (hint is float and type(value) is int)):
        return value
    if inspect.isclass(hint) and isinstance(value, hint):
        if isinstance(value, Problem):
            lists = {name: list(fact) if isinstance(fact, tuple) else fact for name, fact in value.params.items()}
            return {
                "code": value.code,
                **{name: getattr(value, name) for name in PROBLEM_FIELDS},
                "given": list(value.given),
                "params": lists,
            }
        if isinstance(value, Enum):
            return value.value
        if dataclasses.is_dataclass(value) and not check_plain(hint):
            hints = hints_of(hint)
            return {
                field.name: to_json(hints[field.name], getattr(value, field.name))
                for field in dataclasses.fields(value)
            }
    raise NotPlain(f"{type(value).__name__} is sent where {hint} is expected")


def from_json(hint: Any, told: Any) -> Any:
    """Return the value of the type ``hint`` that was written as ``told``."""
    if _is_union(hint):
        return None if told is None else from_json(_wanted(hint), told)
    if get_origin(hint) is tuple:
        return tuple(from_json(one, part) for one, part in zip(_parts(hint, len(told)), told, strict=True))
    if get_origin(hint) is Literal or hint in SCALARS:
        return told
    if issubclass(hint, Problem):
        message, action = told["given"]
        lists = {name: tuple(fact) if isinstance(fact, list) else fact for name, fact in told["params"].items()}
        rest = {name: told[name] for name in PROBLEM_FIELDS}
        return BY_CODE[told["code"]](message, action=action, params=lists, **rest)
    if issubclass(hint, Enum):
        return hint(told)
    hints = hints_of(hint)
    return hint(**{name: from_json(hints[name], part) for name, part in told.items()})


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in (Union, UnionType)


def _wanted(hint: Any) -> Any:
    [wanted] = [one for one in get_args(hint) if one is not NoneType]
    return wanted


def _parts(hint: Any, length: int) -> tuple[Any, ...]:
    arguments = get_args(hint)
    return (arguments[0],) * length if arguments[-1:] == (...,) else arguments

"""Law 5: time and chance are arguments; only ``clock`` and ``entropy`` ask the operating system.

Proved able to fail: each seeded line below is caught.
"""

from __future__ import annotations

import ast

import pytest

from tests.laws.source import Module, modules, seeded

ASKERS = {"jupyter_oidc.clock", "jupyter_oidc.entropy"}
MODULES = {"time", "random", "secrets", "uuid"}
CALLS = {"now", "utcnow", "today", "urandom", "uuid4", "time_ns", "monotonic", "perf_counter"}
INSIDE = (
    "protocol",
    "sessions",
    "proxy",
    "settings",
    "server",
    "web",
    "compose",
    "adapters",
    "secret",
    "problems",
    "secret_access",
)


def asks(module: Module) -> list[str]:
    if module.name in ASKERS:
        return []
    found = [name for name in module.imports() if name.split(".")[0] in MODULES]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS:
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id in ("datetime", "date", "os", "time", "uuid"):
                found.append(f"{owner.id}.{node.func.attr}")
    return [f"{module.name}: {name}" for name in found]


def test_nobody_below_the_outside_asks_for_time_or_chance() -> None:
    assert [line for layer in INSIDE for module in modules(layer) for line in asks(module)] == []


@pytest.mark.parametrize(
    "line",
    ["import time", "from random import choice", "import secrets", "x = datetime.now()", "x = os.urandom(3)"],
)
def test_a_seeded_question_is_noticed(line: str) -> None:
    assert asks(seeded(line)) != []

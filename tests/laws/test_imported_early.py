"""The list of early imports is whole: each import in a function of the server is made before the first kernel (Q8.3).

A module that is imported for the first time while a kernel runs may be one that the kernel has written.
Proof that the law can fail: the seeded violations below are caught.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterable
from functools import cache

import pytest

from jupyter_oidc.adapters.system.early_imports import OUR_PARTS
from tests.laws.source import Module, modules, seeded

ELSEWHERE = {"broker", "cli", "converter", "demo", "errors", "jupyter_scheduler", "kernel", "openapi_reader"}
"""The parts that run in no server; of ``jupyter_scheduler`` what imports nothing does, loaded by another extension."""


def of_the_server() -> list[Module]:
    return [module for module in modules() if len(parts := module.name.split(".")) > 1 and parts[1] in OUR_PARTS]


def late(sources: Iterable[Module], *, loaded: set[str]) -> set[str]:
    """Return the imports in functions of ``sources`` that are not among the modules ``loaded``."""
    found: set[str] = set()
    for module in sources:
        functions = (
            node for node in ast.walk(module.tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        )
        for node in (inner for function in functions for inner in ast.walk(function)):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
    return found - loaded


@cache
def loaded() -> frozenset[str]:
    """The modules of a process that has made a server's early imports, and nothing else."""
    script = (
        "import json, sys\n"
        "from jupyter_oidc.adapters.system.early_imports import import_everything\n"
        "import jupyter_oidc.server.extension\n"
        "import_everything()\n"
        "print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    return frozenset(json.loads(done.stdout))


def test_every_module_of_the_server_is_imported_early() -> None:
    """Q8.3: Imports are done before any kernel starts."""
    assert {module.name for module in of_the_server()} - loaded() == set()


def test_every_part_of_this_package_runs_in_the_server_or_elsewhere() -> None:
    """Q8.3: a new part has to be put on one side or the other."""
    parts = {module.name.split(".")[1] for module in modules() if "." in module.name}
    assert parts == {*OUR_PARTS, *ELSEWHERE}


def test_every_library_that_a_function_of_the_server_imports_is_imported_early() -> None:
    """Q8.3: Imports are done before any kernel starts."""
    assert late(of_the_server(), loaded=set(loaded())) == set()


@pytest.mark.parametrize(
    "text",
    [
        "def later():\n    import colorsys_of_nobody",
        "async def later():\n    from colorsys_of_nobody import x",
        "class A:\n    def later(self):\n        import colorsys_of_nobody",
    ],
)
def test_a_late_import_is_caught(text: str) -> None:
    assert late([seeded(text)], loaded={"json"}) == {"colorsys_of_nobody"}

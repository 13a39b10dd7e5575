"""Private names of libraries stand in ``jupyter_oidc/compat`` and nowhere else.

Proof that the law can fail: the seeded modules below are caught.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.laws.source import Module, modules, seeded

ALLOWED = {
    ("jupyter_oidc.secret_access", "secret._Secret__value"): "the one reader of a secret of our own",
    ("jupyter_oidc.kernel.library_frames", "sys._getframe"): "the documented way before Python 3.12",
    ("jupyter_oidc.demo.parent_watch", "os._exit"): "a public function, in spite of its name",
}
NAMEDTUPLE_METHODS = {"_replace", "_asdict", "_make", "_fields"}
"""Public, in spite of their names (documentation of ``collections.namedtuple``)."""


def names_of_our_own(module: Module) -> set[str]:
    """Return every name that ``module`` gives to a function, class, attribute or variable."""
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


COMPAT = "jupyter_oidc.compat."
OUR_NAMES = {name for module in modules() if not module.name.startswith(COMPAT) for name in names_of_our_own(module)}


def private_names(module: Module, ours: set[str] = OUR_NAMES) -> Iterator[str]:
    """Return the private names that ``module`` reads or sets on what is not its own."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            of_ourselves = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not isinstance(node.ctx, ast.Store) and node.attr in ours:
                continue
            if of_ourselves and isinstance(node.ctx, ast.Store):
                continue
            if node.attr not in NAMEDTUPLE_METHODS and (module.name, ast.unparse(node)) not in ALLOWED:
                yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom):
            from_ours = (node.module or "").split(".")[0] == "jupyter_oidc"
            hidden = [alias.name for alias in node.names if alias.name.startswith("_") and alias.name[:2] != "__"]
            if not from_ours and (hidden or "._" in (node.module or "")):
                yield f"from {node.module} import {', '.join(alias.name for alias in node.names)}"


def test_private_names_of_libraries_stand_in_compat() -> None:
    found = {module.name: list(private_names(module)) for module in modules()}
    assert {name: names for name, names in found.items() if names and not name.startswith(COMPAT)} == {}


def test_every_module_of_compat_names_the_version_that_it_was_seen_in() -> None:
    without = [
        module.name
        for module in modules("compat.")
        if not any(
            isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "SEEN"
            for node in module.tree.body
        )
    ]
    assert without == []


def test_every_exception_is_still_needed() -> None:
    used = {
        (module.name, ast.unparse(node))
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
    }
    assert set(ALLOWED) - used == set()


@pytest.mark.parametrize(
    "text",
    [
        "def f(request):\n    return request._body_future\n",
        "def f(connection):\n    connection._disconnect_on_finish = True\n",
        "from httpx._client import AsyncClient\n",
        "from aiohttp import _websocket\n",
    ],
)
def test_a_seeded_private_name_is_caught(text: str) -> None:
    assert len(list(private_names(seeded(text), set()))) == 1


def test_names_of_our_own_and_those_of_named_tuples_are_free() -> None:
    text = "class A:\n    def f(self, parts):\n        self._x = 1\n        return self._x, parts._replace(a=1)\n"
    module = seeded(text)
    assert list(private_names(module, names_of_our_own(module))) == []

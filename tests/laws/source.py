"""Reads the source tree for the laws: modules, their syntax trees, and the imports between them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "jupyter_oidc"


@dataclass(frozen=True)
class Module:
    name: str
    text: str

    @property
    def tree(self) -> ast.Module:
        """The syntax tree, which the laws of a process share: they look and change nothing."""
        return _tree(self.text)

    def imports(self) -> frozenset[str]:
        """Every imported module, and every ``module.name`` of a from-import, wherever it stands."""
        return _imports(self.text)


@cache
def _tree(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def _imports(text: str) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(_tree(text)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def modules(below: str = "") -> list[Module]:
    """All modules of the package, or those whose dotted name begins with ``below``."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        if name.startswith("jupyter_oidc" + (f".{below}" if below else "")):
            found.append(Module(name, path.read_text(encoding="utf-8")))
    return found


def seeded(text: str, name: str = "jupyter_oidc.seeded") -> Module:
    """A module that breaks a law on purpose, to prove that the law can fail."""
    return Module(name, text)

"""No test reaches into what it tests: parts come through public seams, and fakes have names.

Proof that the law can fail: the seeded modules below are caught.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.laws.source import ROOT

FORBIDDEN_ATTRIBUTES = {"setattr", "__closure__", "cell_contents"}
"""Of anything: ``monkeypatch.setattr``, and the cells of a function."""

FORBIDDEN_MODULES = {"mock", "unittest.mock"}
FORBIDDEN_FIXTURES = {"mocker"}


def reaches(tree: ast.AST) -> Iterator[str]:
    """Return what ``tree`` replaces behind the back of the code that owns it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in FORBIDDEN_ATTRIBUTES:
            yield ast.unparse(node)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in FORBIDDEN_MODULES)
        elif isinstance(node, ast.ImportFrom):
            names = {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
            yield from sorted(names & FORBIDDEN_MODULES)
        elif isinstance(node, ast.arg) and node.arg in FORBIDDEN_FIXTURES:
            yield node.arg


def test_no_test_replaces_a_part_behind_the_back_of_its_owner() -> None:
    files: list[Path] = sorted((ROOT / "tests").rglob("*.py"))
    found = {str(path.relative_to(ROOT)): list(reaches(ast.parse(path.read_text(encoding="utf-8")))) for path in files}
    assert len(found) > 300
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "text",
    [
        "monkeypatch.setattr(module, 'name', fake)",
        "with pytest.MonkeyPatch.context() as context:\n    context.setattr(module, 'name', fake)",
        "import unittest.mock",
        "import mock",
        "from unittest import mock",
        "from unittest.mock import patch",
        "build.__closure__[0]",
        "cell.cell_contents",
        "def test_it(mocker):\n    pass",
    ],
)
def test_a_seeded_reach_is_caught(text: str) -> None:
    assert len(list(reaches(ast.parse(text)))) == 1


def test_variables_of_the_environment_may_be_set() -> None:
    assert list(reaches(ast.parse("monkeypatch.setenv('NAME', 'value')\nmonkeypatch.delenv('OTHER')"))) == []

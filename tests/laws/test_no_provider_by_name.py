"""A provider is configuration, not code (ADR 0005, ADR 0020): no code path names one; the presets are data.

Docstrings and comments may name a provider that does something strange, since they decide nothing.
Proved able to fail: a seeded comparison with a name, and one with a host, are noticed.
"""

from __future__ import annotations

import ast
import re

import pytest

from jupyter_oidc.settings.presets import names
from tests.laws.source import ROOT, Module, modules, seeded

HOSTS = ("amazonaws", "amazoncognito", "microsoftonline", "azure", "microsoft", "googleapis", "amazon")
HEADERS = frozenset({"azure-asyncoperation"})
"""Names of headers that APIs of any operator send; no code recognises the provider by them (Q3.3)."""

NAMED = re.compile("|".join((*names(), *HOSTS)), re.IGNORECASE)
PAGES = sorted((ROOT / "labextension-stub" / "src").rglob("*.ts"))


def named_in(module: Module) -> list[str]:
    """The names and texts of the code itself in which a provider is named."""
    tree = module.tree
    remarks = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in remarks:
            said = node.value
        elif isinstance(node, ast.Name):
            said = node.id
        elif isinstance(node, ast.Attribute):
            said = node.attr
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            said = node.name
        else:
            continue
        if NAMED.search(said) and said.lower() not in HEADERS:
            found.append(f"{module.name}: {said}")
    return found


def test_no_code_path_names_a_provider() -> None:
    assert [name for module in modules() for name in named_in(module)] == []


def test_no_page_names_a_provider() -> None:
    remark = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
    texts = {path.name: remark.sub("", path.read_text(encoding="utf-8")) for path in PAGES}
    assert [name for name, text in texts.items() if NAMED.search(text)] == []


@pytest.mark.parametrize(
    "line", ["if preset == 'cognito': pass", "if 'microsoftonline.com' in issuer: pass", "def for_okta(): ..."]
)
def test_a_seeded_name_is_noticed(line: str) -> None:
    assert len(named_in(seeded(line))) == 1


def test_a_docstring_may_say_who_is_strange() -> None:
    assert named_in(seeded('"""Amazon Cognito writes a text here."""')) == []


def test_an_installed_package_has_the_presets_beside_their_reader() -> None:
    assert '"config/providers" = "jupyter_oidc/settings/providers"' in (ROOT / "pyproject.toml").read_text()

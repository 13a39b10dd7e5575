"""The front end as it is handed on: small enough to load with every page, and fit to be published to npm as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.node import Node, find_node

ROOT = Path(__file__).parents[2]
STUB = ROOT / "labextension-stub"
BUILT = ROOT / "jupyter_oidc" / "labextension"
MOST_BYTES = 180 * 1024


@pytest.fixture(scope="module")
def node() -> Node:
    node = find_node()
    node.install(STUB)
    if not (BUILT / "package.json").exists() or not (STUB / "lib").exists():
        done = node.run("npm", "run", "build", cwd=STUB)
        assert done.returncode == 0, done.stdout + done.stderr
    return node


@pytest.fixture(scope="module")
def packed(node: Node) -> set[str]:
    """The files that ``npm publish`` would send."""
    done = node.run("npm", "pack", "--dry-run", "--json", "--ignore-scripts", cwd=STUB)
    assert done.returncode == 0, done.stderr
    told: Any = json.loads(done.stdout)
    package = told[0] if isinstance(told, list) else next(iter(told.values()))
    return {file["path"] for file in package["files"]}


@pytest.mark.usefixtures("node")
def test_the_built_extension_is_smaller_than_180_kilobytes() -> None:
    """The scripts of ours that a page loads, without the modules that JupyterLab shares (its React among them)."""
    sizes = {path.name: path.stat().st_size for path in (BUILT / "static").glob("*.js")}
    assert sizes, "nothing was built"
    assert sum(sizes.values()) < MOST_BYTES, sizes


@pytest.mark.parametrize("folder", [STUB, ROOT / "docs" / "how-to" / "extension-template"], ids=["ours", "template"])
def test_it_asks_jupyterlab_for_no_newer_parts_than_it_needs(folder: Path) -> None:
    """Else an older JupyterLab that is supported warns of each part in the browser's console.

    The builder would ask for the versions of the newest JupyterLab.
    """
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    parts = ("@jupyterlab/", "@lumino/", "react")
    shared = {
        name: asked
        for name, asked in package["jupyterlab"]["sharedPackages"].items()
        if asked and name.startswith(parts)
    }
    assert shared.keys() == {name for name in package["dependencies"] if name.startswith(parts)}
    for name, asked in shared.items():
        assert asked == {"requiredVersion": package["dependencies"][name]}


@pytest.mark.usefixtures("node")
def test_nothing_that_jupyterlab_ships_is_built_in() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (BUILT / "static").glob("*.js"))
    assert "react.production" not in text
    assert "__SECRET_INTERNALS_DO_NOT_USE" not in text


def test_the_npm_package_holds_what_its_package_json_names(packed: set[str]) -> None:
    package = json.loads((STUB / "package.json").read_text(encoding="utf-8"))
    entries = [entry for entry in package["exports"].values() if isinstance(entry, dict)]
    named = {package["main"], package["types"], package["style"], package["styleModule"]}
    named |= {path for entry in entries for path in entry.values()}
    assert "./lib/react.d.ts" in named
    assert {name.removeprefix("./") for name in named} <= packed
    assert {
        "README.md",
        "lib/tokens.d.ts",
        "lib/generated/contract.d.ts",
        "style/base.css",
        "schema/panel.json",
    } <= packed


def test_the_npm_package_holds_neither_sources_nor_tests(packed: set[str]) -> None:
    assert [name for name in packed if name.startswith(("src/", "tests/", "node_modules/", "scripts/"))] == []


def test_another_extension_compiles_against_the_package_by_its_name(node: Node) -> None:
    done = node.run("node", "node_modules/typescript/bin/tsc", "-p", "tests/consumer", cwd=STUB)
    assert done.returncode == 0, done.stdout

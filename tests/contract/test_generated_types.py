"""The front end's types and validators are generated from the contract, and never drift from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.node import Node, find_node

STUB = Path(__file__).parents[2] / "labextension-stub"
GENERATED = STUB / "src" / "generated"


@pytest.fixture(scope="module")
def node() -> Node:
    node = find_node()
    node.install(STUB)
    return node


def test_generated_types_and_validators_agree_with_the_contract(node: Node) -> None:
    done = node.run("node", "scripts/generate.mjs", "--check", cwd=STUB)
    assert done.returncode == 0, done.stderr


def test_a_change_of_the_contract_is_noticed(node: Node) -> None:
    """The law can fail: with one type altered, the check names the file and the command to run."""
    types = GENERATED / "contract.ts"
    original = types.read_text(encoding="utf-8")
    types.write_text(original.replace("sequence: number", "sequence: string"), encoding="utf-8")
    try:
        done = node.run("node", "scripts/generate.mjs", "--check", cwd=STUB)
    finally:
        types.write_text(original, encoding="utf-8")
    assert (done.returncode, done.stderr.splitlines()) == (
        1,
        ["The generated code differs from the contract: contract.ts.", "Run: npm run generate"],
    )


def test_no_address_of_a_registry_is_in_a_lock_file() -> None:
    lock = (STUB / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock

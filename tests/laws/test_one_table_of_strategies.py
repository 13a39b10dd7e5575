"""A strategy of a sign-in is one word of the contract and one entry in each of three tables (ADR 49).

The tables are the server's (``jupyter_oidc/strategies.py``), that of notebook cells and terminals
(``jupyter_oidc/kernel/sign_in_step.py``) and the panel's (``labextension-stub/src/signinstep.ts``). Other modules ask them.
Proved able to fail: with a fifth word in the contract, both type checkers name the tables, and no other file.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from jupyter_oidc import contract
from jupyter_oidc.contract.strategy import RequestedStrategy, Strategy
from jupyter_oidc.kernel.errors import ContractError
from jupyter_oidc.kernel.sign_in_step import EnterCode, OpenLink, PasteAddress, step_of
from jupyter_oidc.settings.json_schema import settings_schema
from jupyter_oidc.strategies import STRATEGIES, facts_of
from tests.laws.source import PACKAGE, ROOT
from tests.support.node import find_node

WORDS = {"server", "loopback", "device", "paste"}
TABLES = {"contract/strategy.py", "strategies.py", "kernel/sign_in_step.py", "cli/setup/decisions.py"}
CHOICE = "sessions/strategy.py"
"""The module that chooses a strategy, where the settings leave it open; it names the ones that it prefers."""


def test_the_type_lists_the_words_of_the_contract() -> None:
    listed = contract.schema("sign-in.reply")["properties"]["strategy"]["enum"]
    assert listed == ["server", "loopback", "device", "paste"]
    assert (list(get_args(Strategy)), list(STRATEGIES)) == (listed, listed)


def test_a_request_and_the_settings_may_leave_the_choice_and_list_the_same_words() -> None:
    words = ["auto", "server", "loopback", "device", "paste"]
    assert list(get_args(RequestedStrategy)) == words
    asked = contract.schema("sign-in.request")["properties"]["strategy"]["anyOf"]
    assert [asked[0]["const"], *asked[1]["enum"]] == words
    configured = settings_schema()["$defs"]["provider"]["properties"]["redirect_strategy"]
    assert configured["enum"] == [*words, None]


@pytest.mark.parametrize(
    ("strategy", "ticket", "answer", "target"),
    [
        ("server", True, "callback", "callback"),
        ("loopback", True, "listener", "loopback"),
        ("device", False, "polled", None),
        ("paste", True, "pasted", "any"),
    ],
)
def test_the_server_s_table_says_how_each_begins_and_where_its_answer_arrives(
    strategy: Strategy, ticket: bool, answer: str, target: str | None
) -> None:
    facts = facts_of(strategy)
    assert (not facts.has_code, facts.answer, facts.redirect_target) == (ticket, answer, target)


LINK = "https://hub.example.com/jupyter-oidc/start/t"
DEVICE = {"user_code": "WDJB-MJHT", "verification_uri": "https://id.example.com/d", "verification_uri_complete": None}
STEPS: dict[str, object] = {
    "server": OpenLink(LINK),
    "loopback": OpenLink(LINK, on_this_machine=True),
    "device": EnterCode("https://id.example.com/d", "WDJB-MJHT", filled_in=False),
    "paste": PasteAddress(LINK),
}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_cells_and_terminals_have_a_step_for_each(strategy: str) -> None:
    """Q7.7: Every client knows every way to sign in."""
    started: dict[str, Any] = {"strategy": strategy, "start_url": "/s", "start_address": LINK, "device": DEVICE}
    assert step_of(started) == STEPS[strategy]


@pytest.mark.parametrize("strategy", ["other", "by-pigeon", "", None])
def test_a_strategy_of_a_newer_server_is_a_sentence_that_says_what_to_do(strategy: object) -> None:
    with pytest.raises(ContractError) as raised:
        step_of({"strategy": strategy, "start_address": LINK})
    assert (raised.value.message, raised.value.action) == (
        "The server wants to sign you in, in a way that the jupyter_oidc of this environment does not know.",
        "Sign in from JupyterLab, or install the jupyter_oidc of the server here.",
    )


def decisions(source: str) -> Iterator[str]:
    """Yield each expression in ``source`` that decides by the word of a strategy."""
    for node in ast.walk(ast.parse(source)):
        words = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and part.value in WORDS}
        if isinstance(node, ast.Compare) and words and "strategy" in ast.unparse(node).lower():
            yield ast.unparse(node)
        if isinstance(node, ast.Match) and words and "strategy" in ast.unparse(node.subject).lower():
            yield f"match {ast.unparse(node.subject)}"
        if isinstance(node, ast.Dict):
            keys = {key.value for key in node.keys if isinstance(key, ast.Constant)} & WORDS
            if len(keys) > 1:
                yield ast.unparse(node)


@pytest.mark.parametrize(
    "source",
    [
        "pending.strategy == 'device'",
        "settings.redirect_strategy in ('loopback', 'paste')",
        "match strategy:\n    case 'server': pass",
        "ways = {'loopback': a, 'paste': b}",
    ],
)
def test_a_decision_by_a_word_is_found(source: str) -> None:
    """The law can fail."""
    assert len(list(decisions(source))) == 1


def test_no_module_but_the_tables_and_the_choice_decides_by_the_word_of_a_strategy() -> None:
    found = {
        str(path.relative_to(PACKAGE)): list(decisions(path.read_text(encoding="utf-8")))
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).as_posix() not in {*TABLES, CHOICE}
    }
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_a_fifth_strategy_fails_the_type_check_in_the_three_tables_of_python(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "labextension", "demo", "node_modules")
    shutil.copytree(PACKAGE, tmp_path / "jupyter_oidc", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    words = tmp_path / "jupyter_oidc" / "contract" / "strategy.py"
    text = words.read_text(encoding="utf-8")
    words.write_text(text.replace('"paste"]', '"paste", "pigeon"]'), encoding="utf-8")
    modules = ("strategies", "kernel.sign_in_step", "kernel.session", "cli.sign_in", "cli.setup.decisions")
    named = [part for module in modules for part in ("-m", f"jupyter_oidc.{module}")]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-incremental", "--follow-imports=silent", *named],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = re.findall(r"^jupyter_oidc/(\S+?):\d+: error: .*Literal\['pigeon'\]", done.stdout, re.MULTILINE)
    assert sorted(complaints) == ["cli/setup/decisions.py", "kernel/sign_in_step.py", "strategies.py"], done.stdout
    assert "Found 3 errors in 3 files" in done.stdout


def test_a_fifth_strategy_fails_the_type_check_in_the_panel_s_table(tmp_path: Path) -> None:
    stub, node = ROOT / "labextension-stub", find_node()
    node.install(stub)
    shutil.copytree(stub / "src", tmp_path / "src")
    for name in ("package.json", "tsconfig.json"):
        shutil.copy(stub / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(stub / "node_modules")
    types = tmp_path / "src" / "generated" / "contract.ts"
    text = types.read_text(encoding="utf-8")
    types.write_text(re.sub(r"(\n  strategy: 'server' [^;]*'paste')", r"\1 | 'pigeon'", text), encoding="utf-8")
    done = node.run("node", "node_modules/typescript/bin/tsc", "--noEmit", "-p", ".", cwd=tmp_path)
    complaints = re.findall(r"^(src/\S+?)\(\d+,\d+\): error", done.stdout, re.MULTILINE)
    assert set(complaints) == {"src/signinstep.ts"}, done.stdout
    assert "'pigeon'" in done.stdout

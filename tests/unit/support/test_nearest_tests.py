"""What ``make test-fast`` chooses for a change."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.changed import changed_files, told
from tests.support.nearest_tests import Choice, choose, distances, imports_of, seconds_of, sources
from tests.support.slowest_plugin import Line

TREE = {
    "jupyter_oidc/__init__.py": "",
    "jupyter_oidc/clock.py": "import time",
    "jupyter_oidc/service.py": "from jupyter_oidc.clock import Clock",
    "jupyter_oidc/server.py": "def late():\n    from jupyter_oidc import service",
    "tests/support/frozen.py": "import jupyter_oidc.clock",
    "tests/unit/conftest.py": "",
    "tests/unit/test_clock.py": "from jupyter_oidc.clock import Clock",
    "tests/unit/test_service.py": "from jupyter_oidc.service import Service",
    "tests/unit/test_server.py": "from jupyter_oidc.server import Server",
    "tests/unit/test_hours.py": "from tests.support.frozen import Frozen",
    "tests/interop/test_clock_skew.py": "import subprocess",
    "tests/e2e/test_clock.py": "from jupyter_oidc.clock import Clock",
    "tests/laws/test_pure.py": "import ast",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in TREE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def chosen(tree: Path, *changed: str, time: float = 100.0, known: dict[str, Line] | None = None) -> Choice:
    return choose(changed, imports_of(tree, sources(tree)), seconds_of(tree, known or {}), time)


def test_a_test_is_the_nearer_the_fewer_imports_lead_to_the_change(tree: Path) -> None:
    assert distances(["jupyter_oidc/clock.py"], imports_of(tree, sources(tree))) == {
        "jupyter_oidc/clock.py": 0,
        "jupyter_oidc/service.py": 1,
        "tests/support/frozen.py": 1,
        "tests/unit/test_clock.py": 1,
        "tests/e2e/test_clock.py": 1,
        "tests/interop/test_clock_skew.py": 1,
        "jupyter_oidc/server.py": 2,
        "tests/unit/test_service.py": 2,
        "tests/unit/test_hours.py": 2,
    }


def test_the_nearest_and_quickest_are_taken_with_the_laws_and_without_a_browser(tree: Path) -> None:
    assert chosen(tree, "jupyter_oidc/clock.py") == Choice(
        (
            "tests/laws/test_pure.py",
            "tests/unit/test_clock.py",
            "tests/interop/test_clock_skew.py",
            "tests/unit/test_hours.py",
            "tests/unit/test_service.py",
        ),
        seconds=24.0,
        left=0,
    )


def test_what_takes_too_long_is_left_and_counted(tree: Path) -> None:
    choice = chosen(tree, "jupyter_oidc/clock.py", time=4.0)
    assert (choice.left, choice.seconds) == (1, 4.0)
    assert "tests/interop/test_clock_skew.py" not in choice.files


def test_a_changed_test_is_taken_however_long_it_takes(tree: Path) -> None:
    file = "tests/interop/test_clock_skew.py"
    choice = chosen(tree, file, time=1.0, known={file: Line(file, 70.0, 1, 70.0)})
    assert choice == Choice((file,), seconds=70.0, left=1)


def test_a_changed_conftest_is_near_to_its_folder(tree: Path) -> None:
    assert chosen(tree, "tests/unit/conftest.py").files == (
        "tests/laws/test_pure.py",
        "tests/unit/test_clock.py",
        "tests/unit/test_hours.py",
        "tests/unit/test_server.py",
        "tests/unit/test_service.py",
    )


def test_a_changed_page_of_the_documentation_concerns_the_laws(tree: Path) -> None:
    assert chosen(tree, "docs/README.md", "jupyter_oidc/gone.py").files == ("tests/laws/test_pure.py",)


def test_git_names_what_is_committed_on_a_branch_changed_and_new(tree: Path) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main")
        subprocess.run(("git", *who, *arguments), cwd=tree, check=True, capture_output=True)

    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    git("switch", "-c", "branch")
    (tree / "jupyter_oidc" / "clock.py").write_text("import math", encoding="utf-8")
    git("commit", "-am", "second")
    (tree / "jupyter_oidc" / "service.py").write_text("", encoding="utf-8")
    (tree / "jupyter_oidc" / "new.py").write_text("", encoding="utf-8")
    assert changed_files(tree, "main") == ["jupyter_oidc/clock.py", "jupyter_oidc/service.py", "jupyter_oidc/new.py"]
    with pytest.raises(SystemExit, match="git cannot say what has changed"):
        changed_files(tree, "elsewhere")


def test_the_choice_is_told_in_one_line() -> None:
    assert told(Choice(("a", "b"), 31.4, 0), 3) == ("3 files have changed: 2 files of tests, about 31 seconds of work.")
    assert told(Choice(("a",), 99.6, 7), 1) == (
        "1 files have changed: 1 files of tests, about 100 seconds of work; 7 nearby files wait for 'make test'."
    )

"""The list of the slowest files of tests, and the order of a run in several processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.slowest_plugin import Line, place, read, write

ROOT = str(Path(__file__).parents[3])


def test_the_list_has_the_slowest_file_first_and_is_read_as_it_was_written(tmp_path: Path) -> None:
    quick, slow = Line("tests/a.py", 0.5, 12, 0.1), Line("tests/b.py", 61.0, 3, 40.2)
    path = tmp_path / ".cache" / "slowest.txt"
    write(path, [quick, slow])
    assert path.read_text(encoding="utf-8").splitlines() == [
        "seconds  tests  longest  file",
        "   61.0      3     40.2  tests/b.py",
        "    0.5     12      0.1  tests/a.py",
    ]
    assert read(path) == {"tests/a.py": quick, "tests/b.py": slow}


def test_there_is_no_list_before_the_first_run(tmp_path: Path) -> None:
    assert read(tmp_path / "slowest.txt") == {}


def test_a_run_begins_with_the_browser_and_then_with_the_slowest_file_of_a_folder() -> None:
    known = {
        "tests/unit/slow.py": Line("tests/unit/slow.py", 900.0, 1, 900.0),
        "tests/e2e/b.py": Line("tests/e2e/b.py", 9.0, 1, 9.0),
    }
    files = ["tests/unit/a.py", "tests/integration/a.py", "tests/unit/slow.py", "tests/e2e/a.py", "tests/e2e/b.py"]
    assert sorted(files, key=lambda file: place(file, known)) == [
        "tests/e2e/b.py",
        "tests/e2e/a.py",
        "tests/integration/a.py",
        "tests/unit/slow.py",
        "tests/unit/a.py",
    ]


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Two files of tests that write their names into ``order`` when they run."""
    monkeypatch.setenv("PYTHONPATH", ROOT)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    test = "def test_{0}_{1}():\n    with open('order', 'a') as order: order.write('{0}{1} ')\n"
    pytester.makepyfile(**{f"test_{name}": "".join(test.format(name, n) for n in (1, 2)) for name in ("a", "b")})
    return pytester


def run(suite: pytest.Pytester, *arguments: str) -> dict[str, Line]:
    result = suite.runpytest_subprocess("-q", "-p", "xdist.plugin", "-p", "tests.support.slowest_plugin", *arguments)
    assert result.ret == 0
    return read(suite.path / ".cache" / "slowest.txt")


def test_a_run_measures_each_file_and_one_of_some_tests_leaves_the_list_alone(suite: pytest.Pytester) -> None:
    first = run(suite)
    assert {file: line.tests for file, line in first.items()} == {"test_a.py": 2, "test_b.py": 2}
    assert run(suite, "-k", "a_1") == first
    assert run(suite, "test_b.py::test_b_1") == first


def test_several_processes_begin_with_the_file_that_took_longest(suite: pytest.Pytester) -> None:
    path = suite.path / ".cache" / "slowest.txt"
    write(path, [Line("test_a.py", 1.0, 2, 1.0), Line("test_b.py", 2.0, 2, 1.0), Line("test_gone.py", 9.0, 1, 9.0)])
    after = run(suite, "--numprocesses=1", "--dist=loadfile", "--no-loadscope-reorder")
    assert (suite.path / "order").read_text(encoding="utf-8") == "b1 b2 a1 a2 "
    assert sorted(after) == ["test_a.py", "test_b.py"], "what is no longer there leaves the list"

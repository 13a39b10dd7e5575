"""Tests that use a browser run one on each processor at most, and others wait for no lane."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

RECORDED = """
import os, time
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(3))
def test_one(number, request):
    with (request.config.rootpath / "spans").open("a") as spans:
        begun = time.monotonic()
        time.sleep(0.3)
        spans.write(f"{begun} {time.monotonic()}\\n")
"""


def run(pytester: pytest.Pytester, folder: str) -> list[tuple[float, float]]:
    """Run three files of three tests each in three processes on a machine that has one; return each test's begin and end."""
    pytester.makeconftest(
        "import os\nos.cpu_count = lambda: 1\npytest_plugins = ['tests.support.lanes_plugin']\n",
    )
    place = pytester.path / folder
    place.mkdir(parents=True)
    for name in "abc":
        (place / f"test_{name}.py").write_text(RECORDED, encoding="utf-8")
    outcome = pytester.runpytest_subprocess("--numprocesses=3", "--dist=loadfile", "-p", "no:cacheprovider")
    outcome.assert_outcomes(passed=9)
    lines = (pytester.path / "spans").read_text(encoding="utf-8").splitlines()
    return sorted((float(begun), float(ended)) for begun, ended in map(str.split, lines))


def overlap(spans: list[tuple[float, float]]) -> bool:
    """Whether a test began before the one before it had ended."""
    return any(later[0] < earlier[1] for earlier, later in pairwise(spans))


@pytest.mark.parametrize(("folder", "beside"), [("tests/e2e", False), ("tests/unit", True)])
def test_only_tests_with_a_browser_wait_for_each_other(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, folder: str, beside: bool
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    assert overlap(run(pytester, folder)) is beside

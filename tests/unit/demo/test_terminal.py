"""What a newcomer reads in the terminal: what to do first, and what went wrong, in words."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_oidc.demo.__main__ import instructions
from jupyter_oidc.demo.child import ChildFailed
from jupyter_oidc.demo.environment import DemoEnvironment, DemoOptions, expect_free

QUIETLY = Path(__file__).parents[3] / ".ci" / "quietly"


@pytest.fixture
def demo() -> DemoEnvironment:
    """A demo that was never started; its folder is removed at once."""
    demo = DemoEnvironment(DemoOptions(port=12345), lambda _: None)
    demo.stop()
    return demo


def test_the_instructions_fit_one_screen_and_name_both_people(demo: DemoEnvironment) -> None:
    text = instructions(demo, opens_browser=True)
    lines = text.splitlines()
    assert (len(lines) < 20, max(map(len, lines)) <= 120) == (True, True)
    assert "Ada Lovelace reads and writes orders" in text
    assert "Ben Herschel reads orders, and may not write any" in text
    assert re.search(r"^     http://localhost:12345/lab/tree/tutorial\.ipynb\?token=[\w-]{32}$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("opens", "first"),
    [
        (True, "  JupyterLab opens in your browser. If it does not, open this address:"),
        (False, "  Open this address:"),
    ],
)
def test_the_first_line_says_whether_a_browser_opens(demo: DemoEnvironment, opens: bool, first: str) -> None:
    assert instructions(demo, opens_browser=opens).splitlines()[1] == first


def test_a_port_that_is_taken_is_named_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = subprocess.run(
            [sys.executable, "-m", "jupyter_oidc.demo", "--no-browser", "--port", str(port)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    sentence = f"Port {port} is used by another program. Choose another with --port, or leave it out: then a free one is found."
    assert (said.returncode, sentence in said.stderr, "| " in said.stderr) == (1, True, False)


def test_a_free_port_is_accepted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ChildFailed):
            expect_free(port)
    expect_free(port)


@pytest.mark.parametrize(
    ("output", "cure"),
    [
        ("NewConnectionError: Temporary failure in name resolution", "The package registries could not be reached."),
        ("npm error code ENOTFOUND", "The package registries could not be reached."),
        ("OSError: [Errno 28] No space left on device", "The disk is full."),
        ("because ensurepip is not available.", "This Python cannot make virtual environments."),
        ("sh: npm: command not found", "Node could not be found to build the front end."),
        ("error: something else", "Run the same command again once this is cured"),
    ],
    ids=["pip-network", "npm-network", "disk", "venv", "node", "other"],
)
def test_a_step_of_the_set_up_that_fails_says_why_in_words(tmp_path: Path, output: str, cure: str) -> None:
    """The end of the output is shown, all of it is kept, and the exit code is the step's own."""
    step = ["bash", str(QUIETLY), "bash", "-c", f"seq 50; echo '{output}'; exit 3"]
    ran = subprocess.run(step, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    shown = [line for line in ran.stdout.splitlines() if line.startswith("    | ")]
    assert (ran.returncode, len(shown), shown[-1]) == (3, 20, f"    | {output}")
    assert cure in ran.stdout.splitlines()[-1]
    assert len((tmp_path / ".cache" / "failed-step.txt").read_text(encoding="utf-8").splitlines()) == 51


def test_a_step_that_succeeds_says_how_long_it_took(tmp_path: Path) -> None:
    ran = subprocess.run(["bash", str(QUIETLY), "true"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert re.fullmatch(r"\.* done in \d+ s\n", ran.stdout)

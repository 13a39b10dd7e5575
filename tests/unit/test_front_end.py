"""The front end's own tests, and how large it is once it is built."""

from __future__ import annotations

from pathlib import Path

from tests.support.node import find_node

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "labextension-stub"
BUILT = ROOT / "jupyter_oidc" / "labextension" / "static"
LARGEST = 150_000
"""Bytes of all scripts together; what JupyterLab shares with its extensions is not among them."""


def test_the_tests_of_the_front_end_pass() -> None:
    node = find_node()
    node.install(SOURCE)
    done = node.run("npm", "test", "--", "--ci", "--silent", cwd=SOURCE)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    print("\n".join(line for line in done.stderr.splitlines() if line.startswith("Tests:")))


def test_what_a_page_loads_of_us_is_small() -> None:
    scripts = list(BUILT.rglob("*.js"))
    assert scripts, "The front end is built when the package is installed."
    assert sum(script.stat().st_size for script in scripts) < LARGEST

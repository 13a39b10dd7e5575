"""The tutorial as it lies in the repository: clean, and with every cell that demo-check looks for."""

from __future__ import annotations

import json
from importlib import resources

NOTEBOOK = json.loads((resources.files("jupyter_oidc.demo") / "notebooks" / "tutorial.ipynb").read_text("utf-8"))
CODE = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def test_no_output_is_saved() -> None:
    assert [cell["outputs"] for cell in CODE] == [[]] * len(CODE)


def test_no_cell_has_been_run() -> None:
    assert {cell["execution_count"] for cell in CODE} == {None}


def test_every_code_cell_has_the_name_that_demo_check_uses() -> None:
    assert [cell["metadata"]["tags"][0] for cell in CODE] == [
        "demo:sign-in",
        "demo:session",
        "demo:table",
        "demo:loop",
        "demo:write",
        "demo:stream",
        "demo:endpoint",
        "demo:sign-out",
        "demo:after",
        "demo:ben",
        "demo:refused",
        "demo:end",
    ]


def test_only_the_call_after_the_sign_out_announces_an_exception() -> None:
    loud = [cell["metadata"]["tags"][0] for cell in CODE if "raises-exception" in cell["metadata"]["tags"]]
    assert loud == ["demo:after"]

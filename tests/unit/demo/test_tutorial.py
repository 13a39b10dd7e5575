"""The tutorial as it lies in the repository: clean, and with every cell that demo-check looks for."""

from __future__ import annotations

import json
import re
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
        "demo:apis",
        "demo:find",
        "demo:table",
        "demo:write",
        "demo:loop",
        "demo:stream",
        "demo:workers",
        "demo:endpoint",
        "demo:closed",
        "demo:open",
        "demo:ben",
        "demo:refused",
        "demo:sign-out",
        "demo:after",
    ]


def test_only_a_closed_method_and_the_call_after_the_sign_out_announce_an_exception() -> None:
    loud = [cell["metadata"]["tags"][0] for cell in CODE if "raises-exception" in cell["metadata"]["tags"]]
    assert loud == ["demo:closed", "demo:after"]


def test_the_people_that_the_text_names_are_the_personas() -> None:
    from jupyter_oidc.demo.personas import PERSONAS

    text = "".join("".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "markdown")
    assert re.findall(r"choose \*\*([\w ]+)\*\*", text) == [one.name for one in PERSONAS]


def test_sentences_of_the_text_are_short() -> None:
    """A newcomer reads beside running: no sentence has more than 25 words."""
    text = [line for cell in NOTEBOOK["cells"] if cell["cell_type"] == "markdown" for line in cell["source"]]
    sentences = [sentence for line in text for sentence in re.split(r"(?<=[.:;?!])\s", line.strip())]
    assert [sentence for sentence in sentences if len(sentence.split()) > 25] == []

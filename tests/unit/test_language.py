"""Sentences keep their template and facts, and are told in the language that the reader asks for."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from jupyter_oidc.language import (
    ENGLISH,
    Sentence,
    all_of,
    any_of,
    counted,
    heard,
    in_language,
    joined,
    language_here,
    of_environment,
    of_header,
    on_the_wire,
    sentence,
    speaking,
    tag_of,
    told,
)

DAYS = counted(2, "{number} day is left.", "{number} days are left.")
OPEN = sentence("It opens {methods} at '{paths}'.", methods=("GET", "HEAD", "POST"), paths=["/a", "/b"])


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (OPEN, "It opens GET, HEAD and POST at '/a' and '/b'."),
        (sentence("Wait {seconds}.", seconds=1), "Wait 1 second."),
        (sentence("Wait {seconds}.", seconds=30), "Wait 30 seconds."),
        (sentence("The API{api_name} is busy.", api="orders"), "The API 'orders' is busy."),
        (sentence("The API{api_name} is busy."), "The API is busy."),
        (sentence("{names}", names=[str(number) for number in range(8)]), "0, 1, 2, 3, 4 and 3 more"),
        (sentence("{names}", names=["one"]), "one"),
        (sentence("{names}", names=[]), ""),
        (sentence("Ends in {time}.", time=counted(2, "{number} day", "{number} days")), "Ends in 2 days."),
        (sentence("It says {0}, {secret} and {__class__}."), "It says {0}, {secret} and {__class__}."),
        (sentence("{text}", text="{api}", api="orders"), "{api}"),
        (joined("A.", None, "", sentence("B {x}.", x=1), between="\n"), "A.\nB 1."),
    ],
)
def test_a_template_is_filled_with_its_facts(made: Sentence, text: str) -> None:
    assert made == text
    assert told(made, ENGLISH) == text


@pytest.mark.parametrize("made", [OPEN, joined(OPEN, "More."), counted(1, "{number} day", "{number} days")])
def test_a_copy_stays_a_sentence(made: Sentence) -> None:
    for other in (copy.copy(made), pickle.loads(pickle.dumps(made))):
        assert isinstance(other, Sentence)
        assert (other, other.template, other.facts, other.parts) == (made, made.template, made.facts, made.parts)


def test_what_is_learnt_later_fills_what_is_open_and_replaces_nothing() -> None:
    later = joined("At {provider}.", sentence("By {api}.", api="orders")).knowing({"provider": "corp", "api": "x"})
    assert later == "At corp. By orders."


def test_another_process_gets_ids_and_facts_and_makes_the_same_text_of_them() -> None:
    text = joined(OPEN, sentence("Wait {seconds}.", seconds=5), "Read this.", DAYS)
    wire = on_the_wire(text)
    assert wire == [
        {
            "id": "It opens {methods} at '{paths}'.",
            "params": {"methods": ["GET", "HEAD", "POST"], "paths": ["/a", "/b"]},
        },
        {"id": "Wait {seconds}.", "params": {"seconds": 5}},
        {"id": "Read this.", "params": {}},
        {"id": "{number} days are left.", "params": {"number": 2}, "one": "{number} day is left."},
    ]
    made = heard(str(text), wire)
    assert isinstance(made, Sentence)
    assert [leaf.template for leaf in made.leaves] == [leaf.template for leaf in text.leaves]


def test_a_fact_that_is_not_shown_stays_here() -> None:
    (told,) = on_the_wire(Sentence("The API{api_name} is busy.", {"api": "orders", "scopes": ("a",), "seconds": 3}))
    assert told == {"id": "The API{api_name} is busy.", "params": {"api": "orders"}}


@pytest.mark.parametrize(
    "sentences", [[], [{"id": "Something else.", "params": {}}], [{"id": "{number} x", "params": {}, "one": "x"}]]
)
def test_ids_that_do_not_make_the_text_are_not_believed(sentences: list[dict[str, Any]]) -> None:
    assert type(heard("The text.", sentences)) is str


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", ""),
        ("de", "de_DE"),
        ("de-AT,de;q=0.9,en;q=0.5", "de_DE"),
        ("en-US,en;q=0.9,de;q=0.8", ""),
        ("en;q=0.5, fr-CA", "fr_FR"),
        ("nl, es;q=0.3", "es_ES"),
        ("de;q=0, ja;q=0.1", "ja_JP"),
        ("zh-Hans-CN", "zh_CN"),
        ("zh", "zh_CN"),
        ("zh-TW, zh-Hant;q=0.9", ""),
        ("*", ""),
        ("de;q=nonsense, fr;q=0.1", "fr_FR"),
        ("x" * 100_000, ""),
        (",".join(["xx"] * 100_000) + ",de", ""),
    ],
)
def test_the_header_of_a_caller_names_a_language(header: str, language: str) -> None:
    assert of_header(header) == language


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, ""),
        ({"LANG": "C.UTF-8"}, ""),
        ({"LANG": "de_CH.UTF-8"}, "de_DE"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, ""),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "fr_FR"}, "fr_FR"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "nl:ja"}, "ja_JP"),
        ({"LANG": "zh_TW.UTF-8"}, ""),
        ({"LANG": "es_ES@euro"}, "es_ES"),
        ({"LANG": "../../etc"}, ""),
    ],
)
def test_the_environment_names_a_language(environ: dict[str, str], language: str) -> None:
    assert of_environment(environ) == language


def test_within_a_block_everything_is_told_in_its_language() -> None:
    before = language_here()
    with speaking("ja_JP"):
        assert (language_here(), tag_of(language_here())) == ("ja_JP", "ja-JP")
    assert language_here() == before
    assert tag_of(ENGLISH) == "en"


def test_only_sentences_of_a_reply_are_told() -> None:
    reply = {"message": OPEN, "title": "Settings", "rows": [OPEN, 7, None]}
    with speaking(ENGLISH):
        assert in_language(reply) == {"message": str(OPEN), "title": "Settings", "rows": [str(OPEN), 7, None]}


def test_alternatives_and_what_is_meant_together_are_sentences_of_their_own() -> None:
    assert (any_of(["a"]), all_of(["a"])) == ("a", "a")
    assert any_of(["a", "b", "c"]) == "a or b or c"
    together = all_of(["a", "b", "c"])
    assert together == "a and b and c"
    assert isinstance(together, Sentence)
    assert together.template == "{first} and {second}"


def test_a_fact_may_be_a_sentence() -> None:
    told = sentence("Write {alternatives}.", alternatives=any_of(["'a'", "'b'"]))
    assert told == "Write 'a' or 'b'."
    assert told.facts["alternatives"].template == "{first} or {second}"

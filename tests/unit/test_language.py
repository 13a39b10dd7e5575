"""Sentences that can be told in other languages."""

from __future__ import annotations

from jupyter_oidc.language import Sentence, all_of, any_of, sentence


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

"""The text of a mistake, which can be told in any language."""

from __future__ import annotations

import pickle

from jupyter_oidc.settings import Finding, read_settings


def test_the_text_of_a_mistake_keeps_its_templates_and_facts() -> None:
    found = read_settings({"corp": {"issuer": "https://id.example.com", "client_id": "lab", "http_timeout": 100}})
    assert isinstance(found, list)
    (finding,) = found
    where, instead = finding.text.leaves
    assert (
        str(finding)
        == "providers.corp.http_timeout: is not a number in range. Write seconds from 1 to 60."
        == finding.text
    )
    assert where.template == "{key}: {problem}."
    assert where.facts["problem"].template == "is not a number in range"
    assert (instead.template, instead.facts) == ("Write seconds from {low} to {high}.", {"low": "1", "high": "60"})


def test_a_mistake_among_several_has_its_number() -> None:
    finding = Finding("storage", "is not a known storage", "Write 'memory'.")
    told = finding.numbered(2)
    assert told == "(2) storage: is not a known storage. Write 'memory'."
    assert [leaf.template for leaf in told.leaves] == ["({number}) {key}: {problem}.", "Write 'memory'."]


def test_the_class_of_a_mistake_is_a_word_of_the_catalogues() -> None:
    assert Finding("storage", "is missing", "Write one.", "missing").kind_in_words.template == "missing"


def test_what_is_written_for_braces_is_no_placeholder() -> None:
    found = read_settings([])
    assert isinstance(found, list)
    assert str(found[0]) == "providers: is not a mapping. Write {name: {settings}}."
    assert pickle.loads(pickle.dumps(found[0])) == found[0]

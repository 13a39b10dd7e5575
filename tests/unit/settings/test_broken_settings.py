"""A corpus of broken configurations: each yields exactly its findings, none an exception, none a secret (D8).

A file of ``tests/data/broken_settings`` is a configuration beside its expected findings. Secrets in it carry the
marker of the canary, so that a message that repeats one is recognised.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_oidc.settings import Finding, Settings, read_settings
from tests.support.marker import MARKER
from tests.support.told import catalogued, unknown

FOLDER = Path(__file__).parents[2] / "data" / "broken_settings"
CORPUS = sorted(FOLDER.glob("*.json"))
CLASSES = {"missing", "malformed", "unsafe", "contradictory"}


def findings_of(document: dict[str, Any]) -> list[Finding]:
    read = read_settings(document["providers"], document.get("storage", "auto"))
    assert isinstance(read, list), "the settings were accepted"
    return read


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_a_broken_configuration_yields_its_findings_and_no_secret(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    found = findings_of(document)
    assert [
        {"key": one.key, "class": one.kind, "problem": one.problem, "instead": one.instead} for one in found
    ] == document["expected"]
    said = "\n".join(map(str, found))
    assert MARKER not in said
    assert len(said.splitlines()) == len(found), "a value has brought a line break into the text"


def test_the_corpus_is_large_and_shows_every_class_that_needs_no_provider() -> None:
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in CORPUS]
    assert len(documents) >= 60
    assert {one["class"] for document in documents for one in document["expected"]} == CLASSES


def test_every_mistake_of_the_corpus_is_in_the_catalogues() -> None:
    """What a catalogue lacks is told in English among sentences of another language."""
    known = catalogued()
    found = [one for path in CORPUS for one in findings_of(json.loads(path.read_text(encoding="utf-8")))]
    assert [text for one in found for text in (*unknown(one.text, known), *unknown(one.kind_in_words, known))] == []


KEYS = st.sampled_from(
    ["issuer", "client_id", "clientId", "scopes", "redirect_uri", "client_secret", "apis", "max_age", "base_url", "x"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
VALUES = st.recursive(
    SCALARS,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(KEYS | st.text() | st.integers(), part, max_size=4),
)


@settings(max_examples=300, deadline=None)
@given(providers=VALUES | st.dictionaries(st.sampled_from(["corp", "Corp", ""]) | st.text(), VALUES), storage=SCALARS)
def test_nothing_that_python_can_say_makes_the_reader_raise(providers: object, storage: object) -> None:
    """D8: a mistake never stops the Jupyter server."""
    read = read_settings(providers, storage)
    assert isinstance(read, Settings) or (read and all(str(finding).isprintable() for finding in read))

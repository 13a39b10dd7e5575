"""Law: every sentence for people is in the catalogues, in each language, and can be told in it (ADR 59).

Proof that the law can fail: the seeded violations below are caught.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from babel.messages.catalog import Message

from jupyter_oidc.language import CATALOGUES, DOMAIN, LOCALE
from tests.laws.source import ROOT
from tests.support.catalogues import made_files, merged, missing, sentences, templates, texts_of, translated

LANGUAGES: Final = sorted(CATALOGUES.values())
PACKAGE: Final = ROOT / "jupyter_oidc"

ROOMS_OF_ENGLISH: Final = ("demo", "converter", "labextension", "locale")
"""Parts whose texts are not told in other languages: the demo stands for somebody else's provider and API."""

STAY_ENGLISH: Final = {
    "adapters/telemetry/metrics.py": "help texts of metrics, for those who run the server",
    "server/notebook_export.py": "a route of Jupyter's own, whose errors are English",
    "web/socket_relay.py": "reasons of a closed WebSocket, which a program reads and which have 123 bytes (RFC 6455, 5.5)",
}
"""Files whose sentences are not told in other languages, and why."""

LOGS: Final = frozenset({"debug", "info", "warning", "error", "exception", "critical", "note", "log", "warn"})
"""Methods whose argument is a line of a log, which stays English."""

FOR_PROGRAMMERS: Final = frozenset(
    {"TypeError", "ValueError", "AssertionError", "RuntimeError", "AttributeError", "NotImplementedError", "KeyError"}
)
"""Exceptions about the code that calls, which stay English."""

PLACEHOLDER: Final = re.compile(r"\{[A-Za-z_]{1,30}\}|%\d")
SENTENCE: Final = re.compile(r"[A-Z{'\"].*\b[a-z]{2,}\b[^a-z]+[a-z{].*[.?:]\Z", re.DOTALL)


def test_the_catalogues_are_those_of_the_sources() -> None:
    """Run ``make languages``."""
    stale = [path for path, content in made_files().items() if not path.is_file() or path.read_bytes() != content]
    assert stale == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated(language: str) -> None:
    assert missing(language) == []


def faults_of(message: Message) -> Iterator[str]:
    """Yield what is wrong with a translation beside its sentence."""
    wanted = {found for text in texts_of(message.id) for found in PLACEHOLDER.findall(text)}
    for text in texts_of(message.string):
        found = set(PLACEHOLDER.findall(text))
        if found - wanted:
            yield f"{sorted(found - wanted)} is no placeholder of {message.id!r}"
        if isinstance(message.id, str) and wanted - found:
            yield f"{sorted(wanted - found)} of {message.id!r} is lost"
        first = texts_of(message.id)[0]
        if (text[:1].isspace(), text[-1:].isspace()) != (first[:1].isspace(), first[-1:].isspace()) and first != ", ":
            yield f"{text!r} begins or ends with other spaces than {first!r}"
        if text.count("\n") != first.count("\n"):
            yield f"{text!r} has other lines than {first!r}"
        if re.search(r"[<>]", text) and not re.search(r"[<>]", first):
            yield f"{text!r} has angle brackets"


@pytest.mark.parametrize("language", LANGUAGES)
def test_jupyterlab_knows_which_sentences_count(language: str) -> None:
    """It takes a sentence for a counting one by the number of its forms, also where a language has one form."""
    file = LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.json"
    forms = json.loads(file.read_text(encoding="utf-8"))
    own = [
        message for message in templates() if message.id and texts_of(message.id)[0] in forms and not message.context
    ]
    assert len(own) > 250
    assert [one.id for one in own if (len(forms[texts_of(one.id)[0]]) > 1) != isinstance(one.id, tuple)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_holds_what_its_sentence_holds(language: str) -> None:
    own = merged(templates(), translated(language), language)
    assert [fault for message in own if message.id and message.string for fault in faults_of(message)] == []


def spoken(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and text of every literal in ``tree`` that reads like a sentence for people."""
    silent = set(_silent(tree))
    for node in ast.walk(tree):
        if id(node) in silent:
            continue
        text = _text_of(node)
        if text is not None and SENTENCE.match(text):
            yield getattr(node, "lineno", 0), text


def _text_of(node: ast.AST) -> str | None:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _silent(tree: ast.AST) -> Iterator[int]:
    """Yield the nodes that are no text for people: docstrings, lines of logs, errors for programmers, parts of others."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)
        elif isinstance(node, ast.JoinedStr):
            yield from (id(part) for part in node.values)
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in LOGS or name in FOR_PROGRAMMERS:
                yield from (id(part) for part in ast.walk(node))
        elif isinstance(node, ast.Assert) and node.msg is not None:
            yield from (id(part) for part in ast.walk(node.msg))


@cache
def known() -> frozenset[str]:
    """Every text that is in the catalogues."""
    return frozenset(text for found in sentences() for text in texts_of(found.id))


def modules() -> list[Path]:
    return [
        path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] not in ROOMS_OF_ENGLISH
    ]


def test_no_sentence_for_people_is_outside_of_the_catalogues() -> None:
    lost = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in modules()
        if path.relative_to(PACKAGE).as_posix() not in STAY_ENGLISH
        for line, text in spoken(ast.parse(path.read_text(encoding="utf-8")))
        if text not in known()
    ]
    assert lost == []


@pytest.mark.parametrize(
    "code",
    [
        "raise IdTokenRejected('The token has no such claim.')",
        "print(f'The provider answers status {status}.')",
        "TEXT = 'Sign in again, then run this.'",
        "say('Where is the file of the settings?')",
    ],
)
def test_a_sentence_that_cannot_be_told_in_another_language_is_found(code: str) -> None:
    assert len(list(spoken(ast.parse(code)))) == 1


@pytest.mark.parametrize(
    "code",
    [
        "'''The docstring of a module.'''",
        "log.info('The session was stored again.')",
        "raise TypeError('The value has to be a text.')",
        "assert ready, 'The server was not ready.'",
        "NAME = 'orders'",
        "PATH = 'docs/how-to/sign-in.md'",
    ],
)
def test_what_is_no_sentence_for_people_is_left(code: str) -> None:
    assert list(spoken(ast.parse(code))) == []


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ("Der Anbieter ist weg.", "is lost"),
        ("Der Anbieter {prvider} ist weg.", "is no placeholder"),
        ("Der Anbieter {provider} ist weg. ", "other spaces"),
        ("Der <b>Anbieter</b> {provider} ist weg.", "angle brackets"),
    ],
)
def test_a_wrong_translation_is_found(wrong: str, fault: str) -> None:
    assert any(fault in found for found in faults_of(Message("The provider {provider} is gone.", wrong)))

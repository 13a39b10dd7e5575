"""The texts of a report keep their templates and facts, so that they can be told in any language."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from jupyter_oidc.diagnostics import Check, DiagnosticContext, examine
from jupyter_oidc.diagnostics.check import Subject
from jupyter_oidc.diagnostics.examination import Report
from jupyter_oidc.diagnostics.report import as_json, as_text
from jupyter_oidc.language import N_, Sentence, joined, sentence
from jupyter_oidc.problems import ConfigurationInvalid
from jupyter_oidc.settings import Finding
from tests.support.told import catalogued, unknown
from tests.unit.diagnostics.contexts import CORP, Answering, diagnostic_context, named

OF_OTHERS = {"keyring", "encrypted file", "storage"}
"""The checks whose texts are those of an adapter, for which a stand-in is here."""

ABOUT = Subject(N_("client secret"), "corp")


def examined(context: DiagnosticContext) -> tuple[Check, ...]:
    return asyncio.run(examine(context)).checks


def every_text(check: Check) -> list[str]:
    return [check.name, check.message, *([check.action] if check.action else [])]


def test_every_text_of_a_report_is_a_sentence() -> None:
    for port in (Answering(), Answering(discovery=ConfigurationInvalid())):
        checks = examined(diagnostic_context(port))
        assert all(isinstance(text, Sentence) for check in checks for text in every_text(check))


def test_every_text_of_a_report_is_in_the_catalogues() -> None:
    """What a catalogue lacks is told in English among sentences of another language."""
    report = examined(diagnostic_context()) + examined(diagnostic_context(provider=replace(CORP, redirect_uri=None)))
    ours = [check for check in report if check.name not in OF_OTHERS]
    assert [
        found for check in ours for text in every_text(check) for found in unknown(joined(text), catalogued())
    ] == []


def test_a_check_of_an_api_is_named_by_a_template() -> None:
    name = named(examined(diagnostic_context()), "API orders").name
    assert isinstance(name, Sentence)
    assert (name.template, name.facts) == ("API {api}", {"api": "orders"})


def test_a_mistake_of_the_settings_is_told_with_its_facts() -> None:
    context = diagnostic_context(
        settings=None, findings=(Finding("providers.corp.issuer", N_("is missing"), N_("Write it."), "missing"),)
    )
    (check,) = examined(context)
    assert check.message == "providers.corp.issuer is missing (missing)."
    assert isinstance(check.message, Sentence)
    assert check.message.template == "{key} {problem} ({kind})."
    assert [check.message.facts[name].template for name in ("problem", "kind")] == ["is missing", "missing"]


@pytest.mark.parametrize("fault", ["is no text in UTF-8", "is empty or does not exist"])
@pytest.mark.parametrize("scheme", ["env", "file", "keyring"])
def test_the_name_of_a_reference_is_in_no_text_and_no_fact(scheme: str, fault: str) -> None:
    """A path can hold a person's name, and users paste reports in public."""
    name = "/home/jane'doe\n/secret"
    facts = {"what": sentence("client secret"), "scheme": scheme, "name": name}
    message = Sentence(f"The {{what}} '{{scheme}}:{{name}}' {fault}.", facts)
    problem = ConfigurationInvalid(message, action=sentence("Look at {scheme}.", scheme=scheme, name=name))
    check = ABOUT.failed(problem)
    assert check.message == f"The client secret ({scheme}) {fault}."
    assert isinstance(check.message, Sentence)
    assert check.message.template == f"The {{what}} ({{scheme}}) {fault}."
    assert "jane" not in json.dumps(as_json(Report((check,))))


@pytest.mark.parametrize(
    "message",
    [
        "The key 'file:/home/jane/key' is no key.",
        sentence("The {thing} '{place}' is no key.", thing="key", place="file:/home/jane/key"),
        joined(sentence("One."), sentence("The key '{place}' is no key.", place="env:jane")),
    ],
)
def test_a_reference_in_a_sentence_that_is_not_known_here_is_hidden_too(message: str) -> None:
    check = ABOUT.failed(ConfigurationInvalid(message))
    assert "is no key." in check.message
    assert "jane" not in json.dumps(as_json(Report((check,))))


def test_a_sentence_of_a_failure_keeps_what_it_shows() -> None:
    message = joined(sentence("The provider answers status {status}.", status=500, more="x"), sentence("Again."))
    check = ABOUT.failed(ConfigurationInvalid(message))
    assert isinstance(check.message, Sentence)
    assert [(leaf.template, leaf.facts) for leaf in check.message.leaves] == [
        ("The provider answers status {status}.", {"status": 500}),
        ("Again.", {}),
    ]


def test_the_json_of_a_report_has_sentences_that_are_told_when_it_is_sent() -> None:
    told = as_json(Report((ABOUT.warning(N_("It works."), N_("Look at it.")),)))["checks"][0]
    assert all(isinstance(told[key], Sentence) for key in ("name", "message", "action"))
    assert told["action_sentences"] == [{"id": "Look at it.", "params": {}}]


def test_the_summary_counts_each_kind() -> None:
    fine, warned = ABOUT.ok("It works."), ABOUT.warning("It works.", "Look at it.")
    assert as_text(Report((fine,))).endswith("\nAll 1 that were looked at are as they should be.")
    several = Report((warned, replace(warned, status="unknown"), replace(warned, status="problem"), warned))
    assert as_text(several).endswith("\n1 wrong, 1 not known from here, 2 seen, with advice, 0 seen as they should be.")

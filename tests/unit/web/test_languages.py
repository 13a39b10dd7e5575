"""Pages and errors in the language of their reader, and the sentences beside the texts (ADR 59)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_oidc.catalogue.operation import DocumentProblem, ReadDocument
from jupyter_oidc.catalogue.service import Listing
from jupyter_oidc.facts import facts
from jupyter_oidc.language import ENGLISH, Sentence, of_header, sentence, speaking
from jupyter_oidc.problems import IdpUnavailable, SignInDeclined
from jupyter_oidc.sessions.api import PersonQuestion, SignOutForm
from jupyter_oidc.web.pages import show_problem
from jupyter_oidc.web.problems import error_reply
from jupyter_oidc.web.reply import json_reply
from jupyter_oidc.web.routes.person import ask_person
from jupyter_oidc.web.sign_out_page import show_form
from jupyter_oidc.web.views import operations_view
from tests.unit.web.fakes import PlainFront, ScriptedSessions, call_of

GERMAN = of_header("de")


@pytest.mark.parametrize(("language", "tag"), [(GERMAN, "de-DE"), (ENGLISH, "en")])
def test_the_page_of_a_problem_names_its_language(language: str, tag: str) -> None:
    with speaking(language):
        page = show_problem(PlainFront(), SignInDeclined())
    assert page.header("Content-Language") == tag
    assert f'<html lang="{tag}">'.encode() in page.body


def test_the_page_that_sends_a_browser_to_the_providers_sign_out_names_its_language() -> None:
    at = "https://id.example.com"
    form = SignOutForm("p1", f"{at}/out", "post", (at,), f"{at}/out", fields=(("state", "s"),), binding="b1")
    with speaking(GERMAN):
        page = show_form(form, "n1")
    assert page.header("Content-Language") == "de-DE"
    assert b'<html lang="de-DE">' in page.body


@pytest.mark.parametrize(("language", "tag"), [(GERMAN, "de-DE"), (ENGLISH, "en")])
def test_an_error_names_its_language_and_its_sentences(language: str, tag: str) -> None:
    problem = IdpUnavailable(retry_after=30).at(facts(provider="corp"))
    with speaking(language):
        reply = error_reply(problem, "r1")
    body = json.loads(reply.body)
    assert reply.header("Content-Language") == tag
    assert body["message_sentences"] == [
        {"id": "The provider{provider_name} cannot be reached at the moment.", "params": {"provider": "corp"}}
    ]
    assert body["action_sentences"] == [{"id": "Try again in {seconds}.", "params": {"seconds": 30}}]


def test_the_phrase_behind_the_status_stays_english() -> None:
    with speaking(GERMAN):
        reply = error_reply(SignInDeclined(), "r1")
    assert (reply.reason or "").startswith("The sign-in was declined at the provider.")


async def test_a_page_keeps_the_names_of_people_as_facts() -> None:
    question = PersonQuestion(now="Ada", instead="<b>Grace</b>", is_over=False)
    reply = await ask_person(call_of(ScriptedSessions(question=question), query="flow=f1"), "corp")
    assert b"You are signed in as Ada. Sign in as &lt;b&gt;Grace&lt;/b&gt; instead?" in reply.body


def test_a_problem_of_a_document_has_its_sentences_beside_it() -> None:
    broken = DocumentProblem("#/paths", sentence("There are more than {number} parameters.", number=100))
    listing = Listing("orders", ReadDocument("Orders", "1", "3.1.0", problems=(broken,)))
    with speaking(GERMAN):
        told: dict[str, Any] = json.loads(json_reply(operations_view(listing)).body)
    assert told["problems"][0]["message_sentences"] == [
        {"id": "There are more than {number} parameters.", "params": {"number": 100}}
    ]


def test_what_a_peer_said_is_no_template() -> None:
    problem = SignInDeclined(sentence("The provider says {text}.", text="{provider} {secret}"))
    placed = problem.at(facts(provider="corp"))
    assert placed.message == "The provider says {provider} {secret}."
    assert isinstance(placed.message, Sentence)
    assert placed.message.leaves[0].template == "The provider says {text}."

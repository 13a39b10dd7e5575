"""Commands speak the language of the terminal, and machines read English."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from traitlets.utils.importstring import import_item

from jupyter_oidc.cli.app import FLAGS, Main, takes_any_letter
from jupyter_oidc.cli.config import Config
from jupyter_oidc.cli.findings import told_finding, told_note
from jupyter_oidc.cli.running import RunningServer, fetch_server_checks, refusal_in, sentences_of
from jupyter_oidc.cli.session import Status
from jupyter_oidc.cli.settings_files import read_alone
from jupyter_oidc.cli.yes_or_no import choice, is_yes
from jupyter_oidc.contract.announcement import Announcement, these_processes, this_machine
from jupyter_oidc.language import CATALOGUES, ENGLISH, Sentence, _, on_the_wire, sentence, speaking
from jupyter_oidc.settings import Finding
from tests.support.catalogues import templates
from tests.unit.kernel.fake_server import FakeServer

OVER = sentence("The session of '{provider}' is over.", provider="corp")
AGAIN = sentence("Sign in again.")
REFUSAL = {
    "error": "session_expired",
    "code": "session_expired",
    "message": str(OVER),
    "action": str(AGAIN),
    "message_sentences": on_the_wire(OVER),
    "action_sentences": on_the_wire(AGAIN),
}
COMMANDS = dict(Main.class_traits()["subcommands"].default() or {})
CONFIG = dict(Config.class_traits()["subcommands"].default() or {})


@pytest.fixture
def fake_server() -> Iterator[FakeServer]:
    with FakeServer() as opened:
        yield opened


def marked() -> set[str]:
    """Return every template that the catalogues hold."""
    found: set[str] = set()
    for message in templates():
        found.update([message.id] if isinstance(message.id, str) else message.id)
    return found


def help_of(path: str) -> Iterator[str]:
    """Yield the texts of the help of one command."""
    command = import_item(path)
    yield from str(command.description).split("\n\n")
    traits = command.class_traits()
    for entries in (traits["flags"].default() or {}, traits["subcommands"].default() or {}):
        yield from (text for _where, text in entries.values())
    for name, trait in command.class_own_traits(config=True).items():
        assert trait.help, name
        yield trait.help


def test_every_text_of_the_help_is_in_the_catalogues() -> None:
    paths = ["jupyter_oidc.cli.app.Main", *(where for where, _text in (*COMMANDS.values(), *CONFIG.values()))]
    texts = {text for path in paths for text in help_of(path)} | {text for _config, text in FLAGS.values()}
    assert len(texts) > 80
    assert texts - marked() == set()


@pytest.mark.parametrize("language", [ENGLISH, *CATALOGUES.values()])
def test_y_and_yes_agree_in_every_language_and_so_does_the_word_of_here(language: str) -> None:
    with speaking(language):
        assert all(is_yes(answer) for answer in ("y", "Y", "yes", " Yes ", _("yes"), _("yes")[0].upper()))
        assert not any(is_yes(answer) for answer in ("", "n", "no", "yet", "non", "nein"))


def test_the_hint_of_a_question_says_what_an_empty_answer_means() -> None:
    assert (choice(default=True), choice(default=False)) == ("[Y/n]", "[y/N]")


def test_a_refusal_keeps_its_sentences() -> None:
    message, action = sentences_of(REFUSAL)
    assert isinstance(message, Sentence)
    assert isinstance(action, Sentence)
    assert (message.template, message.facts) == ("The session of '{provider}' is over.", {"provider": "corp"})


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (REFUSAL, (OVER, AGAIN)),
        ({**REFUSAL, "message_sentences": [{"id": "{provider}", "params": {"provider": "x"}}]}, (OVER, AGAIN)),
        ({**REFUSAL, "message_sentences": ["?"], "action_sentences": 7}, (OVER, AGAIN)),
        ({"message": "No."}, ("No.", "")),
        ({}, ("", "")),
    ],
)
def test_a_refusal_of_any_shape_is_told(sent: dict[str, object], told: tuple[str, str]) -> None:
    assert refusal_in(sent) == told


def test_a_check_of_a_running_server_is_english_and_can_be_told(fake_server: FakeServer, tmp_path: Path) -> None:
    where = Announcement(fake_server.url, None, None, False, this_machine(), os.getpid(), these_processes())
    running = RunningServer(fake_server.url, "token", tmp_path / "jupyter-oidc-x.json", where)
    texts = {name: REFUSAL[name] for name in ("message", "action", "message_sentences", "action_sentences")}
    check = {"name": "session", "provider": "corp", "status": "problem", "who": "user", **texts}
    fine = {**check, "status": "ok", "action": None, "action_sentences": [], "who": None}
    fake_server.answers("GET", "jupyter-oidc/diagnostics", {"ok": False, "checks": [check, fine]})
    wrong, right = asyncio.run(fetch_server_checks(running))
    assert (wrong.message, wrong.action, right.action) == (OVER, AGAIN, None)
    assert isinstance(wrong.message, Sentence)
    assert wrong.message.template == OVER.template


def test_a_mistake_and_a_note_are_told_in_one_line() -> None:
    finding = Finding(sentence("file {path}", path="a.json"), sentence("is not JSON"), sentence("Correct it."))
    assert told_finding(finding) == "malformed: file a.json: is not JSON. Correct it."
    assert told_note(sentence("one of yours is ignored")) == "One of yours is ignored."


def test_a_sentence_is_told_where_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    Status().write_stdout(OVER)
    Status().write_stderr(AGAIN)
    assert capsys.readouterr() == (f"{OVER}\n", f"{AGAIN}\n")


def test_a_letter_that_the_terminal_lacks_ends_no_command() -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii")
    takes_any_letter(stream)
    takes_any_letter(None)
    stream.write("\N{LATIN SMALL LETTER U WITH DIAERESIS}ber")
    stream.flush()
    assert written.getvalue() == b"?ber"


def test_the_mistakes_of_a_file_are_sentences(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"JupyterOIDC": {"provders": {}}}), encoding="utf-8")
    (unknown,) = read_alone(str(path)).findings
    key, problem, instead = unknown.key, unknown.problem, unknown.instead
    assert isinstance(key, Sentence)
    assert isinstance(problem, Sentence)
    assert isinstance(instead, Sentence)
    assert (key.template, problem.template) == ("file {path}: {key}", "is not a known key")
    assert (instead, instead.facts) == ("Did you mean 'providers'?", {"name": "providers"})

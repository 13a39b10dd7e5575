"""A command beside a server of another version reads what it knows, and says once which side is older (ADR 48)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.cli.running import RunningServer, ServerError, fetch_server_checks
from jupyter_oidc.cli.session import _paragraph
from jupyter_oidc.contract.announcement import Announcement, these_processes, this_machine
from tests.contract import fixtures
from tests.unit.kernel.fake_server import Answer, FakeServer, refusal

SESSION = "jupyter-oidc/providers/corp/session"
NEWER = (
    "The Jupyter server has a jupyter_oidc that is newer than that of this command (contract 2 there, 1 here). What is new "
    "there is not understood here. Run the jupyter_oidc of the server's environment."
)


@pytest.fixture
def fake_server() -> Iterator[FakeServer]:
    with FakeServer() as opened:
        yield opened


@pytest.fixture
def running(fake_server: FakeServer, tmp_path: Path) -> RunningServer:
    where = Announcement(fake_server.url, None, None, False, this_machine(), os.getpid(), these_processes())
    return RunningServer(fake_server.url, "token", tmp_path / "jupyter-oidc-x.json", where)


def added(name: str, shows: str = "added members") -> dict[str, Any]:
    """Return what a server of the next version replies."""
    (reply,) = [one["reply"] for one in fixtures.of_next_version() if (one["contract"], one["shows"]) == (name, shows)]
    return dict(reply)


def test_a_newer_server_is_told_once_and_what_is_known_is_read(
    fake_server: FakeServer, running: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_server.answers("GET", "jupyter-oidc/providers", Answer(added("providers.reply"), contract=2))
    fake_server.answers("GET", SESSION, Answer(added("session.reply"), contract=2))
    assert [one["name"] for one in running.call("GET", "jupyter-oidc/providers")["providers"]] == ["corp"]
    assert "added_later" not in running.call("GET", SESSION)
    assert capsys.readouterr() == ("", f"{NEWER}\n")


def test_a_server_of_before_there_was_a_number_is_told_and_read(
    fake_server: FakeServer, running: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_server.answers("GET", SESSION, Answer(fixtures.replies_of(0, "session.reply")[0], contract=None))
    lines = _paragraph(running.call("GET", SESSION))
    assert lines[-1] == "    API orders: Whether a call works is not known here"
    assert "is older than that of this command (contract 0 there, 1 here)" in capsys.readouterr().err


def test_the_same_version_is_not_worth_a_word(
    fake_server: FakeServer, running: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_server.answers("GET", SESSION, added("session.reply"))
    running.call("GET", SESSION)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("member", "line"),
    [
        ("state", 'corp: State not known\n    The server calls it "added-later".'),
        ("storage", "renewed by itself; kept in: added-later"),
        ("sharing", "This server may be shared: whose kernels call APIs as you is not known here."),
        ("apis.0.readiness", "API orders: Whether a call works is not known here (added-later)"),
    ],
)
def test_an_added_word_is_shown(fake_server: FakeServer, running: RunningServer, member: str, line: str) -> None:
    fake_server.answers("GET", SESSION, added("session.reply", f"{member} with an added word"))
    assert line in "\n".join(_paragraph(running.call("GET", SESSION)))


def test_an_added_code_is_told_with_message_and_action(fake_server: FakeServer, running: RunningServer) -> None:
    fake_server.answers("GET", SESSION, refusal("added_later", 451))
    with pytest.raises(ServerError) as refused:
        running.call("GET", SESSION)
    assert (refused.value.message, refused.value.action, refused.value.refusal) == (
        "It did not work.",
        "Try something else.",
        "added_later",
    )


def test_a_reply_of_another_shape_is_refused_with_advice(fake_server: FakeServer, running: RunningServer) -> None:
    fake_server.answers("GET", SESSION, {"state": 7})
    with pytest.raises(ServerError, match="an answer that cannot be used") as refused:
        running.call("GET", SESSION)
    assert refused.value.action.startswith("Install the same version of jupyter_oidc here and there")


def test_a_server_without_the_extension_is_not_called_old(
    running: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ServerError, match="does not have jupyter_oidc"):
        running.call("GET", SESSION)
    assert capsys.readouterr().err == ""


def test_doctor_has_a_check_of_the_version_and_takes_a_status_that_it_does_not_know_for_unknown(
    fake_server: FakeServer, running: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    reply = added("diagnostics.reply", "checks.0.status with an added word")
    reply["checks"] = [{**reply["checks"][0], "name": "session"}]
    fake_server.answers("GET", "jupyter-oidc/diagnostics", Answer(reply, contract=2))
    version, session = asyncio.run(fetch_server_checks(running))
    assert (version.name, version.status, version.message) == ("running server", "warning", NEWER)
    assert (session.name, session.status) == ("session", "unknown")
    assert capsys.readouterr().err == ""

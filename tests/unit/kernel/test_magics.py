"""``%oidc status|sign-in|sign-out|sessions|apis [name]`` runs in a real IPython shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import jupyter_oidc
from jupyter_oidc.kernel.errors import UnknownProvider
from tests.unit.kernel.fake_server import ORDERS, SIGNED_OUT, SUMMARY, FakeServer, refusal

HELP = """%oidc status   [provider]   who is signed in
%oidc sign-in  [provider]   sign in
%oidc sign-out [provider]   sign out
%oidc sessions              the sessions of all providers
%oidc apis     [api]        the APIs, or one of them
"""
SESSION = "jupyter-oidc/providers/corp/session"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> InteractiveShell:
    settings = Config(HistoryManager={"enabled": False})
    folder = str(tmp_path_factory.mktemp("ipython"))
    shell = InteractiveShell(config=settings, ipython_dir=folder)  # type: ignore[no-untyped-call]  # NOTE: IPython's own
    jupyter_oidc.load_ipython_extension(shell)
    return shell


@pytest.fixture
def magic(shell: InteractiveShell, kernel: FakeServer) -> Callable[..., Any]:
    kernel.answers(
        "GET",
        "jupyter-oidc/providers",
        {"providers": [{"name": "corp", "issuer": "https://id.example.com", "state": "active"}]},
    )
    kernel.answers("GET", SESSION, SUMMARY)
    return lambda line: shell.run_line_magic("oidc", line)


@pytest.mark.parametrize("line", ["status", "status corp", "", "  status   corp  "])
def test_status_is_the_session(magic: Callable[..., Any], line: str) -> None:
    assert magic(line).state == "active"


@pytest.mark.parametrize("line", ["sign-in", "sign-in corp"])
def test_sign_in_is_the_session(magic: Callable[..., Any], line: str) -> None:
    assert magic(line).state == "active"


@pytest.mark.parametrize("line", ["sign-out", "sign-out corp"])
def test_sign_out_tells_what_happened(magic: Callable[..., Any], kernel: FakeServer, line: str) -> None:
    done = {"local": "done", "revoked": "done", "end_session_url": None, "end_session_address": None}
    kernel.answers("POST", "jupyter-oidc/providers/corp/sign-out", done)
    assert magic(line).revoked == "done"


def test_the_provider_of_a_magic_is_the_second_word(magic: Callable[..., Any], kernel: FakeServer) -> None:
    kernel.answers("GET", "jupyter-oidc/providers/lab/session", {**SIGNED_OUT, "provider": "lab"})
    assert magic("status lab").provider == "lab"


@pytest.mark.parametrize("line", ["help", "login", "Status", "--help", "status corp more", "sign_in", "sessions corp"])
def test_an_unknown_word_prints_the_usage(
    magic: Callable[..., Any], capsys: pytest.CaptureFixture[str], line: str
) -> None:
    assert magic(line) is None
    assert capsys.readouterr().out == HELP


def test_an_unknown_word_calls_nobody(magic: Callable[..., Any], kernel: FakeServer) -> None:
    magic("login")
    assert kernel.received == []


def test_a_magic_raises_what_the_call_raises(magic: Callable[..., Any], kernel: FakeServer) -> None:
    kernel.answers("GET", "jupyter-oidc/providers/nowhere/session", refusal("unknown_provider", 404))
    with pytest.raises(UnknownProvider):
        magic("status nowhere")


def test_the_words_are_completed(shell: InteractiveShell) -> None:
    with provisionalcompleter():
        offered = {completion.text for completion in shell.Completer.completions("%oidc sign", 10)}
    assert {"sign-in", "sign-out"} <= offered


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%oidc ", {"status", "sign-in", "sign-out", "sessions", "apis"}),
        ("%oidc status ", {"corp", "lab"}),
        ("%oidc sign-in l", {"lab"}),
        ("%oidc apis ", {"orders", "stock"}),
        ("%oidc apis or", {"orders"}),
    ],
)
def test_the_names_behind_a_verb_are_completed(
    magic: Callable[..., Any], shell: InteractiveShell, kernel: FakeServer, line: str, expected: set[str]
) -> None:
    issuer = {"issuer": "https://id.example.com", "state": "active"}
    kernel.answers(
        "GET", "jupyter-oidc/providers", {"providers": [{"name": "corp", **issuer}, {"name": "lab", **issuer}]}
    )
    kernel.answers("GET", "jupyter-oidc/apis", {"apis": [ORDERS, {**ORDERS, "name": "stock"}]})
    with provisionalcompleter():
        offered = {completion.text for completion in shell.Completer.completions(line, len(line))}
    assert expected <= offered
    assert not {"orders", "stock", "corp", "lab"} & offered - expected


def test_the_apis_are_a_table(magic: Callable[..., Any], kernel: FakeServer) -> None:
    kernel.answers("GET", "jupyter-oidc/apis", {"apis": [ORDERS]})
    assert [api.name for api in magic("apis")] == ["orders"]


def test_one_api_is_its_client(magic: Callable[..., Any], kernel: FakeServer) -> None:
    kernel.answers("GET", "jupyter-oidc/apis", {"apis": [ORDERS]})
    assert magic("apis orders").api_name == "orders"


def test_the_sessions_are_a_table(magic: Callable[..., Any]) -> None:
    assert [session.provider for session in magic("sessions")] == ["corp"]


def test_loading_twice_is_loading_once(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    jupyter_oidc.load_ipython_extension(shell)
    shell.run_line_magic("oidc", "help")
    assert capsys.readouterr().out == HELP

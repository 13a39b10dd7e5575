"""The strategy of a sign-in follows the reference's table, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jupyter_oidc.language import sentence
from jupyter_oidc.problems import ConfigurationInvalid, RequestInvalid
from jupyter_oidc.sessions.strategy import Choice, Impossible, choose, pins_server
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment

CALLBACK = "/jupyter-oidc/providers/corp/callback"
PUBLIC = "https://hub.example.com" + CALLBACK
OWN_PORT = "http://localhost:8888" + CALLBACK
ANY_PORT = "http://127.0.0.1/cb"


def chosen(wish: Any = "auto", browser: Any = "here", *, device: bool = True, **settings: Any) -> Choice | Impossible:
    return choose(replace(SETTINGS, **settings), offers_device=device, browser=browser, requested=wish)


@pytest.mark.parametrize(
    ("uri", "browser", "device", "strategy"),
    [
        (None, "here", True, "server"),
        (None, "here", False, "server"),
        (None, "elsewhere", True, "device"),
        (None, "unknown", True, "device"),
        (None, "elsewhere", False, "server"),
        (PUBLIC, "elsewhere", True, "server"),
        (PUBLIC, "here", True, "server"),
        (PUBLIC, "unknown", False, "server"),
        (OWN_PORT, "here", True, "server"),
        (OWN_PORT, "unknown", True, "server"),
        (OWN_PORT, "elsewhere", True, "device"),
        (OWN_PORT, "elsewhere", False, "paste"),
        (ANY_PORT, "here", True, "loopback"),
        ("http://localhost/cb", "here", True, "loopback"),
        ("http://[::1]/cb", "here", True, "loopback"),
        (ANY_PORT, "unknown", True, "loopback"),
        (ANY_PORT, "elsewhere", True, "device"),
        (ANY_PORT, "elsewhere", False, "paste"),
    ],
)
def test_auto_goes_by_what_is_configured_advertised_and_reachable(
    uri: str | None, browser: str, device: bool, strategy: str
) -> None:
    choice = chosen(browser=browser, device=device, redirect_uri=uri)
    assert isinstance(choice, Choice)
    assert (choice.strategy, choice.reason.endswith(".")) == (strategy, True)


def test_an_answer_by_form_is_never_caught_or_pasted() -> None:
    own: dict[str, Any] = {"redirect_uri": OWN_PORT, "response_mode": "form_post"}
    assert chosen(**own) == Choice("server", sentence("The redirect_uri leads to this server."))
    assert chosen(browser="elsewhere", device=False, **own) == Choice(
        "server", sentence("The redirect_uri leads to this server.")
    )


@pytest.mark.parametrize("strategy", ["server", "loopback", "device", "paste"])
def test_what_the_settings_say_is_done(strategy: str) -> None:
    uri = {"server": OWN_PORT, "loopback": ANY_PORT, "device": None, "paste": ANY_PORT}[strategy]
    choice = chosen(redirect_strategy=strategy, redirect_uri=uri)
    assert isinstance(choice, Choice)
    assert (choice.strategy, choice.reason) == (strategy, f"The settings say '{strategy}'.")


@pytest.mark.parametrize("strategy", ["server", "loopback", "device", "paste"])
def test_what_is_asked_for_is_done_where_the_settings_leave_the_choice(strategy: Any) -> None:
    uri = ANY_PORT if strategy in ("loopback", "paste") else None
    assert chosen(strategy, redirect_uri=uri) == Choice(strategy, sentence("It was asked for."))


@pytest.mark.parametrize("wish", ["loopback", "device", "paste"])
def test_nobody_asks_for_another_way_than_the_administrator_allows(wish: Any) -> None:
    """A kernel must not choose codes, which can be phished, where the settings say 'server'."""
    refused = chosen(wish, redirect_strategy="server")
    assert isinstance(refused, Impossible)
    assert refused.reason == "The settings of this provider allow the strategy 'server' only."
    assert isinstance(refused.problem(), RequestInvalid)


@pytest.mark.parametrize(
    ("strategy", "browser", "device", "settings", "words"),
    [
        ("device", "here", False, {}, "does not advertise sign-in by code"),
        ("loopback", "elsewhere", True, {}, "not on the machine of this server"),
        ("loopback", "here", True, {"redirect_uri": PUBLIC}, "not a loopback address"),
        ("loopback", "here", True, {"response_mode": "form_post"}, "'form_post'"),
        ("paste", "here", True, {}, "needs a redirect_uri"),
        ("paste", "here", True, {"redirect_uri": PUBLIC, "response_mode": "form_post"}, "'form_post'"),
        ("server", "here", True, {"redirect_uri": ANY_PORT}, "does not lead to this server's callback"),
    ],
)
def test_what_is_impossible_is_refused_with_what_to_do(
    strategy: Any, browser: str, device: bool, settings: dict[str, Any], words: str
) -> None:
    """The mistake is the caller's if they asked for it, and the administrator's if the settings say so."""
    for more, wish, kind in (
        ({}, strategy, RequestInvalid),
        ({"redirect_strategy": strategy}, "auto", ConfigurationInvalid),
    ):
        refused = chosen(wish, browser, device=device, **settings, **more)
        assert isinstance(refused, Impossible)
        problem = refused.problem()
        assert (type(problem), words in problem.message, problem.action != "") == (kind, True, True)


@pytest.mark.parametrize(
    ("strategy", "uri", "pinned"),
    [
        ("auto", None, False),
        ("auto", PUBLIC, True),
        ("server", PUBLIC, True),
        ("auto", ANY_PORT, False),
        ("paste", PUBLIC, False),
        ("loopback", OWN_PORT, False),
        ("device", PUBLIC, False),
    ],
)
def test_only_a_redirect_uri_of_this_server_says_where_a_browser_has_to_start(
    strategy: Any, uri: str | None, pinned: bool
) -> None:
    assert pins_server(replace(SETTINGS, redirect_strategy=strategy, redirect_uri=uri)) is pinned


async def test_the_choice_is_there_for_diagnostics() -> None:
    choice = await FakeEnvironment().service.sign_ins.choice("here")
    assert choice == Choice("server", sentence("The browser reaches this server at a loopback address."))

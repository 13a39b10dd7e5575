"""The facts of an error and the sentences that are written from them."""

from __future__ import annotations

import copyreg
from collections.abc import Iterator

import pytest
from tblib import pickling_support

from jupyter_oidc import problems
from jupyter_oidc.facts import MAX_LISTED, choices, facts
from jupyter_oidc.language import Sentence, needs
from jupyter_oidc.problems import (
    BY_CODE,
    IdpUnavailable,
    MethodNotAllowed,
    RouteForbidden,
    UnknownApi,
    UpstreamUnreachable,
)

OPEN = facts(api="orders", method="DELETE", methods=("GET", "HEAD", "POST"), paths=("/items",))


def test_a_method_that_is_not_open_is_told_with_what_is_open_and_what_to_do() -> None:
    problem = MethodNotAllowed(params=OPEN)
    assert (problem.message, problem.action) == (
        "The API 'orders' does not open DELETE. It opens GET, HEAD and POST below /items.",
        "Use one of these, or ask your administrator to add DELETE to the API's methods.",
    )


def test_without_facts_the_sentence_is_the_plain_one() -> None:
    assert MethodNotAllowed().message == MethodNotAllowed(params=OPEN).title == "This HTTP method is not allowed here."


def test_the_place_adds_what_the_code_that_decided_did_not_know() -> None:
    problem = UpstreamUnreachable("The API{api_name} broke off its answer.").at(facts(api="orders", provider="corp"))
    assert (problem.message, problem.action) == (
        "The API 'orders' broke off its answer.",
        "Try again, or ask the owner of the API 'orders'.",
    )


def test_a_fact_of_the_problem_is_not_replaced_by_that_of_the_place() -> None:
    assert MethodNotAllowed(params=facts(api="orders")).at(facts(api="items")).params == {"api": "orders"}


@pytest.fixture(params=["alone", "beside Dask"])
def copied_otherwise(request: pytest.FixtureRequest) -> Iterator[None]:
    """Python copies an exception of ours as always, or as tblib does, which Dask installs in whatever imports it."""
    if request.param == "beside Dask":
        pickling_support.install(IdpUnavailable)
    else:
        copyreg.dispatch_table.pop(IdpUnavailable, None)
    yield
    copyreg.dispatch_table.pop(IdpUnavailable, None)


@pytest.mark.usefixtures("copied_otherwise")
def test_a_problem_that_several_callers_share_stays_as_it_is() -> None:
    shared = IdpUnavailable(retry_after=5.0)
    told = shared.at(facts(provider="corp"))
    assert (told.message, str(told.bare().message), told.code, told.retry_after, str(told)) == (
        "The provider 'corp' cannot be reached at the moment.",
        "The provider cannot be reached at the moment.",
        "idp_unavailable",
        5.0,
        "The provider cannot be reached at the moment.",
    )
    assert (told.message, told.params) != (shared.message, shared.params)
    assert (shared.message, shared.params) == ("The provider cannot be reached at the moment.", {"seconds": 5})


def test_the_seconds_to_wait_are_a_fact() -> None:
    assert IdpUnavailable(retry_after=0.2).action == "Try again in 1 second."
    assert IdpUnavailable(retry_after=29.1).params == {"seconds": 30}


def test_a_caller_who_is_not_known_learns_no_fact_of_the_settings() -> None:
    bare = UnknownApi(params=choices("api", "order", ["orders", "items"])).bare()
    assert (bare.message, bare.action, bare.params) == (
        "No API of this name is configured.",
        "Check the name against the list of APIs.",
        {},
    )


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("order", "No API is called 'order'. Did you mean 'orders'?"),
        ("ORDERS", "No API is called 'ORDERS'. Did you mean 'orders'?"),
        ("weather", "No API is called 'weather'."),
        ("<script>", "No API of this name is configured."),
        ("x' Send your password to 'evil", "No API of this name is configured."),
        ("a" * 64, "No API of this name is configured."),
        ("", "No API of this name is configured."),
    ],
)
def test_a_name_that_is_none_is_told_with_the_names_that_exist(wanted: str, message: str) -> None:
    problem = UnknownApi(params=choices("api", wanted, ["items", "orders"]))
    assert problem.message == message
    assert sorted(str(name) for name in problem.params["names"]) == ["items", "orders"]  # type: ignore[union-attr]


def test_the_nearest_name_comes_first_and_a_long_list_is_cut() -> None:
    told = choices("api", "orders", [f"api-{number}" for number in range(100)] + ["orders2"])
    assert (told["nearest"], len(told["names"])) == ("orders2", MAX_LISTED)  # type: ignore[arg-type]
    assert told["names"][0] == "orders2"  # type: ignore[index]
    assert Sentence("'{names}'", told) == "'orders2', 'api-0', 'api-1', 'api-2', 'api-3' and 15 more"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/a\r\nSet-Cookie: x", "/a\\x0d\\x0aSet-Cookie: x"),
        ("/\u202egpj.exe", "/\\x202egpj.exe"),
        ("/caf\xe9", "/caf\\xe9"),
        ("/it's", "/it%27s"),
        ("/" + "a" * 200, "/" + "a" * 96 + "..."),
    ],
)
def test_what_a_caller_sent_is_shown_in_printable_ascii_and_cut(path: str, shown: str) -> None:
    problem = RouteForbidden(params=facts(api="orders", path=path, paths=("/items", "/orders")))
    assert problem.message == f"The API 'orders' does not open '{shown}'. It opens what is below /items and /orders."


def test_braces_in_a_text_of_somebody_else_are_left() -> None:
    assert UpstreamUnreachable("It says {secret} and {0} and {__class__}.").message == (
        "It says {secret} and {0} and {__class__}."
    )


def test_nothing_is_no_fact() -> None:
    assert facts(api=None, provider="", methods=(), paths=[]) == {}


@pytest.mark.parametrize("code", sorted(BY_CODE))
def test_every_exact_sentence_of_a_code_can_be_reached_and_is_whole(code: str) -> None:
    """The most exact one comes first, a placeholder is always filled, and the title holds no fact."""
    kind = BY_CODE[code]
    every = {
        "api": "orders",
        "provider": "corp",
        "methods": ("GET",),
        "method": "PUT",
        "paths": ("/a",),
        "path": "/b",
        "scopes": ("s",),
        "names": ("n",),
        "nearest": "n",
        "caller": "kernel",
        "callers": ("browser",),
        "seconds": 5,
        "max_bytes": 9,
    }
    reached = []
    for message, action in kind.exact:
        wanted = needs(message + (action or ""))
        problem = kind(params={name: every[name] for name in wanted})  # type: ignore[misc]
        assert "{" not in problem.message + problem.action
        reached.append(problem.message)
    assert len(set(reached)) == len(kind.exact)
    for sentence in (kind().message, kind().action, kind().title):
        assert "{" not in sentence
        assert sentence.endswith((".", "?"))


def test_every_leaf_of_the_tree_is_known_by_its_code() -> None:
    assert problems.BY_CODE["method_not_allowed"] is MethodNotAllowed

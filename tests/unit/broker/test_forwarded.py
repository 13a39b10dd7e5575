"""What a server tells its broker about a request, and what it keeps to itself."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest

from jupyter_oidc.facts import facts
from jupyter_oidc.problems import BY_CODE, IdpUnavailable, NotSignedIn, RequestInvalid, RouteForbidden
from jupyter_oidc.web.forwarded import (
    connection_free,
    forwarded_in,
    headers_to_broker,
    problem_in,
    problem_text,
)
from tests.support.forwarded_facts import FORWARDED


def test_what_is_told_arrives_as_it_was() -> None:
    assert forwarded_in(FORWARDED.text()) == FORWARDED
    assert FORWARDED.text().isascii()
    assert (FORWARDED.kernel_id, replace(FORWARDED, caller_kind="user").kernel_id) == ("k1", None)
    assert FORWARDED.location.public_url() == "https://hub.example.com/user/ada/"


def test_a_newer_server_may_tell_more() -> None:
    """ADR 48: what is not known here is left out."""
    assert forwarded_in(json.dumps({**asdict(FORWARDED), "colour": "blue"})) == FORWARDED


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", '"x"', "1" * 500, "[" * 5_000),
        json.dumps({**asdict(FORWARDED), "host": "a\r\nSet-Cookie: b"}),
        json.dumps({**asdict(FORWARDED), "base_url": "//evil.example.com"}),
        json.dumps({**asdict(FORWARDED), "base_url": "/user/ada/\\..\\bob/"}),
        json.dumps({**asdict(FORWARDED), "base_url": "/user/ada/?x/"}),
        json.dumps({**asdict(FORWARDED), "base_url": "/user/ada/#x/"}),
        json.dumps({**asdict(FORWARDED), "public_url": "javascript:alert(1)//"}),
        json.dumps({**asdict(FORWARDED), "public_url": "https://evil.example\\.hub.example.com/"}),
        json.dumps({**asdict(FORWARDED), "public_url": "https://x@hub.example.com/"}),
        json.dumps({**asdict(FORWARDED), "origin": "https://evil.example\\.hub.example.com"}),
        json.dumps({**asdict(FORWARDED), "caller_kind": "root"}),
        json.dumps({**asdict(FORWARDED), "grant": "jog.abc"}),
        json.dumps({**asdict(FORWARDED), "caller_name": "a\x9bb"}),
        json.dumps({**asdict(FORWARDED), "server_name": "a\u2028b"}),
        json.dumps({**asdict(FORWARDED), "caller_name": "\ud800"}),
        json.dumps({name: value for name, value in asdict(FORWARDED).items() if name != "request_id"}),
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(RequestInvalid):
        forwarded_in(text)


def test_no_login_of_jupyters_is_handed_on() -> None:
    """C3: cookies, tokens, and what a client says in the name of a server."""
    lines = [
        ("Authorization", "token t-1"),
        ("Cookie", "username-localhost=u; jupyter-oidc-flow-f1=b1; _xsrf=x; jupyter-oidc-sign-out-p=b2"),
        ("Cookie", "jupyterhub-user-ada=h"),
        ("X-OIDC-Forwarded", "{}"),
        ("Connection", "keep-alive"),
        ("Transfer-Encoding", "chunked"),
        ("Content-Length", "3"),
        ("Host", "localhost:8888"),
        ("Referer", "http://localhost:8888/lab?token=t-1"),
        ("Accept-Language", "de"),
        ("X-Custom", "1"),
    ]
    assert headers_to_broker(lines) == [
        ("Cookie", "jupyter-oidc-flow-f1=b1; jupyter-oidc-sign-out-p=b2"),
        ("Referer", "http://localhost:8888/"),
        ("Accept-Language", "de"),
        ("X-Custom", "1"),
    ]


def test_an_answer_keeps_its_headers_but_not_those_of_its_connection() -> None:
    lines = [("Content-Length", "3"), ("ETag", '"1"'), ("Connection", "close"), ("Transfer-Encoding", "chunked")]
    assert connection_free(lines) == [("Content-Length", "3"), ("ETag", '"1"')]


@pytest.mark.parametrize("kind", BY_CODE.values(), ids=lambda kind: str(kind.code))
def test_a_problem_crosses_with_its_sentences_facts_and_seconds(kind: Any) -> None:
    problem = kind(retry_after=2.5, detail="a.b").at(
        facts(api="orders", provider="corp", path="/x", paths=["/a", "/b"])
    )
    there = problem_in(problem_text(problem))
    assert there is not None
    assert type(there) is kind
    assert (there.message, there.action, there.detail) == (problem.message, problem.action, "a.b")
    assert (there.params, there.retry_after) == (problem.params, 2.5)
    assert problem_text(problem).isascii()


def test_a_sentence_with_braces_stays_a_sentence() -> None:
    problem = RouteForbidden(params=facts(api="orders", path="/{id}", paths=["/{a}"]))
    there = problem_in(problem_text(problem))
    assert there is not None
    assert str(there.message) == str(problem.message)


@pytest.mark.parametrize("text", ["", "{", "{}", '{"code": "no_such"}', "[]", '{"code": [], "params": {}}'])
def test_a_problem_that_is_not_known_is_none(text: str) -> None:
    assert problem_in(text) is None


def test_problems_of_one_kind_are_told_apart_by_their_words() -> None:
    ours = NotSignedIn(action=IdpUnavailable().message)
    there = problem_in(problem_text(ours))
    assert there is not None
    assert there.action == ours.action

"""What a set-up says of the first session, and of the first answer of an API."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_oidc.cli.setup.api_probe import judge_answer, judge_refusal, path_to_probe
from jupyter_oidc.cli.setup.first_session import judge
from jupyter_oidc.diagnostics.check import Check, Subject

ADA = {
    "sub": "a",
    "name": "Ada",
    "username": "ada",
    "email": "ada@example.com",
    "email_verified": True,
    "picture": None,
}


def summary(**members: Any) -> dict[str, Any]:
    """Return the members of a summary that are judged."""
    return {"provider": "corp", "user": ADA, "expires_in": 299, "refreshable": True, "storage": "keyring", **members}


def named(name: str, told: tuple[Check, ...] = (), **members: Any) -> Check:
    """Return the check called ``name``."""
    (found,) = [check for check in judge(summary(**members), told) if check.name == name]
    return found


@pytest.mark.parametrize(
    ("user", "status", "says"),
    [
        (ADA, "ok", "The provider told name and e-mail address."),
        ({**ADA, "name": None}, "warning", "The provider told no name."),
        ({**ADA, "email": None}, "warning", "The provider told no e-mail address."),
        ({**ADA, "name": None, "email": None}, "warning", "The provider told neither a name nor an e-mail address."),
        (None, "warning", "The provider told neither a name nor an e-mail address."),
    ],
)
def test_what_is_known_of_the_person(user: Any, status: str, says: str) -> None:
    """Issue 16, 4: claims for name and e-mail address; what is missing is for the provider's administrator."""
    check = named("person", user=user)
    assert (check.status, check.message) == (status, says)
    assert check.who == (None if status == "ok" else "provider")


@pytest.mark.parametrize(
    ("members", "status", "says"),
    [
        ({}, "ok", "An access token lives 5 minutes and is renewed before it ends."),
        ({"expires_in": 36_000}, "ok", "An access token lives 10 hours and is renewed before it ends."),
        (
            {"expires_in": 20},
            "warning",
            "An access token lives 20 seconds, which makes the provider renew it all the time.",
        ),
        ({"refreshable": False}, "warning", "An access token lives 5 minutes, and the session ends with it."),
        ({"expires_in": None}, "unknown", "The provider does not say how long an access token lives."),
    ],
)
def test_how_long_a_token_lives(members: dict[str, Any], status: str, says: str) -> None:
    check = named("lifetime", **members)
    assert (check.status, check.message) == (status, says)


@pytest.mark.parametrize(
    ("storage", "status", "says"),
    [
        ("keyring", "ok", "The session is kept in the keyring, and goes on after a restart of the server."),
        (
            "encrypted-file",
            "ok",
            "The session is kept in an encrypted file, and goes on after a restart of the server.",
        ),
        ("memory", "warning", "The session is kept in memory, and ends with the server."),
    ],
)
def test_where_a_session_is_kept(storage: str, status: str, says: str) -> None:
    check = named("kept in", storage=storage)
    assert (check.status, check.message) == (status, says)


def test_the_servers_own_checks_of_the_session_are_taken_over_and_no_others() -> None:
    scopes = Subject("session's scopes", "corp").ok("All of them.")
    told = (scopes, Subject("session", "other").ok("x"), Subject("discovery", "corp").ok("y"))
    assert judge(summary(), told)[-1] == scopes
    assert len(judge(summary(), told)) == 4


@pytest.mark.parametrize(
    ("status", "expected", "says"),
    [
        (200, "ok", "The API answers 200 to GET /items."),
        (304, "ok", "The API answers 304 to GET /items."),
        (401, "problem", "usually because the token is meant for another audience"),
        (403, "problem", "a scope or a right is missing"),
        (404, "warning", "has nothing at /items"),
        (405, "ok", "The API is reached; it answers 405 to a bare GET of /items."),
        (410, "warning", "The API is reached, and answers 410 at /items."),
        (429, "warning", "asks for patience"),
        (503, "warning", "fails by itself"),
    ],
)
def test_what_the_status_of_an_api_means(status: int, expected: str, says: str) -> None:
    """Issue 16, 4: 401 audience, 403 scope, 404 path."""
    check = judge_answer("corp", "orders", "items", status)
    assert check.status == expected
    assert says in check.message


def test_a_refusal_of_the_proxy_is_told_in_its_words_and_moves_no_cursor() -> None:
    check = judge_refusal("corp", "orders", {"message": "No.\x1b[2J", "action": "Do."})
    assert (check.status, check.message, check.action) == ("problem", "No.\N{REPLACEMENT CHARACTER}[2J", "Do.")
    assert judge_refusal("corp", "orders", {}).message == "The proxy refused the call."


@pytest.mark.parametrize(
    ("api", "path"),
    [
        ({}, ""),
        ({"example": "items?limit=5"}, "items?limit=5"),
        ({"path_prefixes": ["/"]}, ""),
        ({"path_prefixes": ["/orders/", "/items"]}, "orders/"),
        ({"path_prefixes": ["/orders/", "/"]}, ""),
    ],
)
def test_the_path_that_is_called(api: dict[str, Any], path: str) -> None:
    assert path_to_probe(api) == path

"""Every reading that a server could make of a path is checked, and a refusal names the character (C1)."""

from __future__ import annotations

import time

import pytest

from jupyter_oidc.problems import BadPath, Problem
from jupyter_oidc.proxy.path import check_path


def refusal(path: str) -> str:
    """Return the message of a refusal of ``path`` less its beginning, another problem's code, or "" for a good path."""
    try:
        check_path(path)
    except BadPath as problem:
        return problem.message.partition(": ")[2]
    except Problem as problem:
        return problem.code
    return ""


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("%25u002e%25u002e/admin", "'%25' at character 1 is a percent sign in an escape."),
        ("a/b%25zz", "'%25' at character 4 is a percent sign in an escape."),
        ("caf%C3%A9/100%25", "'%25' at character 14 is a percent sign in an escape."),
        ("a%25", "'%25' at character 2 is a percent sign in an escape."),
    ],
)
def test_a_percent_sign_that_is_no_escape_after_a_decoding_is_refused(path: str, said: str) -> None:
    """Q8.10: the text after it may be another language's escape; ASP's ``%u002e`` is a dot (ECMAScript, B.2.1.2)."""
    assert refusal(path) == said


@pytest.mark.parametrize(
    "path",
    [
        *("..%C2%A5..%C2%A5x", "a/%E2%82%A9../x", "..%EF%BF%A5x", "a/..%EF%BF%A6x", "%EF%BC%8E%EF%BC%8E%EF%BF%A5x"),
        *("%E8%A1%A8../x", "a/%E3%82%BD..", "%E2%80%A6%E2%80%A6/x", "%E3%80%82%E3%80%82/x", "a/%C2%B7%C2%B7"),
    ],
)
def test_dots_beside_what_a_legacy_code_page_makes_a_backslash_or_a_dot_are_refused(path: str) -> None:
    """Q8.10: U+00A5 is 0x5C in JIS X 0201, U+20A9 in KS X 1003; and the second byte of some letters is 0x5C."""
    assert refusal(path).endswith(" is a dot segment.")


@pytest.mark.parametrize("path", ["..+/x", "a/..%2B/b", "a/+../b", "a/%2B."])
def test_dots_beside_a_plus_that_may_be_a_blank_are_refused(path: str) -> None:
    """Q8.10: a server that uses a form decoder for paths makes blanks of them, which others trim."""
    assert refusal(path).endswith(" is a dot segment.")


@pytest.mark.parametrize(
    "path",
    ["price/%C2%A5100", "%E8%A1%A8.csv", "%E3%82%BD%E3%83%BC%E3%82%B9/%E2%82%A9", "a%E3%80%82b", "a%2520b", "c+d/a+.b"],
)
def test_the_same_characters_away_from_dots_are_letters(path: str) -> None:
    assert refusal(path) == ""


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("items[0]", "'[' at character 6 is not allowed in a path (RFC 3986)."),
        ("a|b", "'|' at character 2 is not allowed in a path (RFC 3986)."),
        ("a b", "'\\x20' at character 2 is not allowed in a path (RFC 3986)."),
        ("x/caf\xe9", "'\\xe9' at character 6 is not allowed in a path (RFC 3986)."),
        ("x%2", "'%' at character 2 begins no escape."),
        ("a/../secret", "'..' at character 3 is a dot segment."),
        ("a/%2e%2e;v=secret/x", "'%2e%2e' at character 3 is a dot segment."),
        ("group%2Fsecret", "'%2F' at character 6 is a slash in an escape."),
        ("group%252fsecret", "'%252f' at character 6 is a slash in an escape."),
        ("a%5Csecret", "'%5C' at character 2 is a backslash in an escape."),
        ("a//secret", "'//' at character 2 is an empty segment."),
        ("/secret", "'/' at character 1 is a slash at the beginning."),
        ("@secret", "'@' at character 1 stands at the beginning."),
        ("a%00secret", "'%00' at character 2 is a control character."),
        ("a%ffsecret", "'%ff' at character 2 is no UTF-8."),
        ("a%EF%BC%8Fsecret", "'%EF%BC%8F' at character 2 looks like a slash, an escape or a user name."),
        ("a%25252525b", "'%2525' at character 2 has more than two layers of escapes."),
        (
            "..%2520%2520%2520%2520%2520secret/..%2520%2520%2520%2520%2520%2520%2520%2520/x",
            "'..%2520%2520' at character 35 is a dot segment.",
        ),
    ],
)
def test_a_refusal_names_the_character_and_its_place_and_nothing_more(path: str, said: str) -> None:
    """Q3.2: The kernel's client encodes what paths need."""
    assert refusal(path) == said
    assert "secret" not in said


def test_a_character_that_wants_an_escape_is_told_which() -> None:
    """Q3.2: RFC 3986, 2.1: the message names the escape."""
    with pytest.raises(BadPath) as refused:
        check_path("items[0]")
    assert refused.value.action == "Write it as %5B."


@pytest.mark.parametrize("path", ["%C3%A9" * 10_000, "a/" * 30_000 + "..", "%E8%A1%A8." * 6_000, "%25" * 20_000])
def test_a_path_made_of_escapes_holds_up_nobody(path: str) -> None:
    """C20: the longest head that the server takes is 64 KB."""
    begun = time.process_time()
    refusal(path)
    assert time.process_time() - begun < 1

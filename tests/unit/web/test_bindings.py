"""The server finds the browser's binding cookies among all other cookies of the jar."""

from __future__ import annotations

import pytest

from jupyter_oidc.web.cookies import sign_in_bindings
from jupyter_oidc.web.request import Caller, Headers, Request

OURS = "jupyter-oidc-flow-f1=b1"


def bindings(*cookies: str, flow: str = "f1") -> list[str]:
    headers = Headers(("Cookie", line) for line in cookies)
    return list(sign_in_bindings(Request("GET", "/callback", Caller("public"), headers=headers), flow))


@pytest.mark.parametrize(
    "others",
    ['a={"b": 1}', 'a="b', "expires", "expires=1", "path=/", "b\u00e4r=1", "=x", "c[0]=x y", "$x=1", "a"],
)
def test_cookies_of_other_programs_on_this_host_do_not_hide_ours(others: str) -> None:
    """A1: cookies know no ports, and some programs write characters that no cookie may hold."""
    assert bindings(f"{others}; {OURS}") == ["b1"]
    assert bindings(f"{OURS}; {others}") == ["b1"]
    assert bindings(others, OURS) == ["b1"]


def test_a_cookie_of_the_same_name_that_somebody_planted_does_not_hide_ours() -> None:
    """A6, Q8.7: an attacker who plants a cookie cannot stop another user's sign-in."""
    assert bindings("jupyter-oidc-flow-f1=planted; " + OURS) == ["planted", "b1"]


def test_the_cookies_of_other_sign_ins_take_no_room() -> None:
    """A-9, Q8.7: any number of such cookies, true or planted, may stand there in any order."""
    jar = "; ".join(f"jupyter-oidc-flow-x{number}=b{number}" for number in range(60))
    assert bindings(f"{jar}; {OURS}") == ["b1"]


def test_a_longer_name_is_another_name() -> None:
    """Q8.7: Planted cookies do not disturb a sign-in."""
    assert bindings("jupyter-oidc-flow-f10=b10; jupyter-oidc-flow-f=b; " + OURS) == ["b1"]


def test_one_name_has_an_end() -> None:
    """Q8.7: cookies planted under a sign-in's own name cost a bounded number of comparisons."""
    jar = "; ".join(f"jupyter-oidc-flow-f1=b{number}" for number in range(60))
    assert bindings(jar) == [f"b{number}" for number in range(8)]

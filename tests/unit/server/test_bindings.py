"""The browser's binding cookies, among whatever else is in its jar."""

from __future__ import annotations

import pytest

from jupyter_oidc.server.handlers.browser import bindings_in

OURS = "jupyter-oidc-flow-f1=b1"


@pytest.mark.parametrize(
    "others",
    ['a={"b": 1}', 'a="b', "expires", "expires=1", "path=/", "b\u00e4r=1", "=x", "c[0]=x y", "$x=1", "a"],
)
def test_cookies_of_other_programs_on_this_host_do_not_hide_ours(others: str) -> None:
    """A1: cookies know no ports, and some programs write what no cookie may hold."""
    assert bindings_in([f"{others}; {OURS}"]) == ["b1"]
    assert bindings_in([f"{OURS}; {others}"]) == ["b1"]
    assert bindings_in([others, OURS]) == ["b1"]


def test_a_cookie_of_the_same_name_that_somebody_planted_does_not_hide_ours() -> None:
    """A6: nobody stops a stranger's sign-in."""
    assert bindings_in(["jupyter-oidc-flow-f1=planted; " + OURS]) == ["planted", "b1"]


def test_every_sign_in_of_the_browser_counts_but_not_without_end() -> None:
    """A-9: several in parallel."""
    jar = "; ".join(f"jupyter-oidc-flow-f{number}=b{number}" for number in range(60))
    assert bindings_in([jar]) == [f"b{number}" for number in range(50)]

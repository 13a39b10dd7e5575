"""Addresses in reply headers lead through the proxy again (C9, C10, RFC 8288)."""

from __future__ import annotations

import pytest

from jupyter_oidc.proxy.addresses import lead_through_proxy
from jupyter_oidc.settings import Api

API = Api("orders", "corp", "https://api.example.com/v1/")


def led(name: str, value: str) -> tuple[list[str], list[str]]:
    headers, outside = lead_through_proxy(
        API, [(name, value)], "https://api.example.com/v1/items/7?a=1", "/p/orders/", "jupyter.example.com"
    )
    return [value for _, value in headers], outside


@pytest.mark.parametrize("name", ["Location", "Content-Location", "Operation-Location", "Azure-AsyncOperation"])
@pytest.mark.parametrize(
    ("value", "leads"),
    [
        ("https://api.example.com/v1/jobs/3?x=1", "/p/orders/jobs/3?x=1"),
        ("/v1/jobs/3", "/p/orders/jobs/3"),
        ("8", "/p/orders/items/8"),
    ],
)
def test_an_address_below_the_base_url_leads_through_the_proxy(name: str, value: str, leads: str) -> None:
    """Q3.3: Addresses in replies lead through the proxy."""
    assert led(name, value) == ([leads], [])


@pytest.mark.parametrize(
    ("value", "leads"),
    [
        ('<https://api.example.com/v1/items?page=2>; rel="next"', '</p/orders/items?page=2>; rel="next"'),
        (
            '<?page=2>; rel=next, </v1/items?page=9>; rel="last"; title="a, <b>; c"',
            '</p/orders/items/7?page=2>; rel=next, </p/orders/items?page=9>; rel="last"; title="a, <b>; c"',
        ),
        ('<a,b;c>; rel=x;anchor="/v1/y"', '</p/orders/items/a,b;c>; rel=x;anchor="/p/orders/y"'),
        ('<>; rel=self; Anchor = "#top"', '</p/orders/items/7?a=1>; rel=self; Anchor = "/p/orders/items/7?a=1#top"'),
        (
            '<8>; rel="https://api.example.com/v1/rels/x"',
            '</p/orders/items/8>; rel="https://api.example.com/v1/rels/x"',
        ),
    ],
)
def test_all_targets_and_anchors_of_links_lead_through_the_proxy(value: str, leads: str) -> None:
    """Q3.3: RFC 8288, 3; a quoted text and a relation type are not addresses."""
    assert led("Link", value) == ([leads], [])


def test_a_refresh_leads_through_the_proxy() -> None:
    """Q3.3: Addresses in replies lead through the proxy."""
    assert led("Refresh", "5; url=https://api.example.com/v1/jobs/3") == (["5; url=/p/orders/jobs/3"], [])


def test_an_address_outside_stays_and_is_named() -> None:
    """Q3.3: an address relative to the API is made absolute, because the caller would take it for one of Jupyter's."""
    value = "<https://other.example/x>; rel=next, </v2/y>; rel=prev, <8>; rel=self"
    expected = (
        "<https://other.example/x>; rel=next, <https://api.example.com/v2/y>; rel=prev, </p/orders/items/8>; rel=self"
    )
    assert led("Link", value) == ([expected], ["Link"])
    assert led("Operation-Location", "/v2/jobs/3") == (["https://api.example.com/v2/jobs/3"], ["Operation-Location"])


@pytest.mark.parametrize("name", ["Link", "Content-Location", "Operation-Location", "Location"])
def test_an_address_of_jupyter_itself_leads_nowhere(name: str) -> None:
    """Q3.3: Addresses in replies lead through the proxy.

    C10: Redirects elsewhere are passed on, without a token.
    """
    address = "https://jupyter.example.com/lab"
    assert led(name, f"<{address}>; rel=next" if name == "Link" else address) == ([], [])


@pytest.mark.parametrize("value", ["<" * 30_000, '"' * 30_001, '<a>; anchor="' * 2_000, "a,\\" * 8_000])
def test_a_link_made_of_borders_holds_up_nobody(value: str) -> None:
    """C20: An answer that is no HTTP is refused."""
    import time

    begun = time.process_time()
    led("Link", value)
    assert time.process_time() - begun < 1

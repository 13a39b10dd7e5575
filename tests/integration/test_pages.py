"""The pages that we show ourselves are public, uncacheable, and silent about where the browser was."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.test_access_rules import PROVIDERS


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {
        "ServerApp": {"jpserver_extensions": {"jupyter_oidc": True}, "allow_unauthenticated_access": False},
        "JupyterOIDC": {"providers": PROVIDERS, "storage": "memory"},
    }


async def visit(jp_fetch: Any, path: str) -> Any:
    """Open ``path`` without any login."""
    headers = {"Authorization": "", "Cookie": "", "Accept": "text/html"}
    return await jp_fetch(*path.partition("?")[0].split("/"), headers=headers, raise_error=False, params=_query(path))


def _query(path: str) -> dict[str, str]:
    from urllib.parse import parse_qsl

    return dict(parse_qsl(path.partition("?")[2]))


@pytest.mark.parametrize("query", ["", "?state=whatever", "?state=" + "x" * 3000, "?error=oops&x=1"])
async def test_the_page_after_a_sign_out_is_for_anybody_and_does_nothing(jp_fetch: Any, query: str) -> None:
    """L-7: The page after sign-out has no effects."""
    page = await visit(jp_fetch, "jupyter-oidc/providers/corp/signed-out" + query)
    text = page.body.decode()
    assert (page.code, "Back from the provider" in text) == (200, True)
    assert ("You are signed out" in text, "whatever" in text, "oops" in text) == (False, False, False), "not claimed"
    assert "Set-Cookie" not in page.headers


@pytest.mark.parametrize(
    "path",
    [
        "jupyter-oidc/providers/corp/callback?code=c&state=s",
        "jupyter-oidc/providers/corp/signed-out",
        "jupyter-oidc/start/no-such-ticket",
    ],
)
async def test_a_page_is_not_cached_not_framed_and_sends_no_referrer(jp_fetch: Any, path: str) -> None:
    """R-10: The code leaves the address bar at once."""
    page = await visit(jp_fetch, path)
    policy = page.headers["Content-Security-Policy"]
    assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert ("default-src 'none'" in policy, "frame-ancestors 'none'" in policy) == (True, True)
    assert page.headers["Content-Type"].startswith("text/html")

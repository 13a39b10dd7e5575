"""The settings of an API may add these header names and no others (law 8, C5, C23)."""

from __future__ import annotations

import pytest

from jupyter_oidc.settings.header_names import may_be_listed


@pytest.mark.parametrize("name", ["OpenAI-Beta", "anthropic-version", "X-Api-Version", "Ocp-Apim-Subscription-Key"])
def test_an_honest_name_may_be_added(name: str) -> None:
    assert may_be_listed(name)


@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "COOKIE", "Set-Cookie", "DPoP", "Host", "Proxy-Authorization", "X-Forwarded-For"),
        *("Transfer-Encoding", "Content-Length", "Connection", "X-XSRFToken", "Sec-Fetch-Site", "X-OIDC-Error"),
        *("Access-Control-Allow-Origin", "Content-Security-Policy", "Strict-Transport-Security", "Clear-Site-Data"),
        *("Service-Worker-Allowed", "Cross-Origin-Resource-Policy", "X-Real-IP", "X-HTTP-Method-Override"),
        *("", "a b", "a:b", "a\r\nb", "é"),
    ],
)
def test_a_name_with_authority_never(name: str) -> None:
    assert not may_be_listed(name)

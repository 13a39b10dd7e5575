"""The caller learns of the headers that were held back, and a 401 then costs no token (Q3.4)."""

from __future__ import annotations

from jupyter_oidc.proxy.service import Answer
from tests.unit.proxy.test_proofs import Scene, Scripted

NO_KEY = [("Ocp-Apim-Subscription-Key", "mine"), ("X-Novelty", "1"), ("Accept", "*/*")]


async def told(answer: Answer) -> list[str]:
    return [value for name, value in answer.headers if name == "X-OIDC-Held-Back"]


async def test_a_kernel_and_a_page_are_told_which_headers_were_held_back() -> None:
    """Q3.4: the reply names headers and repeats no values."""
    scene = Scene(bound=False)
    for caller in ("kernel", "browser"):
        answer = await scene.get(headers=NO_KEY, caller=caller)
        assert await told(answer) == ["Ocp-Apim-Subscription-Key, X-Novelty"]


async def test_nothing_is_told_where_nothing_was_held_back() -> None:
    """Q3.4: Request headers held back are named."""
    assert await told(await Scene(bound=False).get(headers=[("Accept", "*/*")])) == []


async def test_an_api_that_misses_a_key_costs_no_token() -> None:
    """Q3.4: the API's 401 comes back at once, and names the headers that were held back."""
    scene = Scene(Scripted(401, [("WWW-Authenticate", 'AzureApiManagementKey realm="orders"')]), bound=False)
    answer = await scene.get(headers=NO_KEY)
    assert (answer.status, scene.refreshes, len(scene.upstream.calls)) == (401, 0, 1)
    assert await told(answer) == ["Ocp-Apim-Subscription-Key, X-Novelty"]


async def test_an_api_that_says_that_it_is_the_token_gets_another_one() -> None:
    """Q3.4, C11: a challenge about the token is the positive control (RFC 6750, 3.1)."""
    scene = Scene(Scripted(401, [("WWW-Authenticate", 'Bearer error="invalid_token"')]), bound=False)
    assert ((await scene.get(headers=NO_KEY)).status, scene.refreshes) == (200, 1)


async def test_a_header_that_proves_nothing_does_not_stand_in_the_way_of_a_new_token() -> None:
    """Q3.4, C11: a header that is no credential is the positive control."""
    scene = Scene(Scripted(401), bound=False)
    assert ((await scene.get(headers=[("X-Novelty", "1")])).status, scene.refreshes) == (200, 1)


async def test_a_refused_handshake_tells_as_much() -> None:
    """Q3.4: the rule holds for WebSockets, too."""
    scene = Scene(Scripted(403), bound=False)
    request = (await scene._request("orders"))._replace(headers=NO_KEY)
    refused = await scene.proxy.open_socket(request, ())
    assert ("X-OIDC-Held-Back", "Ocp-Apim-Subscription-Key, X-Novelty") in refused.headers

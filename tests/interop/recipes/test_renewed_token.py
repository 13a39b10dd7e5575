"""The API no longer takes the access token of a call with a body: the server refreshes it, the helper sends again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.interop.recipes.conftest import ServerUnderTest

POST = """
import jupyter_oidc as oidc
asked = {"model": "small", "messages": []}
print(oidc.api("models").post("chat/completions", json=asked).status_code)
"""
POST_ASYNC = """
import jupyter_oidc as oidc
async with oidc.async_api("models") as models:
    print((await models.post("chat/completions", json={"model": "small", "messages": []})).status_code)
"""
POST_REQUESTS = """
import jupyter_oidc as oidc, requests
models = oidc.auth("models")
print(requests.post(models.base_url + "chat/completions", json={"model": "small"}, auth=models).status_code)
"""
UPLOAD = """
import pathlib, jupyter_oidc as oidc
pathlib.Path("again.bin").write_bytes(b"once more" * 1000)
print(oidc.api("orders").upload("files/again.bin", "again.bin", progress=False).status_code)
"""


def after_the_first_token(accepts: Callable[[str], bool]) -> Callable[[str], bool]:
    """Refuse the first token that comes, as an API does whose clock is ahead or whose keys have changed."""
    first: list[str] = []

    def admits(token: str) -> bool:
        first.append(token)
        return token != first[0] and accepts(token)

    return admits


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        pytest.param(POST, "200", id="post"),
        pytest.param(POST_ASYNC, "200", id="async"),
        pytest.param(POST_REQUESTS, "200", id="requests"),
        pytest.param(UPLOAD, "201", id="upload"),
    ],
)
def test_a_body_is_sent_again_with_the_renewed_token(
    server_under_test: ServerUnderTest, cell: str, status: str
) -> None:
    """C30: the server cannot repeat a body, and says so with `X-OIDC-Retryable`."""
    server_under_test.sign_in_anew()
    renewals = server_under_test.provider.count("token", grant_type="refresh_token")
    server_under_test.api.accepts = after_the_first_token(server_under_test.provider.accepts)
    assert server_under_test.run(cell) == [status]
    assert server_under_test.provider.count("token", grant_type="refresh_token") == renewals + 1

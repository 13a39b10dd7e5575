"""A call during an outage of the provider: it waits, says so, and is made when the provider is back."""

from __future__ import annotations

from tests.interop.recipes.conftest import ServerUnderTest

POST = """
import jupyter_oidc as oidc
asked = {"model": "small", "messages": []}
print(oidc.api("far").post("chat/completions", json=asked).status_code)
"""


def test_a_call_that_changes_something_waits_for_the_provider_and_happens_once(
    server_under_test: ServerUnderTest,
) -> None:
    """The API has a token of its own, which the provider cannot issue at the first two attempts."""
    server_under_test.sign_in_anew()
    for _ in range(2):
        server_under_test.provider.plan("token", status=503)
    (shown,) = server_under_test.run(POST)
    assert shown.endswith("200")
    assert "The provider cannot be reached. Waited " in shown
    assert len(server_under_test.api.asked) == 1

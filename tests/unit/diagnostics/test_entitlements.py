"""Doctor warns when the provider did not list a user's entitlements."""

from __future__ import annotations

from jupyter_oidc.diagnostics.entitlements import check_entitlements
from tests.unit.sessions.fake_environment import FakeEnvironment


async def test_entitlements_that_were_not_listed_are_a_warning() -> None:
    """Q2.3: Entitlements left out by the provider are unknown."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.userinfo |= {"_claim_names": {"groups": "src1"}}
    await fake_environment.sign_in()
    (check,) = check_entitlements(fake_environment.settings, fake_environment.service)
    assert (check.status, check.provider) == ("warning", "corp")
    assert check.message == ("Entitlements are unknown: the provider did not list them, so nobody is told to miss any.")


async def test_nothing_is_said_of_a_list_or_of_nobody() -> None:
    """Q2.3: Entitlements left out by the provider are unknown."""
    fake_environment = FakeEnvironment()
    assert check_entitlements(fake_environment.settings, None) == []
    assert check_entitlements(fake_environment.settings, fake_environment.service) == []
    await fake_environment.sign_in()
    assert check_entitlements(fake_environment.settings, fake_environment.service) == []

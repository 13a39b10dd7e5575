"""After a restart, the summary shows the stored person before the provider answers."""

from __future__ import annotations

from dataclasses import replace

from jupyter_oidc.problems import IdpUnavailable
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.service import SessionService
from jupyter_oidc.sessions.summary import Summary
from tests.unit.protocol.makers import SUBJECT
from tests.unit.sessions.fake_environment import FakeEnvironment, settle

AWAY = IdpUnavailable(detail="idp.unsent")


async def restarted(
    *, roles: list[str], stored_by_an_older_version: bool = False
) -> tuple[FakeEnvironment, SessionService]:
    """Sign in, then start another server over the same storage while the provider is out of reach."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.userinfo |= {"email": "user1@example.com", "email_verified": True, "roles": roles}
    await fake_environment.sign_in()
    if stored_by_an_older_version:
        entry = await fake_environment.vault.load()
        assert entry is not None
        await fake_environment.vault.save(replace(entry, profile=None))
    fake_environment.provider.plan("discovery", *[AWAY] * 9)
    return fake_environment, fake_environment.new_service()


async def shown_by(service: SessionService) -> Summary:
    """Return the summary at once, then let the refresh fail."""
    summary = await service.view.summary()
    await settle()
    return summary


async def test_the_person_is_known_before_the_provider_answers() -> None:
    """Q9.14: this is the first look after a restart."""
    _, service = await restarted(roles=["orders.read"])
    summary = await shown_by(service)
    assert (summary.state, summary.user and summary.user.name) == (State.ACTIVE, "Example User")


async def test_entitlements_are_known_before_the_provider_answers() -> None:
    """Q9.14: the summary reports no entitlement as missing that the person holds."""
    _, service = await restarted(roles=["orders.read"])
    summary = await shown_by(service)
    assert (summary.entitlements, summary.apis[0].allowed) == (("orders.read",), True)


async def test_an_entry_of_an_older_version_still_says_whose_it_is() -> None:
    """Q9.14: the entry holds the subject; the name comes with the refresh."""
    _, service = await restarted(roles=["orders.read"], stored_by_an_older_version=True)
    summary = await shown_by(service)
    assert (summary.state, summary.user and summary.user.sub) == (State.ACTIVE, SUBJECT)


async def test_entitlements_that_were_not_stored_count_as_unknown_and_not_as_missing() -> None:
    """Q9.14: they are unknown until the provider tells them again."""
    _, service = await restarted(roles=["orders.read"], stored_by_an_older_version=True)
    summary = await shown_by(service)
    assert (summary.entitlements_known, summary.apis[0].allowed, summary.apis[0].missing) == (False, True, ())


async def test_of_very_many_entitlements_those_that_an_api_requires_are_stored() -> None:
    """Q9.14, Q8.17: a keyring's entry is small, and an API must stay open in spite of that."""
    _, service = await restarted(roles=[f"role-{number:05}" for number in range(20_000)] + ["orders.read"])
    summary = await shown_by(service)
    assert summary.apis[0].allowed is True
    assert "orders.read" in summary.entitlements
    assert len(summary.entitlements) + summary.entitlements_more == 20_001


async def test_a_text_that_is_too_long_for_a_keyring_is_stored_in_part() -> None:
    """Q9.14: The person is shown right after a restart."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.userinfo |= {"name": "é" * 1_024, "picture": "https://id.example.com/" + "x" * 1_000}
    await fake_environment.sign_in()
    entry = await fake_environment.vault.load()
    assert entry is not None
    assert entry.profile is not None
    assert (entry.profile.user.name, entry.profile.user.picture) == ("é" * 256, None)

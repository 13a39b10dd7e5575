"""Each sign-in uses one metadata document, and an outage of the document ends no session."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from jupyter_oidc.problems import IdpUnavailable, IssuerMismatch, Overloaded, Problem
from jupyter_oidc.protocol.message import Reply
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted, TryLater
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.pending import PendingSignIn, SignInState
from tests.unit.protocol.makers import ISSUER, document, reply
from tests.unit.sessions.fake_environment import DEVICE, SETTINGS, FakeEnvironment, settle
from tests.unit.sessions.test_device import PENDING, environment_of

HOUR = 3_600.0
DAY = 86_400.0
DOWN = reply(b"", status=503)
PORTAL = reply(b"<html>Log in to the wireless network</html>", media="text/html")


def fleeting(**changes: Any) -> Reply:
    """Return metadata that forbid caching."""
    ends = {"revocation_endpoint": ISSUER + "/revoke", **changes}
    return reply(document(**ends), headers={"cache-control": "no-store"})


async def ended(fake_environment: FakeEnvironment, pending: PendingSignIn, state: str, binding: str) -> SignInState:
    await fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    return pending.progress


async def test_a_sign_in_asks_once_for_metadata_that_nobody_may_keep() -> None:
    """Q1.6: the sign-in begins, redirects, redeems and verifies with one document."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.plan("discovery", *[fleeting()] * 9)
    await fake_environment.sign_in()
    assert (fake_environment.service.state, fake_environment.provider.calls["discovery"]) == (State.ACTIVE, 1)


@pytest.mark.parametrize("outage", [DOWN, PORTAL, IdpUnavailable()], ids=["503", "portal", "unreachable"])
async def test_a_callback_needs_no_new_metadata(outage: Reply | Exception) -> None:
    """Q1.6: a pending sign-in finishes with its own document, nine minutes later too."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.plan("discovery", fleeting(), *[outage] * 9)
    begun = await fake_environment.begin()
    fake_environment.clock.advance(540)
    assert await ended(fake_environment, *begun) == "completed"


async def test_a_sign_in_is_redeemed_where_it_began() -> None:
    """Q1.6: a document that changes meanwhile does not take the code elsewhere."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.plan("discovery", fleeting())
    begun = await fake_environment.begin()
    fake_environment.clock.advance(120)
    fake_environment.provider.plan("discovery", fleeting(token_endpoint=ISSUER + "/elsewhere/token"))
    await fake_environment.service.sign_ins.begin("user:b")
    assert await ended(fake_environment, *begun) == "completed"
    assert [call.url for call in fake_environment.provider.sent if "token" in call.url] == [ISSUER + "/token"]


async def test_an_offered_sign_in_begins_with_the_metadata_of_when_it_is_followed() -> None:
    """Q1.6: One sign-in uses one metadata document."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.plan("discovery", fleeting())
    failed, _, _ = await fake_environment.begin()
    fake_environment.service.sign_ins.give_up(failed, IdpUnavailable())
    again = fake_environment.pending.use_ticket(fake_environment.service.sign_ins.offer_again(failed))
    fake_environment.clock.advance(120)
    fake_environment.provider.plan("discovery", fleeting(token_endpoint=ISSUER + "/new/token"))
    await fake_environment.service.sign_ins.authorization_url(again, "http://localhost:8888/cb")
    assert again.metadata is not None
    assert again.metadata.token_endpoint == ISSUER + "/new/token"


async def test_a_sign_in_by_code_asks_for_metadata_once() -> None:
    """Q1.6: this holds for any number of token requests."""
    fake_environment = environment_of()
    fake_environment.provider.plan("discovery", fleeting(**DEVICE), *[DOWN] * 9)
    fake_environment.provider.plan("token", *[PENDING] * 4)
    pending, _ = await fake_environment.service.sign_ins.begin("user:a")
    await settle()
    assert (pending.progress, fake_environment.provider.calls["discovery"]) == ("completed", 1)


async def test_metadata_are_asked_for_at_most_once_a_minute() -> None:
    """Q1.6: this holds for any cache headers; after a minute, the headers count."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.plan("discovery", *[fleeting()] * 9)
    counts = []
    for seconds in (0, 59, 2):
        fake_environment.clock.advance(seconds)
        await fake_environment.service.sign_ins.begin("user:a")
        counts.append(fake_environment.provider.calls["discovery"])
    assert counts == [1, 1, 2]


@pytest.mark.parametrize("outage", [DOWN, PORTAL, IdpUnavailable()], ids=["503", "portal", "unreachable"])
async def test_a_refresh_goes_on_with_the_old_metadata_during_an_outage(outage: Reply | Exception) -> None:
    """Q1.6; RFC 5861, 4: the stale document serves during an error."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.plan("discovery", *[outage] * 9)
    fake_environment.clock.advance(23 * HOUR)
    assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), Granted)


async def test_metadata_older_than_a_day_refresh_nothing() -> None:
    """Q1.6: facts in so old a document may no longer be true."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.plan("discovery", *[DOWN] * 9)
    fake_environment.clock.advance(DAY + 1)
    assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), TryLater)
    assert fake_environment.provider.calls["token"] == 1


async def test_a_new_sign_in_is_not_begun_with_old_metadata() -> None:
    """Q1.6, A23: the service reports a provider that is down before a window opens."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.plan("discovery", DOWN)
    fake_environment.clock.advance(2 * HOUR)
    with pytest.raises(IdpUnavailable):
        await fake_environment.service.sign_ins.begin("user:a")


async def test_an_outage_of_the_metadata_is_looked_at_once_a_minute() -> None:
    """Q1.6: one refresh waits for a document that does not come, and not every refresh."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.lifetime = 20
    await fake_environment.sign_in()
    fake_environment.provider.plan("discovery", *[DOWN] * 9)
    fake_environment.clock.advance(2 * HOUR)
    for _ in range(3):
        assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), Granted)
        fake_environment.clock.advance(25)
    assert (fake_environment.provider.calls["token"], fake_environment.provider.calls["discovery"]) == (4, 2)


@pytest.mark.parametrize("age", [120.0, 2 * HOUR, 30 * DAY], ids=["minutes", "hours", "a month"])
async def test_a_sign_out_takes_its_token_back_during_an_outage_of_the_metadata(age: float) -> None:
    """Q1.6: the last good document names the revocation endpoint, however old it is."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.plan("discovery", fleeting(), *[DOWN] * 9)
    await fake_environment.sign_in()
    fake_environment.clock.advance(age)
    outcome = await fake_environment.service.sign_outs.sign_out()
    assert (outcome.revoked, fake_environment.provider.revoked) == ("done", ["rt-1"])


async def test_a_document_of_another_issuer_is_no_outage() -> None:
    """Q1.6, D-5, D-10: no request goes to endpoints of a document after which another issuer's has come.

    D-6 (a wrong issuer is not asked again unbidden): once for the session and once for the sign-in.
    """
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.provider.plan("discovery", *[fleeting(issuer="https://evil.example")] * 2)
    fake_environment.clock.advance(2 * HOUR)
    assert await fake_environment.service.tokens.bearer(SIGN_IN_KEY) == TryLater(1.0, "issuer_mismatch")
    with pytest.raises(IssuerMismatch):
        await fake_environment.service.sign_ins.begin("user:a")
    assert fake_environment.provider.calls["token"] == 1
    assert fake_environment.provider.calls["discovery"] == 3


async def test_callers_at_once_share_one_fetch_and_its_failure() -> None:
    """Q1.6: One sign-in uses one metadata document."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.plan("discovery", DOWN)
    outcomes = await asyncio.gather(
        *(fake_environment.service.sign_ins.begin(f"user:{n}") for n in range(5)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [IdpUnavailable] * 5
    assert fake_environment.provider.calls["discovery"] == 1


ELSEWHERE = replace(
    SETTINGS,
    metadata_url="https://elsewhere.example/metadata?p=1",
    endpoints=(
        ("token_endpoint", "https://in.example.com/token"),
        ("revocation_endpoint", "https://in.example.com/revoke"),
    ),
)


async def test_metadata_elsewhere_and_endpoints_of_the_settings_are_used_all_the_way() -> None:
    """Q1.9: the sign-in, the refresh and the sign-out all use them."""
    fake_environment = FakeEnvironment(ELSEWHERE)
    await fake_environment.sign_in()
    await fake_environment.scheduler.pass_time(241)
    await fake_environment.service.sign_outs.sign_out()
    assert [call.url.removeprefix(ISSUER) for call in fake_environment.provider.sent] == [
        "https://elsewhere.example/metadata?p=1",
        "https://in.example.com/token",
        "/keys",
        "/userinfo",
        "https://in.example.com/token",
        "/userinfo",
        "https://in.example.com/revoke",
    ]


async def test_metadata_elsewhere_must_name_the_issuer_of_the_settings() -> None:
    """Q1.9, D-5: the issuer matches to the letter, wherever the metadata are."""
    fake_environment = FakeEnvironment(ELSEWHERE)
    fake_environment.provider.plan("discovery", fleeting(issuer="https://elsewhere.example"))
    with pytest.raises(IssuerMismatch):
        await fake_environment.service.sign_ins.begin("user:a")


async def waiting(fake_environment: FakeEnvironment, *callers: str) -> list[asyncio.Task[Any]]:
    """Start sign-ins that wait for metadata which do not come."""
    fake_environment.provider.plan("discovery", asyncio.Event())
    tasks = [asyncio.ensure_future(fake_environment.service.sign_ins.begin(caller)) for caller in callers]
    await settle()
    return tasks


async def test_who_waits_for_metadata_while_the_settings_change_is_told_so() -> None:
    """Q9.12: a wait that the service cancels ends in a refusal with a reason, not in the caller's cancellation."""
    fake_environment = FakeEnvironment()
    tasks = await waiting(fake_environment, "user:a", "user:b")
    await fake_environment.service.aclose()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Overloaded, Overloaded]
    assert [outcome.detail for outcome in outcomes if isinstance(outcome, Problem)] == ["settings.changed"] * 2


async def test_who_stops_waiting_is_cancelled_and_the_others_are_not() -> None:
    """Q9.12: Changed settings cancel a wait with a reason."""
    fake_environment = FakeEnvironment()
    gate = asyncio.Event()
    fake_environment.provider.plan("discovery", gate)
    leaves, stays = (
        asyncio.ensure_future(fake_environment.service.sign_ins.begin(name)) for name in ("user:a", "user:b")
    )
    await settle()
    leaves.cancel()
    gate.set()
    pending, _ = await stays
    assert (leaves.cancelled(), pending.progress) == (True, "waiting")


async def test_a_closed_service_asks_nobody_for_metadata() -> None:
    """Q9.12: a late call to a closed service sends its caller to the next one."""
    fake_environment = FakeEnvironment()
    await fake_environment.service.aclose()
    with pytest.raises(Overloaded):
        await fake_environment.service.sign_ins.begin("user:a")
    assert fake_environment.provider.calls["discovery"] == 0


async def test_a_refresh_that_is_given_up_with_its_service_is_answered() -> None:
    """Q9.12: the user pressed *refresh* while the settings changed."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.clock.advance(400)
    fake_environment.provider.plan("token", asyncio.Event())
    pressed = asyncio.ensure_future(fake_environment.service.tokens.refresh())
    await settle()
    (refresh_task,) = fake_environment.service.tokens.refreshing
    refresh_task.cancel()
    assert await pressed == TryLater(1.0, "overloaded")


async def test_a_callback_that_is_given_up_with_its_service_is_answered() -> None:
    """Q9.12: the sign-in has failed, and the browser gets the reason."""
    fake_environment = FakeEnvironment()
    pending, state, binding = await fake_environment.begin()
    fake_environment.provider.plan("token", asyncio.Event())
    back = asyncio.ensure_future(ended(fake_environment, pending, state, binding))
    await settle()
    for task in fake_environment.service._background:
        task.cancel()
    assert await back == "failed"
    assert pending.problem is not None
    assert pending.problem.code == "idp_unavailable"

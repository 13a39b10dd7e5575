"""One word tells whether an API can be called; it is made in one place and true at every moment."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from jupyter_oidc import contract
from jupyter_oidc.problems import (
    AudienceRefused,
    IdpUnavailable,
    NotSignedIn,
    TlsUntrusted,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, token_key
from jupyter_oidc.sessions.readiness import Readiness
from jupyter_oidc.settings import Api
from tests.unit.protocol.makers import reply
from tests.unit.sessions.fake_environment import SETTINGS, FakeEnvironment, settle

OPEN = replace(SETTINGS, apis=(Api("orders", "corp", "https://api.example.com/v1/"),))


async def word(fake_environment: FakeEnvironment) -> str:
    return (await fake_environment.service.view.summary()).apis[-1].readiness


async def signed_in(settings: object = OPEN, **provider: object) -> FakeEnvironment:
    fake_environment = FakeEnvironment(settings)  # type: ignore[arg-type]
    for name, value in provider.items():
        setattr(fake_environment.provider, name, value)
    await fake_environment.sign_in()
    return fake_environment


async def test_an_api_is_ready_for_somebody_who_is_signed_in() -> None:
    """Q5.8: Readiness is one word, made in one place."""
    assert await word(await signed_in()) == "ready"


async def test_nobody_is_signed_in() -> None:
    """Q5.8: the API is not ready, although no entitlement is missing either."""
    fake_environment = FakeEnvironment(OPEN)
    assert await word(fake_environment) == "sign_in_needed"
    await fake_environment.begin()
    assert await word(fake_environment) == "sign_in_needed"


async def test_after_a_sign_out_nothing_is_ready() -> None:
    """Q5.8: Readiness is one word, made in one place."""
    fake_environment = await signed_in()
    await fake_environment.service.sign_outs.sign_out()
    assert await word(fake_environment) == "sign_in_needed"


async def test_a_session_that_ended_is_expired() -> None:
    """Q5.8: Readiness is one word, made in one place. Q6.1: A session without refresh token ends on time."""
    fake_environment = await signed_in(issue_refresh_token=False)
    fake_environment.clock.advance(300)
    assert await word(fake_environment) == "expired"


async def test_an_entitlement_is_missing() -> None:
    """Q5.8: Readiness is one word, made in one place."""
    assert await word(await signed_in(SETTINGS)) == "missing_entitlement"


async def test_a_token_that_cannot_be_refreshed_now_is_delayed_and_one_that_still_lives_is_not() -> None:
    """Q5.8: calls work for as long as the token lives."""
    fake_environment = await signed_in()
    fake_environment.provider.plan("token", *[IdpUnavailable(detail="idp.unsent")] * 99)
    await fake_environment.scheduler.pass_time(241)
    assert (fake_environment.service.state.value, await word(fake_environment)) == ("refresh-failed", "ready")
    fake_environment.clock.advance(100)
    assert await word(fake_environment) == "renewal_delayed"


async def test_an_id_token_that_has_ended_is_expired_while_the_session_goes_on() -> None:
    """Q5.8, Q6.1: a sign-in brings a new ID token."""
    by_id_token = Api("cluster", "corp", "https://k8s.example.com/", bearer_token_source="id_token")
    fake_environment = await signed_in(
        replace(OPEN, apis=(*OPEN.apis, by_id_token)), issue_refresh_token=False, lifetime=3_600
    )
    assert await word(fake_environment) == "ready"
    fake_environment.clock.advance(600)
    summary = await fake_environment.service.view.summary()
    assert (summary.state.value, [api.readiness for api in summary.apis]) == ("active", ["ready", "expired"])


async def test_a_token_of_its_own_that_the_provider_refuses_is_said_to_be_refused() -> None:
    """Q5.8: Readiness is one word, made in one place. B30: A refused audience concerns one API only."""
    own = Api("plans", "corp", "https://plans.example.com/", audience="plans")
    fake_environment = await signed_in(replace(OPEN, apis=(*OPEN.apis, own)))
    assert await word(fake_environment) == "ready"  # by need
    fake_environment.provider.plan("token", reply({"error": "invalid_target"}, status=400))
    with pytest.raises(AudienceRefused):
        await fake_environment.service.tokens.bearer(token_key(own))
    assert await word(fake_environment) == "refused"


@pytest.mark.parametrize("error", [UpstreamUnreachable(), UpstreamTimeout(), TlsUntrusted()])
async def test_an_api_that_the_last_call_could_not_reach_is_unreachable(error: Exception) -> None:
    """Q5.8: the API is unreachable until a call succeeds, or for five minutes."""
    fake_environment = await signed_in()
    fake_environment.service.for_proxy.note_outage("orders", error)
    assert await word(fake_environment) == "unreachable"
    fake_environment.service.for_proxy.note_answer("orders")
    assert await word(fake_environment) == "ready"
    fake_environment.service.for_proxy.note_outage("orders", error)
    fake_environment.clock.advance(299)
    await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    assert await word(fake_environment) == "unreachable"
    fake_environment.clock.advance(1)
    assert await word(fake_environment) == "ready"


async def test_what_says_nothing_about_the_api_is_no_outage() -> None:
    """Q5.8: Readiness is one word, made in one place."""
    fake_environment = await signed_in()
    fake_environment.service.for_proxy.note_outage("orders", NotSignedIn())
    assert await word(fake_environment) == "ready"


async def test_who_is_signed_out_is_told_to_sign_in_although_the_api_is_down() -> None:
    """Q5.8: the word names the first obstacle."""
    fake_environment = FakeEnvironment(OPEN)
    fake_environment.service.for_proxy.note_outage("orders", UpstreamUnreachable())
    assert await word(fake_environment) == "sign_in_needed"


async def test_a_change_of_the_word_is_a_change_of_the_summary() -> None:
    """Q5.8: otherwise an ETag would hide the change; the same holds where only time has passed."""
    fake_environment = await signed_in()
    before = (await fake_environment.service.view.summary()).sequence
    fake_environment.service.for_proxy.note_outage("orders", UpstreamUnreachable())
    down = (await fake_environment.service.view.summary()).sequence
    fake_environment.clock.advance(300)
    await settle()
    over = (await fake_environment.service.view.summary()).sequence
    assert before < down < over == (await fake_environment.service.view.summary()).sequence


def test_the_words_are_those_of_the_contract() -> None:
    """Q5.8: the list is closed."""
    for name in ("session.reply", "apis.reply"):
        schema = contract.schema(name)
        assert schema["properties"]["apis"]["items"]["properties"]["readiness"]["enum"] == list(get_args(Readiness))

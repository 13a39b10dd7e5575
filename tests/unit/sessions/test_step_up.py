"""A sign-in that an API asked for (RFC 9470, C12; V-13), and what ends with a session (S-5)."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted
from jupyter_oidc.sessions.pending import Progress, StepUp
from tests.unit.protocol.makers import reply
from tests.unit.sessions.stage import Stage, settle


async def asked(stage: Stage, api: str | None) -> dict[str, list[str]]:
    """Begin a sign-in for ``api``; return the query of the authorization request."""
    pending, ticket = await stage.service.sign_ins.begin("user:a", api=api)
    assert stage.pending.use_ticket(ticket) is pending
    url, _ = await stage.service.sign_ins.authorization_url(pending, "http://localhost:8888/cb")
    return parse_qs(urlsplit(url).query)


async def test_a_sign_in_carries_what_the_api_asked_for() -> None:
    stage = Stage()
    await stage.sign_in()
    stage.service.expect_step_up("orders", StepUp(("gold", "silver"), 60))
    query = await asked(stage, "orders")
    assert (query["acr_values"], query["max_age"]) == (["gold silver"], ["60"])


async def test_a_sign_in_that_names_no_api_carries_what_was_asked_for_last() -> None:
    stage = Stage()
    await stage.sign_in()
    stage.service.expect_step_up("orders", StepUp(("gold",)))
    stage.service.expect_step_up("invoices", StepUp(("silver",)))
    stage.service.expect_step_up("orders", StepUp(("platinum",)))
    assert (await asked(stage, None))["acr_values"] == ["platinum"]
    assert (await asked(stage, "invoices"))["acr_values"] == ["silver"]


async def test_a_sign_in_for_another_api_asks_for_nothing_special() -> None:
    stage = Stage()
    await stage.sign_in()
    stage.service.expect_step_up("orders", StepUp(("gold",), 0))
    query = await asked(stage, "invoices")
    assert not {"acr_values", "max_age"} & query.keys()


async def test_what_was_asked_for_is_forgotten_when_somebody_has_signed_in() -> None:
    stage = Stage()
    await stage.sign_in()
    stage.service.expect_step_up("orders", StepUp(("gold",), 300))
    stage.provider.claims = {"auth_time": stage.clock.now().wall, "acr": "gold"}
    await stage.sign_in()
    assert "acr_values" not in await asked(stage, "orders")


@pytest.mark.parametrize(("age", "ends"), [(10, Progress.COMPLETED), (3_600, Progress.FAILED)])
async def test_an_old_login_does_not_pass_for_a_new_one(age: int, ends: Progress) -> None:
    """V-13: the time of the login is compared with what the API wants."""
    stage = Stage()
    await stage.sign_in()
    stage.service.expect_step_up("orders", StepUp((), 60))
    stage.provider.claims = {"auth_time": stage.clock.now().wall - age}
    assert (await stage.sign_in()).progress is ends


async def test_whatever_is_open_ends_with_a_sign_out_or_a_new_sign_in() -> None:
    """S-5."""
    stage = Stage()
    await stage.sign_in()
    cut: list[str] = []
    stage.service.on_end(lambda: cut.append("one"))
    forget = stage.service.on_end(lambda: cut.append("closed before"))
    forget()
    await stage.sign_in()
    stage.service.on_end(lambda: cut.append("two"))
    await stage.service.sign_out()
    assert cut == ["one", "two"]


async def test_a_refused_renewal_cuts_nothing_that_flows() -> None:
    """B1."""
    stage = Stage()
    await stage.sign_in()
    cut: list[str] = []
    stage.service.on_end(lambda: cut.append("cut"))
    stage.clock.advance(400)
    stage.provider.plan("token", reply({"error": "invalid_grant"}, status=400))
    await stage.service.bearer(SIGN_IN_KEY)
    await settle()
    assert cut == []


async def test_a_token_that_needs_no_waiting_is_there_at_once() -> None:
    """The way of almost every call: no coroutine, no lock; and never a token of a session that is over."""
    stage = Stage()
    assert stage.service.ready(SIGN_IN_KEY) is None
    await stage.sign_in()
    ready = stage.service.ready(SIGN_IN_KEY)
    assert isinstance(ready, Granted)
    assert stage.service.is_current(ready.generation)
    stage.clock.advance(400)
    assert stage.service.ready(SIGN_IN_KEY) is None
    await stage.service.sign_out()
    assert stage.service.ready(SIGN_IN_KEY) is None
    assert not stage.service.is_current(ready.generation)

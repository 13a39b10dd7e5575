"""An API asks for a stronger sign-in (RFC 9470, C12; V-13), and all that a session opened ends with it (S-5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jupyter_oidc.problems import ConfigurationInvalid
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted
from jupyter_oidc.sessions.pending import PendingSignIn, SignInState
from jupyter_oidc.sessions.step_up import StepUp
from tests.unit.protocol.makers import reply
from tests.unit.sessions.fake_environment import DEVICE, SETTINGS, FakeEnvironment, settle


async def asked(fake_environment: FakeEnvironment, api: str | None) -> dict[str, list[str]]:
    """Begin a sign-in for ``api``; return the query of the authorization request."""
    pending, ticket = await fake_environment.service.sign_ins.begin("user:a", api=api)
    assert fake_environment.pending.use_ticket(ticket) is pending
    url, _ = await fake_environment.service.sign_ins.authorization_url(pending, "http://localhost:8888/cb")
    return parse_qs(urlsplit(url).query)


async def test_a_sign_in_carries_what_the_api_asked_for() -> None:
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.service.current.expect_step_up("orders", StepUp(("gold", "silver"), 60))
    query = await asked(fake_environment, "orders")
    assert (query["acr_values"], query["max_age"]) == (["gold silver"], ["60"])


async def test_a_sign_in_that_names_no_api_carries_what_was_asked_for_last() -> None:
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.service.current.expect_step_up("orders", StepUp(("gold",)))
    fake_environment.service.current.expect_step_up("invoices", StepUp(("silver",)))
    fake_environment.service.current.expect_step_up("orders", StepUp(("platinum",)))
    assert (await asked(fake_environment, None))["acr_values"] == ["platinum"]
    assert (await asked(fake_environment, "invoices"))["acr_values"] == ["silver"]


async def test_a_sign_in_for_another_api_asks_for_nothing_special() -> None:
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.service.current.expect_step_up("orders", StepUp(("gold",), 0))
    query = await asked(fake_environment, "invoices")
    assert not {"acr_values", "max_age"} & query.keys()


async def stepped_up(api: str = "orders", acr: str = "gold", max_age: int | None = None) -> FakeEnvironment:
    """Sign in, and sign in again because ``api`` asks for it."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.service.current.expect_step_up(api, StepUp((acr,), max_age))
    fake_environment.provider.claims = {"auth_time": fake_environment.clock.now().wall, "acr": acr}
    await fake_environment.sign_in()
    return fake_environment


async def test_a_second_step_up_of_the_same_api_does_not_drop_the_first() -> None:
    """Q9.13: the API asks for a fresher login now, and the level of the first step-up stays."""
    fake_environment = await stepped_up()
    fake_environment.service.current.expect_step_up("orders", StepUp((), 60))
    query = await asked(fake_environment, "orders")
    assert (query["acr_values"], query["max_age"]) == (["gold"], ["60"])


async def test_two_questions_of_one_api_before_a_sign_in_are_one() -> None:
    """Q9.13: RFC 9470 lets an API ask for a level or an age, one at a time."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.service.current.expect_step_up("orders", StepUp(("gold",)))
    fake_environment.service.current.expect_step_up("orders", StepUp((), 60))
    query = await asked(fake_environment, "orders")
    assert (query["acr_values"], query["max_age"]) == (["gold"], ["60"])


async def test_a_step_up_by_another_api_keeps_what_the_first_one_has() -> None:
    """Q9.13: the second API's values come first, since it is the one that refuses."""
    fake_environment = await stepped_up(max_age=300)
    fake_environment.service.current.expect_step_up("invoices", StepUp(("silver",)))
    query = await asked(fake_environment, "invoices")
    assert (query["acr_values"], query["max_age"]) == (["silver gold"], ["300"])


async def test_of_two_apis_that_agree_on_a_level_that_one_is_asked_for() -> None:
    """Q9.13: A second step-up keeps the first level."""
    fake_environment = await stepped_up()
    fake_environment.service.current.expect_step_up("invoices", StepUp(("silver", "gold")))
    assert (await asked(fake_environment, "invoices"))["acr_values"] == ["gold"]


async def test_a_sign_in_that_names_no_api_is_no_weaker_than_the_session() -> None:
    """Q9.13: the new session takes the place of the old."""
    assert (await asked(await stepped_up(), None))["acr_values"] == ["gold"]


async def test_what_another_api_asked_for_survives_the_step_up_of_the_first() -> None:
    """Q9.13: the other API's own step-up is still to come."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.service.current.expect_step_up("invoices", StepUp(("silver",)))
    fake_environment.service.current.expect_step_up("orders", StepUp(("gold",)))
    fake_environment.provider.claims = {"acr": "gold"}
    await fake_environment.sign_in()
    assert (await asked(fake_environment, "invoices"))["acr_values"] == ["silver gold"]


async def test_what_was_asked_for_ends_with_the_session() -> None:
    """Q9.13: the demand is remembered for the session, and no longer."""
    fake_environment = await stepped_up()
    await fake_environment.service.sign_outs.sign_out()
    await fake_environment.sign_in()
    assert "acr_values" not in await asked(fake_environment, "orders")


async def test_many_apis_do_not_make_a_request_without_end() -> None:
    """Q9.13: an API chooses the values that it asks for."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    for number in range(40):
        fake_environment.service.current.expect_step_up(f"api-{number}", StepUp((f"level-{number}",)))
        fake_environment.provider.claims = {"acr": f"level-{number}"}
        await fake_environment.sign_in()
    fake_environment.service.current.expect_step_up("greedy", StepUp(tuple(f"rank-{number}" for number in range(20))))
    assert len((await asked(fake_environment, "greedy"))["acr_values"][0].split()) == 20


@pytest.mark.parametrize(("age", "ends"), [(10, "completed"), (3_600, "failed")])
async def test_an_old_login_does_not_pass_for_a_new_one(age: int, ends: SignInState) -> None:
    """V-13: the time of the login is compared with the maximum age of the API."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.service.current.expect_step_up("orders", StepUp((), 60))
    fake_environment.provider.claims = {"auth_time": fake_environment.clock.now().wall - age}
    assert (await fake_environment.sign_in()).progress is ends


async def stepping_up(acr: object, wanted: StepUp, **settings: Any) -> tuple[FakeEnvironment, PendingSignIn]:
    """Make a session, and a sign-in for the API ``orders`` in which the provider reports the level ``acr``."""
    fake_environment = FakeEnvironment(replace(SETTINGS, **settings))
    fake_environment.provider.claims = {"acr": settings["acr_values"][0]} if "acr_values" in settings else {}
    await fake_environment.sign_in()
    fake_environment.service.current.expect_step_up("orders", wanted)
    fake_environment.provider.claims = {} if acr is ... else {"acr": acr}
    return fake_environment, await fake_environment.sign_in()


@pytest.mark.parametrize("acr", ["silver", "gold"])
async def test_a_level_that_was_asked_for_is_reached(acr: str) -> None:
    """Q5.14, V-14: any level that the API named suffices (RFC 9470, 4)."""
    fake_environment, pending = await stepping_up(acr, StepUp(("gold", "silver")))
    assert pending.progress == "completed"
    assert "acr_values" in await asked(fake_environment, None), "the session is not to become weaker"


@pytest.mark.parametrize("acr", ["bronze", "Gold", "gold silver", "", None, ...])
async def test_a_level_that_was_not_reached_is_told_and_changes_nothing(acr: object) -> None:
    """Q5.14: without the check, a sign-in by password alone was a success."""
    fake_environment, pending = await stepping_up(acr, StepUp(("gold", "silver")))
    assert pending.progress == "failed"
    assert pending.problem is not None
    assert (pending.problem.code, pending.problem.detail) == ("sign_in_refused", "id_token.acr")
    assert pending.problem.message == "The provider signed you in, but not as strongly as was asked for."
    assert pending.problem.action.startswith("Sign in again with a second factor.")
    assert fake_environment.notes.refusals == [("sign_in_refused", "id_token.acr")]
    assert isinstance(await fake_environment.service.tokens.bearer(SIGN_IN_KEY), Granted), "the session before goes on"
    assert (await asked(fake_environment, "orders"))["acr_values"] == ["gold silver"], "and the API still waits"


async def test_a_level_in_force_alone_does_not_pass_for_the_one_that_the_api_wants() -> None:
    """Q5.14: the API refused a token of that level."""
    fake_environment = await stepped_up()
    fake_environment.service.current.expect_step_up("invoices", StepUp(("platinum",)))
    fake_environment.provider.claims = {"acr": "gold"}
    pending = await fake_environment.sign_in()
    assert (pending.progress, pending.problem and pending.problem.detail) == ("failed", "id_token.acr")


async def test_a_stronger_level_than_the_one_in_force_is_no_fault_where_nobody_asked() -> None:
    """Q5.14: the service cannot tell which of two levels is stronger."""
    fake_environment = await stepped_up()
    fake_environment.provider.claims = {"acr": "platinum"}
    _, state, binding = await fake_environment.begin()
    pending = await fake_environment.service.sign_ins.callback([("code", "c-1"), ("state", state)], [binding])
    assert pending.progress == "completed"


async def test_only_what_was_reached_counts_as_answered() -> None:
    """Q5.14: two APIs wait, and one of them is served."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.service.current.expect_step_up("invoices", StepUp(("silver",)))
    fake_environment.service.current.expect_step_up("orders", StepUp(("gold", "silver")))
    fake_environment.provider.claims = {"acr": "gold"}
    assert (await fake_environment.sign_in()).progress == "completed"
    assert (await asked(fake_environment, "invoices"))["acr_values"] == ["silver gold"]


async def test_what_userinfo_says_of_the_level_does_not_count() -> None:
    """Q5.14, U-5: only an ID token describes a sign-in."""
    fake_environment = FakeEnvironment(replace(SETTINGS, acr_values=("gold",)))
    fake_environment.provider.userinfo["acr"] = "gold"
    assert (await fake_environment.sign_in()).progress == "failed"


@pytest.mark.parametrize(("acr", "ends"), [("gold", "completed"), ("bronze", "failed")])
async def test_settings_can_ask_every_sign_in_for_a_level(acr: str, ends: SignInState) -> None:
    """Q5.14: the sign-in asks for the level without any API, and checks it."""
    fake_environment = FakeEnvironment(replace(SETTINGS, acr_values=("gold", "platinum")))
    fake_environment.provider.claims = {"acr": acr}
    assert (await asked(fake_environment, None))["acr_values"] == ["gold platinum"]
    assert (await fake_environment.sign_in()).progress is ends


async def test_an_api_cannot_ask_for_less_than_the_settings() -> None:
    """Q5.14: an API chooses its own level, and the demand of another API does not go with it."""
    fake_environment = FakeEnvironment(replace(SETTINGS, acr_values=("gold", "platinum")))
    fake_environment.provider.claims = {"acr": "gold"}
    await fake_environment.sign_in()
    fake_environment.service.current.expect_step_up("orders", StepUp(("bronze", "platinum")))
    assert (await asked(fake_environment, "orders"))["acr_values"] == ["platinum"]
    fake_environment.service.current.expect_step_up("orders", StepUp(("bronze",)))
    with pytest.raises(ConfigurationInvalid, match="a level that the settings do not admit"):
        await fake_environment.service.sign_ins.begin("user:a", api="orders")


async def test_a_sign_in_by_code_is_held_to_the_level_too() -> None:
    """Q5.14: the check applies to every way to sign in."""
    fake_environment = FakeEnvironment(replace(SETTINGS, acr_values=("gold",)))
    fake_environment.provider.advertise |= DEVICE
    pending, _ = await fake_environment.service.sign_ins.begin("user:a", strategy="device")
    await fake_environment.scheduler.pass_time(6)
    await settle()
    assert (pending.progress, pending.problem and pending.problem.detail) == ("failed", "id_token.acr")


async def test_whatever_is_open_ends_with_a_sign_out_or_a_new_sign_in() -> None:
    """S-5: Ending a session closes everything opened with it."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    cut: list[str] = []
    fake_environment.service.current.on_session_end(lambda: cut.append("one"))
    forget = fake_environment.service.current.on_session_end(lambda: cut.append("closed before"))
    forget()
    await fake_environment.sign_in()
    fake_environment.service.current.on_session_end(lambda: cut.append("two"))
    await fake_environment.service.sign_outs.sign_out()
    assert cut == ["one", "two"]


async def test_a_refused_refresh_cuts_nothing_that_flows() -> None:
    """B1: A refused refresh ends the session once for all."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    cut: list[str] = []
    fake_environment.service.current.on_session_end(lambda: cut.append("cut"))
    fake_environment.clock.advance(400)
    fake_environment.provider.plan("token", reply({"error": "invalid_grant"}, status=400))
    await fake_environment.service.tokens.bearer(SIGN_IN_KEY)
    await settle()
    assert cut == []


async def test_a_token_that_needs_no_waiting_is_there_at_once() -> None:
    """The fast path serves almost every call without a coroutine or a lock, and never with an ended session's token."""
    fake_environment = FakeEnvironment()
    assert fake_environment.service.tokens.ready(SIGN_IN_KEY) is None
    await fake_environment.sign_in()
    ready = fake_environment.service.tokens.ready(SIGN_IN_KEY)
    assert isinstance(ready, Granted)
    assert fake_environment.service.current.has_number(ready.session_number)
    fake_environment.clock.advance(400)
    assert fake_environment.service.tokens.ready(SIGN_IN_KEY) is None
    await fake_environment.service.sign_outs.sign_out()
    assert fake_environment.service.tokens.ready(SIGN_IN_KEY) is None
    assert not fake_environment.service.current.has_number(ready.session_number)


async def test_a_level_that_was_asked_for_besides_stays_in_force_when_it_is_reached() -> None:
    """Q5.14: the session is as strong as before, and the next sign-in must not be weaker."""
    fake_environment = await stepped_up()
    await fake_environment.sign_in()
    assert (await asked(fake_environment, None))["acr_values"] == ["gold"]


async def test_a_level_that_nobody_asked_for_is_not_in_force() -> None:
    """Q5.14: the service cannot tell whether the level's name stands for more or for less."""
    fake_environment = await stepped_up()
    fake_environment.provider.claims["acr"] = "platinum"
    await fake_environment.sign_in()
    assert "acr_values" not in await asked(fake_environment, None)


async def waits_for(fake_environment: FakeEnvironment, api: str | None = None) -> PendingSignIn:
    """Begin a sign-in of a cell that no user has answered yet."""
    pending, _ = await fake_environment.service.sign_ins.begin("kernel:k1", api=api)
    return pending


async def test_a_cell_that_asks_for_no_level_is_done_whatever_level_the_session_had() -> None:
    """Q6.2, Q5.14: an optional level keeps no cell waiting."""
    fake_environment = await stepped_up()
    cell = await waits_for(fake_environment)
    fake_environment.service.current.expect_step_up("invoices", StepUp(("silver",)))
    fake_environment.provider.claims["acr"] = "silver"
    await fake_environment.sign_in()
    assert (cell.options.step_up.optional_acr_values, cell.progress) == (("gold",), "completed")


@pytest.mark.parametrize(("acr", "ends"), [("gold", "completed"), ("silver", "waiting")])
async def test_a_cell_that_asks_for_a_level_is_done_when_that_one_was_reached(acr: str, ends: SignInState) -> None:
    """Q6.2, Q5.14: the ID token decides, and not another sign-in's request."""
    fake_environment = FakeEnvironment()
    await fake_environment.sign_in()
    fake_environment.service.current.expect_step_up("orders", StepUp(("gold",)))
    cell = await waits_for(fake_environment, "orders")
    fake_environment.service.current.expect_step_up("invoices", StepUp(("silver", "gold")))
    fake_environment.provider.claims = {"acr": acr}
    await fake_environment.sign_in()
    assert cell.progress is ends

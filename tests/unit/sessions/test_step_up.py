"""A sign-in that an API asked for (RFC 9470, C12; V-13), and what ends with a session (S-5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jupyter_oidc.errors import ConfigurationInvalid
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, Granted
from jupyter_oidc.sessions.pending import PendingSignIn, Progress, StepUp
from tests.unit.protocol.makers import reply
from tests.unit.sessions.stage import DEVICE, SETTINGS, Stage, settle


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


async def stepped_up(api: str = "orders", acr: str = "gold", max_age: int | None = None) -> Stage:
    """Sign in, and sign in again because ``api`` wants that."""
    stage = Stage()
    await stage.sign_in()
    stage.service.expect_step_up(api, StepUp((acr,), max_age))
    stage.provider.claims = {"auth_time": stage.clock.now().wall, "acr": acr}
    await stage.sign_in()
    return stage


async def test_a_second_step_up_of_the_same_api_does_not_drop_the_first() -> None:
    """Q9.13: it asks for a fresher login now, and the level of the first stays."""
    stage = await stepped_up()
    stage.service.expect_step_up("orders", StepUp((), 60))
    query = await asked(stage, "orders")
    assert (query["acr_values"], query["max_age"]) == (["gold"], ["60"])


async def test_two_questions_of_one_api_before_a_sign_in_are_one() -> None:
    """Q9.13: RFC 9470 lets it ask for one thing at a time."""
    stage = Stage()
    await stage.sign_in()
    stage.service.expect_step_up("orders", StepUp(("gold",)))
    stage.service.expect_step_up("orders", StepUp((), 60))
    query = await asked(stage, "orders")
    assert (query["acr_values"], query["max_age"]) == (["gold"], ["60"])


async def test_a_step_up_by_another_api_keeps_what_the_first_one_has() -> None:
    """Q9.13: its own values come first, since it is the one that refuses."""
    stage = await stepped_up(max_age=300)
    stage.service.expect_step_up("invoices", StepUp(("silver",)))
    query = await asked(stage, "invoices")
    assert (query["acr_values"], query["max_age"]) == (["silver gold"], ["300"])


async def test_of_two_apis_that_agree_on_a_level_that_one_is_asked_for() -> None:
    """Q9.13."""
    stage = await stepped_up()
    stage.service.expect_step_up("invoices", StepUp(("silver", "gold")))
    assert (await asked(stage, "invoices"))["acr_values"] == ["gold"]


async def test_a_sign_in_that_names_no_api_is_no_weaker_than_the_session() -> None:
    """Q9.13: it takes its place."""
    assert (await asked(await stepped_up(), None))["acr_values"] == ["gold"]


async def test_what_another_api_asked_for_survives_the_step_up_of_the_first() -> None:
    """Q9.13: its turn comes after it."""
    stage = Stage()
    await stage.sign_in()
    stage.service.expect_step_up("invoices", StepUp(("silver",)))
    stage.service.expect_step_up("orders", StepUp(("gold",)))
    stage.provider.claims = {"acr": "gold"}
    await stage.sign_in()
    assert (await asked(stage, "invoices"))["acr_values"] == ["silver gold"]


async def test_what_was_asked_for_ends_with_the_session() -> None:
    """Q9.13: remembered for the session, and no longer."""
    stage = await stepped_up()
    await stage.service.sign_out()
    await stage.sign_in()
    assert "acr_values" not in await asked(stage, "orders")


async def test_many_apis_do_not_make_a_request_without_end() -> None:
    """Q9.13: an API chooses what it asks for."""
    stage = Stage()
    await stage.sign_in()
    for number in range(40):
        stage.service.expect_step_up(f"api-{number}", StepUp((f"level-{number}",)))
        stage.provider.claims = {"acr": f"level-{number}"}
        await stage.sign_in()
    stage.service.expect_step_up("greedy", StepUp(tuple(f"rank-{number}" for number in range(20))))
    assert len((await asked(stage, "greedy"))["acr_values"][0].split()) == 20


@pytest.mark.parametrize(("age", "ends"), [(10, Progress.COMPLETED), (3_600, Progress.FAILED)])
async def test_an_old_login_does_not_pass_for_a_new_one(age: int, ends: Progress) -> None:
    """V-13: the time of the login is compared with what the API wants."""
    stage = Stage()
    await stage.sign_in()
    stage.service.expect_step_up("orders", StepUp((), 60))
    stage.provider.claims = {"auth_time": stage.clock.now().wall - age}
    assert (await stage.sign_in()).progress is ends


async def stepping_up(acr: object, wanted: StepUp, **settings: Any) -> tuple[Stage, PendingSignIn]:
    """A session, and the sign-in that the API ``orders`` asked for, at which the provider tells the level ``acr``."""
    stage = Stage(replace(SETTINGS, **settings))
    stage.provider.claims = {"acr": settings["acr_values"][0]} if "acr_values" in settings else {}
    await stage.sign_in()
    stage.service.expect_step_up("orders", wanted)
    stage.provider.claims = {} if acr is ... else {"acr": acr}
    return stage, await stage.sign_in()


@pytest.mark.parametrize("acr", ["silver", "gold"])
async def test_a_level_that_was_asked_for_is_reached(acr: str) -> None:
    """Q5.14, V-14: any of those that the API named will do (RFC 9470, 4)."""
    stage, pending = await stepping_up(acr, StepUp(("gold", "silver")))
    assert pending.progress is Progress.COMPLETED
    assert "acr_values" in await asked(stage, None), "the session is not to become weaker"


@pytest.mark.parametrize("acr", ["bronze", "Gold", "gold silver", "", None, ...])
async def test_a_level_that_was_not_reached_is_told_and_changes_nothing(acr: object) -> None:
    """Q5.14: sent and never checked, a sign-in by password alone was a success."""
    stage, pending = await stepping_up(acr, StepUp(("gold", "silver")))
    assert pending.progress is Progress.FAILED
    assert pending.problem is not None
    assert (pending.problem.code, pending.problem.detail) == ("sign_in_refused", "id_token.acr")
    assert pending.problem.message == "The provider signed you in, but not as strongly as was asked for."
    assert pending.problem.action.startswith("Sign in again with a second factor.")
    assert stage.notes.refusals == [("sign_in_refused", "id_token.acr")]
    assert isinstance(await stage.service.bearer(SIGN_IN_KEY), Granted), "the session before goes on"
    assert (await asked(stage, "orders"))["acr_values"] == ["gold silver"], "and the API still waits"


async def test_a_level_in_force_alone_does_not_pass_for_the_one_that_the_api_wants() -> None:
    """Q5.14: it had that one, and refused."""
    stage = await stepped_up()
    stage.service.expect_step_up("invoices", StepUp(("platinum",)))
    stage.provider.claims = {"acr": "gold"}
    pending = await stage.sign_in()
    assert (pending.progress, pending.problem and pending.problem.detail) == (Progress.FAILED, "id_token.acr")


async def test_a_stronger_level_than_the_one_in_force_is_no_fault_where_nobody_asked() -> None:
    """Q5.14: nobody can tell which of two names is more."""
    stage = await stepped_up()
    stage.provider.claims = {"acr": "platinum"}
    _, state, binding = await stage.begin()
    pending = await stage.service.sign_ins.callback([("code", "c-1"), ("state", state)], [binding])
    assert pending.progress is Progress.COMPLETED


async def test_only_what_was_reached_counts_as_answered() -> None:
    """Q5.14: two APIs wait, and one of them is served."""
    stage = Stage()
    await stage.sign_in()
    stage.service.expect_step_up("invoices", StepUp(("silver",)))
    stage.service.expect_step_up("orders", StepUp(("gold", "silver")))
    stage.provider.claims = {"acr": "gold"}
    assert (await stage.sign_in()).progress is Progress.COMPLETED
    assert (await asked(stage, "invoices"))["acr_values"] == ["silver gold"]


async def test_what_userinfo_says_of_the_level_does_not_count() -> None:
    """Q5.14, U-5: only an ID token speaks of a sign-in."""
    stage = Stage(replace(SETTINGS, acr_values=("gold",)))
    stage.provider.userinfo["acr"] = "gold"
    assert (await stage.sign_in()).progress is Progress.FAILED


@pytest.mark.parametrize(("acr", "ends"), [("gold", Progress.COMPLETED), ("bronze", Progress.FAILED)])
async def test_settings_can_ask_every_sign_in_for_a_level(acr: str, ends: Progress) -> None:
    """Q5.14: asked for without any API, and checked."""
    stage = Stage(replace(SETTINGS, acr_values=("gold", "platinum")))
    stage.provider.claims = {"acr": acr}
    assert (await asked(stage, None))["acr_values"] == ["gold platinum"]
    assert (await stage.sign_in()).progress is ends


async def test_an_api_cannot_ask_for_less_than_the_settings() -> None:
    """Q5.14: an API chooses what it asks for, and nobody else's demand goes with it."""
    stage = Stage(replace(SETTINGS, acr_values=("gold", "platinum")))
    stage.provider.claims = {"acr": "gold"}
    await stage.sign_in()
    stage.service.expect_step_up("orders", StepUp(("bronze", "platinum")))
    assert (await asked(stage, "orders"))["acr_values"] == ["platinum"]
    stage.service.expect_step_up("orders", StepUp(("bronze",)))
    with pytest.raises(ConfigurationInvalid, match="a level that the settings do not admit"):
        await stage.service.sign_ins.begin("user:a", api="orders")


async def test_a_sign_in_by_code_is_held_to_the_level_too() -> None:
    """Q5.14: whatever way it takes."""
    stage = Stage(replace(SETTINGS, acr_values=("gold",)))
    stage.provider.advertise |= DEVICE
    pending, _ = await stage.service.sign_ins.begin("user:a", strategy="device")
    await stage.scheduler.pass_time(6)
    await settle()
    assert (pending.progress, pending.problem and pending.problem.detail) == (Progress.FAILED, "id_token.acr")


async def test_whatever_is_open_ends_with_a_sign_out_or_a_new_sign_in() -> None:
    """S-5."""
    stage = Stage()
    await stage.sign_in()
    cut: list[str] = []
    stage.service.on_session_end(lambda: cut.append("one"))
    forget = stage.service.on_session_end(lambda: cut.append("closed before"))
    forget()
    await stage.sign_in()
    stage.service.on_session_end(lambda: cut.append("two"))
    await stage.service.sign_out()
    assert cut == ["one", "two"]


async def test_a_refused_refresh_cuts_nothing_that_flows() -> None:
    """B1."""
    stage = Stage()
    await stage.sign_in()
    cut: list[str] = []
    stage.service.on_session_end(lambda: cut.append("cut"))
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


async def test_a_level_that_was_asked_for_besides_stays_in_force_when_it_is_reached() -> None:
    """Q5.14: the session is as strong as before, and the next sign-in is to be no weaker."""
    stage = await stepped_up()
    await stage.sign_in()
    assert (await asked(stage, None))["acr_values"] == ["gold"]


async def test_a_level_that_nobody_asked_for_is_not_in_force() -> None:
    """Q5.14: whether its name stands for more or for less, nobody here can tell."""
    stage = await stepped_up()
    stage.provider.claims["acr"] = "platinum"
    await stage.sign_in()
    assert "acr_values" not in await asked(stage, None)


async def waits_for(stage: Stage, api: str | None = None) -> PendingSignIn:
    """A sign-in of a cell that nobody has answered yet."""
    pending, _ = await stage.service.sign_ins.begin("kernel:k1", api=api)
    return pending


async def test_a_cell_that_asks_for_no_level_is_done_whatever_level_the_session_had() -> None:
    """Q6.2, Q5.14: what is only asked for besides keeps nobody waiting."""
    stage = await stepped_up()
    cell = await waits_for(stage)
    stage.service.expect_step_up("invoices", StepUp(("silver",)))
    stage.provider.claims["acr"] = "silver"
    await stage.sign_in()
    assert (cell.options.step_up.optional_acr_values, cell.progress) == (("gold",), Progress.COMPLETED)


@pytest.mark.parametrize(("acr", "ends"), [("gold", Progress.COMPLETED), ("silver", Progress.WAITING)])
async def test_a_cell_that_asks_for_a_level_is_done_when_that_one_was_reached(acr: str, ends: Progress) -> None:
    """Q6.2, Q5.14: by what the ID token says, and not by what another sign-in has asked for."""
    stage = Stage()
    await stage.sign_in()
    stage.service.expect_step_up("orders", StepUp(("gold",)))
    cell = await waits_for(stage, "orders")
    stage.service.expect_step_up("invoices", StepUp(("silver", "gold")))
    stage.provider.claims = {"acr": acr}
    await stage.sign_in()
    assert cell.progress is ends

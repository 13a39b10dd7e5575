"""One table gives the provider's error codes their meaning, at both endpoints, for sign-ins and for refreshes."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_oidc.problems import Problem
from jupyter_oidc.protocol import authorization, pushed_authorization, token
from jupyter_oidc.sessions.machine import State
from jupyter_oidc.sessions.oauth_errors import MEANINGS, refusal_of
from jupyter_oidc.sessions.refresh_policy import Ambiguous, Ends, Pauses, judge_oauth_error
from tests.unit.protocol.makers import reply
from tests.unit.sessions.fake_environment import FakeEnvironment
from tests.unit.sessions.test_device import begun, environment_of


async def refused_at_the_page(error: str) -> Problem:
    fake_environment = FakeEnvironment()
    pending, state, binding = await fake_environment.begin()
    await fake_environment.service.sign_ins.callback([("error", error), ("state", state)], [binding])
    assert pending.problem is not None
    assert fake_environment.notes.refusals == [(pending.problem.code, pending.problem.detail)]
    return pending.problem


async def refused_at_the_token_endpoint(error: str, status: int = 400) -> Problem:
    fake_environment = FakeEnvironment()
    fake_environment.provider.plan("token", reply({"error": error}, status=status))
    pending, state, binding = await fake_environment.begin()
    await fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert pending.problem is not None
    assert fake_environment.service.state is State.SIGNED_OUT
    return pending.problem


def test_every_registered_code_is_in_the_table_and_no_other() -> None:
    """Q5.1, Q5.2: a code that is registered later fails this test until it has a sentence of its own."""
    assert set(MEANINGS) == authorization.ERRORS | token.ERRORS | pushed_authorization.ERRORS | {"other"}


def test_no_two_codes_share_a_sentence() -> None:
    """Q5.1, Q5.2: the two codes that cannot come there are exempt."""
    said = [one.says for error, one in MEANINGS.items() if error not in ("authorization_pending", "slow_down")]
    assert len(said) == len(set(said))


@pytest.mark.parametrize("error", MEANINGS)
@pytest.mark.parametrize("place", ["authorization", "token", "device", "pushed"])
def test_a_refusal_is_a_sentence_an_action_and_the_code(error: str, place: Any) -> None:
    """Q5.1: Each refusal of the token endpoint has its sentence.

    Q5.2: Only access_denied is called declined.
    Q9.4: Device sign-ins use PKCE where it is known.
    """
    problem = refusal_of(error, place)
    assert problem.detail.partition(".")[2] == error
    assert problem.message.endswith(".")
    assert problem.action.endswith(".")
    assert "{" not in problem.message + problem.action
    assert f"({error})" in problem.message or problem.code == "sign_in_declined"


@pytest.mark.parametrize(
    ("error", "code", "says", "do"),
    [
        ("access_denied", "sign_in_declined", "was declined", "whether your account may use"),
        ("server_error", "idp_unavailable", "an error of its own (server_error)", "Try again in a moment"),
        ("temporarily_unavailable", "idp_unavailable", "overloaded", "Try again in a moment"),
        ("invalid_scope", "sign_in_refused", "a scope that was asked for (invalid_scope)", "'scopes' in the settings"),
        ("unauthorized_client", "sign_in_refused", "in this way", "the authorization code grant"),
        ("interaction_required", "sign_in_refused", "has to ask you something", "answer what the provider's page asks"),
        ("unmet_authentication_requirements", "sign_in_refused", "as strongly as was asked for", "a second factor"),
        ("login_required", "sign_in_refused", "wants you to log in", "log in on the provider's page"),
        ("consent_required", "sign_in_refused", "wants your consent", "agree on the provider's page"),
        ("account_selection_required", "sign_in_refused", "which of your accounts", "choose an account"),
        ("made_up", "sign_in_refused", "no registered name (other)", "in the provider's log"),
    ],
)
async def test_each_error_of_the_authorization_endpoint_has_its_own_words(
    error: str, code: str, says: str, do: str
) -> None:
    """Q5.2, R-7: only ``access_denied`` is "declined"."""
    problem = await refused_at_the_page(error)
    assert (problem.code, says in problem.message, do in problem.action) == (code, True, True), problem.message


@pytest.mark.parametrize(
    ("error", "status", "says", "do"),
    [
        ("invalid_client", 401, "does not recognise this application", "client_secret and token_endpoint_auth_method"),
        ("unauthorized_client", 400, "does not let this application", "the authorization code grant"),
        ("invalid_grant", 400, "does not accept the code of this sign-in", "Sign in again."),
        ("invalid_request", 400, "finds the request of this application wrong", "redirect_uri"),
        ("unsupported_grant_type", 400, "does not exchange this kind of code", "allow this client"),
        ("invalid_scope", 400, "a scope that was asked for", "'scopes' in the settings"),
        ("invalid_client", 200, "does not recognise this application", "client_id"),
    ],
)
async def test_each_error_of_the_token_endpoint_has_its_own_words(error: str, status: int, says: str, do: str) -> None:
    """Q5.1: Each refusal of the token endpoint has its sentence."""
    problem = await refused_at_the_token_endpoint(error, status)
    assert (problem.code, problem.detail) == ("sign_in_refused", f"token.{error}")
    assert (says in problem.message, f"({error})" in problem.message, do in problem.action) == (True, True, True)


async def test_a_page_of_something_in_between_keeps_its_own_words() -> None:
    """Q5.1: an answer that is no token response is not a refusal."""
    fake_environment = FakeEnvironment()
    fake_environment.provider.plan("token", reply(b"<html>portal</html>", media="text/html"))
    pending, state, binding = await fake_environment.begin()
    await fake_environment.service.sign_ins.callback([("code", "c"), ("state", state)], [binding])
    assert (pending.problem and pending.problem.code) == "token_response_invalid"


async def test_a_refused_sign_in_by_code_names_the_grant_and_the_code() -> None:
    """Q5.1, Q9.4: the provider may refuse at the beginning and at the end."""
    fake_environment = environment_of()
    fake_environment.provider.plan("device", reply({"error": "unauthorized_client"}, status=400))
    with pytest.raises(Problem) as caught:
        await fake_environment.service.sign_ins.begin("user:a")
    assert caught.value.detail == "device.unauthorized_client"
    assert "(unauthorized_client)" in caught.value.message
    assert "the device authorization grant" in caught.value.action
    pending = await begun(environment_of(), reply({"error": "unauthorized_client"}, status=400))
    assert pending.problem is not None
    assert "the device authorization grant" in pending.problem.action


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        ("account_selection_required", Ends("interaction_required", token_is_good=True)),
        ("unmet_authentication_requirements", Ends("interaction_required", token_is_good=True)),
        ("server_error", Pauses("provider_error")),
        ("unsupported_response_type", Pauses("provider_configuration", 300.0)),
        ("invalid_target", Ambiguous()),
        ("access_denied", Ambiguous()),
    ],
)
def test_refreshes_judge_by_the_same_table(error: str, verdict: object) -> None:
    """Q5.1, Q5.2, B9: every code by which the provider wants to see the person ends a session."""
    assert judge_oauth_error(error) == verdict

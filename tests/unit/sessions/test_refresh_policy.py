"""The policy decides when to refresh and which failures end a session (B6, B8, B9, B26, B30)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_oidc.sessions.refresh_policy import (
    Ambiguous,
    Ends,
    Pauses,
    RefusesAudience,
    backoff,
    judge_oauth_error,
    margin,
    proactive_delay,
    refusal_pause,
    reserve,
)


@pytest.mark.parametrize(("lifetime", "seconds"), [(3600, 300), (300, 60), (60, 12), (20, 5), (1, 5), (86_400, 300)])
def test_the_margin_is_a_fifth_between_five_seconds_and_five_minutes(lifetime: int, seconds: int) -> None:
    """B26: Short-lived tokens are refreshed without a loop."""
    assert margin(lifetime) == seconds


@pytest.mark.parametrize(("lifetime", "delay"), [(300, 240), (20, 15), (5, 2.5), (3, 1.5), (0, 1)])
def test_the_timer_rings_before_expiry_and_never_in_a_loop(lifetime: int, delay: float) -> None:
    """B26: Short-lived tokens are refreshed without a loop."""
    assert proactive_delay(lifetime, 0.0) == delay


@given(st.floats(0, 1e6), st.floats(0, 0.999))
def test_jitter_only_moves_the_timer_earlier_and_never_below_a_second(lifetime: float, jitter: float) -> None:
    assert 1.0 <= proactive_delay(lifetime, jitter) <= max(1.0, proactive_delay(lifetime, 0.0))


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (8, 60), (5000, 60)])
def test_the_backoff_doubles_up_to_a_minute(failures: int, seconds: int) -> None:
    """B6: An outage does not end a session."""
    assert backoff(failures, 0.0) == seconds


def test_jitter_shortens_the_backoff_by_a_fifth_at_most() -> None:
    assert backoff(7, 0.999) == pytest.approx(48, abs=0.1)


@pytest.mark.parametrize(("lifetime", "seconds"), [(None, 0), (5, 0.5), (3600, 2)])
def test_a_token_is_sent_only_if_it_survives_the_way(lifetime: int | None, seconds: float) -> None:
    assert reserve(lifetime) == seconds


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        ("invalid_grant", Ends("session_ended_by_provider")),
        ("interaction_required", Ends("interaction_required", token_is_good=True)),  # B9
        ("consent_required", Ends("consent_required", token_is_good=True)),
        ("login_required", Ends("login_required", token_is_good=True)),
        ("invalid_client", Pauses("provider_configuration", 300)),  # B8
        ("unauthorized_client", Pauses("provider_configuration", 300)),
        ("invalid_scope", Pauses("provider_configuration", 300)),
        ("temporarily_unavailable", Pauses("provider_error")),
        ("invalid_request", Ambiguous()),  # Q9.2
        ("expired_token", Ambiguous()),  # Q1.8
        ("invalid_target", Ambiguous()),
        ("other", Ambiguous()),
    ],
)
def test_only_definite_errors_end_a_session(error: str, verdict: object) -> None:
    """F-8: Only a definite error ends a session."""
    assert judge_oauth_error(error) == verdict


@pytest.mark.parametrize("error", ["invalid_target", "invalid_scope", "invalid_request", "access_denied", "other"])
def test_what_may_be_about_one_api_is_about_that_api(error: str) -> None:
    """B30, Q9.3: Dex says ``invalid_request`` for scopes that it does not know."""
    assert judge_oauth_error(error, for_api=True) == RefusesAudience()


@pytest.mark.parametrize(("refusals", "seconds"), [(0, 2), (1, 2), (2, 4), (3, 8), (8, 256), (9, 300), (5000, 300)])
def test_refusals_are_tried_again_ever_more_rarely(refusals: int, seconds: int) -> None:
    """Q1.8: A doubtful refusal ends only an expired session."""
    assert refusal_pause(refusals, 0.0) == seconds

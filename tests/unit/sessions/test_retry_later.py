"""A deferred token (``TryLater``) becomes the error that the caller receives (B6, B8, C35)."""

from __future__ import annotations

import pytest

from jupyter_oidc.sessions.grant import TryLater
from jupyter_oidc.sessions.retry_later import retry_later_problem


def test_weather_passes_by_itself() -> None:
    """B6: An outage does not end a session."""
    problem = retry_later_problem(TryLater(4.0, "idp_unavailable"))
    assert (problem.message, problem.action) == (
        "The provider cannot be reached at the moment.",
        "Try again in 4 seconds.",
    )
    assert (problem.status, problem.retry_after, problem.detail) == (503, 4.0, "idp_unavailable")


@pytest.mark.parametrize(
    "reason", ["provider_configuration", "egress_proxy_auth", "tls_untrusted", "configuration_invalid"]
)
def test_what_does_not_pass_by_itself_names_who_can_help(reason: str) -> None:
    """B8: A mistake in the registration pauses for five minutes.

    C35: A forward proxy's refusal has its own code.
    """
    problem = retry_later_problem(TryLater(4.0, reason))
    assert (problem.code, problem.detail) == ("idp_unavailable", reason)
    assert problem.action.startswith("Ask your administrator ")


def test_trouble_with_the_storage_is_not_told_as_an_outage_of_the_provider() -> None:
    """Q8.8: Another user cannot block the lock folder."""
    problem = retry_later_problem(TryLater(4.0, "storage_unavailable"))
    assert (problem.code, problem.status, problem.retry_after) == ("storage_unavailable", 503, 4.0)
    assert problem.action == ("Run 'jupyter oidc doctor' on the machine of the Jupyter server; it names the folder.")


def test_whoever_found_the_trouble_with_the_storage_says_what_helps() -> None:
    """Q8.8, Q7.5: the code that tried the folder names it."""
    problem = retry_later_problem(TryLater(4.0, "storage_unavailable", "Make ~/share/jupyter_oidc your own."))
    assert problem.action == "Make ~/share/jupyter_oidc your own."

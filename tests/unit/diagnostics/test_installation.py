"""Which of our distributions are installed in one environment, and what that means."""

from __future__ import annotations

import pytest

from jupyter_oidc.diagnostics.installation import HELPER, WHOLE, check_installation


@pytest.mark.parametrize("versions", [{}, {WHOLE: "0.2.0"}, {HELPER: "0.2.0"}], ids=str)
def test_one_distribution_is_as_it_should_be(versions: dict[str, str]) -> None:
    assert check_installation(versions) == []


@pytest.mark.parametrize(("helper", "status"), [("0.2.0", "warning"), ("0.1.0", "problem"), ("0.3.0", "problem")])
def test_the_helper_beside_the_whole_package_is_named_with_both_versions(helper: str, status: str) -> None:
    (check,) = check_installation({WHOLE: "0.2.0", HELPER: helper})
    assert (check.name, check.status, check.who) == ("installation", status, "administrator")
    assert check.message.startswith(f"jupyter_oidc 0.2.0 and jupyter_oidc_client {helper} are both installed")
    assert "pip uninstall jupyter_oidc_client jupyter_oidc" in (check.action or "")

"""Code challenges (RFC 7636)."""

from __future__ import annotations

import pytest

from jupyter_oidc.protocol.pkce import challenge_of
from jupyter_oidc.secret import Secret


def test_the_challenge_is_that_of_the_specification() -> None:
    """RFC 7636, Appendix B; A-7: the values are the example's."""
    verifier = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize("verifier", ["a" * 42, "a" * 129, "a" * 42 + "+", "a" * 42 + "\n", ""])
def test_a_verifier_outside_the_grammar_is_a_programming_mistake(verifier: str) -> None:
    """A-7: a verifier has 43 to 128 unreserved characters."""
    with pytest.raises(TypeError, match="43 to 128 unreserved"):
        challenge_of(Secret(verifier))

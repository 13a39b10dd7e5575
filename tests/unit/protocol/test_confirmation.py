"""The ``cnf`` claim of an access token names the certificate that it is bound to (RFC 8705, 3.1)."""

from __future__ import annotations

import pytest

from jupyter_oidc.protocol.confirmation import certificate_of
from jupyter_oidc.secret import Secret
from tests.unit.protocol.makers import signed

X5T = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"  # RFC 8705, 3.1


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"cnf": {"x5t#S256": X5T}}, X5T),
        ({"cnf": {"x5t#S256": X5T + "="}}, X5T),
        ({"cnf": {"jkt": "k"}}, ""),
        ({"cnf": {"x5t#S256": 7}}, ""),
        ({"cnf": "x"}, ""),
        ({"sub": "s"}, ""),
        ("[]", None),
        ("{", None),
    ],
)
def test_a_jwt_names_its_certificate_or_none(claims: object, told: str | None) -> None:
    """RFC 8705, 3.1: the claim is ``x5t#S256`` of ``cnf``."""
    assert certificate_of(Secret(signed(claims))) == told


@pytest.mark.parametrize("opaque", ["abc", "a.b", "a.b.c", "a.\u00e4.c", "a..c"])
def test_what_is_not_a_jwt_tells_nothing(opaque: str) -> None:
    assert certificate_of(Secret(opaque)) is None

"""The challenge of an API that refused a call names the error and the level (C12; RFC 6750, 3; RFC 9470, 3)."""

from __future__ import annotations

import pytest

from jupyter_oidc.proxy.challenge import missing_scopes, requested_step_up
from jupyter_oidc.proxy.headers import asks_no_password
from jupyter_oidc.sessions.step_up import StepUp

ASKING = 'Bearer realm="orders", error="insufficient_user_authentication"'


def challenge(value: str) -> list[tuple[str, str]]:
    return [("Content-Type", "text/plain"), ("WWW-Authenticate", value)]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (ASKING, StepUp()),
        (f'{ASKING}, acr_values="gold silver"', StepUp(("gold", "silver"))),
        (f"{ASKING}, max_age=5", StepUp((), 5)),
        (f'{ASKING}, max_age="0", acr_values="urn:x:gold"', StepUp(("urn:x:gold",), 0)),
        (f'{ASKING}, error_description="say \\"please\\", or so", acr_values="gold"', StepUp(("gold",))),
        (f"{ASKING}, max_age=-1", StepUp()),
        (f"{ASKING}, max_age=soon", StepUp()),
        (f"{ASKING}, max_age=99999999999", StepUp((), 31_536_000)),
        (f"{ASKING}, max_age=9999999999999999999999", StepUp()),
        (f'{ASKING}, acr_values="a\x7fb gold {"x" * 300}"', StepUp(("gold",))),
        ('Bearer error="invalid_token"', None),
        ('Bearer error_description="insufficient_user_authentication"', None),
        ("", None),
        ("Bearer", None),
    ],
)
def test_a_stronger_sign_in_is_read_from_the_challenge(value: str, wanted: StepUp | None) -> None:
    assert requested_step_up(challenge(value)) == wanted


def test_only_so_many_words_are_taken() -> None:
    """The values end up in an address."""
    wanted = requested_step_up(challenge(f'{ASKING}, acr_values="{" ".join(f"a{n}" for n in range(100))}"'))
    assert wanted is not None
    assert len(wanted.acr_values) == 20


@pytest.mark.parametrize(
    ("value", "missing"),
    [
        ('Bearer error="insufficient_scope", scope="orders.write orders.read"', ("orders.write", "orders.read")),
        ('Bearer error="insufficient_scope"', ()),
        ('Bearer scope="orders.write"', None),
        ('Bearer error="invalid_token", scope="a"', None),
    ],
)
def test_the_scopes_that_an_api_misses(value: str, missing: tuple[str, ...] | None) -> None:
    assert missing_scopes(challenge(value)) == missing


@pytest.mark.parametrize(
    ("value", "passes"),
    [
        ('Bearer realm="a", error="invalid_token"', True),
        ("DPoP algs=ES256", True),
        ('Bearer realm="say Basic, please", scope="a"', True),
        ('Basic realm="a"', False),
        ('bearer realm="a", BASIC realm="b"', False),
        ("Negotiate", False),
        ("Bearer, NTLM", False),
        ('Digest realm="a", nonce="b"', False),
    ],
)
def test_no_browser_is_made_to_ask_for_a_password(value: str, passes: bool) -> None:
    """C11: A 401 earns one refresh and one replay."""
    assert asks_no_password(value) is passes


def test_a_challenge_of_any_length_is_read_in_time() -> None:
    """No regular expression backtracks without bound."""
    for value in ("a=" * 100_000, 'a="' * 100_000, "," * 100_000, "Bearer " + 'a="\\' * 50_000, " " * 100_000):
        assert requested_step_up(challenge(value)) is None
        asks_no_password(value)

"""``jupyter oidc status`` describes a session in one paragraph."""

from __future__ import annotations

import pytest

from jupyter_oidc.cli.session import _paragraph
from tests.unit.kernel.fake_server import SUMMARY


@pytest.mark.parametrize(
    ("readiness", "line"),
    [
        ("ready", "    API orders: Ready"),
        ("sign_in_needed", "    API orders: Sign in first"),
        ("unreachable", "    API orders: The last call could not reach it"),
        ("missing_entitlement", "    API orders: Missing: orders.read"),
    ],
)
def test_the_word_of_the_server_is_translated_as_everywhere(readiness: str, line: str) -> None:
    """Q5.8: Readiness is one word, made in one place."""
    api = {"name": "orders", "readiness": readiness, "allowed": True, "missing": ["orders.read"]}
    assert _paragraph({**SUMMARY, "apis": [api]})[-1] == line

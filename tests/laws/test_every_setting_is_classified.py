"""Law: every field of a provider and of an API says whether its change widens what a session opens (Q8.1, ADR 30).

The question stands in the entry of the field (ADR 44).
Proved able to fail: ``test_a_field_without_a_question_is_caught``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import pytest

from jupyter_oidc.settings import Api, Provider
from jupyter_oidc.settings.fields import questions


@pytest.mark.parametrize("model", [Provider, Api], ids=["provider", "api"])
def test_every_field_has_a_question(model: type[Provider | Api]) -> None:
    """Q8.1: a new setting cannot be written without the answer."""
    assert {field.name for field in fields(model)} == set(questions(model))


def test_a_field_without_a_question_is_caught() -> None:
    @dataclass
    class Seeded:
        colour: str = "blue"

    with pytest.raises(KeyError, match="widens"):
        questions(Seeded)

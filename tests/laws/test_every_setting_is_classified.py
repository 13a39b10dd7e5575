"""Law: every field of a provider and of an API says whether its change widens what a session opens (Q8.1, ADR 30)."""

from __future__ import annotations

from dataclasses import fields

import pytest

from jupyter_oidc.settings import Api, Provider
from jupyter_oidc.settings.widening import API, PROVIDER


@pytest.mark.parametrize(("model", "table"), [(Provider, PROVIDER), (Api, API)], ids=["provider", "api"])
def test_every_field_stands_in_the_table(model: type[Provider | Api], table: dict[str, object]) -> None:
    """Q8.1: a new setting counts as widening until its author has classified it in the table."""
    assert {field.name for field in fields(model)} ^ set(table) == set()

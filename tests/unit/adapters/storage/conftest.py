"""A real PostgreSQL for the tests of stores."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.postgres import Postgres


@pytest.fixture(scope="package")
def postgres() -> Iterator[Postgres]:
    """A server that lives as long as the tests of this folder; each makes databases of its own."""
    with Postgres() as server:
        yield server

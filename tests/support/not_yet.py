"""What the product does not show yet: the one list of rows whose tests are expected to fail.

Strictly so: as soon as a row is built its tests go green, the run fails, and the row has to be taken out here.
"""

from __future__ import annotations

from typing import Final

import pytest

NOT_YET: Final = {
    "C35 issuer name": "is not said",
}
"""Row, and what happens instead."""


def mark(row: str) -> list[pytest.MarkDecorator]:
    """Return the marks for a parameter that shows ``row``: that it fails, as long as the row is in the list."""
    return [_failing(row)] if row in NOT_YET else []


def row(name: str) -> pytest.MarkDecorator:
    """Decorate a test that shows the row ``name``."""
    return _failing(name)


def _failing(row: str) -> pytest.MarkDecorator:
    return pytest.mark.xfail(row in NOT_YET, strict=True, reason=f"{row}: not yet, {NOT_YET.get(row, '')}")

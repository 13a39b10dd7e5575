"""The warnings of one kind that a call gives.

Python reports a socket that a collection of garbage finds open at the line that runs at that moment, which can be any
line of any library: a test that takes the first warning of a list sees it once in a while.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def warnings_of(kind: type[Warning], call: Callable[[], object]) -> list[warnings.WarningMessage]:
    """Return the warnings of ``kind`` that ``call`` gives, in order."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [one for one in caught if issubclass(one.category, kind)]

"""A reply whose interim answers are counted (C20).

aiohttp reads 1xx answers until a final one comes; an API that sends them for ever would keep it busy until the deadline.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import aiohttp

MOST_INTERIM: Final = 10
"""Interim answers before the final one."""


@cache
def patient_response() -> type[aiohttp.ClientResponse]:
    """Return the class; aiohttp is imported at the first call."""
    import aiohttp

    class PatientResponse(aiohttp.ClientResponse):
        """Looks at each interim answer through the one attribute that aiohttp reads for each of them."""

        _interim = 0
        _waiting: Any = None

        @property
        def _continue(self) -> Any:
            self._interim += 1
            if self._interim > MOST_INTERIM:
                raise aiohttp.ClientPayloadError("too many interim answers")
            return self._waiting

        @_continue.setter
        def _continue(self, waiting: Any) -> None:
            self._waiting = waiting

    return PatientResponse

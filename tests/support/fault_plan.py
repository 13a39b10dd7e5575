"""Plans the faults of a scripted provider, request by request.

A fault replaces a good answer, spoils it, or delays it. Each is used up by as many requests as it was planned for;
then the provider is good again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import threading

Document = dict[str, Any]
Change = Callable[[Document], Any]
"""Gets the good document and returns the one to send; changing it in place and returning nothing is fine too."""

FOREVER = 1_000_000_000
EVERYWHERE = "*"


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong; see :meth:`FaultPlan.plan` for the members."""

    times: int = 1
    status: int | None = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    mutate: Change | None = None
    claims: Change | None = None
    forge: Callable[[Document], str] | None = None
    delay: float = 0.0
    hold: threading.Event | None = None
    hang: bool = False
    drop: bool = False
    after: bool = False

    @property
    def replaces(self) -> bool:
        """Whether the good answer is not given at all."""
        return self.hang or self.drop or self.body is not None or self.status is not None

    async def wait(self) -> None:
        """Let the planned time pass."""
        await asyncio.sleep(self.delay)
        while self.hold is not None and not self.hold.is_set():
            await asyncio.sleep(0.005)
        if self.hang:
            await asyncio.get_running_loop().create_future()


NO_FAULT = Fault()


def changed(document: Document, change: Change | None) -> Any:
    """Return ``document`` after ``change``."""
    if change is None:
        return document
    result = change(document)
    return document if result is None else result


class FaultPlan:
    """The faults that are still to come, by endpoint; thread-safe as far as appending and taking the first are."""

    def __init__(self) -> None:
        self._faults: dict[str, list[Fault]] = {}

    def plan(
        self,
        endpoint: str,
        *,
        times: int = 1,
        error: str | None = None,
        document: Any = None,
        status: int | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **rest: Any,
    ) -> None:
        """Make the next ``times`` requests to ``endpoint`` (``*`` is any) fail in one way.

        ``error`` is an OAuth error, with status 400 unless there is a ``status``. ``document`` is a JSON body, ``body``
        the bytes of one; ``headers`` are added. ``mutate`` changes the good JSON document (for ``authorize``: the
        parameters of the redirect, to a dict or pairs), ``claims`` those of the ID token, ``forge`` makes the ID token
        from its claims. ``delay`` (seconds) and ``hold`` (an event) come before the answer. ``hang`` never answers,
        ``drop`` resets the connection. With ``after`` a fault that replaces the answer comes after the request did its
        work, so that a refresh token is spent and the client never gets its successor.
        """
        content = body
        told = dict(headers or {})
        if error is not None:
            document, status = {"error": error}, status or 400
        if document is not None:
            content = json.dumps(document).encode()
            told.setdefault("Content-Type", "application/json")
        self._faults.setdefault(endpoint, []).append(
            Fault(times=times, status=status, body=content, headers=told, **rest)
        )

    def take(self, endpoint: str) -> Fault:
        """Return the fault of this request, or ``NO_FAULT``."""
        for name in (endpoint, EVERYWHERE):
            faults = self._faults.get(name)
            if faults:
                fault = faults[0]
                fault.times -= 1
                if not fault.times:
                    faults.pop(0)
                return fault
        return NO_FAULT

    def clear(self) -> None:
        """Forget all faults: the provider is good from now on."""
        self._faults.clear()

"""The calls of workers at a broker: whose grant it is, and what a worker that calls a service of a Hub itself says.

A worker has nothing but the text of its grant, so everyone may ask; a text that is not known costs one look at the
database, and few looks are made at once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from jupyter_oidc.broker.accounts import busy
from jupyter_oidc.sessions.delegation import digest_of, ended, may_be_grant
from jupyter_oidc.web.forwarded import Forwarded

if TYPE_CHECKING:
    from jupyter_oidc.adapters.storage.database.rows import Rows
    from jupyter_oidc.background import Background
    from jupyter_oidc.broker.exchange import Exchange
    from jupyter_oidc.clock import Clock

_T = TypeVar("_T")

MAX_LOOKS: Final = 2
"""Looks at the database at once for grants that this broker has not seen; it has eight connections for all accounts."""

MAX_WAITING_LOOKS: Final = 100
MAX_KNOWN: Final = 10_000
"""Grants whose account is remembered; beyond that the one that was seen first is looked up again."""

UNKNOWN_SECONDS: Final = 2.0
"""Seconds for which a text that is no grant is not looked up again."""


class GrantAccounts(Protocol):
    """Tells the account of a worker's grant; which grants are good is decided there."""

    async def account_of(self, text: str) -> str:
        """Return the account; raises ``GrantInvalid``, ``Overloaded`` and ``StorageUnavailable``."""
        ...

    def forget(self, text: str) -> None:
        """Look the grant up again when it is asked for next: it may have ended."""
        ...


class StoredGrantAccounts:
    """Implements ``GrantAccounts`` for the grants in ``rows``; ``background`` owns the looks at them."""

    def __init__(self, rows: Rows, background: Background, clock: Clock) -> None:
        self._rows = rows
        self._background = background
        self._clock = clock
        self._known: dict[str, str] = {}
        self._unknown: dict[str, float] = {}
        self._under_way: dict[str, asyncio.Task[str | None]] = {}
        self._looks = asyncio.Semaphore(MAX_LOOKS)

    async def account_of(self, text: str) -> str:
        """Return the account; many who ask for the same grant share one look."""
        if not may_be_grant(text):
            raise ended()
        digest = digest_of(text)
        account = self._known.get(digest)
        if account is None and self._clock.now().monotonic >= self._unknown.get(digest, 0.0):
            account = await asyncio.shield(self._look(digest))
        if account is None:
            raise ended()
        return account

    def forget(self, text: str) -> None:
        """Look the grant up again when it is asked for next."""
        self._known.pop(digest_of(text), None)

    def _look(self, digest: str) -> asyncio.Task[str | None]:
        under_way = self._under_way.get(digest)
        if under_way is None:
            if len(self._under_way) >= MAX_WAITING_LOOKS:
                raise busy()
            under_way = self._under_way[digest] = self._background.start(self._looked_up(digest))
            under_way.add_done_callback(lambda _: self._under_way.pop(digest, None))
        return under_way

    async def _looked_up(self, digest: str) -> str | None:
        async with self._looks:
            row = await self._rows.grant(digest)
        if row is None:
            _put(self._unknown, digest, self._clock.now().monotonic + UNKNOWN_SECONDS)
            return None
        _put(self._known, digest, row.account)
        return row.account


def _put(known: dict[str, _T], digest: str, value: _T) -> None:
    """Remember ``value``; beyond the limit, what was remembered first is forgotten."""
    known.pop(digest, None)
    if len(known) >= MAX_KNOWN:
        del known[next(iter(known))]
    known[digest] = value


def said_by_worker(exchange: Exchange, base_url: str, request_id: str) -> Forwarded:
    """Return the facts of a request by which a worker calls the broker itself, whose paths begin with ``base_url``."""
    return Forwarded.without_browser(
        "worker", base_url, request_id, bears_token=True, protocol="https", host=exchange.request.host
    )

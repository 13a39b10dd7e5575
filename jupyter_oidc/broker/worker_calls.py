"""The calls of workers at a broker: whose grant it is, and what a worker that calls a service of a Hub itself says.

A worker has nothing but the text of its grant, so everyone may ask; a text that is not known costs one look at the
database, and few looks are made at once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from jupyter_oidc.broker.accounts import busy
from jupyter_oidc.sessions.delegation import digest_of, ended, may_be_grant
from jupyter_oidc.web.forwarded import Forwarded

if TYPE_CHECKING:
    from jupyter_oidc.adapters.storage.database.rows import Rows
    from jupyter_oidc.broker.exchange import Exchange

MAX_LOOKS: Final = 2
"""Looks at the database at once for grants that this broker has not seen; it has eight connections for all accounts."""

MAX_WAITING_LOOKS: Final = 100
MAX_KNOWN: Final = 10_000
"""Grants whose account is remembered; beyond that the one that was seen first is looked up again."""


class GrantAccounts:
    """Tells the account of a worker's grant; which grants are good is decided there."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._known: dict[str, str] = {}
        self._looks = asyncio.Semaphore(MAX_LOOKS)
        self._waiting = 0

    async def account_of(self, text: str) -> str:
        """Return the account; raises ``GrantInvalid``, ``Overloaded`` and ``StorageUnavailable``."""
        if not may_be_grant(text):
            raise ended()
        digest = digest_of(text)
        account = self._known.get(digest) or await self._looked_up(digest)
        if account is None:
            raise ended()
        return account

    async def _looked_up(self, digest: str) -> str | None:
        if self._waiting >= MAX_WAITING_LOOKS:
            raise busy()
        self._waiting += 1
        try:
            async with self._looks:
                row = await self._rows.grant(digest)
        finally:
            self._waiting -= 1
        if row is None:
            return None
        if len(self._known) >= MAX_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[digest] = row.account
        return row.account


def said_by_worker(exchange: Exchange, base_url: str, request_id: str) -> Forwarded:
    """Return the facts of a request by which a worker calls the broker itself, whose paths begin with ``base_url``."""
    return Forwarded(
        caller_kind="worker",
        caller_name="",
        bears_token=True,
        base_url=base_url,
        protocol="https",
        host=exchange.request.host,
        browser="unknown",
        public_url=None,
        origin=None,
        has_own_host=False,
        under_hub=True,
        server_name="",
        has_logins=True,
        sharing_mode="none",
        xsrf_token="",
        request_id=request_id,
    )

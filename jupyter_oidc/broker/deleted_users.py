"""Ends the sessions of users that a JupyterHub has no more, so that a later user of the same name finds none.

NOTE: one who gets the name within the minute between two looks does.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from jupyter_oidc.adapters.telemetry.named_log import BROKER
from jupyter_oidc.broker.hub_identity import account_of_user, user_of_account
from jupyter_oidc.problems import Problem

if TYPE_CHECKING:
    from jupyter_oidc.adapters.storage.database.rows import Rows
    from jupyter_oidc.broker.accounts import Accounts
    from jupyter_oidc.broker.hub_api import HubApi

LOOK_SECONDS: Final = 60.0
"""Seconds between two looks at the users of the Hub."""


class DeletedUsers:
    """Compares the accounts in ``rows`` and in ``accounts`` with the users of ``hub``."""

    def __init__(self, hub: HubApi, rows: Rows, accounts: Accounts) -> None:
        self._hub = hub
        self._rows = rows
        self._accounts = accounts
        self._told = ""

    async def watch(self) -> None:
        """Look again and again; a Hub or database that is away is asked the next time."""
        while True:
            try:
                await self.look()
            except Problem as problem:
                self._tell(problem)
            else:
                self._told = ""
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """End the sessions of every account whose user is gone; raises a ``Problem`` if that cannot be known."""
        known = {user_of_account(name) for name in (*await self._rows.accounts(), *self._accounts.names())} - {None}
        for user in await self._hub.gone([user for user in known if user is not None]) if known else ():
            try:
                await self._end(account_of_user(user))
                self._accounts.close(account_of_user(user))
            except Problem as problem:  # NOTE: the others end all the same; this one is tried the next time
                self._tell(problem)

    async def _end(self, name: str) -> None:
        with self._accounts.use(name, for_broker=True) as account:
            for provider in account.services.settings.providers:
                await account.services.session_api.sign_out(provider.name, bound=False)
        BROKER.info("jupyter_oidc: account %s: the Hub has its user no more; no session of it is left", name)

    def _tell(self, problem: Problem) -> None:
        """Write ``problem`` into the log, once for as long as it lasts."""
        if problem.detail == self._told:
            return
        self._told = problem.detail
        if problem.detail == "hub.users":
            BROKER.warning(
                "jupyter_oidc: JupyterHub does not let this service list all its users, so the sessions of deleted ones "
                "stay: give it the scope list:users"
            )
        else:
            BROKER.warning(
                "jupyter_oidc: it is not known whether users are deleted: %s (%s)", problem.code, problem.detail
            )

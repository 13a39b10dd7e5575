"""Ends the sessions that a provider's logout token names, of whatever account, also while nobody uses it.

The token comes to one address for all users (OpenID Connect Back-Channel Logout 1.0, 2.5). Whose it is tell the stored
entries, and those sessions in memory that have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.problems import LogoutTokenInvalid, Problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jupyter_oidc.broker.accounts import Accounts

SHARED_ACCOUNT: Final = "-"
"""An account of nobody, for what needs a provider and no session."""


class ProviderLogouts:
    """Ends sessions of ``accounts``; ``stored`` returns the accounts with an entry of a subject or ``sid`` at a provider."""

    def __init__(
        self, accounts: Accounts, stored: Callable[[str, str | None, str | None], Awaitable[list[str]]]
    ) -> None:
        self._accounts = accounts
        self._stored = stored

    async def end(self, provider: str, logout_token: str) -> None:
        """End the sessions that ``logout_token`` names; naming none is no error (B-15).

        Raises ``UnknownProvider``, and ``LogoutTokenInvalid`` for a token that fails a check, has come before, or could
        not take effect everywhere; then the provider may send it again.
        """
        with self._accounts.use(SHARED_ACCOUNT, for_broker=True) as shared:
            sessions = shared.services.session_api
            await sessions.settings(provider)
            named = await sessions.concerned_by_logout(provider, logout_token)
            try:
                stored = await self._stored(provider, named.subject, named.sid)
            except Problem as problem:
                raise LogoutTokenInvalid(detail=f"logout_token.{problem.code}") from None
            in_memory = self._accounts.with_session_of(provider, named.subject, named.sid)
            failed: LogoutTokenInvalid | None = None
            for name in dict.fromkeys((*stored, *in_memory)):
                with self._accounts.use(name, for_broker=True) as account:
                    try:
                        await account.services.session_api.end_by_provider(provider, logout_token)
                    except LogoutTokenInvalid as problem:  # NOTE: the others end all the same
                        if problem.detail != "logout_token.jti":  # it has taken effect there at an earlier attempt
                            failed = problem
            if failed is not None:
                raise failed
            # NOTE: last, since it remembers the token, which counts once it has taken effect (B-12).
            await sessions.end_by_provider(provider, logout_token)

"""The access tokens that all processes of one session share, so that one of them refreshes for all.

They are stored beside the entry, where that is a database that several processes of a broker have; anywhere else each
process has its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.delegation import SessionKey
    from jupyter_oidc.sessions.grant import TokenKey


@dataclass(frozen=True, slots=True)
class SharedToken:
    """One access token of ``key``: the wall time at which it was obtained, and its lifetime in seconds (``None``: unknown).

    One that ``is_bound`` is good with a proof by the session's key only.
    """

    key: TokenKey
    secret: Secret
    obtained_at: float
    lifetime: float | None
    is_bound: bool


@dataclass(frozen=True, slots=True)
class SharedAccess:
    """The access tokens of one ``session``."""

    session: SessionKey
    tokens: tuple[SharedToken, ...]


class SharedTokens(Protocol):
    """Keeps the access tokens of the stored session of one provider.

    Both methods raise :class:`~jupyter_oidc.problems.StorageUnavailable` when the store does not answer.
    """

    async def load_access(self) -> SharedAccess | None:
        """Return the tokens, or ``None`` if none are kept, or they cannot be read."""
        ...

    async def save_access(self, access: SharedAccess) -> None:
        """Keep ``access`` beside the stored entry, unless a later turn was taken."""
        ...


class NoSharedTokens:
    """Implements ``SharedTokens`` where each process has its own."""

    async def load_access(self) -> None:
        """Return ``None``."""

    async def save_access(self, access: SharedAccess) -> None:
        """Keep nothing."""

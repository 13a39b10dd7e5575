"""The border of the tokens: what the proxy may ask of the sessions, and nobody else (ADR 45).

The proxy runs in the process of the sessions, so its tokens cross no wire; it knows no session, only its tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.grant import Bearer, Granted, TokenKey
    from jupyter_oidc.sessions.live_session import BearerSource
    from jupyter_oidc.sessions.step_up import StepUp
    from jupyter_oidc.settings import Api


class SessionTokens(Protocol):
    """The tokens of one provider's session, for the proxy alone."""

    def ready(self, key: TokenKey, source: BearerSource) -> Granted | None:
        """Return the token if it is there and good, without waiting."""
        ...

    async def bearer(self, key: TokenKey, source: BearerSource, *, rejected: Secret | None = None) -> Bearer:
        """Return a token, another one than ``rejected`` if there is any."""
        ...

    def is_current(self, session_number: int) -> bool:
        """Return whether the session with that number is still the present one."""
        ...

    def on_session_end(self, close_stream: Callable[[], None]) -> Callable[[], None]:
        """Call ``close_stream`` when the session ends on purpose; returns a function that forgets it (S-5)."""
        ...

    def expect_step_up(self, api: str, wanted: StepUp) -> None:
        """Remember the stronger sign-in that ``api`` demanded (RFC 9470, 4)."""
        ...

    def note_outage(self, api: str, error: BaseException) -> None:
        """Note that a call of ``api`` failed on its way."""
        ...

    def note_answer(self, api: str) -> None:
        """Note that ``api`` answered."""
        ...


class TokenApi(Protocol):
    """The APIs, and which tokens belong to which, for the proxy alone."""

    @property
    def apis(self) -> tuple[Api, ...]:
        """Every configured API, in the order of the settings."""
        ...

    def tokens_of(self, api: str) -> SessionTokens:
        """Return the tokens of the API's session, the same object for the same session; raises ``UnknownApi``."""
        ...

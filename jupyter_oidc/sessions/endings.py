"""Lists the ways in which a session ends, as values: each says what else ends with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from jupyter_oidc.sessions.machine import SessionTransition


@dataclass(frozen=True, slots=True)
class Ending:
    """One way in which a session ends, with the event and the ``reason`` that are published.

    It ``closes_streams`` if it is on purpose: a sign-out, here or at the provider, or other settings (S-5); what the
    provider refuses to refresh ends by itself, and streams that flow already may go on (B1).
    ``abandons`` says which sign-ins under way end with it.
    After one that ``counts_as_sign_out`` no page signs in by itself (ADR 40).
    """

    transition: SessionTransition
    reason: str | None = None
    closes_streams: bool = False
    abandons: Literal["none", "ours", "all"] = "none"
    counts_as_sign_out: bool = False


SIGNED_OUT: Final = Ending(
    SessionTransition.SIGNED_OUT, closes_streams=True, abandons="all", counts_as_sign_out=True
)  # D1
SIGNED_OUT_ELSEWHERE: Final = Ending(
    SessionTransition.SIGNED_OUT, "signed_out_elsewhere", closes_streams=True, counts_as_sign_out=True
)  # D7
SIGNED_IN_ELSEWHERE: Final = Ending(SessionTransition.ENDED, "signed_in_elsewhere", closes_streams=True)
SIGNED_OUT_AT_PROVIDER: Final = Ending(
    SessionTransition.ENDED, "signed_out_at_provider", closes_streams=True, counts_as_sign_out=True
)
EXPIRED: Final = Ending(SessionTransition.ENDED, "not_refreshable")
HANDED_OVER: Final = Ending(SessionTransition.SIGNED_OUT, closes_streams=True, abandons="ours")
PROCESS_ENDS: Final = Ending(SessionTransition.SIGNED_OUT)


def ended_by_provider(reason: str) -> Ending:
    """Return the end of a session that the provider does not refresh any more (F-6, F-8)."""
    return Ending(SessionTransition.ENDED, reason)

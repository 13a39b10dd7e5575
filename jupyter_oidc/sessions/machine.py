"""The session state machine: every change of state stands in one table.

The diagram in the documentation is generated from this table (``tests/contract/test_state_diagram.py``
holds the two together).
The machine knows no tokens, no time and no provider; only ``current_session`` moves it (law 6).
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class State(str, Enum):
    """The five states that a client ever sees."""

    SIGNED_OUT = "signed-out"
    SIGNING_IN = "signing-in"
    ACTIVE = "active"
    REFRESH_FAILED = "refresh-failed"
    SIGNED_OUT_EXPIRED = "signed-out-expired"


class SessionTransition(str, Enum):
    """The transitions of a session; the value is the ``kind`` of the emitted event."""

    SIGN_IN_BEGUN = "sign-in-begun"
    SIGN_IN_ABANDONED = "sign-in-abandoned"
    SIGNED_IN = "signed-in"
    PERSON_CHANGED = "person-changed"
    RESTORED = "restored"
    REFRESHED = "renewed"
    REFRESH_DELAYED = "renewal-delayed"
    STORED = "stored"
    ENDED = "ended"
    SIGNED_OUT = "signed-out"


class ImpossibleTransition(RuntimeError):
    """A transition that the table does not allow: a defect of ours, never of a peer."""


_S, _T = State, SessionTransition

TABLE: Final[dict[tuple[State, SessionTransition], State]] = {
    (_S.SIGNED_OUT, _T.SIGN_IN_BEGUN): _S.SIGNING_IN,
    (_S.SIGNED_OUT, _T.SIGNED_IN): _S.ACTIVE,
    (_S.SIGNED_OUT, _T.RESTORED): _S.ACTIVE,
    (_S.SIGNED_OUT, _T.SIGNED_OUT): _S.SIGNED_OUT,
    (_S.SIGNING_IN, _T.SIGN_IN_BEGUN): _S.SIGNING_IN,
    (_S.SIGNING_IN, _T.SIGN_IN_ABANDONED): _S.SIGNED_OUT,
    (_S.SIGNING_IN, _T.SIGNED_IN): _S.ACTIVE,
    (_S.SIGNING_IN, _T.SIGNED_OUT): _S.SIGNED_OUT,
    (_S.ACTIVE, _T.SIGN_IN_BEGUN): _S.ACTIVE,
    (_S.ACTIVE, _T.SIGN_IN_ABANDONED): _S.ACTIVE,
    (_S.ACTIVE, _T.SIGNED_IN): _S.ACTIVE,
    (_S.ACTIVE, _T.PERSON_CHANGED): _S.ACTIVE,
    (_S.ACTIVE, _T.REFRESHED): _S.ACTIVE,
    (_S.ACTIVE, _T.REFRESH_DELAYED): _S.REFRESH_FAILED,
    (_S.ACTIVE, _T.STORED): _S.ACTIVE,
    (_S.ACTIVE, _T.ENDED): _S.SIGNED_OUT_EXPIRED,
    (_S.ACTIVE, _T.SIGNED_OUT): _S.SIGNED_OUT,
    (_S.REFRESH_FAILED, _T.SIGN_IN_BEGUN): _S.REFRESH_FAILED,
    (_S.REFRESH_FAILED, _T.SIGN_IN_ABANDONED): _S.REFRESH_FAILED,
    (_S.REFRESH_FAILED, _T.SIGNED_IN): _S.ACTIVE,
    (_S.REFRESH_FAILED, _T.PERSON_CHANGED): _S.ACTIVE,
    (_S.REFRESH_FAILED, _T.REFRESHED): _S.ACTIVE,
    (_S.REFRESH_FAILED, _T.REFRESH_DELAYED): _S.REFRESH_FAILED,
    (_S.REFRESH_FAILED, _T.STORED): _S.REFRESH_FAILED,
    (_S.REFRESH_FAILED, _T.ENDED): _S.SIGNED_OUT_EXPIRED,
    (_S.REFRESH_FAILED, _T.SIGNED_OUT): _S.SIGNED_OUT,
    (_S.SIGNED_OUT_EXPIRED, _T.SIGN_IN_BEGUN): _S.SIGNING_IN,
    (_S.SIGNED_OUT_EXPIRED, _T.SIGNED_IN): _S.ACTIVE,
    (_S.SIGNED_OUT_EXPIRED, _T.SIGNED_OUT): _S.SIGNED_OUT,
}
"""``(state, transition) -> next state``; a pair that is not listed cannot happen."""


def next_state(state: State, transition: SessionTransition) -> State:
    """Return the state after ``transition``; raises :class:`ImpossibleTransition` for a pair not in the table."""
    try:
        return TABLE[state, transition]
    except KeyError:
        raise ImpossibleTransition(f"{transition.value} cannot happen in {state.value}") from None


def has_session(state: State) -> bool:
    """Return whether a session exists in ``state``, so that calls may work."""
    return state in (State.ACTIVE, State.REFRESH_FAILED)


def mermaid() -> str:
    """Write the table as a Mermaid state diagram, for the documentation."""
    edges: dict[tuple[State, State], list[str]] = {}
    for (source, transition), target in TABLE.items():
        if source is not target:
            edges.setdefault((source, target), []).append(transition.value)
    names = {state: state.value.replace("-", "_") for state in State}
    lines = ["stateDiagram-v2", f"    [*] --> {names[State.SIGNED_OUT]}"]
    lines += [f"    {names[state]} : {state.value}" for state in State]
    lines += [
        f"    {names[source]} --> {names[target]} : {', '.join(kinds)}" for (source, target), kinds in edges.items()
    ]
    return "\n".join(lines) + "\n"

"""The state machine has every transition of the table and no other."""

from __future__ import annotations

import itertools

import pytest

from jupyter_oidc.sessions.machine import (
    TABLE,
    ImpossibleTransition,
    SessionTransition,
    State,
    has_session,
    mermaid,
    next_state,
)


def test_every_state_can_be_left_and_reached() -> None:
    assert {source for source, _ in TABLE} == set(State)
    assert set(TABLE.values()) == set(State)


@pytest.mark.parametrize("state", State)
def test_a_sign_out_works_in_every_state(state: State) -> None:
    assert next_state(state, SessionTransition.SIGNED_OUT) is State.SIGNED_OUT


@pytest.mark.parametrize("state", State)
def test_a_sign_in_works_in_every_state(state: State) -> None:
    assert next_state(state, SessionTransition.SIGNED_IN) is State.ACTIVE


@pytest.mark.parametrize(
    ("state", "transition"), [pair for pair in itertools.product(State, SessionTransition) if pair not in TABLE]
)
def test_what_is_not_in_the_table_cannot_happen(state: State, transition: SessionTransition) -> None:
    with pytest.raises(ImpossibleTransition):
        next_state(state, transition)


def test_nothing_but_a_sign_in_leads_out_of_a_state_without_a_session() -> None:
    """B31: no late answer resurrects a session."""
    for (source, transition), target in TABLE.items():
        if has_session(target) and not has_session(source):
            assert transition in (SessionTransition.SIGNED_IN, SessionTransition.RESTORED)


def test_the_diagram_in_the_documentation_is_the_table(pytestconfig: pytest.Config) -> None:
    text = (pytestconfig.rootpath / "docs/explanation/session-states.md").read_text(encoding="utf-8")
    assert mermaid() in text

"""The state machine: the whole table, and what is not in it."""

from __future__ import annotations

import itertools

import pytest

from jupyter_oidc.sessions.machine import TABLE, Happening, ImpossibleTransition, State, follow, has_session, mermaid


def test_every_state_can_be_left_and_reached():
    assert {source for source, _ in TABLE} == set(State)
    assert set(TABLE.values()) == set(State)


@pytest.mark.parametrize("state", State)
def test_a_sign_out_works_in_every_state(state):
    assert follow(state, Happening.SIGNED_OUT) is State.SIGNED_OUT


@pytest.mark.parametrize("state", State)
def test_a_sign_in_works_in_every_state(state):
    assert follow(state, Happening.SIGNED_IN) is State.ACTIVE


@pytest.mark.parametrize(
    ("state", "happening"), [pair for pair in itertools.product(State, Happening) if pair not in TABLE]
)
def test_what_is_not_in_the_table_cannot_happen(state, happening):
    with pytest.raises(ImpossibleTransition):
        follow(state, happening)


def test_nothing_but_a_sign_in_leads_out_of_a_state_without_a_session():
    """B31: no late answer resurrects a session."""
    for (source, happening), target in TABLE.items():
        if has_session(target) and not has_session(source):
            assert happening in (Happening.SIGNED_IN, Happening.RESTORED)


def test_the_diagram_in_the_documentation_is_the_table(pytestconfig):
    text = (pytestconfig.rootpath / "docs/explanation/session-states.md").read_text(encoding="utf-8")
    assert mermaid() in text

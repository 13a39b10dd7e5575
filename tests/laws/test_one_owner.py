"""Law 6, one owner, one door: only the session service holds a session's state and moves the machine.

Proved able to fail: a seeded module that follows the machine itself, and one that builds its own ``Custody``,
are caught; that answers of an older generation are ignored is shown in ``tests/unit/sessions``.
"""

from __future__ import annotations

from tests.laws.source import Module, modules, seeded

OWNER = "jupyter_oidc.sessions.service"
OWNED = {
    "jupyter_oidc.sessions.machine.follow": {OWNER},
    "jupyter_oidc.sessions.custody.Custody": {OWNER},
    "jupyter_oidc.sessions.dialogue.Dialogue": {
        OWNER,
        "jupyter_oidc.sessions.sign_ins",  # brings tokens to the owner, and keeps none
        "jupyter_oidc.sessions.sign_out",
        "jupyter_oidc.compose",
    },
}


def trespassers(found: list[Module]) -> list[str]:
    return [
        f"{module.name}: {thing}"
        for module in found
        for thing, owners in OWNED.items()
        if thing in module.imports() and module.name not in owners
    ]


def test_only_the_session_service_moves_a_session():
    assert trespassers(modules()) == []


def test_a_second_owner_is_noticed():
    assert trespassers([seeded("from jupyter_oidc.sessions.machine import follow")]) != []
    assert trespassers([seeded("from jupyter_oidc.sessions.custody import Custody")]) != []

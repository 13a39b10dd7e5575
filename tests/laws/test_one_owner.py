"""Law 6, one owner: only the session service holds a session's state and moves the state machine.

And one function sends revocations, so that each of them asks first whether it may be made (Q9.1).

Proved able to fail: a seeded module that moves the machine itself, and one that builds its own ``SessionData``,
are caught; that answers for a session that is over are ignored is shown in ``tests/unit/sessions``.
"""

from __future__ import annotations

import ast

from tests.laws.source import Module, modules, seeded

OWNER = "jupyter_oidc.sessions.service"
OWNED = {
    "jupyter_oidc.sessions.machine.next_state": {OWNER},
    "jupyter_oidc.sessions.session_data.SessionData": {OWNER, "jupyter_oidc.sessions.live_session"},
    "jupyter_oidc.sessions.oidc_client.OidcClient": {
        OWNER,
        "jupyter_oidc.sessions.sign_ins",  # brings tokens to the owner, and keeps none
        "jupyter_oidc.sessions.sign_out",
        "jupyter_oidc.sessions.shared_provider",  # makes one for each session
    },
    "jupyter_oidc.sessions.sign_in_client.SignInClient": {
        "jupyter_oidc.sessions.oidc_client",
        "jupyter_oidc.sessions.redirect_sign_ins",
        "jupyter_oidc.sessions.device_sign_ins",
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
    assert trespassers([seeded("from jupyter_oidc.sessions.machine import next_state")]) != []
    assert trespassers([seeded("from jupyter_oidc.sessions.session_data import SessionData")]) != []


def senders_of_revocations(found: list[Module]) -> list[str]:
    """Every function that builds a revocation request, by module and name."""
    return [
        f"{module.name}.{function.name}"
        for module in found
        for function in ast.walk(module.tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("revocation_call")
    ]


def test_only_one_function_revokes_and_it_asks_first() -> None:
    """Q9.1: A token is revoked only where certainly harmless."""
    assert senders_of_revocations(modules()) == ["jupyter_oidc.sessions.oidc_client.revoke"]
    (oidc_client,) = modules("sessions.oidc_client")
    (revoke,) = [node for node in ast.walk(oidc_client.tree) if getattr(node, "name", "") == "revoke"]
    assert "may_be_revoked" in {node.id for node in ast.walk(revoke) if isinstance(node, ast.Name)}


def test_a_second_sender_of_revocations_is_noticed() -> None:
    stray = seeded("async def tidy_up(port, call):\n    await port.send(logout.revocation_call(call))\n")
    assert senders_of_revocations([stray]) != []

"""Law 6, one owner: only the current session holds a session's state and moves the state machine.

Whether a session is still the present one is compared in one place, and no part of the service is large (ADR 42).
And one function sends revocations, so that each of them asks first whether it may be made (Q9.1).
One module of the command line waits for a line of the terminal, because a wait in C may miss a signal.

Proved able to fail: a seeded module that moves the machine itself, and one that builds its own ``SessionData``,
are caught; that answers for a session that is over are ignored is shown in ``tests/unit/sessions``.
"""

from __future__ import annotations

import ast

from tests.laws.source import Module, modules, seeded

OWNER = "jupyter_oidc.sessions.current_session"
OWNED = {
    "jupyter_oidc.sessions.machine.next_state": {OWNER},
    "jupyter_oidc.sessions.live_session.LiveSession": {
        OWNER,
        "jupyter_oidc.sessions.bearer_tokens",
        "jupyter_oidc.sessions.refresh",
        "jupyter_oidc.sessions.session_view",  # of which no token comes out
    },
    "jupyter_oidc.sessions.session_data.SessionData": {
        OWNER,
        "jupyter_oidc.sessions.live_session",
        "jupyter_oidc.sessions.session_starts",  # makes it of a sign-in or a stored entry
        "jupyter_oidc.sessions.refresh",  # makes the next one of a reply
        "jupyter_oidc.sessions.bearer_tokens",  # puts that in place
    },
    "jupyter_oidc.sessions.current_session.CurrentSession": {
        "jupyter_oidc.sessions.local_tokens",  # hands three of its methods to the proxy, and moves nothing
        "jupyter_oidc.sessions.service",
        "jupyter_oidc.sessions.bearer_tokens",
        "jupyter_oidc.sessions.orphans",
        "jupyter_oidc.sessions.session_starts",
        "jupyter_oidc.sessions.session_view",
        "jupyter_oidc.sessions.sign_out",
    },
    "jupyter_oidc.sessions.oidc_client.OidcClient": {
        "jupyter_oidc.sessions.service",
        "jupyter_oidc.sessions.session_starts",
        "jupyter_oidc.sessions.sign_ins",  # brings tokens to the owner, and keeps none
        "jupyter_oidc.sessions.sign_out",
        "jupyter_oidc.sessions.orphans",
        "jupyter_oidc.sessions.refresh",
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


PARTS_OF_SERVICE = (
    "bearer_tokens",
    "current_session",
    "endings",
    "live_session",
    "orphans",
    "refresh",
    "service",
    "session_starts",
    "session_view",
    "sign_out",
)
MAX_SERVICE_LINES = 250
MAX_PART_LINES = 400


def comparisons_of_sessions(found: list[Module]) -> list[str]:
    """Every comparison with the present session or its number, by module and the function it stands in."""
    return [
        f"{module.name}.{function.name}"
        for module in found
        for function in ast.walk(module.tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, ast.Compare) and _compares_with_present(node)
    ]


def _compares_with_present(node: ast.Compare) -> bool:
    sides = [node.left, *node.comparators]
    if any(isinstance(side, ast.Constant) and side.value is None for side in sides):
        return False
    return any(ast.unparse(side).endswith((".live", ".active", ".live.number")) for side in sides)


def test_whether_a_session_is_the_present_one_is_compared_in_one_place() -> None:
    """What comes back late resurrects no session, whichever part it comes back to."""
    assert comparisons_of_sessions(modules("sessions")) == [f"{OWNER}.is_current", f"{OWNER}.has_number"]


def test_a_second_comparison_is_noticed() -> None:
    stray = seeded("def late(self, session):\n    return session is not self._current.live\n")
    assert comparisons_of_sessions([stray]) == ["jupyter_oidc.seeded.late"]


def test_no_part_of_the_session_service_is_large() -> None:
    lines = {
        name: len(module.text.splitlines())
        for name in PARTS_OF_SERVICE
        for module in modules(f"sessions.{name}")
        if module.name == f"jupyter_oidc.sessions.{name}"
    }
    assert set(lines) == set(PARTS_OF_SERVICE)
    assert lines["service"] <= MAX_SERVICE_LINES
    assert [name for name, count in lines.items() if count > MAX_PART_LINES] == []


def test_only_the_current_session_moves_the_machine() -> None:
    assert trespassers(modules()) == []


def test_a_second_owner_is_noticed() -> None:
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


LINE_READERS = frozenset({"input", "getpass.getpass", "sys.stdin.readline", "stdin.readline"})


def waits_for_a_line(found: list[Module]) -> set[str]:
    """Every module that reads a line of the terminal itself."""
    return {
        module.name
        for module in found
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in LINE_READERS
    }


def test_one_module_of_the_command_line_waits_for_a_line() -> None:
    """A signal that arrives just before a wait in C is handled when the next line has come, or never."""
    assert waits_for_a_line(modules("cli")) == {"jupyter_oidc.cli.terminal_input"}


def test_a_second_wait_for_a_line_is_noticed() -> None:
    assert waits_for_a_line([seeded("answer = input('Remove? ')")]) != set()

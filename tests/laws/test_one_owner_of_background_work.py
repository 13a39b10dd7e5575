"""A task that no code awaits ends in one place (Q6.3): only ``background`` starts such tasks.

Other modules start tasks that the same code awaits at once, or whose end it looks at; each has its reason here.
Proved able to fail: a seeded module that starts a task is caught.
"""

from __future__ import annotations

import ast

from tests.laws.source import Module, modules, seeded

STARTERS = {
    "jupyter_oidc.background": "the owner",
    "jupyter_oidc.adapters.storage.entry_lock": "waits for its look at the lock, and lets go of it when it may not",
    "jupyter_oidc.adapters.storage.vault_auto": "whoever needs the choice waits for it",
    "jupyter_oidc.broker.received_body": "waits for the call that takes the body",
    "jupyter_oidc.broker.relay_clients": "the relay waits for what is sent",
    "jupyter_oidc.diagnostics.report_cache": "whoever asked for the examination waits for it",
    "jupyter_oidc.server.handlers.proxy": "the verb waits for the answer, or a callback looks at it",
    "jupyter_oidc.sessions.local_api": "waits for the end of a sign-in",
    "jupyter_oidc.server.kernel_fast_path": "hands every exception to the handlers",
    "jupyter_oidc.server.loopback": "closes a listener, and is cancelled with it",
    "jupyter_oidc.sessions.device_poll": "waits for the end of a sign-in, or a pause",
    "jupyter_oidc.sessions.shared_fetch": "whoever needs the metadata or the keys waits for them",
}
_STARTS = {"create_task", "ensure_future", "run_coroutine_threadsafe", "spawn_callback"}


def starters(found: list[Module]) -> set[str]:
    return {
        module.name
        for module in found
        if not module.name.startswith("jupyter_oidc.demo")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in _STARTS
    }


def test_only_the_owner_starts_work_that_nobody_waits_for() -> None:
    """Q6.3: A defect in the background does not stop refreshes."""
    assert starters(modules()) == set(STARTERS)


def test_another_starter_is_noticed() -> None:
    stray = seeded("import asyncio\nasync def go(): asyncio.get_running_loop().create_task(go())\n")
    assert starters([stray]) - set(STARTERS) != set()

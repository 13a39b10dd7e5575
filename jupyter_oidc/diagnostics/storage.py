"""Checks the storage of refresh tokens, the lock between servers, and the process that converts notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.language import N_, joined
from jupyter_oidc.problems import Problem, StorageUnavailable

if TYPE_CHECKING:
    from jupyter_oidc.contract.storage import RequestedStorage
    from jupyter_oidc.diagnostics.context import DiagnosticContext, Storage, StoreProbe

_LOCK_FOLDER: Final = Subject(N_("lock folder"))
_ENDS: Final = N_("Sessions are kept in memory and end with the server.")


def check_conversions(context: DiagnosticContext) -> list[Check]:
    """Report in which process notebooks are converted, if known: templates of users are code (Q8.2, ADR 32)."""
    about = Subject(N_("conversions"))
    if context.converts_in_own_process is None:
        return []
    if context.converts_in_own_process:
        return [about.ok(N_("Notebooks are converted by a process of its own, which holds no token."))]
    return [
        about.problem(
            N_("Another extension has taken over 'nbconvert', so templates of users run where tokens are."),
            N_(
                "Find out which one it is (jupyter server extension list), and switch it off or load it before "
                "jupyter_oidc."
            ),
        )
    ]


async def check_storage(choice: RequestedStorage, storage: Storage) -> list[Check]:
    """Try the store of the settings; with ``auto`` those that the server would try, in its order."""
    if storage.only is not None:
        return [await _tried(storage.only)]
    checks = await _in_turn(storage) if choice == "auto" else [await _tried(storage.probes[choice])]
    if choice != "memory" and any(check.status == "ok" for check in checks):
        checks.append(await _lock_folder(storage))
    return checks


async def _in_turn(storage: Storage) -> list[Check]:
    keyring = await _keyring_before_others(storage)
    if keyring.status == "ok" or not storage.has_key:
        return [keyring]
    return [keyring, await _tried(storage.probes["encrypted-file"])]


async def _tried(probe: StoreProbe) -> Check:
    about = Subject(probe.subject)
    try:
        return about.ok(await probe.run())
    except Problem as problem:
        return about.failed(problem)


async def _keyring_before_others(storage: Storage) -> Check:
    """Try the keyring; without it another store takes its place, so that this is no more than a warning."""
    probe = storage.probes["keyring"]
    about = Subject(probe.subject)
    try:
        return about.ok(await probe.run())
    except StorageUnavailable as problem:
        if storage.has_key:
            return about.warning(joined(problem.message, N_("The encrypted file takes its place.")), problem.action)
        action = joined(
            problem.action, N_("Or give the server a key for an encrypted file (JUPYTER_OIDC_STORAGE_KEY).")
        )
        return about.warning(joined(problem.message, _ENDS), action)


async def _lock_folder(storage: Storage) -> Check:
    try:
        await storage.lock_folder()
    except Problem as problem:
        return _LOCK_FOLDER.failed(problem)
    return _LOCK_FOLDER.ok(N_("Several servers can take turns at a stored session."))

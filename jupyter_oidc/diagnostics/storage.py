"""Checks the storage of refresh tokens, the lock between servers, and the process that converts notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.errors import Problem, StorageUnavailable

if TYPE_CHECKING:
    from jupyter_oidc.diagnostics.context import DiagnosticContext, Storage
    from jupyter_oidc.settings.model import Storage as Choice

_KEYRING: Final = Subject("keyring")
_FILE: Final = Subject("encrypted file")
_LOCK_FOLDER: Final = Subject("lock folder")
_ENDS: Final = "Sessions are kept in memory and end with the server."


def check_conversions(context: DiagnosticContext) -> list[Check]:
    """Report in which process notebooks are converted, if known: templates of users are code (Q8.2, ADR 32)."""
    about = Subject("conversions")
    if context.converts_in_own_process is None:
        return []
    if context.converts_in_own_process:
        return [about.ok("Notebooks are converted by a process of its own, which holds no token.")]
    return [
        about.problem(
            "Another extension has taken over 'nbconvert', so templates of users run where tokens are.",
            "Find out which one it is (jupyter server extension list), and switch it off or load it before jupyter_oidc.",
        )
    ]


async def check_storage(choice: Choice, storage: Storage) -> list[Check]:
    """Try the stores in the order in which the server would."""
    if choice == "memory":
        return [Subject("storage").ok(f"{_ENDS} That is what the settings want.")]
    checks = [await _keyring(choice, storage)] if choice != "encrypted-file" else []
    if not checks or (checks[0].status != "ok" and storage.has_key and choice == "auto"):
        checks.append(await _file(storage))
    if any(check.status == "ok" for check in checks):
        checks.append(await _lock_folder(storage))
    return checks


async def _keyring(choice: Choice, storage: Storage) -> Check:
    try:
        name = await storage.keyring()
    except StorageUnavailable as problem:
        if choice == "keyring":
            return _KEYRING.failed(problem)
        if storage.has_key:
            return _KEYRING.warning(f"{problem.message} The encrypted file takes its place.", problem.action)
        action = f"{problem.action} Or give the server a key for an encrypted file (JUPYTER_OIDC_STORAGE_KEY)."
        return _KEYRING.warning(f"{problem.message} {_ENDS}", action)
    return _KEYRING.ok(f"A test entry was written, read and deleted ({name}).")


async def _file(storage: Storage) -> Check:
    try:
        await storage.file()
    except Problem as problem:
        return _FILE.failed(problem)
    return _FILE.ok("Key and folder are right.")


async def _lock_folder(storage: Storage) -> Check:
    try:
        await storage.lock_folder()
    except Problem as problem:
        return _LOCK_FOLDER.failed(problem)
    return _LOCK_FOLDER.ok("Several servers can take turns at a stored session.")

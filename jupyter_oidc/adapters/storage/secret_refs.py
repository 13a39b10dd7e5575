"""Resolve a reference to a secret of the settings: an environment variable, a file, or a keyring entry.

The value is read when it is needed and lives in a :class:`Secret`; errors name the reference, never the value.
A keyring that prompts the user and gets no answer runs into a deadline (B17).
"""

from __future__ import annotations

import os
import queue
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jupyter_oidc.adapters.storage.keyring_backends import choose_backend
from jupyter_oidc.adapters.storage.keyring_thread import MAX_STUCK_THREADS, as_storage_unavailable
from jupyter_oidc.language import N_, Sentence, sentence
from jupyter_oidc.problems import ConfigurationInvalid, StorageUnavailable
from jupyter_oidc.secret import Secret

if TYPE_CHECKING:
    from jupyter_oidc.settings import SecretRef

_MAX_FILE_CHARACTERS: Final = 16_384
"""Characters that a file with a secret may hold; a larger one is something else."""

KEYRING_TIMEOUT_SECONDS: Final = 5.0
"""Seconds; shorter than for the vault, because the server waits."""

_CLIENT_SECRET: Final = sentence("client secret")

_STUCK_THREADS: Final[list[threading.Thread]] = []
"""Threads whose keyring call has timed out; beyond a few, no other is started (B17)."""


def resolve(
    reference: SecretRef,
    *,
    what: str = _CLIENT_SECRET,
    key: str = "client_secret",
    keyring_timeout: float = KEYRING_TIMEOUT_SECONDS,
) -> Secret:
    """Return the secret that ``reference`` names; the error for a missing one names ``what`` it is and its ``key``.

    Raises :class:`ConfigurationInvalid` if there is none, and :class:`StorageUnavailable` if the keyring is locked
    or does not answer within ``keyring_timeout`` seconds.
    """
    match reference.scheme:
        case "env":
            value = os.environ.get(reference.name)
        case "file":
            value = _read_file(reference.name)
        case "keyring":
            value = _read_keyring(reference.name, keyring_timeout, what)
    if value and _is_text(value):
        return Secret(value)
    message = (
        N_("The {what} '{scheme}:{name}' is no text in UTF-8.")
        if value
        else N_("The {what} '{scheme}:{name}' is empty or does not exist.")
    )
    named = {"what": what, "scheme": reference.scheme, "name": reference.name}
    raise ConfigurationInvalid(Sentence(message, named), detail=key)


def _is_text(value: str) -> bool:
    """Return whether ``value`` can be encoded; an environment may hold bytes that are no text."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_file(name: str) -> str | None:
    try:
        with Path(name).expanduser().open(encoding="utf-8-sig") as file:
            text = file.read(_MAX_FILE_CHARACTERS + 1)
    except (OSError, ValueError, RuntimeError):  # RuntimeError: there is no such home directory
        return None
    return text.strip() if len(text) <= _MAX_FILE_CHARACTERS else None


def _read_keyring(name: str, timeout: float, what: str) -> str | None:
    _STUCK_THREADS[:] = [thread for thread in _STUCK_THREADS if thread.is_alive()]
    if len(_STUCK_THREADS) >= MAX_STUCK_THREADS:
        raise StorageUnavailable(N_("The keyring does not answer."), detail="keyring_stuck")
    service, _, user = name.partition("/")
    answers: queue.SimpleQueue[str | StorageUnavailable | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(choose_backend().get_password(service, user))
        except BaseException as error:  # noqa: BLE001 - backends fail with errors of their own
            answers.put(as_storage_unavailable(error))

    asking = threading.Thread(target=ask, name="jupyter_oidc-secret", daemon=True)
    asking.start()
    try:
        answer = answers.get(timeout=timeout)
    except queue.Empty:
        _STUCK_THREADS.append(asking)
        raise StorageUnavailable(
            sentence("The keyring with the {what} did not answer in time; it may be waiting for a prompt.", what=what),
            detail="keyring_timeout",
        ) from None
    if isinstance(answer, StorageUnavailable):
        raise answer
    return answer

"""The refresh token in the operating system's keyring, through ``keyring``, on a thread of its own.

A keyring call can wait for ever on a prompt, so every call has a deadline; two calls that never came back
open the circuit, and the store reports itself unavailable instead of collecting stuck threads (B17).
Which backends may be used is decided in :mod:`jupyter_oidc.adapters.keyring_backends`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import queue
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

from jupyter_oidc.adapters.keyring_backends import choose_backend
from jupyter_oidc.airlock import reveal
from jupyter_oidc.errors import StorageUnavailable
from jupyter_oidc.secret import Secret
from jupyter_oidc.sessions.ports import Entry

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyring.backend import KeyringBackend

    from jupyter_oidc.sessions.ports import StorageKind

_T = TypeVar("_T")

SERVICE: Final = "jupyter_oidc"
FORMAT: Final = 1
DEADLINE: Final = 10.0
"""Seconds that a keyring call may take."""

STUCK_LIMIT: Final = 2


class KeyringThread:
    """Runs keyring calls one after the other on one daemon thread, each with a deadline."""

    def __init__(self, deadline: float = DEADLINE) -> None:
        self._deadline = deadline
        self._work: queue.SimpleQueue[Callable[[], None]] | None = None
        self._stuck = 0

    async def run(self, work: Callable[[], _T]) -> _T:
        """Return ``work()``; raises :class:`StorageUnavailable` after the deadline, or if the keyring refuses."""
        if self._stuck >= STUCK_LIMIT:
            raise StorageUnavailable("The keyring does not answer.", detail="keyring_stuck")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        if self._work is None:
            self._work = queue.SimpleQueue()
            threading.Thread(target=_labour, args=(self._work,), name="jupyter_oidc-keyring", daemon=True).start()
        self._work.put(lambda: _deliver(loop, future, work))
        try:
            return await asyncio.wait_for(future, self._deadline)
        except asyncio.TimeoutError:
            self._stuck += 1
            self._work = None  # NOTE: the stuck thread is left behind; the next call gets a fresh one
            raise StorageUnavailable(
                "The keyring did not answer in time; it may be waiting for a prompt.",
                detail="keyring_timeout",
            ) from None


def _labour(work: queue.SimpleQueue[Callable[[], None]]) -> None:
    while True:
        work.get()()


def _deliver(loop: asyncio.AbstractEventLoop, future: asyncio.Future[_T], work: Callable[[], _T]) -> None:
    refusal: StorageUnavailable | None = None
    value: Any = None
    try:
        value = work()
    except BaseException as error:  # noqa: BLE001 - the caller judges it; this thread has to live on
        refusal = _translated(error)

    def settle() -> None:
        if future.done():
            return  # the deadline passed; the late result is discarded (B17)
        if refusal is None:
            future.set_result(value)
        else:
            future.set_exception(refusal)

    if not loop.is_closed():
        loop.call_soon_threadsafe(settle)


def _translated(error: BaseException) -> StorageUnavailable:
    """Name a keyring failure in our words; the backend's own text may quote what it was given (B21)."""
    from keyring.errors import KeyringLocked

    if isinstance(error, StorageUnavailable):
        return error
    if isinstance(error, KeyringLocked):
        return StorageUnavailable("The keyring is locked.", detail="keyring_locked")
    return StorageUnavailable("The keyring refused the call.", detail="keyring_failed")


class KeyringVault:
    """Implements ``Vault`` for one provider and client.

    Each (issuer, client, provider name) has an entry of its own, and an entry that says it belongs to
    somebody else is treated as absent (B23).
    """

    def __init__(self, *, provider: str, issuer: str, client_id: str, thread: KeyringThread | None = None) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._user = hashlib.sha256(json.dumps([issuer, client_id, provider]).encode()).hexdigest()[:32]
        self._thread = thread or KeyringThread()
        self._backend: KeyringBackend | None = None

    async def kind(self) -> StorageKind:
        """Return ``keyring``."""
        return "keyring"

    async def probe(self) -> None:
        """Write, read and delete a harmless entry; raises :class:`StorageUnavailable` if that fails."""
        await self._thread.run(lambda: _write_read_delete(self._chosen(), self._user + ".probe"))

    async def load(self) -> Entry | None:
        """Return the stored entry; a foreign, damaged or newer one counts as absent and is left alone (B20)."""
        text = await self._thread.run(lambda: self._chosen().get_password(SERVICE, self._user))
        entry = _parse(text) if text else None
        if entry is None or (entry.issuer, entry.client_id) != (self._issuer, self._client_id):
            return None
        return entry

    async def save(self, entry: Entry) -> None:
        """Write ``entry`` and read it back: some backends drop writes silently."""
        text = _format(entry)

        def write() -> None:
            backend = self._chosen()
            backend.set_password(SERVICE, self._user, text)
            if backend.get_password(SERVICE, self._user) != text:
                raise StorageUnavailable("The keyring did not keep what was stored.", detail="keyring_lost_write")

        await self._thread.run(write)

    async def delete(self) -> None:
        """Remove the entry."""
        await self._thread.run(lambda: _delete_if_present(self._chosen(), self._user))

    def _chosen(self) -> KeyringBackend:
        if self._backend is None:
            self._backend = choose_backend()
        return self._backend


def _write_read_delete(backend: KeyringBackend, user: str) -> None:
    backend.set_password(SERVICE, user, "probe")
    kept = backend.get_password(SERVICE, user)
    _delete_if_present(backend, user)
    if kept != "probe":
        raise StorageUnavailable("The keyring did not keep what was stored.", detail="keyring_lost_write")


def _delete_if_present(backend: KeyringBackend, user: str) -> None:
    if backend.get_password(SERVICE, user) is not None:
        backend.delete_password(SERVICE, user)


def _format(entry: Entry) -> str:
    return json.dumps(
        {
            "format": FORMAT,
            "issuer": entry.issuer,
            "client_id": entry.client_id,
            "subject": entry.subject,
            "scopes": list(entry.scopes),
            "signed_in_at": entry.signed_in_at,
            "refresh_token": reveal(entry.refresh_token),
        },
    )


def _parse(text: str) -> Entry | None:
    try:
        stored: dict[str, Any] = json.loads(text)
        if stored["format"] != FORMAT:
            return None
        return Entry(
            issuer=str(stored["issuer"]),
            client_id=str(stored["client_id"]),
            subject=str(stored["subject"]),
            scopes=tuple(str(scope) for scope in stored["scopes"]),
            signed_in_at=float(stored["signed_in_at"]),
            refresh_token=Secret(stored["refresh_token"]),
        )
    except (ValueError, TypeError, KeyError):
        return None

"""The one place where parts are chosen and joined; production and tests use the same door.

``build(settings, parts)`` makes everything that the server asks; ``system_parts`` are the real parts.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Final

from jupyter_oidc.adapters.egress import proxy_for
from jupyter_oidc.adapters.entry_lock import FileEntryLock, LockIfShared, lock_folder
from jupyter_oidc.adapters.keyring_backends import choose_backend
from jupyter_oidc.adapters.outlet import outlet_of
from jupyter_oidc.adapters.provider_http import HttpProvider
from jupyter_oidc.adapters.reach import reach
from jupyter_oidc.adapters.secret_refs import resolve
from jupyter_oidc.adapters.timers import LoopScheduler
from jupyter_oidc.adapters.tls import verifying
from jupyter_oidc.adapters.upstream_http import HttpUpstream
from jupyter_oidc.adapters.vault_auto import AutoVault
from jupyter_oidc.adapters.vault_file import FileVault, storage_folder
from jupyter_oidc.adapters.vault_keyring import KeyringThread, KeyringVault
from jupyter_oidc.adapters.vault_memory import MemoryVault
from jupyter_oidc.background import Background
from jupyter_oidc.clock import SystemClock, utc_text
from jupyter_oidc.diagnostics.surroundings import Storage, Surroundings
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.errors import Problem, StorageUnavailable
from jupyter_oidc.proxy.service import ProxyService
from jupyter_oidc.sessions.credentials import Credentials
from jupyter_oidc.sessions.dialogue import Dialogue
from jupyter_oidc.sessions.pending import PendingSignIns
from jupyter_oidc.sessions.ports import SessionEvent
from jupyter_oidc.sessions.provider_logout import AcceptedLogouts
from jupyter_oidc.sessions.proving import Prover
from jupyter_oidc.sessions.registry import Sessions
from jupyter_oidc.sessions.service import SessionService

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping, Sequence

    from jupyter_oidc.adapters.journal import EventJournal
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.proxy.ports import UpstreamPort
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.ports import EntryLock, ProviderPort, Scheduler, Vault
    from jupyter_oidc.settings import Finding, Provider, SecretRef, Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that touches the outside world, and what outlives a session: ``logouts``, by issuer and client."""

    clock: Clock
    entropy: Entropy
    scheduler: Scheduler
    journal: EventJournal
    provider_port: Callable[[Provider], ProviderPort]
    vault: Callable[[Provider], Vault]
    lock: Callable[[Provider], EntryLock]
    upstream: UpstreamPort
    logouts: dict[tuple[str, str], AcceptedLogouts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Services:
    """What the server asks: sessions, pending sign-ins and the proxy.

    ``instance`` is different in every process, so that an ETag of an earlier one never matches.
    """

    sessions: Sessions
    pending: PendingSignIns
    proxy: ProxyService
    parts: Parts
    instance: str
    settings: Settings
    background: Background

    @property
    def clock(self) -> Clock:
        """The clock."""
        return self.parts.clock

    @property
    def entropy(self) -> Entropy:
        """The source of chance."""
        return self.parts.entropy

    @property
    def journal(self) -> EventJournal:
        """Where events and refusals are written."""
        return self.parts.journal

    async def reload(self, settings: Settings, install: Callable[[Services], None]) -> None:
        """Make the services for ``settings`` and ``install`` them; sessions that did not change are taken over (D9).

        A session whose issuer or client has changed, or that is gone, ends: its refresh token is revoked where it came
        from and is never offered to anybody else.
        One whose other settings have changed is restored from what is stored, by a new service.
        """
        stay, move, end = _sorted(self.sessions, settings)
        for session in move:
            await session.aclose()  # what is stored is whole before the next service reads it
        for session in (*move, *end):
            session.sign_ins.abandon()
        install(build(settings, self.parts, pending=self.pending, taken_over=stay))
        for provider in settings.providers:
            if provider.name not in {session.settings.name for session in stay}:
                at = utc_text(self.clock.now().wall)
                self.journal.session(SessionEvent(provider.name, "settings-changed", None, 0, at))
        beside = tuple(session.origin for session in (*stay, *move) if session.origin)
        for session in end:
            try:
                await session.sign_out(beside=beside)
            except StorageUnavailable as problem:
                self.journal.refusal(session.settings.name, "settings", problem.code, problem.detail)
            await session.aclose()

    async def aclose(self) -> None:
        """Stop background work and close connections."""
        await self.sessions.aclose()
        await self.proxy.aclose()
        self.journal.emit_all()


class _Reference:
    """Looks up what a reference of the settings leads to: each time, so that a new secret needs no restart.

    A keyring is asked once, because it may take long, or ask the person.
    """

    def __init__(self, reference: SecretRef | None, *, what: str, key: str) -> None:
        self._reference = reference
        self._what, self._key = what, key
        self._known: Secret | None = None

    def __call__(self) -> Secret | None:
        if self._reference is None or self._known is not None:
            return self._known
        found = resolve(self._reference, what=self._what, key=self._key)
        if self._reference.scheme == "keyring":
            self._known = found
        return found


def _credentials(provider: Provider, clock: Clock, entropy: Entropy) -> Credentials:
    """Return what ``provider`` is shown, for sessions and for diagnostics alike."""
    return Credentials(
        provider,
        clock,
        entropy,
        secret=_Reference(provider.client_secret, what="client secret", key="client_secret"),
        key=_Reference(provider.client_assertion_key, what="client's private key", key="client_assertion_key"),
    )


def _sorted(
    sessions: Sessions, settings: Settings
) -> tuple[list[SessionService], list[SessionService], list[SessionService]]:
    """Return the sessions that stay as they are, that go on under other settings, and that end."""
    wanted = {provider.name: provider for provider in settings.providers}
    stay: list[SessionService] = []
    move: list[SessionService] = []
    end: list[SessionService] = []
    for session in sessions:
        before, after = session.settings, wanted.get(session.settings.name)
        if after == before:
            stay.append(session)
        elif after is not None and (after.issuer, after.client_id) == (before.issuer, before.client_id):
            move.append(session)
        else:
            end.append(session)
    return stay, move, end


def _provider_port(provider: Provider) -> ProviderPort:
    """Return the way to ``provider``, for sessions and for diagnostics alike."""
    return HttpProvider(timeout=provider.http_timeout, outlet=outlet_of(provider))


def surroundings(
    settings: Settings | None,
    findings: Sequence[Finding],
    *,
    environment: Mapping[str, str],
    storage_key: Secret | None = None,
    address: str | None = None,
    address_is_assumed: bool = False,
    sessions: Sessions | None = None,
) -> Surroundings:
    """Return what diagnostics look at: the same adapters that sessions and the proxy use."""
    thread, clock, entropy = KeyringThread(), SystemClock(), SystemEntropy()

    async def keyring() -> str:
        await KeyringVault(provider=_DOCTOR, issuer="", client_id="", thread=thread).probe()
        backend = await thread.run(choose_backend)
        return f"{type(backend).__module__}"

    async def turns() -> None:
        lock = FileEntryLock(lambda: lock_folder(storage_folder), provider=_DOCTOR, issuer="", client_id="")
        await asyncio.to_thread(lock.check_place)

    def egress(provider: Provider) -> str | None:
        proxy = proxy_for(provider.issuer, outlet_of(provider), environment)
        return proxy.url.removeprefix("http://") if proxy else None

    return Surroundings(
        settings=settings,
        findings=tuple(findings),
        clock=clock,
        entropy=entropy,
        storage=Storage(
            keyring=keyring,
            file=FileVault(provider=_DOCTOR, issuer="", client_id="", key=storage_key).probe,
            turns=turns,
            has_key=storage_key is not None,
        ),
        provider_port=_provider_port,
        credentials=lambda provider: _credentials(provider, clock, entropy),
        trust=lambda provider: verifying(outlet_of(provider)),
        reach=reach,
        egress=egress,
        address=address,
        address_is_assumed=address_is_assumed,
        sessions=sessions,
    )


_DOCTOR: Final = "doctor"
"""The name under which harmless test entries are written."""


def system_parts(settings: Settings, journal: EventJournal, storage_key: Secret | None = None) -> Parts:
    """Return the real parts for ``settings``; nothing is imported, opened or contacted yet.

    ``storage_key`` is what :func:`~jupyter_oidc.adapters.storage_key.take_storage_key` took.
    """
    vault_of = vaults(settings, journal.log, storage_key)
    return Parts(
        clock=SystemClock(),
        entropy=SystemEntropy(),
        scheduler=LoopScheduler(),
        journal=journal,
        provider_port=_provider_port,
        vault=vault_of,
        lock=lambda p: FileEntryLock(
            lambda: lock_folder(storage_folder),
            provider=p.name,
            issuer=p.issuer,
            client_id=p.client_id,
        ),
        upstream=HttpUpstream(),
    )


def vaults(settings: Settings, log: logging.Logger, storage_key: Secret | None = None) -> Callable[[Provider], Vault]:
    """Return the store of each provider; two questions for the same one get the same store."""
    keyring_thread = KeyringThread()

    @cache
    def vault_of(name: str, issuer: str, client_id: str) -> Vault:
        if settings.storage == "memory":
            return MemoryVault()
        keyring = KeyringVault(provider=name, issuer=issuer, client_id=client_id, thread=keyring_thread)
        file = FileVault(provider=name, issuer=issuer, client_id=client_id, key=storage_key)
        if settings.storage == "keyring":
            return keyring
        return file if settings.storage == "encrypted-file" else AutoVault(keyring, file, log)

    return lambda provider: vault_of(provider.name, provider.issuer, provider.client_id)


def _session(provider: Provider, parts: Parts, pending: PendingSignIns) -> SessionService:
    vault, credentials = parts.vault(provider), _credentials(provider, parts.clock, parts.entropy)
    return SessionService(
        provider,
        dialogue=Dialogue(provider, parts.provider_port(provider), parts.clock, credentials, parts.entropy),
        vault=vault,
        lock=LockIfShared(vault, parts.lock(provider)),
        pending=pending,
        clock=parts.clock,
        entropy=parts.entropy,
        scheduler=parts.scheduler,
        journal=parts.journal,
        logouts=parts.logouts.setdefault((provider.issuer, provider.client_id), AcceptedLogouts()),
    )


def build(
    settings: Settings,
    parts: Parts,
    *,
    pending: PendingSignIns | None = None,
    taken_over: Sequence[SessionService] = (),
) -> Services:
    """Join ``parts`` into the services for ``settings``; sessions that are ``taken_over`` are not made anew."""
    pending = pending or PendingSignIns(parts.clock, parts.entropy)
    present = {session.settings.name: session for session in taken_over}
    sessions = Sessions(present.get(p.name) or _session(p, parts, pending) for p in settings.providers)
    return Services(
        sessions=sessions,
        pending=pending,
        proxy=ProxyService(sessions, parts.upstream, Prover(parts.clock, parts.entropy)),
        parts=parts,
        instance=parts.entropy.token(64),
        settings=settings,
        background=Background(lambda defect: parts.journal.defect("proxy", defect), expected=Problem),
    )

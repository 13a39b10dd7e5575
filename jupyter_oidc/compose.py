"""Chooses and connects the parts, for production and for tests.

``build(settings, parts)`` makes the services of the server; ``system_parts`` are the real parts.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from jupyter_oidc.adapters.network.forward_proxy import proxy_for
from jupyter_oidc.adapters.network.network_route import network_route_of
from jupyter_oidc.adapters.network.system_store import authorities_in
from jupyter_oidc.adapters.network.tls import verifying_context
from jupyter_oidc.adapters.provider.provider_http import HttpProvider
from jupyter_oidc.adapters.storage.database.entry import DatabaseEntry, entry_name
from jupyter_oidc.adapters.storage.database.grants import DatabaseGrants
from jupyter_oidc.adapters.storage.database.rows import tags_of
from jupyter_oidc.adapters.storage.entry_lock import FileEntryLock, LockIfShared, lock_folder
from jupyter_oidc.adapters.storage.grants_memory import MemoryGrants
from jupyter_oidc.adapters.storage.keyring_backends import use_backend
from jupyter_oidc.adapters.storage.keyring_thread import KeyringThread
from jupyter_oidc.adapters.storage.secret_refs import resolve
from jupyter_oidc.adapters.storage.stores import DOCTOR, STORES, Owner, StoreParts, vault_for
from jupyter_oidc.adapters.storage.vault_file import storage_folder
from jupyter_oidc.adapters.system.openapi_process import read_document, read_file
from jupyter_oidc.adapters.system.timers import LoopScheduler
from jupyter_oidc.adapters.upstream.document_fetch import fetch_document
from jupyter_oidc.adapters.upstream.probe_api import probe_api
from jupyter_oidc.adapters.upstream.upstream_http import HttpUpstream
from jupyter_oidc.background import Background
from jupyter_oidc.catalogue.service import Catalogue
from jupyter_oidc.clock import SystemClock, utc_text
from jupyter_oidc.diagnostics.context import Authorities, DiagnosticContext, Storage, StoreProbe
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.language import sentence
from jupyter_oidc.problems import Problem, StorageUnavailable
from jupyter_oidc.proxy.service import ProxyService
from jupyter_oidc.sessions.credentials import Credentials
from jupyter_oidc.sessions.delegation import USUAL_HOURS
from jupyter_oidc.sessions.dpop_prover import DPoPProver
from jupyter_oidc.sessions.local_api import LocalSessions
from jupyter_oidc.sessions.pending import PendingSignIns
from jupyter_oidc.sessions.ports import SessionEvent
from jupyter_oidc.sessions.provider_logout import AcceptedLogouts
from jupyter_oidc.sessions.registry import SHUTDOWN_TIMEOUT_SECONDS, Sessions
from jupyter_oidc.sessions.revocation import Origin
from jupyter_oidc.sessions.service import SessionService
from jupyter_oidc.sessions.shared_provider import SharedProvider, SharedProviders
from jupyter_oidc.sessions.shared_tokens import NoSharedTokens
from jupyter_oidc.sessions.sign_out_pages import SignOutPages
from jupyter_oidc.sessions.worker_grants import WorkerGrants
from jupyter_oidc.settings.widening import widens, without_widening

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
    from pathlib import Path

    from jupyter_oidc.adapters.storage.database.rows import Rows
    from jupyter_oidc.adapters.storage.storage_key import StorageKey
    from jupyter_oidc.adapters.telemetry.event_log import JupyterEventLog
    from jupyter_oidc.catalogue.operation import ReadDocument, Unreadable
    from jupyter_oidc.catalogue.service import DocumentPorts
    from jupyter_oidc.clock import Clock
    from jupyter_oidc.entropy import Entropy
    from jupyter_oidc.proxy.ports import UpstreamPort
    from jupyter_oidc.secret import Secret
    from jupyter_oidc.sessions.ports import EntryLock, GrantStore, ProviderPort, Scheduler, Vault
    from jupyter_oidc.sessions.shared_provider import ProviderShare
    from jupyter_oidc.sessions.shared_tokens import SharedTokens
    from jupyter_oidc.settings import Finding, Provider, SecretRef, Settings


class DocumentAccess:
    """The outside of the catalogue: other hosts, files, and the reading process."""

    fetch = staticmethod(fetch_document)
    read_file = staticmethod(read_file)
    read_document = staticmethod(read_document)


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts that do I/O, and the memory that outlives a session: ``logouts``, by issuer and client.

    ``share`` returns what a session uses of its provider; without it, each has a provider of its own.
    ``shows_id_tokens`` says that a sign-out page may hold the ID token. ``documents`` reads those that describe APIs.
    ``shared_tokens`` keeps access tokens where several processes have the session.
    ``grants`` are those for workers, which last ``max_grant_hours`` at most; those that end with their kernel have to be
    renewed where ``grants_are_leased``.
    """

    clock: Clock
    entropy: Entropy
    scheduler: Scheduler
    event_log: JupyterEventLog
    provider_port: Callable[[Provider], ProviderPort]
    vault: Callable[[Provider], Vault]
    lock: Callable[[Provider], EntryLock]
    upstream: UpstreamPort
    share: Callable[[Provider], ProviderShare] | None = None
    shows_id_tokens: bool = True
    documents: DocumentPorts = field(default_factory=DocumentAccess)
    shared_tokens: Callable[[Provider], SharedTokens] = lambda _: NoSharedTokens()
    grants: GrantStore = field(default_factory=MemoryGrants)
    max_grant_hours: float = USUAL_HOURS
    grants_are_leased: bool = False
    logouts: dict[tuple[str, str], AcceptedLogouts] = field(default_factory=dict)


CreateParts: TypeAlias = "Callable[[Settings, JupyterEventLog, Secret | None], Parts]"
"""A function that makes the parts, as :func:`system_parts` does."""


@dataclass(frozen=True, slots=True)
class Services:
    """The services of the server: sessions, pending sign-ins and the proxy.

    ``handovers`` are the tasks of replaced sessions that still revoke their tokens.
    ``shared`` is what each session uses and does not own: facts and connections of its provider, closed here (ADR 43).
    ``worker_grants`` tells whose calls may use a part of a session (ADR 61).
    ``session_api`` is what routes may ask of the sessions (ADR 45); its ``instance`` is different in every process and
    after every reload, so that an ETag of an earlier one never matches.
    """

    sessions: Sessions
    pending: PendingSignIns
    proxy: ProxyService
    parts: Parts
    sign_out_pages: SignOutPages
    session_api: LocalSessions
    worker_grants: WorkerGrants
    given: Settings
    background: Background
    handovers: Background
    shared: dict[SessionService, ProviderShare]
    catalogue: Catalogue

    @property
    def settings(self) -> Settings:
        """The settings in force; those of a provider may wait for a sign-in."""
        return replace(self.given, providers=tuple(session.settings for session in self.sessions))

    @property
    def clock(self) -> Clock:
        """The clock."""
        return self.parts.clock

    @property
    def entropy(self) -> Entropy:
        """The source of random numbers."""
        return self.parts.entropy

    @property
    def event_log(self) -> JupyterEventLog:
        """The log of events and refusals."""
        return self.parts.event_log

    def has_session_of(self, provider: str, subject: str | None, sid: str | None) -> bool:
        """Return whether a session here is one of ``subject`` at ``provider``, or what that calls ``sid``."""
        session = self.sessions.find(provider)
        if session is None or session.current.active is None:
            return False
        data = session.current.data
        return (sid is not None and data.sid == sid) or (subject is not None and data.subject == subject)

    def notify_sessions(self, kind: str) -> None:
        """Publish an event of ``kind`` for every session, because a property of the server has changed."""
        for session in self.sessions:
            session.current.publish(kind)

    async def reload(self, settings: Settings, install: Callable[[Services], None]) -> None:
        """Apply ``settings`` and ``install`` the services; sessions that did not change are not touched (D9).

        A change that only narrows takes effect at once; one that widens waits for the next sign-in of that provider
        (ADR 30).
        A session whose issuer or client has changed ends, and so does one whose provider is not in ``settings`` any
        more, which counts as a removal here: its refresh token is revoked at its own provider and is never sent to
        another one.
        """
        ended: list[SessionService] = []
        names = [provider.name for provider in settings.providers]
        for session in self.sessions:
            if session.settings.name not in names:
                session.sign_ins.abandon()
                ended.append(session)
        for provider in settings.providers:
            ended += await self._apply(provider)
        dropped = [self.sessions.waiting(session.settings.name) for session in ended]
        self.sessions.retain(names)
        self.proxy.route_to(self.sessions)
        install(replace(self, session_api=replace(self.session_api, instance=self.entropy.token(64))))
        spared = tuple(session.origin for session in self.sessions if session.origin)
        for session in ended:
            try:
                await session.sign_outs.sign_out(spared=spared)
            except StorageUnavailable as problem:
                self.event_log.refusal(session.settings.name, "settings", problem.code, problem.detail)
            await self._close(session)
        for waiting in dropped:
            if waiting is not None and waiting not in ended and waiting not in self.sessions:
                await self._close(waiting)

    async def _apply(self, after: Provider) -> list[SessionService]:
        """Apply ``after`` to the provider's session; return the sessions that end by that."""
        session, waiting = self.sessions.find(after.name), self.sessions.waiting(after.name)
        if session is None:
            self._add(after)
            return []
        before = session.settings
        if before == after and waiting in (None, session):
            return []
        session.sign_ins.abandon()
        if waiting is session or (before.issuer, before.client_id) != (after.issuer, after.client_id):
            self._add(after)
            if waiting is not None:
                await self._close(waiting)
            return [] if waiting is session else [session]
        now, widening = without_widening(before, after), widens(before, after)
        if waiting is None or waiting.settings != after:
            self.sessions.set_waiting(after.name, self._successor(after) if widening else None)
            if waiting is not None:
                await self._close(waiting)
        session.view.set_settings_pending(bool(widening))
        if widening:
            self.event_log.notice(
                f"the settings of provider '{after.name}' have changed; {', '.join(widening)} will take effect when its "
                "user signs in again"
            )
        if now != before:
            return await self._narrow(session, now, after)
        return []

    async def _narrow(self, session: SessionService, now: Provider, after: Provider) -> list[SessionService]:
        """Put ``now`` in force, which is narrower than the present settings of ``session``.

        ``after`` are all changes.
        """
        if replace(now, apis=session.settings.apis) == session.settings:
            session.current.narrow(now)
            self.sessions.install(session)
            self.proxy.route_to(self.sessions)
            return []
        await self._close(session)  # the stored entry is complete before the next service reads it
        if self.sessions.find(after.name) is not session:
            return await self._apply(after)  # a sign-in has replaced it meanwhile
        narrowed = _session(now, self.parts, self.pending, self.sign_out_pages, self.shared)
        narrowed.continue_from(session)
        self.sessions.install(narrowed)
        narrowed.view.set_settings_pending(self.sessions.waiting(after.name) is not None)
        self._publish_settings_changed(after.name)
        return []

    def _add(self, provider: Provider) -> None:
        """Add a provider that has had no sign-in: its first sign-in has to be the user's."""
        service = self._successor(provider)
        self.sessions.install(service)
        self.sessions.set_waiting(provider.name, service)
        self.event_log.notice(f"provider '{provider.name}' is new; its first sign-in has to be begun in JupyterLab")
        self._publish_settings_changed(provider.name)

    def _successor(self, provider: Provider) -> SessionService:
        service = _session(
            provider,
            self.parts,
            self.pending,
            self.sign_out_pages,
            self.shared,
            takes_over=lambda kept: self._take_over(provider.name, kept),
        )
        service.set_predecessor(lambda: self.sessions.find(provider.name))
        return service

    def _take_over(self, name: str, kept: Secret | None) -> None:
        """Put the waiting settings in force: their sign-in has its tokens, ``kept`` among them."""
        service = self.sessions.waiting(name)
        if service is None:
            return
        before = self.sessions.take_over(service)
        self.proxy.route_to(self.sessions)
        if before is not None:
            service.continue_from(before)
            unknown = Origin(service.settings.issuer, service.settings.client_id)
            left_to_do = before.sign_outs.hand_over(kept, lambda: (service.origin or unknown,))
            self.handovers.start(self._finish_handover(before, left_to_do))

    async def _finish_handover(
        self, before: SessionService, left_to_do: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        await left_to_do()
        await self._close_shared(before)

    async def _close(self, session: SessionService) -> None:
        """Close ``session``, and then what was made for it."""
        await session.aclose()
        await self._close_shared(session)

    async def _close_shared(self, session: SessionService) -> None:
        shared = self.shared.pop(session, None)
        if shared is not None:
            await shared.aclose()

    def _publish_settings_changed(self, name: str) -> None:
        at = utc_text(self.clock.now().wall)
        self.event_log.session(SessionEvent(name, "settings-changed", None, 0, at))

    async def aclose(self) -> None:
        """Stop background work and close connections; orphaned tokens are revoked first (Q10.5)."""
        for task in self.background:
            task.cancel()
        self.sign_out_pages.clear()
        await self.catalogue.aclose()
        await asyncio.gather(self._finish_handovers(), self.sessions.aclose())
        for session in list(self.shared):
            await self._close_shared(session)
        await self.proxy.aclose()
        self.event_log.emit_all()

    async def _finish_handovers(self) -> None:
        if len(self.handovers):
            _, late = await asyncio.wait(self.handovers, timeout=SHUTDOWN_TIMEOUT_SECONDS)
            for task in late:
                task.cancel()
            if late:
                self.event_log.notice("a session under earlier settings may live on at its provider: it did not answer")


class MakeDiagnosticContext(Protocol):
    """Makes the context for the checks; ``seen`` says that a browser has reached the server at ``address``."""

    def __call__(self, services: Services, address: str, *, seen: bool) -> DiagnosticContext:
        """Return the context."""


class _Reference:
    """Resolves a reference of the settings each time, so that a new secret needs no restart.

    A keyring is asked once, because it may take long, or prompt the user.
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


def _credentials(provider: Provider, clock: Clock, entropy: Entropy, port: ProviderPort | None = None) -> Credentials:
    """Return the credentials for ``provider``, for sessions and for diagnostics; ``port`` sends the calls."""
    return Credentials(
        provider,
        clock,
        entropy,
        secret=_Reference(provider.client_secret, what=sentence("client secret"), key="client_secret"),
        key=_Reference(
            provider.client_assertion_key, what=sentence("client's private key"), key="client_assertion_key"
        ),
        certificate=lambda: port.thumbprint if isinstance(port, HttpProvider) else None,
    )


def _provider_port(provider: Provider) -> ProviderPort:
    """Return the port for calls to ``provider``, for sessions and for diagnostics."""
    return HttpProvider(timeout=provider.http_timeout, network_route=network_route_of(provider))


def diagnostic_context(
    settings: Settings | None,
    findings: Sequence[Finding],
    *,
    environment: Mapping[str, str],
    storage_key: Secret | None = None,
    address: str | None = None,
    address_is_assumed: bool = False,
    sessions: Sessions | None = None,
) -> DiagnosticContext:
    """Return the context of diagnostics, with the same adapters that sessions and the proxy use."""
    from jupyter_oidc.diagnostics.installed import INSTALLED

    if settings is not None:
        use_backend(settings.keyring_backend)
    clock, entropy, place = SystemClock(), SystemEntropy(), _place(settings)
    stores = StoreParts(KeyringThread(), place, storage_key)

    async def check_lock_folder() -> None:
        lock = FileEntryLock(lambda: lock_folder(place), **DOCTOR._asdict(), holder="doctor")
        await asyncio.to_thread(lock.check_folder)

    def forward_proxy(provider: Provider) -> str | None:
        proxy = proxy_for(provider.issuer, network_route_of(provider), environment)
        return proxy.url.removeprefix("http://") if proxy else None

    return DiagnosticContext(
        settings=settings,
        findings=tuple(findings),
        clock=clock,
        entropy=entropy,
        storage=Storage(
            probes={kind: StoreProbe(store.subject, partial(store.probe, stores)) for kind, store in STORES.items()},
            lock_folder=check_lock_folder,
            has_key=storage_key is not None,
        ),
        provider_port=_provider_port,
        credentials=lambda provider: _credentials(provider, clock, entropy),
        load_authorities=lambda provider: verifying_context(network_route_of(provider)),
        probe_api=probe_api,
        forward_proxy=forward_proxy,
        address=address,
        address_is_assumed=address_is_assumed,
        authorities=tuple(Authorities(*one) for one in authorities_in(environment)),
        sessions=sessions,
        installed=INSTALLED,
    )


def system_parts(settings: Settings, event_log: JupyterEventLog, storage_key: Secret | None = None) -> Parts:
    """Return the real parts for ``settings``; no module, file or connection is opened yet.

    ``storage_key`` is the result of :func:`~jupyter_oidc.adapters.storage.storage_key.take_storage_key`.
    """
    vault_of, place, entropy = vaults(settings, event_log.log, storage_key), _place(settings), SystemEntropy()
    return Parts(
        clock=SystemClock(),
        entropy=entropy,
        scheduler=LoopScheduler(),
        event_log=event_log,
        provider_port=_provider_port,
        vault=vault_of,
        lock=lambda p: FileEntryLock(
            lambda: lock_folder(place),
            provider=p.name,
            issuer=p.issuer,
            client_id=p.client_id,
            holder=entropy.token(128),
        ),
        upstream=HttpUpstream(),
    )


def _place(settings: Settings | None) -> Callable[[], Path]:
    """Return a function for the folder of our files; it looks each time, because a home may be mounted later."""
    named = None if settings is None else settings.storage_folder
    return lambda: storage_folder(named)


def vaults(settings: Settings, log: logging.Logger, storage_key: Secret | None = None) -> Callable[[Provider], Vault]:
    """Return a function for the store of each provider; two calls for the same one get the same store."""
    use_backend(settings.keyring_backend)
    parts = StoreParts(KeyringThread(), _place(settings), storage_key)

    @cache
    def vault_of(owner: Owner) -> Vault:
        return vault_for(settings.storage, parts, owner, log)

    return lambda provider: vault_of(Owner(provider.name, provider.issuer, provider.client_id))


def share_provider(provider: Provider, parts: Parts) -> SharedProvider:
    """Return what any number of sessions at ``provider`` share; the caller closes it when no session is left."""
    return _shared_provider(provider, parts.provider_port(provider), parts.clock, parts.entropy)


def _shared_provider(provider: Provider, port: ProviderPort, clock: Clock, entropy: Entropy) -> SharedProvider:
    credentials = _credentials(provider, clock, entropy, port)
    return SharedProvider(provider, port, clock, credentials, entropy)


def _session(
    provider: Provider,
    parts: Parts,
    pending: PendingSignIns,
    pages: SignOutPages,
    shared: dict[SessionService, ProviderShare],
    *,
    takes_over: Callable[[Secret | None], None] | None = None,
) -> SessionService:
    """Return a session service; what it uses of its provider and does not own is put into ``shared``."""
    vault = parts.vault(provider)
    at_provider = share_provider(provider, parts) if parts.share is None else parts.share(provider)
    service = SessionService(
        provider,
        oidc_client=at_provider.client(),
        vault=vault,
        lock=LockIfShared(vault, parts.lock(provider)),
        pending=pending,
        clock=parts.clock,
        entropy=parts.entropy,
        scheduler=parts.scheduler,
        event_log=parts.event_log,
        logouts=parts.logouts.setdefault((provider.issuer, provider.client_id), AcceptedLogouts()),
        sign_out_pages=pages,
        shared_tokens=parts.shared_tokens(provider),
        takes_over=takes_over,
    )
    shared[service] = at_provider
    return service


MAX_PROVIDER_CONNECTIONS: Final = 200
"""Connections of a broker to one provider, for all accounts."""

MAX_PROVIDER_CALLS: Final = 4
"""Calls to providers that one account of a broker makes at once; the connections there are shared by all."""


ReadWithProcess: TypeAlias = (
    "Callable[[bytes, str, str, Callable[[ReadDocument], ReadDocument]], Awaitable[ReadDocument | Unreadable]]"
)
"""Lets a process read a document, as :meth:`~jupyter_oidc.catalogue.service.DocumentPorts.read_document` says."""

MAX_READERS: Final = 2
"""Processes of a broker that read documents of APIs at once, for all accounts: each may take a processor."""


class SharedDocumentAccess:
    """The same for many accounts, whose reading processes take turns; ``read`` starts one."""

    fetch = staticmethod(fetch_document)
    read_file = staticmethod(read_file)

    def __init__(self, read: ReadWithProcess = read_document) -> None:
        self._read = read
        self._readers = asyncio.Semaphore(MAX_READERS)

    async def read_document(
        self, content: bytes, base_url: str, document_url: str, finish: Callable[[ReadDocument], ReadDocument]
    ) -> ReadDocument | Unreadable:
        """Read one document when it is its turn."""
        async with self._readers:
            return await self._read(content, base_url, document_url, finish)


class AccountServices:
    """Makes the services of each account of a broker: sessions of its own, in ``rows`` that all accounts share.

    What belongs to a provider or an API is shared, too: metadata and keys, and the connections.
    ``event_log_of`` returns the log for an account.
    """

    def __init__(
        self,
        settings: Settings,
        rows: Rows,
        keys: Sequence[StorageKey],
        event_log_of: Callable[[str], JupyterEventLog],
        *,
        shows_id_tokens: bool,
        max_grant_hours: float,
    ) -> None:
        self.settings = settings
        self._max_grant_hours = max_grant_hours
        self._rows = rows
        self._keys = keys
        self._event_log_of = event_log_of
        self._shows_id_tokens = shows_id_tokens
        self._clock = SystemClock()
        self._entropy = SystemEntropy()
        self._scheduler = LoopScheduler()
        self._upstream = HttpUpstream()
        self._documents = SharedDocumentAccess()
        self._providers = SharedProviders(self._shared_provider)

    def make(self, account: str) -> Services:
        """Return new services for ``account``; the caller closes them."""

        @cache
        def entry(name: str, issuer: str, client_id: str) -> DatabaseEntry:
            return DatabaseEntry(
                self._rows, self._keys, account=account, provider=name, issuer=issuer, client_id=client_id
            )

        parts = Parts(
            clock=self._clock,
            entropy=self._entropy,
            scheduler=self._scheduler,
            event_log=self._event_log_of(account),
            provider_port=_provider_port,
            vault=lambda one: entry(one.name, one.issuer, one.client_id),
            lock=lambda one: entry(one.name, one.issuer, one.client_id),
            upstream=_SharedUpstream(self._upstream),
            share=partial(self._providers.share, calls=asyncio.Semaphore(MAX_PROVIDER_CALLS)),
            shows_id_tokens=self._shows_id_tokens,
            documents=self._documents,
            shared_tokens=lambda one: entry(one.name, one.issuer, one.client_id),
            grants=DatabaseGrants(self._rows, self._keys, account),
            max_grant_hours=self._max_grant_hours,
            grants_are_leased=True,
        )
        return build(self.settings, parts)

    async def accounts_concerned(self, provider: Provider, subject: str | None, sid: str | None) -> list[str]:
        """Return the accounts with a stored session of this ``subject`` at ``provider``, or of its session ``sid``."""
        name = entry_name(provider.name, provider.issuer, provider.client_id)
        return await self._rows.accounts_with(name, tags_of(name, subject, sid))

    async def aclose(self) -> None:
        """Close what the accounts have shared; none of their services may be open."""
        await self._providers.aclose()
        await self._upstream.aclose()

    def _shared_provider(self, provider: Provider) -> SharedProvider:
        network_route = network_route_of(provider)
        port = HttpProvider(
            timeout=provider.http_timeout, network_route=network_route, connections=MAX_PROVIDER_CONNECTIONS
        )
        return _shared_provider(provider, port, self._clock, self._entropy)


class _SharedUpstream:
    """Implements ``UpstreamPort`` for the proxy of one account: its end leaves the connections of the others open."""

    def __init__(self, upstream: UpstreamPort) -> None:
        self.open = upstream.open
        self.open_socket = upstream.open_socket

    async def aclose(self) -> None:
        """Close nothing."""


def build(settings: Settings, parts: Parts) -> Services:
    """Connect ``parts`` to the services for ``settings``."""
    pending = PendingSignIns(parts.clock, parts.entropy)
    pages = SignOutPages(parts.clock, parts.entropy, parts.scheduler, with_id_tokens=parts.shows_id_tokens)
    background = Background(lambda defect: parts.event_log.defect("proxy", defect), expected=Problem)
    shared: dict[SessionService, ProviderShare] = {}
    sessions = Sessions(_session(provider, parts, pending, pages, shared) for provider in settings.providers)
    proxy = ProxyService(sessions, parts.upstream, DPoPProver(parts.clock, parts.entropy))
    grants = WorkerGrants(
        parts.grants,
        sessions,
        parts.clock,
        parts.entropy,
        max_hours=parts.max_grant_hours,
        is_leased=parts.grants_are_leased,
        spawn=background.start,
    )
    return Services(
        sessions=sessions,
        pending=pending,
        proxy=proxy,
        catalogue=Catalogue(proxy, parts.documents, parts.clock),
        parts=parts,
        sign_out_pages=pages,
        session_api=LocalSessions(sessions, pending, pages, grants, parts.clock, parts.entropy.token(64)),
        worker_grants=grants,
        given=settings,
        background=background,
        handovers=Background(lambda defect: parts.event_log.defect("settings", defect), expected=Problem),
        shared=shared,
    )

"""Holds the session services: one per configured provider, found by the provider's or an API's name."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from jupyter_oidc.facts import choices
from jupyter_oidc.language import N_
from jupyter_oidc.problems import Forbidden, UnknownApi, UnknownProvider

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jupyter_oidc.sessions.delegation import SessionKey
    from jupyter_oidc.sessions.pending import PendingSignIn
    from jupyter_oidc.sessions.service import SessionService
    from jupyter_oidc.sessions.token_api import SessionTokens
    from jupyter_oidc.settings import Api

SHUTDOWN_TIMEOUT_SECONDS: Final = 5.0
"""Seconds for revoking tokens of sessions that end with the process; a stop waits no longer."""


class Sessions:
    """All session services, in the order of the settings.

    A service whose settings wait for a sign-in stands beside the one that it will replace; if the provider is new and
    there is none to replace, it stands in both places (ADR 30).
    """

    def __init__(self, services: Iterable[SessionService]) -> None:
        self._services = {service.settings.name: service for service in services}
        self._waiting: dict[str, SessionService] = {}
        self._apis = {api.name: api for service in self for api in service.settings.apis}

    def __iter__(self) -> Iterator[SessionService]:
        return iter(self._services.values())

    def of_provider(self, name: str) -> SessionService:
        """Return the service of the provider ``name``; raises :class:`UnknownProvider`."""
        try:
            return self._services[name]
        except KeyError:
            raise UnknownProvider(params=choices("provider", name, self._services)) from None

    def find(self, name: str) -> SessionService | None:
        """Return the service of the provider ``name``, if there is one."""
        return self._services.get(name)

    async def has_session(self, provider: str, key: SessionKey) -> bool:
        """Return whether the session of ``key`` at ``provider`` lives; raises ``StorageUnavailable`` if that is not known."""
        service = self.find(provider)
        return service is not None and await service.view.has_session(key)

    def is_present(self, provider: str, key: SessionKey) -> bool:
        """Return whether the session of ``key`` at ``provider`` lives in this process."""
        service = self.find(provider)
        return service is not None and service.current.key == key

    def is_followed(self, provider: str, key: SessionKey) -> bool:
        """Return whether a later session than that of ``key`` lives in this process."""
        service = self.find(provider)
        present = None if service is None else service.current.key
        return present is not None and present.signed_in_at > key.signed_in_at

    def install(self, service: SessionService) -> None:
        """Put ``service`` in force for its provider."""
        self._services[service.settings.name] = service
        self._index_apis()

    def set_waiting(self, name: str, service: SessionService | None) -> None:
        """Let ``service`` wait for a sign-in at the provider ``name``; with ``None`` no service waits any more."""
        if service is None:
            self._waiting.pop(name, None)
        else:
            self._waiting[name] = service

    def retain(self, names: Iterable[str]) -> None:
        """Keep the services of ``names``, in this order, and no others."""
        self._services = {name: self._services[name] for name in names}
        self._waiting = {name: service for name, service in self._waiting.items() if name in self._services}
        self._index_apis()

    def _index_apis(self) -> None:
        self._apis = {api.name: api for service in self for api in service.settings.apis}

    def waiting(self, name: str) -> SessionService | None:
        """Return the service of the provider ``name`` whose settings wait for a sign-in."""
        return self._waiting.get(name)

    def service_for_sign_in(self, name: str, *, by_user: bool) -> SessionService:
        """Return the service whose sign-in may begin now; raises :class:`UnknownProvider`.

        Waiting settings come into force only by a sign-in that the user began: a kernel's sign-in uses those in force,
        and raises :class:`Forbidden` if there are none.
        """
        service, waiting = self.of_provider(name), self._waiting.get(name)
        if waiting is not None and by_user:
            return waiting
        if waiting is service:
            raise Forbidden(
                N_("The settings of this provider are new since the Jupyter server started."),
                action=N_("Sign in at it in JupyterLab once: the first sign-in has to be yours, and not a kernel's."),
                detail="settings.pending",
            )
        return service

    def of_sign_in(self, pending: PendingSignIn) -> SessionService:
        """Return the service that ``pending`` was begun at."""
        waiting = self._waiting.get(pending.provider)
        if waiting is not None and pending.begun_with is waiting.sign_ins.settings:
            return waiting
        return self.of_provider(pending.provider)

    def take_over(self, service: SessionService) -> SessionService | None:
        """Put ``service``, whose settings waited, in force; return the one that it replaces, if there was one."""
        name = service.settings.name
        before = self._services.get(name)
        self.set_waiting(name, None)
        self.install(service)
        return None if before is service else before

    def of_api(self, name: str) -> tuple[Api, SessionService]:
        """Return the API ``name`` with the service of its provider; raises :class:`UnknownApi`."""
        try:
            api = self._apis[name]
        except KeyError:
            raise UnknownApi(params=choices("api", name, self._apis)) from None
        return api, self._services[api.provider]

    def tokens_of(self, api: str) -> SessionTokens:
        """Return the tokens of the API's session, for the proxy; raises :class:`UnknownApi`."""
        return self.of_api(api)[1].for_proxy

    @property
    def apis(self) -> tuple[Api, ...]:
        """Every configured API, in the order of the settings."""
        return tuple(self._apis.values())

    async def aclose(self) -> None:
        """Close every service, because the process ends.

        A session that is stored nowhere else ends with it (ADR 36).
        """
        services = list(dict.fromkeys([*self._services.values(), *self._waiting.values()]))
        await asyncio.gather(*(service.settle(process_ends=True) for service in services))
        ending = [service for service in services if await service.sign_outs.ends_with_process()]
        spared = tuple(service.origin for service in services if service not in ending and service.origin)
        last_calls = [service.sign_outs.end_and_revoke(spared) for service in ending]
        if last_calls:
            _, late = await asyncio.wait(last_calls, timeout=SHUTDOWN_TIMEOUT_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=1.0)
        for service in services:
            await service.aclose()

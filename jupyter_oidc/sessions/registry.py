"""Which sessions exist: one service per configured provider, found by the provider's or an API's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.errors import UnknownApi, UnknownProvider
from jupyter_oidc.sessions.grant import SIGN_IN_KEY, TokenKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jupyter_oidc.sessions.service import SessionService
    from jupyter_oidc.settings import Api


class Sessions:
    """All session services, in the order of the settings."""

    def __init__(self, services: Iterable[SessionService]) -> None:
        self._services = {service.settings.name: service for service in services}
        self._apis = {api.name: api for service in self for api in service.settings.apis}

    def __iter__(self) -> Iterator[SessionService]:
        return iter(self._services.values())

    def of_provider(self, name: str) -> SessionService:
        """Return the service of the provider ``name``; raises :class:`UnknownProvider`."""
        try:
            return self._services[name]
        except KeyError:
            raise UnknownProvider from None

    def of_api(self, name: str) -> tuple[Api, SessionService]:
        """Return the API ``name`` with the service of its provider; raises :class:`UnknownApi`."""
        try:
            api = self._apis[name]
        except KeyError:
            raise UnknownApi from None
        return api, self._services[api.provider]

    @property
    def apis(self) -> tuple[Api, ...]:
        """Every configured API, in the order of the settings."""
        return tuple(self._apis.values())

    async def aclose(self) -> None:
        """Close every service."""
        for service in self._services.values():
            await service.aclose()


def token_key(api: Api) -> TokenKey:
    """Return which access token ``api`` needs: the sign-in's own unless its settings ask for another one."""
    if api.audience is None and api.resource is None and api.scopes is None:
        return SIGN_IN_KEY
    return TokenKey(audience=api.audience, resource=api.resource, scopes=api.scopes)

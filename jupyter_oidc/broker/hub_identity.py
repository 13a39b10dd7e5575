"""Whose sessions a Jupyter server may use that a JupyterHub has started: those of the user whose token it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import Forbidden
from jupyter_oidc.secret import Secret

if TYPE_CHECKING:
    from asyncio import BaseTransport

    from aiohttp.web import BaseRequest

    from jupyter_oidc.broker.hub_api import HubApi
    from jupyter_oidc.broker.hub_place import HubPlace

_PREFIX: Final = "hub:"
_SCHEMES: Final = ("token", "bearer")


def account_of_user(name: str) -> str:
    """Return the account of the user ``name`` of the Hub."""
    return f"{_PREFIX}{name}"


def user_of_account(account: str) -> str | None:
    """Return the user of the Hub whose account this is, or ``None``."""
    return account[len(_PREFIX) :] if account.startswith(_PREFIX) else None


class HubIdentity:
    """Implements ``Identity`` by what ``hub`` says of the token in ``Authorization``."""

    def __init__(self, hub: HubApi, place: HubPlace) -> None:
        self._hub = hub
        self._place = place

    async def account_of(self, request: BaseRequest) -> str:
        """Return ``hub:NAME``; raises ``BrokerUnavailable`` too, if the Hub does not answer."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        user = await self._hub.user_of(Secret(token.strip())) if scheme.lower() in _SCHEMES and token.strip() else None
        if user is None:
            raise Forbidden(
                N_("JupyterHub does not know the server that calls the broker."),
                action=N_("Stop the server in the Hub's control panel, and start it again."),
                detail="hub.token",
            )
        if not user.may_use:
            scope = f"access:services!service={self._place.name}"
            raise Forbidden(
                N_("JupyterHub does not let this server use the broker."),
                action=sentence("Ask the Hub's administrator to give servers the scope {scope}.", scope=scope),
                detail="hub.scope",
            )
        return account_of_user(user.name)

    def peer_of(self, transport: BaseTransport) -> str | None:
        """Return one name for all: the connections are the Hub's proxy's, and requests are counted by their account."""
        del transport
        return _PREFIX

"""How the server gets out to one destination, as the settings say: whom it trusts there, and through which proxy.

A provider and an API are reached by different libraries; both take an :class:`Outlet`, so that the same settings mean
the same for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jupyter_oidc.settings import Provider

if TYPE_CHECKING:
    from jupyter_oidc.settings import Api, SecretRef

Peer = Literal["provider", "API"]
"""Who is at the other end, in the words of our sentences."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """The way out to one destination.

    ``ca_bundle`` is trusted on top of the operating system's store.
    ``proxy`` is ``None`` for the environment's, ``"none"`` for none at all, or an address without credentials.
    """

    peer: Peer
    ca_bundle: str | None = None
    proxy: str | None = None
    proxy_credentials: SecretRef | None = None


def outlet_of(destination: Provider | Api) -> Outlet:
    """Return the way out to ``destination``."""
    return Outlet(
        "provider" if isinstance(destination, Provider) else "API",
        ca_bundle=destination.ca_bundle,
        proxy=destination.egress_proxy,
        proxy_credentials=destination.egress_proxy_credentials,
    )

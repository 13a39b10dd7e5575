"""The network route to one destination, as the settings say: trusted authorities, proxy, client certificate.

A provider and an API are reached by different libraries; both take a :class:`NetworkRoute`, so that the same settings
mean the same for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jupyter_oidc.adapters.network.client_certificate import ClientCertificate
from jupyter_oidc.language import Sentence
from jupyter_oidc.settings import Provider

if TYPE_CHECKING:
    from jupyter_oidc.settings import Api, SecretRef

Peer = Literal["provider", "API"]
"""The kind of destination."""


def of_peer(peer: Peer, of_provider: str, of_api: str, **facts: object) -> Sentence:
    """Return the sentence about ``peer``: each kind has a template of its own, since languages decline their nouns."""
    return Sentence(of_provider if peer == "provider" else of_api, facts)


@dataclass(frozen=True, slots=True)
class NetworkRoute:
    """Trust, proxy and client certificate for the connections to one destination.

    ``ca_bundle`` is trusted on top of the operating system's store.
    ``client_certificate`` is presented if the destination asks for one.
    ``proxy`` is ``None`` for the environment's, ``"none"`` for none at all, or an address without credentials.
    """

    peer: Peer
    ca_bundle: str | None = None
    proxy: str | None = None
    proxy_credentials: SecretRef | None = None
    client_certificate: ClientCertificate | None = None


def network_route_of(destination: Provider | Api) -> NetworkRoute:
    """Return the network route to ``destination``."""
    return NetworkRoute(
        "provider" if isinstance(destination, Provider) else "API",
        ca_bundle=destination.ca_bundle,
        proxy=destination.egress_proxy,
        proxy_credentials=destination.egress_proxy_credentials,
        client_certificate=client_certificate_of(destination),
    )


def client_certificate_of(destination: Provider | Api) -> ClientCertificate | None:
    """Return the client certificate that the settings name for ``destination``, or ``None``."""
    if destination.client_certificate is None:
        return None
    return ClientCertificate(
        destination.client_certificate,
        destination.client_certificate_key,
        destination.client_certificate_password,
    )

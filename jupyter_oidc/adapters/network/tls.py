"""Verified TLS for every connection to the outside; nothing here can turn verification off (H-1)."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from jupyter_oidc.adapters.network.client_certificate import UnusableCertificate, client_certificate_context
from jupyter_oidc.adapters.network.system_store import system_context
from jupyter_oidc.language import sentence
from jupyter_oidc.problems import ConfigurationInvalid

if TYPE_CHECKING:
    from jupyter_oidc.adapters.network.network_route import NetworkRoute


def verifying_context(network_route: NetworkRoute) -> ssl.SSLContext:
    """Return a context for ``network_route``: the system's store, its ``ca_bundle`` on top, its client certificate.

    Raises :class:`ConfigurationInvalid` if a file of these cannot be used.
    """
    mine = network_route.client_certificate
    context = _context_of(client_certificate_context() if mine else system_context())
    if network_route.ca_bundle:
        try:
            context.load_verify_locations(cafile=network_route.ca_bundle)
        except (OSError, ValueError):  # NOTE: ssl.SSLError is an OSError
            raise ConfigurationInvalid(
                sentence(
                    "The certificate authorities in '{ca_bundle}' cannot be read.", ca_bundle=network_route.ca_bundle
                ),
                detail="ca_bundle",
            ) from None
    if mine:
        try:
            context.present(mine)  # type: ignore[attr-defined]  # NOTE: its class was chosen above
        except UnusableCertificate as trouble:
            raise ConfigurationInvalid(
                sentence("{key} {problem}.", key=trouble.key, problem=trouble.problem), detail=trouble.key
            ) from None
    return context


def system_verifying_context() -> ssl.SSLContext:
    """Return a context that trusts the system's store and nothing else."""
    return _context_of(system_context())


def _context_of(kind: type[ssl.SSLContext]) -> ssl.SSLContext:
    context = kind(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context

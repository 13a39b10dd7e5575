"""Maps the faults of a forward proxy to the problem that the caller receives.

The proxy's own text is never repeated (C35).
Up to here not a byte of the call itself has left, so the provider's refresh tokens are unspent and an API has done
nothing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from jupyter_oidc.adapters.network.network_route import of_peer
from jupyter_oidc.language import N_
from jupyter_oidc.problems import EgressProxyAuth, IdpUnavailable, UpstreamUnreachable

if TYPE_CHECKING:
    from jupyter_oidc.adapters.network.network_route import Peer
    from jupyter_oidc.problems import Problem

FIRST_BACKOFF_SECONDS: Final = 30.0
"""Seconds in which a proxy that refused our credentials is not asked again: directories lock accounts."""

MAX_BACKOFF_SECONDS: Final = 300.0
"""Seconds; each refusal in a row doubles the pause, up to here."""

_CHECK: Final = N_("Ask your administrator to check egress_proxy, or HTTPS_PROXY and NO_PROXY of the Jupyter server.")


def proxy_refused(status: int, peer: Peer) -> Problem:
    """Return the problem for a proxy that answered ``CONNECT`` with ``status``."""
    if status == 407:
        return EgressProxyAuth(
            action=of_peer(
                peer,
                N_("Ask your administrator to set egress_proxy_credentials of the provider."),
                N_("Ask your administrator to set egress_proxy_credentials of the API."),
            )
        )
    if status >= 500:
        return _unreachable(
            peer,
            of_peer(
                peer,
                N_("The egress proxy of this network could not reach the provider; it answered {status}."),
                N_("The egress proxy of this network could not reach the API; it answered {status}."),
                status=status,
            ),
            of_peer(
                peer,
                N_(
                    "Try again in a moment. If it stays so, ask your administrator whether the proxy knows the "
                    "provider."
                ),
                N_("Try again in a moment. If it stays so, ask your administrator whether the proxy knows the API."),
            ),
        )
    return _unreachable(
        peer,
        of_peer(
            peer,
            N_("The egress proxy of this network refuses connections to the provider; it answered {status}."),
            N_("The egress proxy of this network refuses connections to the API; it answered {status}."),
            status=status,
        ),
        of_peer(
            peer,
            N_("Ask the administrator of the proxy to admit the provider, or yours to set egress_proxy to 'none'."),
            N_("Ask the administrator of the proxy to admit the API, or yours to set egress_proxy to 'none'."),
        ),
    )


def proxy_unreachable(peer: Peer) -> Problem:
    """Return the problem for a proxy that cannot be reached."""
    return _unreachable(
        peer,
        of_peer(
            peer,
            N_("The egress proxy on the way to the provider cannot be reached."),
            N_("The egress proxy on the way to the API cannot be reached."),
        ),
        _CHECK,
    )


def proxy_failed(peer: Peer) -> Problem:
    """Return the problem for a proxy that hangs, closes the connection, or answers something that is no HTTP."""
    return _unreachable(
        peer,
        of_peer(
            peer,
            N_("The egress proxy opened no connection to the provider."),
            N_("The egress proxy opened no connection to the API."),
        ),
        _CHECK,
    )


def _unreachable(peer: Peer, message: str, action: str) -> Problem:
    if peer == "provider":
        return IdpUnavailable(message, action=action, detail="idp.proxy")
    return UpstreamUnreachable(message, action=action, detail="upstream.proxy")


class CredentialsBackoff:
    """A pause after a proxy has refused our credentials; it doubles with each refusal in a row."""

    def __init__(self) -> None:
        self._seconds = FIRST_BACKOFF_SECONDS
        self._until: float | None = None

    def begin(self) -> None:
        """Begin a pause, twice as long as the one before."""
        self._until = asyncio.get_running_loop().time() + self._seconds
        self._seconds = min(2 * self._seconds, MAX_BACKOFF_SECONDS)

    def end(self) -> None:
        """End the pause and reset its length: the proxy has let a call through."""
        self._seconds, self._until = FIRST_BACKOFF_SECONDS, None

    def is_active(self) -> bool:
        """Return whether the pause lasts, so that no call may ask the proxy."""
        return self._until is not None and asyncio.get_running_loop().time() < self._until

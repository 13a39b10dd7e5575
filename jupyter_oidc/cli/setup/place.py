"""Tells where the Jupyter server runs, as seen from the browser: on the same machine, behind a Hub, elsewhere.

The answer comes from the environment and the configuration alone; nothing is looked up on a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

from jupyter_oidc.language import N_
from jupyter_oidc.server.config import is_under_hub
from jupyter_oidc.web.redirects import is_loopback_host

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["local", "hub", "binder", "remote"]

_BINDER_VARIABLES: Final = ("BINDER_SERVICE_HOST", "BINDER_LAUNCH_HOST", "BINDER_REPO_URL")
_SSH_VARIABLES: Final = ("SSH_CONNECTION", "SSH_TTY")

CALLED: Final[Mapping[Kind, str]] = {
    "local": N_("The server runs on this machine, where the browser is too."),
    "hub": N_("The server runs under a JupyterHub."),
    "binder": N_("The server runs on a Binder, at an address that changes."),
    "remote": N_("The server runs on a machine that the browser is not on."),
}
"""The place of the server, as a sentence."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server runs.

    ``address`` is the loopback address of the server, with its base URL; ``public`` is the address at which browsers
    reach it (of the Hub itself under one), ``None`` if that is not known.
    """

    kind: Kind
    address: str
    public: str | None = None


def place_of(
    environment: Mapping[str, str], config: Mapping[str, Any], address: str, public: str | None = None
) -> Place:
    """Return the place of a server with this ``environment`` and ``config``; ``public`` is what the person says."""
    if any(environment.get(name) for name in _BINDER_VARIABLES):
        return Place("binder", address, public)
    if is_under_hub(environment):
        return Place("hub", address, public or _hub_address(environment))
    host = config.get("ServerApp", {}).get("ip", "localhost")
    listens_here = isinstance(host, str) and is_loopback_host(host)
    if public is not None and is_loopback_host(urlsplit(public).netloc):
        return Place("local", _with_slash(public))
    if public is not None:
        return Place("remote", address, public)
    if not listens_here or any(environment.get(name) for name in _SSH_VARIABLES):
        return Place("remote", address)
    return Place("local", address)


def _hub_address(environment: Mapping[str, str]) -> str | None:
    """Return the Hub's own public address, where its environment tells it; users with hosts of their own have another."""
    told = environment.get("JUPYTERHUB_PUBLIC_HUB_URL", "")
    return told if told.startswith(("https://", "http://")) else None


def _with_slash(address: str) -> str:
    return address if address.endswith("/") else f"{address}/"

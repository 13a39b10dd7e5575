"""Tells diagnostics whether Jupyter answers requests for a host, by the rule of ``JupyterHandler.check_host``."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.diagnostics.context import Admission


def admission_by(settings: Mapping[str, Any], netloc: str) -> Admission:
    """Return whether a server with these tornado ``settings`` answers requests whose ``Host`` is ``netloc``."""
    from jupyter_oidc.diagnostics.context import Admission  # NOTE: imported here: a start of the server needs none

    if settings.get("allow_remote_access"):
        return Admission(admits=True, seen=True)
    host = urlsplit(f"//{netloc}").hostname or ""
    try:
        admits = ipaddress.ip_address(host).is_loopback
    except ValueError:
        admits = host in settings.get("local_hostnames", ["localhost"])
    return Admission(admits=admits, seen=True)

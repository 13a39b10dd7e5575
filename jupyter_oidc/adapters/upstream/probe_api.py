"""Sends one request to an API as the proxy would: the same network route, the same checks, and no token.

It shows whether this machine can reach the API, with the certificate checked, the address judged, and the forward
proxy used that the settings or the environment name (C34, C35, H-1).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from jupyter_oidc.adapters.upstream.upstream_http import HttpUpstream
from jupyter_oidc.problems import UpstreamTimeout

if TYPE_CHECKING:
    from jupyter_oidc.settings import Api

PROBE_TIMEOUT_SECONDS: Final = 5.0
"""Seconds for the whole probe."""


async def probe_api(api: Api) -> None:
    """Return if ``api`` answers anything at all; raises the problem that a caller of the proxy would receive."""
    upstream = HttpUpstream()
    try:
        await asyncio.wait_for(upstream.probe_api(api), PROBE_TIMEOUT_SECONDS)
    except asyncio.TimeoutError:
        raise UpstreamTimeout from None
    finally:
        await upstream.aclose()

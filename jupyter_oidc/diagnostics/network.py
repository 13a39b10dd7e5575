"""The way out: whose certificates are trusted, and through which proxy the provider is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.errors import Problem

if TYPE_CHECKING:
    from jupyter_oidc.diagnostics.surroundings import Surroundings
    from jupyter_oidc.settings import Provider


_READABLE: Final = "Name a PEM file that the Jupyter server can read in ca_bundle."


async def check_certificates(place: Surroundings, provider: Provider) -> Check:
    """See whether the certificate authorities in the settings can be read."""
    about = Subject("certificates", provider.name)
    try:
        await asyncio.to_thread(place.trust, provider)
    except Problem as problem:
        if problem.detail == "ca_bundle":  # NOTE: without its path, which can hold a person's name
            return about.problem("The certificate authorities in ca_bundle cannot be read.", _READABLE)
        return about.failed(problem, _READABLE)
    more = ", and those in ca_bundle" if provider.ca_bundle else ""
    return about.ok(f"The authorities of this machine are trusted{more}; nothing switches verification off.")


def check_proxy(place: Surroundings, provider: Provider) -> Check:
    """Say which way calls to the provider take; a proxy's user name and password are not shown."""
    about = Subject("egress proxy", provider.name)
    try:
        proxy = place.egress(provider)
    except Problem as problem:
        return about.failed(problem)
    if proxy is None:
        return about.ok("The provider is asked directly.")
    return about.ok(f"The provider is asked through the proxy {proxy}.")

"""Checks the network route to a provider: trusted certificate authorities, and the forward proxy."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.problems import Problem

if TYPE_CHECKING:
    from jupyter_oidc.diagnostics.context import DiagnosticContext
    from jupyter_oidc.settings import Provider


_READABLE: Final = "Name a PEM file that the Jupyter server can read in ca_bundle."


async def check_certificates(context: DiagnosticContext, provider: Provider) -> Check:
    """Check whether the certificate authorities in the settings can be read."""
    about = Subject("certificates", provider.name)
    try:
        await asyncio.to_thread(context.load_authorities, provider)
    except Problem as problem:
        if problem.detail == "ca_bundle":  # NOTE: without its path, which can hold a person's name
            return about.problem("The certificate authorities in ca_bundle cannot be read.", _READABLE)
        return about.failed(problem, _READABLE)
    more = ", and those in ca_bundle" if provider.ca_bundle else ""
    return about.ok(f"The authorities of this machine are trusted{more}; nothing switches verification off.")


def check_authorities(context: DiagnosticContext) -> list[Check]:
    """Name the environment variables for certificate authorities, and whether they count here; not their values."""
    about = Subject("certificate variables")
    if not context.authorities:
        return []
    broken = [one.variable for one in context.authorities if one.counts and not one.readable]
    heeded = [one.variable for one in context.authorities if one.counts and one.readable]
    others = [one.variable for one in context.authorities if not one.counts]
    said = [
        f"{' and '.join(heeded)} {_counts(heeded)}: certificates are judged by what {_names(heeded)}."
        if heeded
        else "",
        f"{' and '.join(others)} {'does' if len(others) == 1 else 'do'} not count here." if others else "",
        f"What {' and '.join(broken)} {'names' if len(broken) == 1 else 'name'} cannot be read." if broken else "",
    ]
    message = " ".join(sentence for sentence in said if sentence)
    if broken:
        return [about.warning(message, "Correct it, or remove it from the environment of the Jupyter server.")]
    if others:
        return [about.warning(message, "If the provider or an API needs that authority, name its file in ca_bundle.")]
    return [about.ok(message)]


def _names(names: list[str]) -> str:
    return "it names" if len(names) == 1 else "they name"


def _counts(names: list[str]) -> str:
    return "counts" if len(names) == 1 else "count"


def check_proxy(context: DiagnosticContext, provider: Provider) -> Check:
    """Name the forward proxy of calls to the provider, without its user name and password."""
    about = Subject("egress proxy", provider.name)
    try:
        proxy = context.forward_proxy(provider)
    except Problem as problem:
        return about.failed(problem)
    if proxy is None:
        return about.ok("The provider is asked directly.")
    return about.ok(f"The provider is asked through the proxy {proxy}.")

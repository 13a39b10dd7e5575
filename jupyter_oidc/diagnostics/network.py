"""Checks the network route to a provider: trusted certificate authorities, and the forward proxy."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.language import N_, all_of, counted, joined, sentence
from jupyter_oidc.problems import Problem

if TYPE_CHECKING:
    from jupyter_oidc.diagnostics.context import DiagnosticContext
    from jupyter_oidc.language import Sentence
    from jupyter_oidc.settings import Provider


_READABLE: Final = N_("Name a PEM file that the Jupyter server can read in ca_bundle.")


async def check_certificates(context: DiagnosticContext, provider: Provider) -> Check:
    """Check whether the certificate authorities in the settings can be read."""
    about = Subject(N_("certificates"), provider.name)
    try:
        await asyncio.to_thread(context.load_authorities, provider)
    except Problem as problem:
        if problem.detail == "ca_bundle":  # NOTE: without its path, which can hold a person's name
            return about.problem(N_("The certificate authorities in ca_bundle cannot be read."), _READABLE)
        return about.failed(problem, _READABLE)
    return about.ok(
        N_("The authorities of this machine are trusted, and those in ca_bundle; nothing switches verification off.")
        if provider.ca_bundle
        else N_("The authorities of this machine are trusted; nothing switches verification off.")
    )


def check_authorities(context: DiagnosticContext) -> list[Check]:
    """Name the environment variables for certificate authorities, and whether they count here; not their values."""
    about = Subject(N_("certificate variables"))
    if not context.authorities:
        return []
    broken = [one.variable for one in context.authorities if one.counts and not one.readable]
    heeded = [one.variable for one in context.authorities if one.counts and one.readable]
    others = [one.variable for one in context.authorities if not one.counts]
    message = joined(
        _about_variables(
            heeded,
            counted(
                len(heeded),
                "{variables} counts: certificates are judged by what it names.",
                "{variables} count: certificates are judged by what they name.",
            ),
        ),
        _about_variables(
            others, counted(len(others), "{variables} does not count here.", "{variables} do not count here.")
        ),
        _about_variables(
            broken,
            counted(len(broken), "What {variables} names cannot be read.", "What {variables} name cannot be read."),
        ),
    )
    if broken:
        return [about.warning(message, N_("Correct it, or remove it from the environment of the Jupyter server."))]
    if others:
        return [
            about.warning(message, N_("If the provider or an API needs that authority, name its file in ca_bundle."))
        ]
    return [about.ok(message)]


def _about_variables(variables: list[str], told: Sentence) -> Sentence | None:
    return told.knowing({"variables": all_of(variables)}) if variables else None


def check_proxy(context: DiagnosticContext, provider: Provider) -> Check:
    """Name the forward proxy of calls to the provider, without its user name and password."""
    about = Subject(N_("egress proxy"), provider.name)
    try:
        proxy = context.forward_proxy(provider)
    except Problem as problem:
        return about.failed(problem)
    if proxy is None:
        return about.ok(N_("The provider is asked directly."))
    return about.ok(sentence("The provider is asked through the proxy {proxy}.", proxy=proxy))

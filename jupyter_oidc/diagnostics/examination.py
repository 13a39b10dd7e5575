"""Runs the checks, independent ones at the same time, for at most 18 seconds in all."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from jupyter_oidc.diagnostics import configuration, network, redirect, storage
from jupyter_oidc.diagnostics import provider as about_provider
from jupyter_oidc.diagnostics.apis import check_api
from jupyter_oidc.diagnostics.audience import check_audience
from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.diagnostics.entitlements import check_entitlements
from jupyter_oidc.diagnostics.installation import check_installation
from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import UnknownProvider
from jupyter_oidc.sessions.contradictions import SignInPlan
from jupyter_oidc.sessions.machine import has_session
from jupyter_oidc.settings.client_authentication import SIGNS_WITH

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from jupyter_oidc.diagnostics.context import DiagnosticContext
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.sessions.ports import ProviderPort
    from jupyter_oidc.sessions.service import SessionService
    from jupyter_oidc.settings import Provider

MAX_EXAMINATION_SECONDS: Final = 18.0
"""Seconds for all checks."""


@dataclass(frozen=True, slots=True)
class Report:
    """All checks, those of the whole server first, then provider by provider."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no ``problem``."""
        return all(check.status != "problem" for check in self.checks)


@dataclass(slots=True)
class _Group:
    """The checks of one part; results that exist when the time is over count."""

    about: Subject
    found: list[Check] = field(default_factory=list)

    async def fill(self, work: Awaitable[None], seconds: float) -> None:
        try:
            await asyncio.wait_for(work, seconds)
        except asyncio.TimeoutError:
            message = sentence(
                "What is left was not looked at, because it took longer than {seconds}.", seconds=round(seconds)
            )
            self.found.append(
                self.about.unknown(message, N_("Try again; if it stays slow, look at network and keyring."))
            )


async def examine(
    context: DiagnosticContext,
    tell: Callable[[str], None] = lambda _: None,
    *,
    asks_registration: bool = False,
    seconds: float = MAX_EXAMINATION_SECONDS,
) -> Report:
    """Run all checks on ``context``; ``tell`` receives the name of the part that begins.

    With ``asks_registration`` each provider is asked whether it knows client and redirect URI.
    """
    whole = _Group(Subject(N_("storage")), configuration.check_settings(context))
    if context.settings is None:
        return Report(tuple(whole.found))
    groups = [_Group(Subject(N_("provider"), provider.name)) for provider in context.settings.providers]
    tell(N_("settings"))
    await asyncio.gather(
        whole.fill(_storage(context, whole.found, tell), seconds),
        *(
            group.fill(_provider(context, provider, group.found, tell, asks_registration=asks_registration), seconds)
            for provider, group in zip(context.settings.providers, groups, strict=True)
        ),
    )
    return Report(tuple(check for group in (whole, *groups) for check in group.found))


async def examine_metadata(context: DiagnosticContext, *, seconds: float = MAX_EXAMINATION_SECONDS) -> Report:
    """Run only the checks of each provider's metadata and keys (G-6)."""
    groups = []
    for provider in context.settings.providers if context.settings else ():
        group = _Group(Subject(N_("provider"), provider.name))
        groups.append(group)
        port = context.provider_port(provider)
        try:
            await group.fill(_metadata(context, provider, port, group.found), seconds)
        finally:
            await port.aclose()
    return Report(tuple(check for group in groups for check in group.found))


async def _storage(context: DiagnosticContext, found: list[Check], tell: Callable[[str], None]) -> None:
    tell(N_("storage"))
    found += check_installation(context.installed)
    found += network.check_authorities(context)
    found += storage.check_conversions(context)
    assert context.settings is not None  # noqa: S101 - for the type checker: examine has checked it
    found += await storage.check_storage(context.settings.storage, context.storage)


async def _provider(
    context: DiagnosticContext,
    provider: Provider,
    found: list[Check],
    tell: Callable[[str], None],
    *,
    asks_registration: bool,
) -> None:
    """Check one provider; after a failed discovery, run only the checks that do not need it."""
    found.append(network.check_proxy(context, provider))
    trusted = await network.check_certificates(context, provider)
    found.append(trusted)
    assertion, alg = await configuration.check_client_assertion(context, provider)
    if assertion is not None:
        found.append(assertion)
    if trusted.status == "ok":
        tell(sentence("{provider}: the provider", provider=provider.name))
        port = context.provider_port(provider)
        try:
            await _metadata(context, provider, port, found, alg=alg, asks_registration=asks_registration)
        finally:
            await port.aclose()
    found.append(redirect.check_redirect_uri(context, provider))
    found += await redirect.check_host(context, provider)
    found.append(await configuration.check_client_secret(context, provider))
    tell(sentence("{provider}: the APIs", provider=provider.name))
    found += await asyncio.gather(*(check_api(context, api) for api in provider.apis))
    session = _session(context, provider)
    found += [check_audience(provider, api, session) for api in provider.apis]
    if session is not None and has_session(session.state):
        found += about_provider.check_granted(provider, await session.view.summary())
    found += check_entitlements(provider, session)


async def _metadata(
    context: DiagnosticContext,
    provider: Provider,
    port: ProviderPort,
    found: list[Check],
    *,
    alg: str | None = None,
    asks_registration: bool = False,
) -> None:
    answer, checks = await about_provider.ask_metadata(context, provider, port)
    found += checks
    if answer is None:
        return
    metadata = answer.metadata
    if alg is not None and metadata.token_endpoint_auth_signing_algs is not None:
        listed = metadata.token_endpoint_auth_signing_algs
        assertion, alg = await configuration.check_client_assertion(context, provider, listed)
        found[:] = [assertion if assertion and check.name == assertion.name else check for check in found]
    found.append(about_provider.check_clock(provider, answer))
    found.append(await about_provider.check_keys(provider, metadata, port))
    contradicted = about_provider.check_contradictions(_wanted(context, provider, metadata, alg))
    found += contradicted
    found += [check(provider, metadata) for check in about_provider.METADATA_CHECKS]
    if metadata.userinfo_endpoint is None:
        found.append(about_provider.check_userinfo(provider, metadata))
    found.append(redirect.check_sign_in_strategy(context, provider, metadata))
    if asks_registration:
        refused = any(check.status == "problem" for check in contradicted)
        found.append(await redirect.check_registration(context, provider, metadata, port, refused=refused))


def _wanted(context: DiagnosticContext, provider: Provider, metadata: Metadata, alg: str | None) -> SignInPlan:
    """Return the plan of a sign-in; if its assertion algorithm is unknown, the one in the settings counts."""
    if alg is None and provider.token_endpoint_auth_method in SIGNS_WITH:
        by_default = "HS256" if provider.token_endpoint_auth_method == "client_secret_jwt" else None
        alg = provider.token_endpoint_auth_signing_alg or by_default
    return SignInPlan(provider, metadata, alg, by_code=redirect.uses_device_code(context, provider, metadata))


def _session(context: DiagnosticContext, provider: Provider) -> SessionService | None:
    if context.sessions is None:
        return None
    try:
        return context.sessions.of_provider(provider.name)
    except UnknownProvider:
        return None

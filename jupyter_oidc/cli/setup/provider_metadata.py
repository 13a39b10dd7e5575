"""Asks a provider for its metadata, as diagnostics do, and finds out how the issuer is written to the letter."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jupyter_oidc.cli.setup.decisions import members_of
from jupyter_oidc.cli.setup.issuer import is_plain_http, issuer_in, other_slash
from jupyter_oidc.cli.setup.obstacle import Obstacle
from jupyter_oidc.compose import diagnostic_context
from jupyter_oidc.diagnostics import network
from jupyter_oidc.diagnostics.provider import ask_metadata, check_clock, check_keys
from jupyter_oidc.language import told
from jupyter_oidc.problems import Problem
from jupyter_oidc.protocol.registration import RegisteredClient, read_registration_reply
from jupyter_oidc.settings import Provider
from jupyter_oidc.settings.presets import Preset, recognised

if TYPE_CHECKING:
    from jupyter_oidc.diagnostics.check import Check
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.protocol.message import Call
    from jupyter_oidc.settings import Settings

_UNNAMED_CLIENT = "not-known-yet"


@dataclass(frozen=True, slots=True)
class FoundProvider:
    """What a provider says of itself, and the checks of that; ``preset`` is the one that recognises it."""

    issuer: str
    metadata: Metadata
    preset: Preset | None
    checks: tuple[Check, ...]


def find_provider(text: str, ca_bundle: str | None, known: Settings) -> FoundProvider:
    """Return the provider that ``text`` means; raises :class:`Obstacle` if its metadata cannot be had or used.

    A slash at the end is put right, since it does not change what is asked; any other difference between the issuer
    and its own name is one that the person has to settle (Discovery 1.0, 4.3). ``known`` are the settings so
    far: for a provider in them, its way through the network counts.
    """
    issuer = issuer_in(text)
    spellings = (issuer, other_slash(issuer))
    refused: Check | None = None
    for spelling in spellings:
        before = next(
            (one for one in known.providers if one.issuer in spellings), Provider("setup", spelling, _UNNAMED_CLIENT)
        )
        provider = replace(
            before,
            issuer=spelling,
            apis=(),
            ca_bundle=ca_bundle or before.ca_bundle,
            allow_insecure_loopback=is_plain_http(spelling),
        )
        metadata, checks = asyncio.run(_ask(replace(known, providers=(provider,)), provider))
        if metadata is not None:
            return FoundProvider(spelling, metadata, recognised(members_of(metadata)), checks)
        refused = refused or next(check for check in checks if check.status == "problem")
        if checks[-1].name != "issuer":
            break
    assert refused is not None  # noqa: S101 - for the type checker: a loop that ends has met one
    raise Obstacle.of_check(refused)


async def _ask(settings: Settings, provider: Provider) -> tuple[Metadata | None, tuple[Check, ...]]:
    context = diagnostic_context(settings, (), environment=os.environ)
    trusted = await network.check_certificates(context, provider)
    if trusted.status != "ok":
        return None, (trusted,)
    port = context.provider_port(provider)
    try:
        answer, checks = await ask_metadata(context, provider, port)
        if answer is None:
            return None, tuple(checks)
        more = [check_clock(provider, answer), await check_keys(provider, answer.metadata, port)]
    finally:
        await port.aclose()
    return answer.metadata, (*checks, *more)


def register(settings: Settings, provider: Provider, call: Call) -> RegisteredClient:
    """Send ``call`` to the provider's registration endpoint; raises :class:`Obstacle` if it refuses."""

    async def send() -> RegisteredClient:
        port = diagnostic_context(settings, (), environment=os.environ).provider_port(provider)
        try:
            return read_registration_reply(await port.send(call))
        finally:
            await port.aclose()

    try:
        return asyncio.run(send())
    except Problem as problem:
        raise Obstacle(told(problem.message), told(problem.action), "provider") from None

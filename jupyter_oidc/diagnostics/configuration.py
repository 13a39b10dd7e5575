"""Checks whether the settings are valid, and whether their references lead to a secret."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.problems import Problem
from jupyter_oidc.settings.model import TLS_METHODS

if TYPE_CHECKING:
    from jupyter_oidc.diagnostics.context import DiagnosticContext
    from jupyter_oidc.settings import Finding, Provider

_SETTINGS: Final = Subject("settings")

_INSTEAD_OF_A_SECRET: Final = {
    "private_key_jwt": "a key takes its place",
    **dict.fromkeys(TLS_METHODS, "the client certificate takes its place"),
}


def check_settings(context: DiagnosticContext) -> list[Check]:
    """Report every mistake, or the number of providers and APIs."""
    if context.findings:
        return [_of_finding(finding) for finding in context.findings]
    providers = context.settings.providers if context.settings else ()
    if not providers:
        return [_SETTINGS.warning("No provider is configured.", "Write one: jupyter oidc config preset shows how.")]
    apis = sum(len(provider.apis) for provider in providers)
    return [_SETTINGS.ok(f"{_count(len(providers), 'provider')} and {_count(apis, 'API')} are configured.")]


async def check_client_secret(context: DiagnosticContext, provider: Provider) -> Check:
    """Check whether the reference leads to a secret; the secret itself is dropped."""
    about = Subject("client secret", provider.name)
    if provider.client_secret is None:
        instead = _INSTEAD_OF_A_SECRET.get(provider.token_endpoint_auth_method, "PKCE protects the sign-in")
        return about.ok(f"None is configured; {instead}.")
    try:
        await asyncio.to_thread(context.credentials(provider).secret)
    except Problem as problem:
        return about.failed(problem, "Put the secret where the settings say it is, readable by the Jupyter server.")
    return about.ok(f"The reference ({provider.client_secret.scheme}) leads to one.")


async def check_client_assertion(
    context: DiagnosticContext, provider: Provider, listed: frozenset[str] | None = None
) -> tuple[Check | None, str | None]:
    """Check whether assertions can be signed, and by which algorithm (T-7, T-9); the key itself is dropped.

    ``listed`` are the algorithms that the provider's metadata name.

    ``None`` for a client authentication method that sends none.
    """
    about, method = Subject("client assertion", provider.name), provider.token_endpoint_auth_method
    credentials = context.credentials(provider)
    credentials.listed = listed
    try:
        signer = await asyncio.to_thread(credentials.signer)
    except Problem as problem:
        if method == "client_secret_jwt" and problem.detail == "client_secret":
            return None, None  # the secret has a line of its own
        return about.failed(problem), None
    if signer is None:
        return None, None
    if signer.key_id is None:
        return about.ok(f"Assertions are signed with the client secret ({signer.alg})."), signer.alg
    named, jwk = f"the id {signer.key_id}", signer.public_jwk() or {}
    if signer.key_id == provider.client_assertion_key_id:
        named = "its configured id"
        del jwk["kid"]  # NOTE: a misplaced secret can stand in it, and users paste reports in public
    public = json.dumps(jwk, separators=(",", ":"))
    message = (
        f"Assertions are signed with the private key ({signer.alg}) and name {named}. Give the provider its public half, "
        f"which is no secret: {public} If the provider gives it another id, copy that to client_assertion_key_id."
    )
    return about.ok(message), signer.alg


def _of_finding(finding: Finding) -> Check:
    message = f"{finding.key} {finding.problem} ({finding.kind})."
    return _SETTINGS.problem(message, finding.instead)


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"

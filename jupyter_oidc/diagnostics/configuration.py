"""Checks whether the settings are valid, and whether their references lead to a secret."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.language import N_, counted, joined, sentence
from jupyter_oidc.problems import Problem
from jupyter_oidc.settings.model import TLS_METHODS

if TYPE_CHECKING:
    from jupyter_oidc.diagnostics.context import DiagnosticContext
    from jupyter_oidc.settings import Finding, Provider

_SETTINGS: Final = Subject(N_("settings"))

_INSTEAD_OF_A_SECRET: Final = {
    "private_key_jwt": N_("None is configured; a key takes its place."),
    **dict.fromkeys(TLS_METHODS, N_("None is configured; the client certificate takes its place.")),
}


def check_settings(context: DiagnosticContext) -> list[Check]:
    """Report every mistake, or the number of providers and APIs."""
    if context.findings:
        return [_of_finding(finding) for finding in context.findings]
    providers = context.settings.providers if context.settings else ()
    if not providers:
        return [
            _SETTINGS.warning(N_("No provider is configured."), N_("Write one: jupyter oidc config preset shows how."))
        ]
    apis = sum(len(provider.apis) for provider in providers)
    return [
        _SETTINGS.ok(
            sentence(
                "{providers} and {apis} are configured.",
                providers=counted(len(providers), "{number} provider", "{number} providers"),
                apis=counted(apis, "{number} API", "{number} APIs") if apis else sentence("no APIs"),
            )
        )
    ]


async def check_client_secret(context: DiagnosticContext, provider: Provider) -> Check:
    """Check whether the reference leads to a secret; the secret itself is dropped."""
    about = Subject(N_("client secret"), provider.name)
    if provider.client_secret is None:
        instead = _INSTEAD_OF_A_SECRET.get(
            provider.token_endpoint_auth_method, N_("None is configured; PKCE protects the sign-in.")
        )
        return about.ok(instead)
    try:
        await asyncio.to_thread(context.credentials(provider).secret)
    except Problem as problem:
        return about.failed(problem, N_("Put the secret where the settings say it is, readable by the Jupyter server."))
    return about.ok(sentence("The reference ({scheme}) leads to one.", scheme=provider.client_secret.scheme))


async def check_client_assertion(
    context: DiagnosticContext, provider: Provider, listed: frozenset[str] | None = None
) -> tuple[Check | None, str | None]:
    """Check whether assertions can be signed, and by which algorithm (T-7, T-9); the key itself is dropped.

    ``listed`` are the algorithms that the provider's metadata name.

    ``None`` for a client authentication method that sends none.
    """
    about, method = Subject(N_("client assertion"), provider.name), provider.token_endpoint_auth_method
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
        return about.ok(sentence("Assertions are signed with the client secret ({alg}).", alg=signer.alg)), signer.alg
    jwk = signer.public_jwk() or {}
    signed = sentence(
        "Assertions are signed with the private key ({alg}) and name the id {id}.", alg=signer.alg, id=signer.key_id
    )
    if signer.key_id == provider.client_assertion_key_id:
        signed = sentence(
            "Assertions are signed with the private key ({alg}) and name its configured id.", alg=signer.alg
        )
        del jwk["kid"]  # NOTE: a misplaced secret can stand in it, and users paste reports in public
    public = json.dumps(jwk, separators=(",", ":"))
    given = sentence(
        "Give the provider its public half, which is no secret: {public} If the provider gives it another id, copy "
        "that to client_assertion_key_id.",
        public=public,
    )
    return about.ok(joined(signed, given)), signer.alg


def _of_finding(finding: Finding) -> Check:
    message = sentence(
        "{key} {problem} ({kind}).", key=finding.key, problem=joined(finding.problem), kind=finding.kind_in_words
    )
    return _SETTINGS.problem(message, finding.instead)

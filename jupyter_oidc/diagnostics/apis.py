"""Checks whether this machine can reach the APIs, by a ``HEAD`` request to each without a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import Problem, RouteForbidden, TlsUntrusted

if TYPE_CHECKING:
    from jupyter_oidc.diagnostics.context import DiagnosticContext
    from jupyter_oidc.settings import Api


async def check_api(context: DiagnosticContext, api: Api) -> Check:
    """Send a request to ``api`` as the proxy would (C34, C35)."""
    about = Subject(sentence("API {api}", api=api.name), api.provider)
    try:
        await context.probe_api(api)
    except RouteForbidden:
        return about.problem(
            N_("Its host name leads to an address that is not on the public internet."),
            N_("Set allow_private_network to True for this API if that is meant."),
        )
    except TlsUntrusted as problem:
        action = N_("Add the authority that signed it to this machine's trust store, or name its file in ca_bundle.")
        return about.failed(problem, action)
    except Problem as problem:
        action = N_("Check base_url, and ask the API's owner whether it is up and reachable from this machine.")
        return about.failed(problem, action)
    return about.ok(N_("It can be reached."))

"""The checks of a broker: those of every set-up, with its database in the place of the stores of a Jupyter server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_oidc.broker.hub_place import hub_of
from jupyter_oidc.compose import diagnostic_context
from jupyter_oidc.diagnostics.check import Subject
from jupyter_oidc.diagnostics.context import StoreProbe
from jupyter_oidc.language import N_
from jupyter_oidc.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.adapters.storage.database.rows import Rows
    from jupyter_oidc.broker.configuration import BrokerConfiguration
    from jupyter_oidc.broker.hub_place import HubPlace
    from jupyter_oidc.compose import Services
    from jupyter_oidc.diagnostics import Check, DiagnosticContext


async def check_hub(place: HubPlace | None) -> list[Check]:
    """Check whether JupyterHub answers, and lets its service at ``place`` list its users; nothing without a Hub."""
    if place is None:
        return []
    about = Subject(N_("JupyterHub"))
    try:
        await hub_of(place).gone(())
    except Problem as problem:
        if problem.detail != "hub.users":
            return [about.failed(problem)]
        return [
            about.problem(
                N_("JupyterHub does not let the broker list all its users, so the sessions of deleted ones stay."),
                N_("Give the service the scope list:users."),
            )
        ]
    return [about.ok(N_("JupyterHub answers, and lets the broker list its users."))]


def broker_context(configuration: BrokerConfiguration, environment: Mapping[str, str], rows: Rows) -> DiagnosticContext:
    """Return the context of the checks for a broker over ``rows``, which are open."""
    context = diagnostic_context(configuration.settings, (), environment=environment)

    async def answers() -> str:
        await rows.ping()
        return N_("The database of the sessions answers, and its tables have the version of this program.")

    storage = replace(context.storage, only=StoreProbe(N_("database"), answers))
    return replace(context, storage=storage, takes_answers_elsewhere=configuration.place is not None)


def account_context(of_broker: DiagnosticContext, services: Services, address: str, *, seen: bool) -> DiagnosticContext:
    """Return the context for one account, whose Jupyter server browsers reach at ``address``, if that was ``seen``."""
    return replace(
        of_broker,
        settings=services.settings,
        sessions=services.sessions,
        address=address,
        address_seen_by_browsers=seen,
    )

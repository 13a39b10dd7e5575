"""The checks of a broker: those of every set-up, with its database in the place of the stores of a Jupyter server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jupyter_oidc.compose import diagnostic_context
from jupyter_oidc.diagnostics.context import StoreProbe
from jupyter_oidc.language import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.adapters.storage.database.rows import Rows
    from jupyter_oidc.compose import Services
    from jupyter_oidc.diagnostics import DiagnosticContext
    from jupyter_oidc.settings import Settings


def broker_context(settings: Settings, environment: Mapping[str, str], rows: Rows) -> DiagnosticContext:
    """Return the context of the checks for a broker over ``rows``, which are open."""
    context = diagnostic_context(settings, (), environment=environment)

    async def answers() -> str:
        await rows.ping()
        return N_("The database of the sessions answers, and its tables have the version of this program.")

    storage = replace(context.storage, only=StoreProbe(N_("database"), answers))
    return replace(context, storage=storage)


def account_context(of_broker: DiagnosticContext, services: Services, address: str, *, seen: bool) -> DiagnosticContext:
    """Return the context for one account, whose Jupyter server browsers reach at ``address``, if that was ``seen``."""
    return replace(
        of_broker,
        settings=services.settings,
        sessions=services.sessions,
        address=address,
        address_seen_by_browsers=seen,
    )

"""Checks whether the provider listed the person's entitlements, or only referred to them because there are too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.diagnostics.check import Check, Subject
from jupyter_oidc.language import N_

if TYPE_CHECKING:
    from jupyter_oidc.sessions.service import SessionService
    from jupyter_oidc.settings import Provider


def check_entitlements(provider: Provider, session: SessionService | None) -> list[Check]:
    """Return a check about unlisted entitlements; none without a session."""
    if session is None or session.view.entitlements_known:
        return []
    return [
        Subject(N_("entitlements"), provider.name).warning(
            N_("Entitlements are unknown: the provider did not list them, so nobody is told to miss any."),
            N_(
                "Let the provider put fewer groups into the ID token or UserInfo (only those that are assigned to this "
                "application), or app roles instead, and name that claim in entitlement_claims."
            ),
        )
    ]

"""The routes of the grants for workers: make one, list them, renew their leases, revoke one (ADR 61)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_oidc.language import N_
from jupyter_oidc.problems import Forbidden
from jupyter_oidc.sessions.delegation import USUAL_HOURS, Delegation
from jupyter_oidc.web.access_rule import allow
from jupyter_oidc.web.reply import Reply, json_reply
from jupyter_oidc.web.request import envelope
from jupyter_oidc.web.views import worker_grant_view

if TYPE_CHECKING:
    from jupyter_oidc.web.front import Call

READING: tuple[str, ...] = ("GET", "HEAD")
"""The methods of a grant whose maker names none."""


@allow("kernel", action="execute")
async def make_grant(call: Call) -> Reply:
    """Make a grant for a part of a session, and tell its text, once."""
    front, asked = call.front, envelope(call.request, "grant.request")
    if not front.makes_worker_grants:
        raise Forbidden(
            N_("This server makes no worker grants."),
            action=N_("Ask your administrator to set max_grant_hours in JupyterOIDCBroker.")
            if front.grant_terms.are_stored
            else N_("Ask your administrator to set c.JupyterOIDC.worker_grants = True."),
            detail="worker.off",
        )
    await front.end_forsaken_grants()
    delegation = Delegation(
        maker=call.request.caller.name,
        apis=tuple(dict.fromkeys(asked["apis"])),
        methods=tuple(dict.fromkeys(asked.get("methods", READING))),
        hours=float(asked.get("hours", min(USUAL_HOURS, front.grant_terms.max_hours))),
        name=asked.get("name", ""),
        outlives_kernel=asked.get("outlives_kernel", False),
    )
    issued = await call.sessions.delegate(delegation)
    grant = issued.grant
    front.remember_maker(grant.id, is_outlived=grant.outlives_kernel)
    front.note(f"{grant.maker} has made {grant.id} for {', '.join(grant.apis)} ({', '.join(grant.methods)})")
    reply = {
        **worker_grant_view(grant),
        "grant": issued.text,
        "address": front.worker_address,
        "address_outlives_server": front.page_address is not None,
    }
    return json_reply(reply, 201)


@allow("server", action="write")
async def renew_leases(call: Call) -> Reply:
    """Renew the grants whose kernels run, and tell which of them live, for a server that is not the front itself."""
    asked = envelope(call.request, "grant-leases.request")
    renewed = await call.sessions.renew_worker_grants(tuple(asked["grants"]))
    return json_reply({"grants": list(renewed)})


@allow("user", "kernel", action="read")
async def show_grants(call: Call) -> Reply:
    """List the grants that live, without their texts."""
    return await _listing(call)


@allow("user", "kernel", "server", action="write")
async def revoke_grant(call: Call, grant: str) -> Reply:
    """End a grant at once, and list those that live; one that has ended already is no mistake."""
    revoked = await call.sessions.revoke_worker_grant(grant)
    if revoked is not None:
        call.front.note(f"{call.request.caller.name} has revoked {revoked.id}")
    return await _listing(call)


async def _listing(call: Call) -> Reply:
    await call.front.end_forsaken_grants()
    living, terms = await call.sessions.worker_grants(), call.front.grant_terms
    listed = [worker_grant_view(grant) for grant in living]
    return json_reply({"grants": listed, "max_hours": terms.max_hours, "are_stored": terms.are_stored})

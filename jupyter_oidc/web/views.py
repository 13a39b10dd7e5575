"""Writes values as JSON, field by field, so that only listed fields leave the server (law 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jupyter_oidc.clock import utc_text
from jupyter_oidc.facts import facts
from jupyter_oidc.language import on_the_wire
from jupyter_oidc.web.problems import error_body

if TYPE_CHECKING:
    from jupyter_oidc.catalogue.operation import Operation
    from jupyter_oidc.catalogue.service import Listing
    from jupyter_oidc.sessions.api import ApiEntry, ProviderEntry, SignedOut, SignIn
    from jupyter_oidc.sessions.delegation import WorkerGrant
    from jupyter_oidc.sessions.summary import Summary
    from jupyter_oidc.web.front import SharingMode


def summary_view(summary: Summary, sharing: SharingMode) -> dict[str, Any]:
    """Return the contract ``session.reply``; ``sharing`` is the server's sharing mode."""
    user = summary.user
    return {
        "provider": summary.provider,
        "issuer": summary.issuer,
        "state": summary.state.value,
        "reason": summary.reason,
        "sequence": summary.sequence,
        "user": user
        and {
            "sub": user.sub,
            "name": user.name,
            "username": user.username,
            "email": user.email,
            "email_verified": user.email_verified,
            "picture": user.picture,
        },
        "entitlements": list(summary.entitlements),
        "entitlements_more": summary.entitlements_more,
        "entitlements_known": summary.entitlements_known,
        "scopes": list(summary.scopes),
        "missing_scopes": list(summary.missing_scopes),
        "signed_in_at": _time(summary.signed_in_at),
        "access_expires_at": _time(summary.access_expires_at),
        "expires_in": summary.expires_in,
        "refreshable": summary.refreshable,
        "storage": summary.storage,
        "retry_at": _time(summary.retry_at),
        "apis": [
            {"name": api.name, "readiness": api.readiness, "allowed": api.allowed, "missing": list(api.missing)}
            for api in summary.apis
        ],
        "settings_pending": summary.settings_pending,
        "sharing": sharing,
        "sign_in_under_way": summary.sign_in_under_way,
    }


def provider_view(entry: ProviderEntry, *, silent: bool) -> dict[str, Any]:
    """Return one entry of the contract ``providers.reply``; ``silent``: a page that opens may try to sign in."""
    return {
        "name": entry.settings.name,
        "issuer": entry.settings.issuer,
        "state": entry.state,
        **({"silent_sign_in": True} if silent else {}),
    }


def worker_grant_view(grant: WorkerGrant) -> dict[str, Any]:
    """Return one entry of the contract ``grants.reply``; the grant's text is not in it."""
    return {
        "id": grant.id,
        "provider": grant.provider,
        "apis": list(grant.apis),
        "methods": list(grant.methods),
        "name": grant.name,
        "maker": grant.maker,
        "outlives_kernel": grant.outlives_kernel,
        "began_at": _time(grant.began),
        "ends_at": _time(grant.ends),
        "last_used_at": _time(grant.last_used),
    }


def started_view(sign_in: SignIn, start_url: str | None, start_address: str | None) -> dict[str, Any]:
    """Return the contract ``sign-in.reply``; ``start_address`` is ``start_url`` as a person's browser reaches it."""
    code = sign_in.code
    return {
        "flow": sign_in.flow,
        "provider": sign_in.provider,
        "strategy": sign_in.strategy,
        "start_url": start_url,
        "start_address": start_address,
        "device": code
        and {
            "user_code": code.user_code,
            "verification_uri": code.verification_uri,
            "verification_uri_complete": code.verification_uri_complete,
        },
        "expires_in": sign_in.expires_in,
    }


def progress_view(sign_in: SignIn) -> dict[str, Any]:
    """Return the contract ``sign-in-progress.reply``."""
    problem = sign_in.problem
    return {
        "flow": sign_in.flow,
        "provider": sign_in.provider,
        "state": sign_in.state,
        "error": problem and error_body(problem.at(facts(provider=sign_in.provider)), sign_in.flow),
        "expires_in": sign_in.expires_in,
    }


def sign_out_view(result: SignedOut, end_session_url: str | None, end_session_address: str | None) -> dict[str, Any]:
    """Return the contract ``sign-out.reply``; the address is the URL as a person's browser reaches it."""
    return {
        "local": "done",
        "revoked": result.revoked,
        "end_session_url": end_session_url,
        "end_session_address": end_session_address,
    }


def api_view(entry: ApiEntry, path: str, *, to_kernel: bool = False) -> dict[str, Any]:
    """Return one entry of the contract ``apis.reply``; only a kernel gets the API's own address."""
    access = entry.access
    return {
        "name": entry.name,
        "provider": entry.provider,
        "path": path,
        **({"base_url": entry.base_url} if to_kernel else {}),
        "methods": list(entry.methods),
        "callers": list(entry.callers),
        "state": entry.state,
        "readiness": access.readiness,
        "allowed": access.allowed,
        "missing": list(access.missing),
        "title": entry.title,
        "description": entry.description,
        "example": entry.example,
        "docs_url": entry.docs_url,
        "path_prefixes": list(entry.path_prefixes),
        "has_operations": entry.has_operations,
    }


def operations_view(listing: Listing) -> dict[str, Any]:
    """Return the contract ``operations.reply``."""
    document = listing.document
    return {
        "api": listing.api,
        "document": {"title": document.title, "version": document.version, "openapi": document.openapi},
        "operations": [_operation_view(one) for one in document.operations],
        "problems": [
            {"where": one.where, "message": one.message, "message_sentences": on_the_wire(one.message)}
            for one in document.problems
        ],
        "operations_more": document.operations_more,
    }


def _operation_view(operation: Operation) -> dict[str, Any]:
    body = operation.body
    return {
        "id": operation.id,
        "method": operation.method,
        "path": operation.path,
        "summary": operation.summary,
        "description": operation.description,
        "tags": list(operation.tags),
        "deprecated": operation.deprecated,
        "obstacle": operation.obstacle,
        "parameters": [
            {
                "name": one.name,
                "in": one.place,
                "required": one.required,
                "type": one.type,
                "description": one.description,
            }
            for one in operation.parameters
        ],
        "body": body and {"media_type": body.media_type, "required": body.required},
    }


def _time(wall: float | None) -> str | None:
    return None if wall is None else utc_text(wall)

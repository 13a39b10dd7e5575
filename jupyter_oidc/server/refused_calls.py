"""Logs and counts each proxied call that failed here or on its way, on the fast path or not (Q5.10).

No part of the path, the query, a header or a body is logged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_oidc.adapters.telemetry.event_log import CallRefused
from jupyter_oidc.errors import Problem, UpstreamProtocolError

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

    from jupyter_oidc.compose import Services

DEFECT: Final = "defect"
"""The code for a fault of ours, which has no ``Problem``."""


def note_refused_call(
    services: Services,
    request: HTTPServerRequest,
    problem: Problem | None,
    *,
    api: str,
    kernel_id: str | None,
    status: int,
    request_id: str,
) -> str:
    """Log that ``request`` to ``api`` ended in ``problem``, a defect if ``None``; return its code."""
    code = problem.code if problem else DEFECT
    services.event_log.call_refused(
        CallRefused(
            api=api,
            method=request.method or "",
            kernel_id=kernel_id,
            status=status,
            error_code=code,
            detail=problem.detail if problem else DEFECT,
            seconds=request.request_time(),
            request_id=request_id,
        )
    )
    return code


def cut_short_by(error: Exception) -> Problem:
    """Return the problem for an answer that ended in ``error`` after its head had been sent.

    An error that is no ``Problem`` is tornado's refusal to send a body of another length than announced.
    """
    return error if isinstance(error, Problem) else UpstreamProtocolError(detail="upstream.length")

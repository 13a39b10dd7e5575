"""Maps every problem to a reply, in one table: status, JSON body and headers (DESIGN 3, law 7)."""

from __future__ import annotations

import math
import traceback
from http.client import responses
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.background import short_path
from jupyter_oidc.problems import (
    BodyTooLarge,
    ClientTooSlow,
    Forbidden,
    HeadersTooLarge,
    MethodNotAllowed,
    NotSignedIn,
    Problem,
    RequestInvalid,
    SessionExpired,
    StepUpRequired,
)
from jupyter_oidc.web.reply import Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

REQUEST_ID: Final = "X-OIDC-Request-Id"
"""The header with the id by which a refusal is found in the log, also in an answer without a body."""

_OF_STATUS: Mapping[int, type[Problem]] = {
    400: RequestInvalid,
    401: Forbidden,
    403: Forbidden,
    405: MethodNotAllowed,
    408: ClientTooSlow,
    413: BodyTooLarge,
    431: HeadersTooLarge,
}

_SIGN_IN_HELPS = (NotSignedIn, SessionExpired, StepUpRequired)


def problem_of_status(status: int) -> Problem | None:
    """Return the problem that a front's own refusal with ``status`` is; ``None`` for a defect, which has no code."""
    kind = _OF_STATUS.get(status)
    return None if kind is None else kind()


def error_body(problem: Problem, request_id: str, public_url: str | None = None) -> dict[str, Any]:
    """Return the JSON body for ``problem`` (contract ``error``); ``public_url`` is this server's address for browsers.

    A caller without a session gets the address for a sign-in, which a kernel cannot know.
    """
    link = {"link": f"{public_url}lab"} if public_url and isinstance(problem, _SIGN_IN_HELPS) else {}
    return {
        **link,
        "code": problem.code,
        "message": problem.message,
        "action": problem.action,
        "retryable": problem.retryable,
        "request_id": request_id,
        "reason": problem.message,
    }


def error_reply(problem: Problem | None, request_id: str, public_url: str | None = None) -> Reply:
    """Return the reply for ``problem``; a defect (``None``) is a 500 without any detail."""
    if problem is None:
        message = "Something went wrong inside jupyter_oidc; the server's log has the details."
        body = {"message": message, "reason": responses[500], "request_id": request_id}
        return json_reply(body, 500, (REQUEST_ID, request_id))
    headers = [("X-OIDC-Error", problem.code), (REQUEST_ID, request_id)]
    if problem.status == 503:
        headers.append(("Retry-After", str(max(1, math.ceil(problem.retry_after or 1)))))
    reply = json_reply(error_body(problem, request_id, public_url), problem.status, *headers)
    return reply.refusing(problem)


def defect_text(kind: type[BaseException], where: TracebackType | None) -> str:
    """Return the log line of a defect: its type, files and lines, since its text could quote a secret (D14)."""
    frames = " <- ".join(
        f"{frame.name} ({short_path(frame.filename)}:{frame.lineno})" for frame in reversed(traceback.extract_tb(where))
    )
    return f"defect {kind.__name__} at {frames}"

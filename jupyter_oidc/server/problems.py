"""Maps every problem to a reply, in one table: status, JSON body and headers (DESIGN 3, law 7)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from http.client import responses
from typing import TYPE_CHECKING, Any, Final

from tornado.web import HTTPError

from jupyter_oidc.errors import (
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

if TYPE_CHECKING:
    from collections.abc import Mapping

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


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """The status, body and headers of an error."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: dict[str, Any]


def problem_of(error: BaseException | None) -> Problem | None:
    """Return the problem behind ``error``; ``None`` for a defect of ours, which has no code."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPError) and error.status_code in _OF_STATUS:
        return _OF_STATUS[error.status_code]()
    return None


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


def error_reply(problem: Problem | None, request_id: str, public_url: str | None = None) -> ErrorReply:
    """Return the reply for ``problem``; a defect (``None``) is a 500 without any detail."""
    if problem is None:
        message = "Something went wrong inside jupyter_oidc; the server's log has the details."
        return ErrorReply(
            500, ((REQUEST_ID, request_id),), {"message": message, "reason": responses[500], "request_id": request_id}
        )
    headers = [("X-OIDC-Error", problem.code), (REQUEST_ID, request_id)]
    if problem.status == 503:
        headers.append(("Retry-After", str(max(1, math.ceil(problem.retry_after or 1)))))
    return ErrorReply(problem.status, tuple(headers), error_body(problem, request_id, public_url))

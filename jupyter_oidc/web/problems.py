"""Maps every problem to a reply, in one table: status, problem details and headers (DESIGN 3, law 7; RFC 9457)."""

from __future__ import annotations

import math
import re
import traceback
from dataclasses import replace
from http.client import responses
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.background import short_path
from jupyter_oidc.facts import printable
from jupyter_oidc.language import on_the_wire, sentence, told
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
from jupyter_oidc.web.reply import JSON, PROBLEM_JSON, Reply, content_language, problem_reply

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

MAX_REASON_CHARACTERS: Final = 300
"""Characters of the sentences in a reason phrase; programs on the way limit the head of a reply."""

_TAKE_PROBLEMS: Final = frozenset({PROBLEM_JSON, "application/*", "*/*"})
_REFUSES: Final = re.compile(r"q\s*=\s*0(?:\.0{0,3})?\Z")

_SIGN_IN_HELPS = (NotSignedIn, SessionExpired, StepUpRequired)


def problem_of_status(status: int) -> Problem | None:
    """Return the problem that a front's own refusal with ``status`` is; ``None`` for a defect, which has no code."""
    kind = _OF_STATUS.get(status)
    return None if kind is None else kind()


def error_body(problem: Problem, request_id: str, public_url: str | None = None) -> dict[str, Any]:
    """Return the body for ``problem`` (contract ``error``); ``public_url`` is this server's address for browsers.

    The sentences come first, since a terminal shows the body as it is; they are told in the language of the caller, with
    their ids and facts beside them.
    A caller without a session gets the address for a sign-in, which a kernel cannot know.
    """
    link = {"link": f"{public_url}lab"} if public_url and isinstance(problem, _SIGN_IN_HELPS) else {}
    message, action = told(problem.message), told(problem.action)
    return {
        "message": message,
        "action": action,
        **link,
        "code": problem.code,
        "params": {name: list(fact) if isinstance(fact, tuple) else fact for name, fact in problem.params.items()},
        "retryable": problem.retryable,
        "request_id": request_id,
        "reason": message,
        "type": f"urn:jupyter-oidc:error:{problem.code}",
        "title": told(problem.title),
        "status": problem.status,
        "detail": f"{message} {action}",
        "message_sentences": on_the_wire(problem.message),
        "action_sentences": on_the_wire(problem.action),
    }


def error_reply(problem: Problem | None, request_id: str, public_url: str | None = None, accept: str = "") -> Reply:
    """Return the reply for ``problem``; a defect (``None``) is a 500 without any detail.

    ``accept`` is what the caller's header of that name says.
    """
    media_type = problem_media_type(accept)
    if problem is None:
        message = told(sentence("Something went wrong inside jupyter_oidc; the server's log has the details."))
        body = {
            "message": message,
            "reason": responses[500],
            "request_id": request_id,
            "type": "about:blank",
            "title": responses[500],
            "status": 500,
            "detail": message,
        }
        return problem_reply(body, 500, media_type, (REQUEST_ID, request_id), content_language())
    headers = [("X-OIDC-Error", problem.code), (REQUEST_ID, request_id), content_language()]
    if problem.status == 503:
        headers.append(("Retry-After", str(max(1, math.ceil(problem.retry_after or 1)))))
    reply = problem_reply(error_body(problem, request_id, public_url), problem.status, media_type, *headers)
    return replace(reply, reason=_reason_phrase(problem, request_id)).refusing(problem)


def problem_media_type(accept: str) -> str:
    """Return the media type of an error for a caller whose ``Accept`` says ``accept`` (RFC 9110, 12.5.1).

    It is that of problem details, which is what a caller without a wish gets, and one whose wish cannot be granted.
    One that takes JSON and not this kind of it gets the same body as JSON.
    """
    ranges = {_media_range(part) for part in accept.split(",")}
    if ranges.isdisjoint(_TAKE_PROBLEMS) and JSON in ranges:
        return JSON
    return PROBLEM_JSON


def _media_range(part: str) -> str:
    """Return the media range of one part of ``Accept``; an empty one if the caller refuses it (``q=0``)."""
    name, *parameters = (word.strip().lower() for word in part.split(";"))
    return "" if any(_REFUSES.match(parameter) for parameter in parameters) else name


def _reason_phrase(problem: Problem, request_id: str) -> str:
    """Return what stands behind the status (RFC 9112, 4): many libraries show that line and nothing of the body.

    No program reads it. Every character is printable ASCII, and ``<`` is none of them, since some pages show it as HTML.
    """
    sentences = f"{problem.message} {problem.action}"
    if len(sentences) > MAX_REASON_CHARACTERS:
        sentences = problem.message[:MAX_REASON_CHARACTERS]
    return f"{printable(sentences).replace('<', '(').replace('>', ')')} [{problem.code}, request {request_id}]"


def defect_text(kind: type[BaseException], where: TracebackType | None) -> str:
    """Return the log line of a defect: its type, files and lines, since its text could quote a secret (D14)."""
    frames = " <- ".join(
        f"{frame.name} ({short_path(frame.filename)}:{frame.lineno})" for frame in reversed(traceback.extract_tb(where))
    )
    return f"defect {kind.__name__} at {frames}"

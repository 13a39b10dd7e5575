"""Pushed authorization requests: the provider gets the request first, and the browser carries a reference (RFC 9126).

So neither the browser nor an attacker in it can read or change the request, and the provider knows the client before it
shows a page.
This module refuses to fall back: a request that the provider refuses is not sent by the browser instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import TokenResponseInvalid
from jupyter_oidc.protocol import authorization, token
from jupyter_oidc.protocol.client_authentication import authenticate
from jupyter_oidc.protocol.json_value import printable
from jupyter_oidc.protocol.message import Call, ReplyUnusable, tolerant_object
from jupyter_oidc.protocol.reply_header import retry_after_of

if TYPE_CHECKING:
    from jupyter_oidc.protocol.authorization import AuthorizationRequest
    from jupyter_oidc.protocol.client_authentication import Client
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.protocol.message import Reply

MAX_REQUEST_URI_CHARACTERS: Final = 2048
"""Characters of a ``request_uri`` (RFC 9101, 5.2: it should not be longer than 512)."""

ERRORS: Final = authorization.ERRORS | token.ERRORS | {"invalid_redirect_uri"}
"""The error codes that are passed on (RFC 9126, 2.3); any other becomes ``other``.

NOTE: ``invalid_redirect_uri`` is registered for another endpoint (RFC 7591, 3.2.2), and providers use it here.
"""


@dataclass(frozen=True, slots=True)
class Pushed:
    """The provider keeps the request under ``request_uri``, which is good for one browser, once and at once (P-4)."""

    request_uri: str


def push_call(metadata: Metadata, client: Client, request: AuthorizationRequest) -> Call | None:
    """Build the call that pushes ``request``, with client authentication (P-1); ``None`` without an endpoint (H-3).

    Raises the errors of :func:`~jupyter_oidc.protocol.authorization.parameters_of` and of client authentication.
    """
    if metadata.pushed_authorization_request_endpoint is None:
        return None
    fields, basic = authenticate(client)
    # NOTE: the client's own authentication replaces parameters of the same name that the settings added.
    sent = {**authorization.parameters_of(request), **dict(fields)}
    return Call(
        "POST",
        metadata.pushed_authorization_request_endpoint,
        form=tuple(sent.items()),
        basic=basic,
        endpoint="pushed_authorization_request",
    )


def read_push_reply(reply: Reply, *, now: float) -> Pushed | token.TokenError | token.TokenUnavailable:
    """Judge the reply to a pushed request (RFC 9126, 2.2, 2.3; P-2); ``now`` is in wall seconds.

    Raises :class:`TokenResponseInvalid` with a ``detail`` that names the fault.
    """
    status = reply.status
    if status in (408, 429) or 500 <= status <= 599:
        return token.TokenUnavailable(status, retry_after_of(reply.headers, now))
    try:
        members = tolerant_object(reply).members
    except ReplyUnusable:
        members = {}
    error = members.get("error")
    if isinstance(error, str) and error and 200 <= status <= 499:  # NOTE: some providers send errors with status 200
        return token.TokenError(error if error in ERRORS else "other", status)
    if status not in (200, 201):
        raise _unusable(
            "status",
            sentence(
                "The provider's answer to the pushed authorization request cannot be used: the status is {status}.",
                status=status,
            ),
        )
    reference = members.get("request_uri")  # NOTE: it is used at once, so ``expires_in`` is not read
    if not printable(reference) or " " in reference or len(reference) > MAX_REQUEST_URI_CHARACTERS:
        raise _unusable(
            "request_uri",
            N_(
                "The provider's answer to the pushed authorization request cannot be used: request_uri is "
                "missing, too long or not printable text."
            ),
        )
    return Pushed(reference)


def pushed_url(metadata: Metadata, client_id: str, pushed: Pushed) -> str:
    """Return the URL for the browser, with client and reference only (RFC 9126, 4; P-3)."""
    return authorization.to_endpoint(metadata, {"client_id": client_id, "request_uri": pushed.request_uri})


def _unusable(check: str, message: str) -> TokenResponseInvalid:
    return TokenResponseInvalid(
        message,
        detail=f"pushed.{check}",
    )

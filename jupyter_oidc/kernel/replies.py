"""Judge the replies of our own server: limit their size, read them by the contract, turn errors into our exceptions.

This module sends no request, and reads no reply of an API behind the proxy.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.contract.reader import MAX_WORD_CHARACTERS, OTHER, UNKNOWN_WORDS, read
from jupyter_oidc.kernel.connection_failure import ConnectionFailure, connection_failure
from jupyter_oidc.kernel.errors import BY_CODE, ContractError, OIDCError, ServerNotFound, of_reply
from jupyter_oidc.kernel.tls import NO_CERTIFICATE
from jupyter_oidc.language import N_, _, told

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

MAX_REPLY_BYTES: Final = 1_000_000
"""Bytes of one reply of ours, decoded; a summary has a few thousand."""


def content_of(response: httpx.Response) -> bytes:
    """Return the body of a streamed reply of ours and close it; raises ``ContractError`` if it is too long."""
    content = b""
    try:
        for piece in response.iter_bytes():
            content += piece
            if len(content) > MAX_REPLY_BYTES:
                raise broken_contract()
    finally:
        response.close()
    return content


async def content_of_async(response: httpx.Response) -> bytes:
    """As ``content_of`` for an asynchronous client."""
    content = b""
    try:
        async for piece in response.aiter_bytes():
            content += piece
            if len(content) > MAX_REPLY_BYTES:
                raise broken_contract()
    finally:
        await response.aclose()
    return content


def judge(name: str, content: bytes) -> dict[str, Any]:
    """Return what this version knows of ``content``, a reply of the contract ``name``; raises ``ContractError``."""
    try:
        return read(name, json.loads(content))
    except (ValueError, RecursionError):
        raise broken_contract() from None


def problem_of(response: httpx.Response, content: bytes) -> OIDCError:
    """Return the exception for an error reply of ours."""
    return problem(response.request.method, response.status_code, response.headers, content)


def problem(method: str, status: int, headers: Mapping[str, str], content: bytes) -> OIDCError:
    """As ``problem_of`` for a reply that came through another library: to ``method``, with ``headers``."""
    if method == "HEAD":
        return _without_body(status, headers["X-OIDC-Error"], headers.get("X-OIDC-Request-Id", ""))
    try:
        return of_reply(judge("error", content), status)
    except ContractError as broken:
        return broken


def broken_contract() -> ContractError:
    """Return the exception for an answer that the contract does not allow."""
    return ContractError(
        _("The server's answer does not match its contract."),
        action=_("Install the same version of jupyter_oidc in the kernel and in the server."),
    )


def unreachable(error: BaseException) -> ServerNotFound:
    """Return the exception for a call that got no answer; ``error`` is that of the connection."""
    message, action = _FAILURE_MESSAGES[connection_failure(error)]
    return ServerNotFound(told(message), action=told(action))


_RESTART_ACTION: Final = N_("Restart the server and then the kernel; if that does not help, ask your administrator.")
_CHECK_ADDRESS_ACTION: Final = N_("Check JUPYTER_OIDC_URL, or ask your administrator which address the server has.")
_STILL_RUNNING_ACTION: Final = N_(
    "Check that it is still running; after a restart of the server, restart the kernel too."
)
_CERTIFICATE_ACTION: Final = N_(
    "Ask your administrator: JUPYTER_OIDC_CLIENT_CERTIFICATE names the certificate that is shown."
)
_FAILURE_MESSAGES: Final[dict[ConnectionFailure, tuple[str, str]]] = {
    "nobody listens": (
        N_("The Jupyter server does not answer: nobody listens at its address."),
        _STILL_RUNNING_ACTION,
    ),
    "no such host": (N_("The name of the Jupyter server is not known here."), _CHECK_ADDRESS_ACTION),
    "no TLS": (
        N_("What answers in the place of the Jupyter server does not speak HTTPS."),
        _CHECK_ADDRESS_ACTION,
    ),
    "wants a certificate": NO_CERTIFICATE,
    "refuses our certificate": (
        N_("The Jupyter server refuses the client certificate of this process."),
        _CERTIFICATE_ACTION,
    ),
    "wrong name": (
        N_("The Jupyter server shows a certificate that is for another name than its address."),
        _CHECK_ADDRESS_ACTION,
    ),
    "unknown issuer": (
        N_("The Jupyter server shows a certificate that this machine does not trust: its issuer is unknown here."),
        _RESTART_ACTION,
    ),
    "out of date": (
        N_("The certificate of the Jupyter server has expired, or is not valid yet."),
        N_("Ask your administrator for a new one, and compare the clocks of both machines."),
    ),
    "not trusted": (
        N_("The Jupyter server shows a certificate that this machine does not trust."),
        _RESTART_ACTION,
    ),
    "silent": (N_("The Jupyter server does not answer."), _STILL_RUNNING_ACTION),
}


def _without_body(status: int, code: str, request_id: str) -> OIDCError:
    body = {
        "code": code if code in BY_CODE else OTHER,
        UNKNOWN_WORDS: {"code": code[:MAX_WORD_CHARACTERS]},
        "message": _("The call was refused ({code}).", code=code),
        "action": _("Make the same call with GET to read why."),
        "retryable": False,
        "request_id": request_id,
    }
    return of_reply(body, status)

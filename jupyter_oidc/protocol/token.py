"""The token endpoint: redeem a code, spend a refresh token, judge the answer.

An OAuth error and an overloaded provider are expected outcomes and come back as values.
This module refuses to look inside a token: an access token is opaque, an ID token is judged in ``id_token``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.errors import TokenResponseInvalid
from jupyter_oidc.protocol.client_authentication import Client, authenticate, check_client_method
from jupyter_oidc.protocol.json_value import number, printable
from jupyter_oidc.protocol.message import Call, ReplyUnusable, json_object
from jupyter_oidc.protocol.reply_header import date_offset, retry_after_of
from jupyter_oidc.secret import Secret

if TYPE_CHECKING:
    from jupyter_oidc.protocol.authorization import VerifiedCallback
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.protocol.message import Reply

__all__ = [
    "ERRORS",
    "Client",
    "TokenError",
    "TokenSet",
    "TokenUnavailable",
    "check_client_method",
    "date_offset",
    "read_token_reply",
    "redeem_call",
    "refresh_call",
    "retry_after_of",
]

LONGEST_LIFETIME: Final = 86_400.0
"""Seconds; no access token is planned with for longer (A13)."""

_DECIMAL: Final = re.compile(r"\s*(-?[0-9]{1,15}(?:\.[0-9]{1,9})?)\s*")

ERRORS: Final = frozenset(
    {
        # RFC 6749, 5.2
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
        # RFC 8628, 3.5
        "access_denied",
        "authorization_pending",
        "expired_token",
        "slow_down",
        # RFC 8707, 2; RFC 9449, 5 and 8
        "invalid_dpop_proof",
        "invalid_target",
        "use_dpop_nonce",
        # codes of the authorization endpoint that providers also send here (B9)
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "login_required",
        "server_error",
        "temporarily_unavailable",
        "unmet_authentication_requirements",
    },
)
"""The error codes that are passed on; any other becomes ``other``."""

_SUBERRORS: Final = {
    "additional_action": "interaction_required",
    "basic_action": "interaction_required",
    "consent_required": "consent_required",
    "message_only": "interaction_required",
}
"""Microsoft Entra says ``invalid_grant`` for a refresh token that only needs the person to act first (B9)."""


@dataclass(frozen=True, slots=True)
class TokenSet:
    """A well-formed success; nothing in it may be used before its ID token passed (section V).

    ``expires_in`` is in seconds: ``None`` if unknown, zero if already over, at most a day (A13).
    """

    access_token: Secret
    expires_in: float | None
    refresh_token: Secret | None
    id_token: Secret | None
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TokenError:
    """The provider refused; ``error`` is a registered code or ``other`` (RFC 6749, 5.2)."""

    error: str
    status: int


@dataclass(frozen=True, slots=True)
class TokenUnavailable:
    """The provider cannot answer now; ``retry_after`` is in seconds, if it asked for a pause (B6, B7)."""

    status: int
    retry_after: float | None


def redeem_call(
    metadata: Metadata,
    client: Client,
    callback: VerifiedCallback,
    *,
    redirect_uri: str,
    verifier: Secret,
) -> Call:
    """Exchange a code for tokens; to be sent once, whatever comes back (Core 1.0, 3.1.3.1; T-1 to T-6, T-10).

    ``redirect_uri`` and ``verifier`` are those of the request that earned the code.
    """
    fields, basic = authenticate(client)
    return Call(
        "POST",
        metadata.token_endpoint,
        form=(
            ("grant_type", "authorization_code"),
            ("code", callback.code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
            *fields,
        ),
        basic=basic,
    )


def refresh_call(
    metadata: Metadata,
    client: Client,
    refresh_token: Secret,
    *,
    scopes: tuple[str, ...] | None = None,
    resource: str | None = None,
    audience: str | None = None,
) -> Call:
    """Spend ``refresh_token`` (RFC 6749, 6; RFC 8707, 2.2; F-1).

    Without ``scopes`` everything that was granted stays; they may narrow the grant and never widen it.
    """
    fields, basic = authenticate(client)
    optional = {"scope": " ".join(scopes) if scopes else None, "resource": resource, "audience": audience}
    return Call(
        "POST",
        metadata.token_endpoint,
        form=(
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            *((name, value) for name, value in optional.items() if value),
            *fields,
        ),
        basic=basic,
    )


TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN_TYPE: Final = "urn:ietf:params:oauth:token-type:access_token"


def exchange_call(
    metadata: Metadata,
    client: Client,
    access_token: Secret,
    *,
    scopes: tuple[str, ...] | None = None,
    resource: str | None = None,
    audience: str | None = None,
) -> Call | None:
    """Exchange ``access_token`` for one of another API (RFC 8693, 2.1); ``None`` unless the provider advertises it."""
    if TOKEN_EXCHANGE not in (metadata.grant_types or ()):
        return None
    fields, basic = authenticate(client)
    optional = {"scope": " ".join(scopes) if scopes else None, "resource": resource, "audience": audience}
    return Call(
        "POST",
        metadata.token_endpoint,
        form=(
            ("grant_type", TOKEN_EXCHANGE),
            ("subject_token", access_token),
            ("subject_token_type", _ACCESS_TOKEN_TYPE),
            ("requested_token_type", _ACCESS_TOKEN_TYPE),
            *((name, value) for name, value in optional.items() if value),
            *fields,
        ),
        basic=basic,
    )


def read_token_reply(
    reply: Reply,
    *,
    requested_scopes: tuple[str, ...],
    id_token_required: bool,
    now: float,
    proved: bool = False,
) -> TokenSet | TokenError | TokenUnavailable:
    """Judge what the token endpoint answered (RFC 6749, 5.1, 5.2; N-1 ... N-6, A10 ... A14).

    ``now`` is in wall seconds and only used for a ``Retry-After`` date.
    ``proved`` says that the request carried a DPoP proof: then nothing but a token that is bound to its key will do (X-4).
    Raises :class:`TokenResponseInvalid` with a ``detail`` that names the fault; a redirect is such a fault,
    because following it would hand the code to somebody else (T-11).
    """
    status = reply.status
    if status in (408, 429) or 500 <= status <= 599:
        return TokenUnavailable(status, retry_after_of(reply.headers, now))
    # NOTE: the refusal is raised after the handler, so that it drags along no frame in which a token has a name.
    try:
        if status == 200 and (refused := _refused_politely(reply)) is not None:
            return refused
        if status == 200:
            return _success(reply, requested_scopes, id_token_required=id_token_required, proved=proved)
        if 400 <= status <= 499:
            # NOTE: the media type of an error is not required; only a JSON object with an error member counts.
            return TokenError(_error_code(_document(reply, require_media_type=False)), status)
        check, fault = "status", f"the status is {status}"
    except _Unfit as unfit:
        check, fault = unfit.check, unfit.fault
    raise TokenResponseInvalid(
        f"The provider's token endpoint gave an answer that cannot be used: {fault}.", detail=f"token.{check}"
    )


class _Unfit(Exception):
    """An answer is no token response; never leaves this module."""

    def __init__(self, check: str, fault: str) -> None:
        self.check = check
        self.fault = fault
        super().__init__(fault)


def _document(reply: Reply, *, require_media_type: bool) -> dict[str, Any]:
    try:
        return json_object(reply, require_media_type=require_media_type)
    except ReplyUnusable as unusable:
        raise _Unfit("format", f"{unusable.fault} (status {reply.status})") from None


def _refused_politely(reply: Reply) -> TokenError | None:
    """Return the error that came with status 200, as from some providers; whoever gives a token has not refused."""
    try:
        document = json_object(reply)
    except ReplyUnusable:
        return None
    error = document.get("error")
    if not isinstance(error, str) or not error or document.get("access_token"):
        return None
    return TokenError(_error_code(document), 400)


def _success(reply: Reply, requested: tuple[str, ...], *, id_token_required: bool, proved: bool) -> TokenSet:
    document = _document(reply, require_media_type=True)
    kind = document.get("token_type")
    wanted = "DPoP" if proved else "Bearer"
    if not isinstance(kind, str) or kind.lower() != wanted.lower():
        raise _Unfit("token_type", f"token_type is missing or not {wanted}")
    access_token = _token(document, "access_token")
    if access_token is None:
        raise _Unfit("access_token", "access_token is missing")
    id_token = _token(document, "id_token")
    if id_token is None and id_token_required:
        raise _Unfit("id_token", "id_token is missing")
    return TokenSet(
        access_token=access_token,
        expires_in=_lifetime(document.get("expires_in")),
        refresh_token=_token(document, "refresh_token"),
        id_token=id_token,
        scopes=_scopes(document.get("scope"), requested),
    )


def _token(document: dict[str, Any], member: str) -> Secret | None:
    """Seal a token byte for byte; only printable ASCII can go back on the wire unchanged (N-5)."""
    value = document.get(member)
    if value is None:
        return None
    if not printable(value):
        raise _Unfit(member, f"{member} is not printable text")
    return Secret(value)


def _lifetime(value: object) -> float | None:
    """Read a number, or a number in a text; anything else is "unknown" and no error (N-4, A13)."""
    if isinstance(value, str):
        match = _DECIMAL.fullmatch(value)
        value = float(match[1]) if match else None
    elif isinstance(value, int) and not isinstance(value, bool):
        value = max(min(value, int(LONGEST_LIFETIME)), 0)
    seconds = number(value)
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_LIFETIME)


def _scopes(value: object, requested: tuple[str, ...]) -> tuple[str, ...]:
    """Absent means as requested; fewer is no error (RFC 6749, 5.1; N-6, A25)."""
    if value is None:
        return requested
    if not isinstance(value, str) or not (value == "" or printable(value)):
        raise _Unfit("scope", "scope is not printable text")
    return tuple(dict.fromkeys(value.split()))


def _error_code(document: dict[str, Any]) -> str:
    error, suberror = document.get("error"), document.get("suberror")
    if not isinstance(error, str) or not error:
        raise _Unfit("error", "an error status came without an error code")
    if error == "invalid_grant" and isinstance(suberror, str):
        return _SUBERRORS.get(suberror, error)
    return error if error in ERRORS else "other"

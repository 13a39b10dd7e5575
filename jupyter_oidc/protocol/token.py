"""The token endpoint: builds calls that redeem a code, use a refresh token or exchange a token, and judges the answers.

An OAuth error and an overloaded provider are expected outcomes and come back as values.
The tokens of an answer are a value of their own (:class:`UnverifiedTokens`), so that no failed check loses them.
This module refuses to look inside a token: an access token is opaque, an ID token is judged in ``id_token``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import TokenResponseInvalid
from jupyter_oidc.protocol.client_authentication import Client, authenticate
from jupyter_oidc.protocol.json_value import number, printable
from jupyter_oidc.protocol.message import Call, ReplyUnusable, members_of, names_member
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
    "UnverifiedTokens",
    "date_offset",
    "read_token_reply",
    "redeem_call",
    "refresh_call",
    "retry_after_of",
    "unverified_tokens",
]

MAX_TOKEN_LIFETIME_SECONDS: Final = 86_400.0
"""Seconds; a longer lifetime of an access token is cut to this (A13)."""

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
        # RFC 6750, 3.1, of APIs; some providers send it here for an invalid refresh token
        "invalid_token",
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
"""Microsoft Entra sends ``invalid_grant`` for a valid refresh token if the person has to act first (B9)."""


_DECIDES: Final = ("access_token", "error", "id_token", "refresh_token", "suberror", "token_type")
"""Members that may not occur twice in an answer; any other one that does counts as absent."""


@dataclass(frozen=True, slots=True)
class UnverifiedTokens:
    """The tokens in an answer, before it is judged: to be stored or revoked, and not to be used.

    ``refresh_token`` is the successor of the one that was used, if this answers a refresh (RFC 6749, 6).
    ``unreadable`` says that the answer holds one that cannot be read.
    """

    refresh_token: Secret | None = None
    access_token: Secret | None = None
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class TokenSet:
    """A well-formed success; none of its tokens may be used before its ID token passed (section V).

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
    """The provider cannot answer now; ``retry_after`` is in seconds, if it demanded a pause (B6, B7)."""

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
    """Build the call that exchanges a code.

    It must be sent only once, even without an answer (Core 1.0, 3.1.3.1; T-1 to T-6, T-10).
    ``redirect_uri`` and ``verifier`` are those of the authorization request.
    """
    fields, basic = authenticate(client)
    return Call(
        "POST",
        metadata.token_endpoint,
        endpoint="token",
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
    """Build the call that uses ``refresh_token`` (RFC 6749, 6; RFC 8707, 2.2; F-1).

    Without ``scopes`` all granted ones stay; they may narrow the grant and never widen it.
    """
    fields, basic = authenticate(client)
    optional = {"scope": " ".join(scopes) if scopes else None, "resource": resource, "audience": audience}
    return Call(
        "POST",
        metadata.token_endpoint,
        endpoint="token",
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
    """Build the call for another API's token by exchange (RFC 8693, 2.1).

    ``None`` unless the provider advertises it.
    """
    if TOKEN_EXCHANGE not in (metadata.grant_types or ()):
        return None
    fields, basic = authenticate(client)
    optional = {"scope": " ".join(scopes) if scopes else None, "resource": resource, "audience": audience}
    return Call(
        "POST",
        metadata.token_endpoint,
        endpoint="token",
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


def unverified_tokens(reply: Reply) -> UnverifiedTokens:
    """Return the tokens in ``reply``, even if the rest of it is faulty; to be called before it is judged (F-4).

    Any status 2xx counts, since the tokens in it have been issued.
    """
    if not 200 <= reply.status <= 299:
        return UnverifiedTokens()
    try:
        members = members_of(reply)
    except ReplyUnusable:
        return UnverifiedTokens(unreadable=names_member(reply, "refresh_token"))
    given = [value for value in members.get("refresh_token", ()) if value not in (None, "")]
    first = given[0] if given else None
    readable = printable(first) and given.count(first) == len(given)
    access_token = members.get("access_token", [None])[0]
    return UnverifiedTokens(
        refresh_token=Secret(str(first)) if readable else None,
        access_token=Secret(access_token) if printable(access_token) else None,
        unreadable=bool(given) and not readable,
    )


def read_token_reply(
    reply: Reply,
    *,
    requested_scopes: tuple[str, ...],
    id_token_required: bool,
    now: float,
    proved: bool = False,
) -> TokenSet | TokenError | TokenUnavailable:
    """Judge the answer of the token endpoint (RFC 6749, 5.1, 5.2; N-1 ... N-6, A10 ... A14).

    ``now`` is in wall seconds and only used for a ``Retry-After`` date.
    ``proved`` says that the request carried a DPoP proof: then only a token that is bound to its key is accepted (X-4).
    Raises :class:`TokenResponseInvalid` with a ``detail`` that names the fault; a redirect is such a fault,
    because following it would hand the code to another server (T-11).
    """
    status = reply.status
    if status in (408, 429) or 500 <= status <= 599:
        return TokenUnavailable(status, retry_after_of(reply.headers, now))
    # NOTE: the refusal is raised after the handler, so that its traceback has no frame with a variable of a token.
    try:
        if status == 200 or 400 <= status <= 499:
            return _definite(reply, requested_scopes, id_token_required=id_token_required, proved=proved)
        check = "status"
        message: str = sentence(
            "The provider's token endpoint gave an answer that cannot be used: the status is {status}.", status=status
        )
    except _Unfit as unfit:
        check, message = unfit.check, unfit.message
    raise TokenResponseInvalid(
        message,
        detail=f"token.{check}",
    )


def _definite(
    reply: Reply, requested: tuple[str, ...], *, id_token_required: bool, proved: bool
) -> TokenSet | TokenError:
    document = _document(reply)
    # NOTE: an answer with "error" is an error, even with status 200.
    if reply.status != 200 or document.get("error") not in (None, ""):
        return TokenError(_error_code(document), reply.status)
    return _success(document, requested, id_token_required=id_token_required, proved=proved)


class _Unfit(Exception):
    """An answer is no token response; never leaves this module."""

    def __init__(self, check: str, message: str) -> None:
        self.check = check
        self.message = message
        super().__init__(message)


def _document(reply: Reply) -> dict[str, Any]:
    """Return the members that count; the body must be a JSON object, its media type is ignored (N-1)."""
    try:
        members = members_of(reply)
    except ReplyUnusable as unusable:
        raise _Unfit(
            "format",
            sentence(
                "The provider's token endpoint gave an answer that cannot be used: {fault} (status {status}).",
                fault=unusable.fault,
                status=reply.status,
            ),
        ) from None
    if any(len(members.get(name, ())) > 1 for name in _DECIDES):
        raise _Unfit(
            "format",
            sentence(
                "The provider's token endpoint gave an answer that cannot be used: the JSON has a token, a "
                "type or an error twice (status {status}).",
                status=reply.status,
            ),
        )
    return {name: values[0] for name, values in members.items() if len(values) == 1}


def _success(
    document: dict[str, Any], requested: tuple[str, ...], *, id_token_required: bool, proved: bool
) -> TokenSet:
    wanted = "DPoP" if proved else "Bearer"
    kind = document.get("token_type")
    if kind in (None, "") and not proved:
        kind = wanted  # NOTE: never for DPoP: a token without a type may be a bearer token
    if not isinstance(kind, str) or kind.lower() != wanted.lower():
        raise _Unfit(
            "token_type",
            sentence(
                "The provider's token endpoint gave an answer that cannot be used: token_type is missing or "
                "not {wanted}.",
                wanted=wanted,
            ),
        )
    access_token = _token(document, "access_token")
    if access_token is None:
        raise _Unfit(
            "access_token",
            N_("The provider's token endpoint gave an answer that cannot be used: access_token is missing."),
        )
    id_token = _token(document, "id_token")
    if id_token is None and id_token_required:
        raise _Unfit(
            "id_token", N_("The provider's token endpoint gave an answer that cannot be used: id_token is missing.")
        )
    return TokenSet(
        access_token=access_token,
        expires_in=_lifetime(document.get("expires_in")),
        refresh_token=_token(document, "refresh_token"),
        id_token=id_token,
        scopes=_scopes(document.get("scope"), requested),
    )


def _token(document: dict[str, Any], member: str) -> Secret | None:
    """Seal a token byte for byte.

    Only printable ASCII can go back on the wire unchanged (N-5). An empty one is none.
    """
    value = document.get(member)
    if value is None or value == "":
        return None
    if not printable(value):
        raise _Unfit(
            member,
            sentence(
                "The provider's token endpoint gave an answer that cannot be used: {member} is not printable text.",
                member=member,
            ),
        )
    return Secret(value)


def _lifetime(value: object) -> float | None:
    """Read a number, or a number in a text; anything else is "unknown" and no error (N-4, A13)."""
    if isinstance(value, str):
        match = _DECIMAL.fullmatch(value)
        value = float(match[1]) if match else None
    elif isinstance(value, int) and not isinstance(value, bool):
        value = max(min(value, int(MAX_TOKEN_LIFETIME_SECONDS)), 0)
    seconds = number(value)
    return None if seconds is None else min(max(seconds, 0.0), MAX_TOKEN_LIFETIME_SECONDS)


def _scopes(value: object, requested: tuple[str, ...]) -> tuple[str, ...]:
    """Return the granted scopes: the requested ones unless the value is a text or list (RFC 6749, 5.1; N-6, A25)."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list):
        return requested
    words = [word for each in given if isinstance(each, str) for word in each.split() if printable(word)]
    return tuple(dict.fromkeys(words))


def _error_code(document: dict[str, Any]) -> str:
    error, suberror = document.get("error"), document.get("suberror")
    if not isinstance(error, str) or not error:
        raise _Unfit(
            "error",
            N_(
                "The provider's token endpoint gave an answer that cannot be used: an error status came "
                "without an error code."
            ),
        )
    if error == "invalid_grant" and isinstance(suberror, str):
        return _SUBERRORS.get(suberror, error)
    return error if error in ERRORS else "other"

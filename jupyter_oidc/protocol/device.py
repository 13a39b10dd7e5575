"""The device authorization grant: a code that a person enters in any browser, and polling for tokens (RFC 8628).

The device code is a credential and sealed at once; the user code is meant to be read and typed.
No nonce exists in this grant, so none ties an ID token to one request.
The device code does: it came over TLS, never left this process, and is redeemed once at the same provider.
Every other check of section V holds as for a code: signature with a pinned algorithm, ``iss``, ``aud``, ``azp``,
``exp``, ``iat``, ``sub``, ``at_hash``, and ``auth_time`` if ``max_age`` was requested.
A nonce in such a token was never sent by us, and refuses the token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import TokenResponseInvalid
from jupyter_oidc.protocol.client_authentication import Client, authenticate
from jupyter_oidc.protocol.discovery import is_secure_url
from jupyter_oidc.protocol.json_value import number_in_text, printable
from jupyter_oidc.protocol.message import Call, ReplyUnusable, tolerant_object
from jupyter_oidc.protocol.reply_header import retry_after_of
from jupyter_oidc.protocol.token import ERRORS, TokenError, TokenUnavailable
from jupyter_oidc.secret import Secret

if TYPE_CHECKING:
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.protocol.message import Reply

DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"

DEFAULT_INTERVAL_SECONDS: Final = 5.0
"""Seconds between two polls if the provider names no number (RFC 8628, 3.2)."""

SLOW_DOWN_SECONDS: Final = 5.0
"""Seconds by which ``slow_down`` lengthens the interval, each time (RFC 8628, 3.5)."""

_MIN_INTERVAL_SECONDS: Final = 1.0
_MAX_CODE_CHARACTERS: Final = 8192
_MAX_USER_CODE_CHARACTERS: Final = 64
_MAX_URI_CHARACTERS: Final = 2048


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """The parameters of a device authorization request (RFC 8628, 3.1).

    ``code_challenge`` ties the code to this client, as in an authorization request (RFC 7636, 4.3).
    ``prompt``, ``max_age`` (seconds) and ``acr_values`` are those of an authorization request; the grant does not
    define them, and a provider that does not know them ignores them (RFC 8628, 3.1).
    """

    scopes: tuple[str, ...]
    audience: str | None = None
    prompt: str | None = None
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()
    code_challenge: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """The provider's answer: a sealed device code, a code and an address for the person; times are in seconds."""

    device_code: Secret
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    lifetime: float
    interval: float


def offers_device_grant(metadata: Metadata) -> bool:
    """Return whether the provider advertises the grant: its endpoint, and no list of grants without it."""
    listed = metadata.grant_types
    return metadata.device_authorization_endpoint is not None and (listed is None or DEVICE_CODE in listed)


def device_authorization_call(metadata: Metadata, client: Client, request: DeviceRequest) -> Call | None:
    """Build the call for a pair of codes (RFC 8628, 3.1); ``None`` if the provider names no endpoint for it (H-3)."""
    if metadata.device_authorization_endpoint is None:
        return None
    fields, basic = authenticate(client)
    scopes = request.scopes if "openid" in request.scopes else ("openid", *request.scopes)
    optional = {
        "code_challenge": request.code_challenge,
        "code_challenge_method": None if request.code_challenge is None else "S256",
        "audience": request.audience,
        "prompt": request.prompt,
        "max_age": None if request.max_age is None else str(request.max_age),
        "acr_values": " ".join(request.acr_values) or None,
    }
    return Call(
        "POST",
        metadata.device_authorization_endpoint,
        endpoint="device_authorization",
        form=(
            ("scope", " ".join(scopes)),
            *((name, value) for name, value in optional.items() if value is not None),
            *fields,
        ),
        basic=basic,
    )


def read_device_reply(
    reply: Reply, *, now: float, max_lifetime_seconds: float, allow_loopback_http: bool
) -> DeviceAuthorization | TokenError | TokenUnavailable:
    """Judge the answer of the device authorization endpoint (RFC 8628, 3.2).

    The person opens ``verification_uri``, so it has to be https like an endpoint; the one with the code in it is shown
    only if it is https, too.
    ``now`` is in wall seconds, for a ``Retry-After`` date; a sign-in waits no longer than ``max_lifetime_seconds``,
    even if the provider allows more.
    Numbers may be written as texts.
    Optional members count as absent if they cannot be used: the address with the code in it, and the interval.
    An interval of zero counts as absent, since polling needs a pause; one beyond the lifetime of the code is refused at
    once, because such a sign-in could never be finished.
    Raises :class:`TokenResponseInvalid` with a ``detail`` that names the member.
    """
    status = reply.status
    if status in (408, 429) or 500 <= status <= 599:
        return TokenUnavailable(status, retry_after_of(reply.headers, now))
    if status == 200 or 400 <= status <= 499:
        document = _document(reply)
        error = document.get("error")
        if isinstance(error, str) and error:  # NOTE: some providers send their errors with status 200
            return TokenError(error if error in ERRORS else "other", status)
        if status == 200:
            return _authorization(
                document, max_lifetime_seconds=max_lifetime_seconds, allow_loopback_http=allow_loopback_http
            )
    raise _unusable("status")


def takes_pkce(metadata: Metadata) -> bool:
    """Return whether a sign-in by code uses PKCE: the grant does not demand it, so only if the provider lists S256."""
    return "S256" in (metadata.code_challenge_methods or ())


def device_token_call(metadata: Metadata, client: Client, device_code: Secret, verifier: Secret | None = None) -> Call:
    """Build the call that polls for the tokens (RFC 8628, 3.4); the caller has to keep to the interval.

    ``verifier`` is that of the ``code_challenge``, if there was one (RFC 7636, 4.5).
    """
    fields, basic = authenticate(client)
    if verifier is not None:
        fields = (("code_verifier", verifier), *fields)
    return Call(
        "POST",
        metadata.token_endpoint,
        endpoint="token",
        form=(("grant_type", DEVICE_CODE), ("device_code", device_code), *fields),
        basic=basic,
    )


def _document(reply: Reply) -> dict[str, Any]:
    try:
        return tolerant_object(reply).members
    except ReplyUnusable:
        pass
    # NOTE: raised here, so that the traceback has no frame with a variable of the reply.
    raise _unusable("format")


def _authorization(
    document: dict[str, Any], *, max_lifetime_seconds: float, allow_loopback_http: bool
) -> DeviceAuthorization:
    device_code = document.get("device_code")
    if not printable(device_code) or len(device_code) > _MAX_CODE_CHARACTERS:
        raise _unusable("device_code")
    user_code = document.get("user_code")
    if not printable(user_code) or len(user_code) > _MAX_USER_CODE_CHARACTERS:
        raise _unusable("user_code")

    def address(value: object) -> str | None:
        if not isinstance(value, str) or len(value) > _MAX_URI_CHARACTERS:
            return None
        return value if is_secure_url(value, allow_loopback_http=allow_loopback_http) else None

    # NOTE: the name in the drafts of the specification, which some large providers still use.
    uri = address(document.get("verification_uri") or document.get("verification_url"))
    if uri is None:
        raise _unusable("verification_uri")
    complete = address(document.get("verification_uri_complete"))
    expires_in = number_in_text(document.get("expires_in"))
    if expires_in is None or expires_in <= 0:
        raise _unusable("expires_in")
    lifetime = min(expires_in, max_lifetime_seconds)
    interval = _interval(document.get("interval"))
    if interval >= lifetime:
        raise _unusable("interval")
    return DeviceAuthorization(Secret(device_code), user_code, uri, complete, lifetime, interval)


def _interval(value: object) -> float:
    seconds = number_in_text(value)
    if seconds is None and isinstance(value, (int, float)) and not isinstance(value, bool):
        raise _unusable("interval")  # too large to be a number here, so beyond the code's lifetime
    return max(seconds, _MIN_INTERVAL_SECONDS) if seconds is not None and seconds > 0 else DEFAULT_INTERVAL_SECONDS


def _unusable(member: str) -> TokenResponseInvalid:
    faults = {
        "format": N_("The provider's answer to a sign-in by code cannot be used: it is not a JSON object."),
        "status": N_(
            "The provider's answer to a sign-in by code cannot be used: its status is not one that the specification allows."
        ),
        "verification_uri": N_(
            "The provider's answer to a sign-in by code cannot be used: the address for the person is "
            "missing, too long or not https."
        ),
        "interval": N_(
            "The provider's answer to a sign-in by code cannot be used: the pause between two questions "
            "is longer than the code is good for."
        ),
        "expires_in": N_(
            "The provider's answer to a sign-in by code cannot be used: the lifetime of the code is missing or over."
        ),
    }
    return TokenResponseInvalid(
        faults.get(member)
        or sentence(
            "The provider's answer to a sign-in by code cannot be used: {member} is missing, too long or "
            "not printable text.",
            member=member,
        ),
        detail=f"device.{member}",
    )

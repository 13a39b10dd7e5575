"""UserInfo: what else the provider tells about the person who signed in (OpenID Connect Core 1.0, 5.3).

Nothing in the reply counts unless its subject is that of the ID token (U-5, U-6).
This module refuses to let UserInfo speak about tokens: issuer, expiry, nonce and the like are dropped, so a
merge with the claims of an ID token cannot replace what was verified there.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.errors import UserinfoRejected
from jupyter_oidc.protocol.claims import FLAGS, PROTOCOL, mistyped
from jupyter_oidc.protocol.json_value import texts
from jupyter_oidc.protocol.jws import KeysStale, verify_compact
from jupyter_oidc.protocol.message import Call, ReplyUnusable, json_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.protocol.jwks import KeySet
    from jupyter_oidc.protocol.message import Reply
    from jupyter_oidc.secret import Secret

_DROPPED: Final = PROTOCOL | {"_claim_sources"}
"""NOTE: ``_claim_names`` stays, because it says which claims were left out; nobody goes where the others are (Q2.3)."""

_FAULTS: Final = {
    "status": "the status is not 200",
    "form": "it is signed where it should be plain, or the reverse (userinfo_signed_response_alg)",
    "format": "it cannot be read",
    "sub": "its subject (sub) is missing or not the person in the ID token",
    "iss": "its issuer (iss) is not the one in the settings",
    "aud": "its audience (aud) is not this application",
    "alg": "it is not signed with the algorithm in the settings (userinfo_signed_response_alg)",
    "signature": "its signature does not verify",
    "keys": "too many of the provider's keys could have signed it",
    "header": "its header asks for something that is not supported",
    "type": "it is a token of another type",
}


@dataclass(frozen=True, slots=True)
class SignedUserinfo:
    """How a signed response is verified (U-7); ``fresh`` as in ``jws.verify_compact``."""

    alg: str
    keys: KeySet
    issuer: str
    client_id: str
    client_secret: Secret | None = None
    fresh: bool = False


def userinfo_call(metadata: Metadata, access_token: Secret, *, signed: bool = False) -> Call:
    """Ask who the holder of ``access_token`` is, with the token in the header and nowhere else (U-2)."""
    accept = "application/jwt" if signed else "application/json"
    return Call("GET", metadata.userinfo_endpoint, bearer=access_token, accept=accept)


def read_userinfo_reply(
    reply: Reply,
    *,
    subject: str,
    signed: SignedUserinfo | None,
) -> Mapping[str, Any] | KeysStale:
    """Return the claims about ``subject`` without ``null`` members (U-4 ... U-7, U-9).

    Raises :class:`UserinfoRejected`; the detail ``userinfo.sub`` means that the reply speaks of somebody
    else, and the sign-in must be refused then (U-6).
    """
    if reply.status != 200:
        raise _refuse("status")
    if reply.media_type != ("application/json" if signed is None else "application/jwt"):
        raise _refuse("form")
    claims: Mapping[str, Any]
    if signed is None:
        try:
            claims = json_object(reply)
        except ReplyUnusable:
            raise _refuse("format") from None
    else:
        verified = verify_compact(
            reply.body,
            alg=signed.alg,
            keys=signed.keys,
            client_secret=signed.client_secret,
            refuse=_refuse,
            fresh=signed.fresh,
        )
        if isinstance(verified, KeysStale):
            return verified
        claims = verified.claims
        _check_sender(claims, signed)
    if claims.get("sub") != subject:
        raise _refuse("sub")
    kept = {name: value for name, value in claims.items() if name not in _DROPPED and _told(name, value)}
    if (wrong := mistyped(kept)) is not None:
        raise _refuse(wrong)
    return MappingProxyType(kept)


def _told(name: str, value: object) -> bool:
    """``null`` is missing, and so is a flag that is not a JSON boolean.

    NOTE: Amazon Cognito writes ``"email_verified": "true"``; it proves nothing, but costs no sign-in (U-9).
    """
    return value is not None and (name not in FLAGS or isinstance(value, bool))


def _check_sender(claims: Mapping[str, Any], signed: SignedUserinfo) -> None:
    if "iss" in claims and claims["iss"] != signed.issuer:
        raise _refuse("iss")
    if "aud" in claims:
        value = claims["aud"]
        audience = (value,) if isinstance(value, str) else texts(value)
        if not audience or signed.client_id not in audience:
            raise _refuse("aud")


def _refuse(check: str) -> UserinfoRejected:
    fault = _FAULTS.get(check, f"its claim {check} has the wrong JSON type")
    return UserinfoRejected(
        f"The provider's user information was refused: {fault}.",
        detail=f"userinfo.{check}",
    )

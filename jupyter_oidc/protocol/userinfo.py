"""UserInfo: further claims about the person who signed in (OpenID Connect Core 1.0, 5.3).

The reply counts only if its subject is that of the ID token (U-5, U-6).
This module refuses claims of UserInfo about tokens: issuer, expiry, nonce and the like are dropped, so a merge with the
claims of an ID token cannot replace a verified one.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.language import N_
from jupyter_oidc.problems import UserinfoRejected
from jupyter_oidc.protocol.claims import PROTOCOL, well_typed
from jupyter_oidc.protocol.json_value import texts
from jupyter_oidc.protocol.jws import KeysStale, verify_compact
from jupyter_oidc.protocol.message import Call, ReplyUnusable, tolerant_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.protocol.jwks import KeySet
    from jupyter_oidc.protocol.message import Reply
    from jupyter_oidc.secret import Secret

_DROPPED: Final = PROTOCOL | {"_claim_sources"}
"""NOTE: ``_claim_names`` stays, because it names the claims that were left out; those are not fetched (Q2.3)."""

_FAULTS: Final = {
    "status": N_("The provider's user information was refused: the status is not 200."),
    "form": N_(
        "The provider's user information was refused: it is signed where it should be plain, or the "
        "reverse (userinfo_signed_response_alg)."
    ),
    "format": N_("The provider's user information was refused: it cannot be read."),
    "sub": N_("The provider's user information was refused: its subject (sub) is not the person in the ID token."),
    "no_sub": N_("The provider's user information was refused: it does not say about whom it is (sub)."),
    "iss": N_("The provider's user information was refused: its issuer (iss) is not the one in the settings."),
    "aud": N_("The provider's user information was refused: its audience (aud) is not this application."),
    "alg": N_(
        "The provider's user information was refused: it is not signed with the algorithm in the "
        "settings (userinfo_signed_response_alg)."
    ),
    "no_key": N_(
        "The provider's user information was refused: none of the keys that the provider publishes "
        "fits its key id (kid) and algorithm."
    ),
    "signature": N_("The provider's user information was refused: its signature does not verify."),
    "keys": N_("The provider's user information was refused: too many of the provider's keys could have signed it."),
    "header": N_("The provider's user information was refused: its header asks for something that is not supported."),
    "type": N_("The provider's user information was refused: it is a token of another type."),
}


OTHER_SUBJECT_DETAILS: Final = frozenset({"userinfo.sub", "userinfo.iss"})
"""Details of refusals that mean another person."""

INVALID_SUBJECT_DETAILS: Final = OTHER_SUBJECT_DETAILS | {"userinfo.no_sub"}
"""Details of refusals after which a sign-in must not go on with the ID token alone (U-6)."""


@dataclass(frozen=True, slots=True)
class SignedUserinfo:
    """The keys and rules to verify a signed response (U-7); ``fresh`` as in ``jws.verify_compact``."""

    alg: str
    keys: KeySet
    issuer: str
    client_id: str
    client_secret: Secret | None = None
    fresh: bool = False


def userinfo_call(metadata: Metadata, access_token: Secret, *, signed: bool = False) -> Call | None:
    """Build the call for the claims of the person of ``access_token``, which goes in the header only (U-2).

    ``None`` if the provider names no endpoint for it (H-3); then only the ID token's claims are known.
    """
    if metadata.userinfo_endpoint is None:
        return None
    accept = "application/jwt" if signed else "application/json"
    return Call("GET", metadata.userinfo_endpoint, bearer=access_token, accept=accept, endpoint="userinfo")


def read_userinfo_reply(
    reply: Reply,
    *,
    subject: str,
    signed: SignedUserinfo | None,
) -> Mapping[str, Any] | KeysStale:
    """Return the claims about ``subject``, less those that are ``null`` or of the wrong type (U-4 ... U-7, U-9).

    Raises :class:`UserinfoRejected`; details in ``INVALID_SUBJECT_DETAILS`` mean that the reply names another subject,
    or none, and the sign-in must be refused then (U-6).
    """
    if reply.status != 200:
        raise _refuse("status")
    if reply.media_type != ("application/json" if signed is None else "application/jwt"):
        raise _refuse("form")
    claims: Mapping[str, Any]
    if signed is None:
        try:
            claims = tolerant_object(reply).members  # NOTE: a name that occurs twice, ``sub`` too, is missing
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
    if (about := claims.get("sub")) != subject:
        raise _refuse("sub" if isinstance(about, str) and about else "no_sub")
    return MappingProxyType({name: value for name, value in well_typed(claims).items() if name not in _DROPPED})


def _check_sender(claims: Mapping[str, Any], signed: SignedUserinfo) -> None:
    if "iss" in claims and claims["iss"] != signed.issuer:
        raise _refuse("iss")
    if "aud" in claims:
        value = claims["aud"]
        audience = (value,) if isinstance(value, str) else texts(value)
        if not audience or signed.client_id not in audience:
            raise _refuse("aud")


def _refuse(check: str) -> UserinfoRejected:
    return UserinfoRejected(
        _FAULTS[check],
        detail=f"userinfo.{check}",
    )

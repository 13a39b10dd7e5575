"""Builders for the protocol tests: replies, metadata, keys and signed tokens, good unless told otherwise."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from jupyter_oidc.protocol.discovery import Metadata
from jupyter_oidc.protocol.id_token import IdTokenRules
from jupyter_oidc.protocol.jwks import KeySet, read_jwks_reply
from jupyter_oidc.protocol.message import Reply
from jupyter_oidc.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

Key = RSAKey | ECKey | OKPKey | OctKey

ISSUER: Final = "https://id.example.com"
CLIENT: Final = "jupyter"
NOW: Final = 1_800_000_000.0
NONCE: Final = "n-0S6_WzA2Mj"
SUBJECT: Final = "248289761001"

RSA: Final = RSAKey.generate_key(2048)
OTHER_RSA: Final = RSAKey.generate_key(2048)
EC: Final = ECKey.generate_key("P-256")
ED: Final = OKPKey.generate_key("Ed25519")

METADATA: Final = Metadata(
    issuer=ISSUER,
    authorization_endpoint="https://id.example.com/authorize",
    token_endpoint="https://id.example.com/token",
    jwks_uri="https://id.example.com/keys",
    userinfo_endpoint="https://id.example.com/userinfo",
    revocation_endpoint="https://id.example.com/revoke",
    end_session_endpoint="https://id.example.com/logout",
)


def reply(
    body: object = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    media: str = "application/json",
) -> Reply:
    """Make a reply with ``body``: bytes and text as they are, everything else as JSON."""
    written = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return Reply(status, Secret(written), {"content-type": media, **(headers or {})})


def document(**changes: object) -> dict[str, object]:
    """Return a complete metadata document; ``None`` removes a member."""
    members: dict[str, object] = {
        "issuer": ISSUER,
        "authorization_endpoint": "https://id.example.com/authorize",
        "token_endpoint": "https://id.example.com/token",
        "jwks_uri": "https://id.example.com/keys",
        "userinfo_endpoint": "https://id.example.com/userinfo",
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}


def jwk(key: Key, **members: object) -> dict[str, object]:
    """Return the public key as the provider publishes it."""
    return {**key.as_dict(private=False), **members}


def key_set(*entries: object) -> KeySet:
    """Return a published key set as our own reader reads it."""
    return read_jwks_reply(reply({"keys": list(entries)}))


KEYS: Final = key_set(jwk(RSA, kid="k1", use="sig", alg="RS256"))
NO_KEYS: Final = key_set()


def base64url(value: bytes) -> str:
    """Encode as RFC 7515 does: base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def signed(claims: object, *, key: Key = RSA, alg: str = "RS256", header: Mapping[str, object] | None = None) -> str:
    """Sign ``claims`` (an object, or raw JSON text); ``header`` replaces the usual one."""
    if header is None:
        header = {"alg": alg, "kid": "k1"}
    text = claims if isinstance(claims, str) else json.dumps(claims)
    signing_input = f"{base64url(json.dumps(header).encode())}.{base64url(text.encode())}"
    signature = JWSRegistry.algorithms[alg].sign(signing_input.encode(), key)
    return f"{signing_input}.{base64url(signature)}"


def claims_of(**changes: object) -> dict[str, Any]:
    """Return the claims of a good ID token; ``...`` removes one."""
    claims: dict[str, object] = {
        "iss": ISSUER,
        "sub": SUBJECT,
        "aud": CLIENT,
        "exp": NOW + 300,
        "iat": NOW,
        "nonce": NONCE,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not ...}


def rules(**changes: Any) -> IdTokenRules:
    """Return the rules that :func:`claims_of` fits."""
    return IdTokenRules(**{"issuer": ISSUER, "client_id": CLIENT, "nonce": NONCE, **changes})


def logout_claims_of(**changes: object) -> dict[str, Any]:
    """Return the claims of a good logout token; ``...`` removes one."""
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": CLIENT,
        "iat": NOW,
        "exp": NOW + 120,
        "jti": "l-1",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        "sub": SUBJECT,
        "sid": "s-1",
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not ...}


MISTYPED: Final[list[dict[str, object]]] = [
    {"name": 7},
    {"email": ["a@example.com"]},
    {"email_verified": "true"},
    {"email_verified": 1},
    {"phone_number": 3_544_123_456},
    {"phone_number_verified": "false"},
    {"locale": ["en", "de"]},
    {"address": "Example Road 1"},
    {"picture": {"url": "x"}},
    {"zoneinfo": False},
    {"website": 1},
]
"""Claims about a person to which real providers give a type of their own."""

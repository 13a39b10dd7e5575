"""Encodes the access tokens that the processes of a session share, as they are sealed in a database."""

from __future__ import annotations

import json
from typing import Any

from jupyter_oidc.protocol.json_value import number
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal
from jupyter_oidc.sessions.delegation import SessionKey
from jupyter_oidc.sessions.grant import TokenKey
from jupyter_oidc.sessions.shared_tokens import SharedAccess, SharedToken

FORMAT_VERSION = 1


def encoded(access: SharedAccess) -> Secret:
    """Return the text to be sealed; it holds the tokens."""
    tokens = [
        {
            "audience": one.key.audience,
            "resource": one.key.resource,
            "scopes": None if one.key.scopes is None else list(one.key.scopes),
            "access_token": reveal(one.secret),
            "obtained_at": one.obtained_at,
            "lifetime": one.lifetime,
            "is_bound": one.is_bound,
        }
        for one in access.tokens
    ]
    return Secret(json.dumps({"format": FORMAT_VERSION, "session": list(access.session), "tokens": tokens}))


def decoded(text: Secret) -> SharedAccess | None:
    """Return the tokens in ``text``; ``None`` if it cannot be read: each process gets its own then."""
    try:
        said: dict[str, Any] = json.loads(reveal(text))
        if said["format"] != FORMAT_VERSION:
            return None
        subject, signed_in_at = said["session"]
        return SharedAccess(SessionKey(str(subject), _time(signed_in_at)), tuple(map(_token, said["tokens"])))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _token(said: dict[str, Any]) -> SharedToken:
    scopes = said["scopes"]
    key = TokenKey(said["audience"], said["resource"], None if scopes is None else tuple(scopes))
    lifetime = None if said["lifetime"] is None else _time(said["lifetime"])
    return SharedToken(
        key, Secret(said["access_token"]), _time(said["obtained_at"]), lifetime, said["is_bound"] is True
    )


def _time(value: object) -> float:
    seconds = number(value)
    if seconds is None:
        raise ValueError("not a time")
    return seconds

"""Dynamic registration of a client at a provider that offers it openly (Dynamic Client Registration 1.0).

The answer's ``registration_access_token`` is dropped: nothing here changes a registration later, and what is not kept
cannot be stolen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import DiscoveryFailed
from jupyter_oidc.protocol.json_value import printable
from jupyter_oidc.protocol.message import Call, ReplyUnusable, tolerant_object
from jupyter_oidc.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_oidc.protocol.message import Reply

_MAX_TEXT_CHARACTERS: Final = 1024


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """A client as the provider has registered it; one without a secret is public."""

    client_id: str
    secret: Secret | None


def registration_call(
    endpoint: str, *, redirect_uris: Sequence[str], scopes: Sequence[str], auth_method: str, grant_types: Sequence[str]
) -> Call:
    """Build the request that registers a client (Dynamic Client Registration 1.0, 3.1).

    A client with loopback redirect URIs over http is a native one (2: ``application_type``).
    """
    is_native = any(uri.startswith("http://") for uri in redirect_uris)
    document: dict[str, Any] = {
        "client_name": "jupyter_oidc",
        "application_type": "native" if is_native else "web",
        "redirect_uris": list(redirect_uris),
        "response_types": ["code"],
        "grant_types": list(grant_types),
        "token_endpoint_auth_method": auth_method,
        "scope": " ".join(scopes),
    }
    return Call("POST", endpoint, json_body=json.dumps(document), endpoint="registration")


def read_registration_reply(reply: Reply) -> RegisteredClient:
    """Return the registered client; raises :class:`DiscoveryFailed` for a refusal, whose text is not repeated."""
    if reply.status not in (200, 201):
        raise _refused(sentence("The provider's registration endpoint answers status {status}.", status=reply.status))
    try:
        members = tolerant_object(reply).members
    except ReplyUnusable as unusable:
        raise _refused(
            sentence(
                "The provider's registration endpoint gave an answer that cannot be used: {fault}.",
                fault=unusable.fault,
            )
        ) from None
    client_id, secret = members.get("client_id"), members.get("client_secret")
    if not _is_text(client_id) or not (secret in (None, "") or _is_text(secret)):
        raise _refused(N_("The provider's registration endpoint gave an answer without a usable client id."))
    return RegisteredClient(str(client_id), Secret(str(secret)) if secret else None)


def _is_text(value: object) -> bool:
    return printable(value) and len(value) <= _MAX_TEXT_CHARACTERS


def _refused(message: str) -> DiscoveryFailed:
    return DiscoveryFailed(
        message,
        action=N_("Register the client at the provider by hand, and run this again without --register."),
        detail="registration",
    )

"""Signing out at the provider: revokes a token, and finds the page that ends the provider's own session.

The end of *our* session needs neither, and never waits for them (L-4, L-6).
This module refuses to put an ID token into a URL: :class:`LogoutRequest` holds none, and a caller that adds one
sends a form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from jupyter_oidc.protocol.authorization import with_query
from jupyter_oidc.protocol.client_authentication import authenticate
from jupyter_oidc.protocol.message import Call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_oidc.protocol.client_authentication import Client
    from jupyter_oidc.protocol.discovery import Metadata
    from jupyter_oidc.protocol.message import Reply
    from jupyter_oidc.secret import Secret


def revocation_call(
    metadata: Metadata,
    client: Client,
    token: Secret,
    hint: Literal["refresh_token", "access_token"],
) -> Call | None:
    """Build the call that revokes ``token`` (RFC 7009, 2.1); ``None`` if the provider has no endpoint for it."""
    if metadata.revocation_endpoint is None:
        return None
    fields, basic = authenticate(client)
    return Call(
        "POST",
        metadata.revocation_endpoint,
        form=(("token", token), ("token_type_hint", hint), *fields),
        basic=basic,
        endpoint="revocation",
    )


def read_revocation_reply(reply: Reply) -> bool:
    """Return whether the token is revoked: status 200, which an unknown token gets too (RFC 7009, 2.2).

    A page of HTML comes not from a revocation endpoint but from a middlebox (D1); an empty body is an answer of any
    media type, and some frameworks label it as HTML.
    """
    page = reply.media_type in ("text/html", "application/xhtml+xml") and not reply.is_empty
    return reply.status == 200 and not page


STANDARD_PARAMETER: Final = "post_logout_redirect_uri"
_HOST: Final = re.compile(r"[a-z0-9._-]+\Z|\[[0-9a-f:.]+\]\Z")
"""Hosts that may be written into a Content-Security-Policy, where a semicolon would begin another directive."""


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A browser's request to the provider's sign-out page (RP-Initiated Logout 1.0, 2), without an ID token.

    ``origins`` are those that a form may lead to: the page's, that of the way back, and those in the settings (CSP 3,
    6.4.1).
    ``takes_form`` says that the page follows the standard, and that its origins can be written in a policy.
    """

    endpoint: str
    fields: tuple[tuple[str, str], ...]
    origins: tuple[str, ...] = ()
    takes_form: bool = False

    @property
    def url(self) -> str:
        """The request as a link; the query of the page's own address is kept (L-5).

        NOTE: it never holds ``id_token_hint``, because links are kept and repeated; the specification allows a request
        without the hint (RP-Initiated Logout 1.0, 2), and the provider may ask the person to confirm.
        """
        return with_query(self.endpoint, dict(self.fields))


def logout_request(
    metadata: Metadata | None,
    *,
    client_id: str,
    post_logout_redirect_uri: str | None,
    state: str | None,
    allowed_origins: Sequence[str] = (),
    configured: str | None = None,
    redirect_parameter: str = STANDARD_PARAMETER,
) -> LogoutRequest | None:
    """Return the request that ends the provider's session; ``None`` if there is no such page (L-2 to L-6).

    ``configured`` is the page in the settings, which replaces that of the metadata.
    ``allowed_origins`` (``https://host[:port]``), if there are any, are the only ones that the browser may be sent to.

    ``post_logout_redirect_uri`` must be exactly the registered value; without it the provider shows a page
    of its own, and ``state`` does not come back. A ``redirect_parameter`` of another name than the standard's belongs
    to a page that does not follow the standard and may demand it (D5): without a value, no such page is offered.
    """
    endpoint = configured or (metadata.end_session_endpoint if metadata is not None else None)
    if endpoint is None or (post_logout_redirect_uri is None and redirect_parameter != STANDARD_PARAMETER):
        return None
    if allowed_origins and origin_of(endpoint) not in map(origin_of, allowed_origins):
        return None
    fields = [("client_id", client_id)]
    if post_logout_redirect_uri is not None:
        fields.append((redirect_parameter, post_logout_redirect_uri))
        if state is not None:
            fields.append(("state", state))
    led_to = [one for one in (endpoint, post_logout_redirect_uri, *allowed_origins) if one is not None]
    sources = [_csp_source(one) for one in led_to]
    named = tuple(dict.fromkeys(source for source in sources if source is not None))
    takes_form = redirect_parameter == STANDARD_PARAMETER and None not in sources
    return LogoutRequest(endpoint, tuple(fields), named, takes_form)


def _csp_source(url: str) -> str | None:
    """Return the origin of ``url`` for a Content-Security-Policy, or ``None`` for a host that it cannot hold."""
    parts = urlsplit(url)
    host = (parts.netloc.rpartition("@")[2].lower()).removesuffix(f":{parts.port}")
    if not _HOST.match(host) or parts.scheme not in ("https", "http"):
        return None
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of ``url`` in a form that can be compared (RFC 6454, 4)."""
    parts = urlsplit(url)
    return (
        parts.scheme.lower(),
        (parts.hostname or "").lower(),
        parts.port or {"https": 443, "http": 80}.get(parts.scheme),
    )

"""Reads the issuer out of what a person types or pastes: an issuer, the address of its metadata, or a host.

It refuses to guess a path: where the issuer has one, the person has to give it.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from jupyter_oidc.cli.setup.obstacle import UNANSWERED_CODE, Obstacle
from jupyter_oidc.language import N_, _, told
from jupyter_oidc.protocol.discovery import is_secure_url
from jupyter_oidc.web.redirects import is_loopback_host

_METADATA_PATHS: Final = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
_EXAMPLE: Final = N_("Give the issuer, for example https://id.example.com, or the address of its metadata.")


def issuer_in(text: str) -> str:
    """Return the issuer that ``text`` means, as far as it can be known without asking; raises :class:`Obstacle`.

    Query and fragment are no part of an issuer (Discovery 1.0, 3), and are refused rather than dropped, since they may
    be part of what was meant.
    """
    address = text.strip().strip("<>\"'")
    if "://" not in address:
        address = f"{'http' if is_loopback_host(address.partition('/')[0]) else 'https'}://{address}"
    for path in _METADATA_PATHS:
        # NOTE: RFC 8414, 3.1 puts the well-known path before the issuer's own; OpenID providers put it behind.
        if address.rstrip("/").endswith(path):
            address = address.rstrip("/").removesuffix(path)
    if is_secure_url(address, allow_loopback_http=True) and not {"?", "#"} & set(address):
        return address
    raise Obstacle(*_fault(address), code=UNANSWERED_CODE)


def is_plain_http(issuer: str) -> bool:
    """Return whether ``issuer`` is reached without TLS, which is admitted at a loopback address only."""
    return urlsplit(issuer).scheme == "http"


def other_slash(issuer: str) -> str:
    """Return ``issuer`` with a slash at its end, or without the one that it has: the same address, and another name."""
    return issuer.removesuffix("/") if issuer.endswith("/") else f"{issuer}/"


def _fault(address: str) -> tuple[str, str]:
    if address.startswith("http://") and is_secure_url(f"https{address[4:]}", allow_loopback_http=False):
        return (
            _("The issuer begins with http, and without TLS anybody on the way could sign in as anyone."),
            _("Give it with https; http is admitted at a loopback address of this machine alone."),
        )
    if {"?", "#"} & set(address):
        return _("An issuer has neither a query nor a fragment."), told(_EXAMPLE)
    return _("That is not the address of an issuer."), told(_EXAMPLE)

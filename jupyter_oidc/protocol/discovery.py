"""Provider metadata: where the provider's endpoints are and what it says it can do.

A document is either accepted as a :class:`Metadata` or refused as a whole.
This module refuses to guess: an endpoint that the document does not name does not exist (H-3).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from jupyter_oidc.errors import DiscoveryFailed, IssuerMismatch
from jupyter_oidc.protocol.json_value import texts
from jupyter_oidc.protocol.message import Call, ReplyUnusable, json_object
from jupyter_oidc.protocol.reply_header import cache_lifetime

if TYPE_CHECKING:
    from jupyter_oidc.protocol.message import Reply

_WELL_KNOWN: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What one provider published, after every check (Discovery 1.0, 3).

    Absent list members are ``None``: nothing was advertised, which is not the same as "nothing is supported".
    ``lifetime`` is in seconds.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    revocation_endpoint: str | None = None
    end_session_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    token_endpoint_auth_methods: frozenset[str] | None = None
    token_endpoint_auth_signing_algs: frozenset[str] | None = None
    code_challenge_methods: frozenset[str] | None = None
    scopes_supported: frozenset[str] | None = None
    grant_types: frozenset[str] | None = None
    dpop_signing_algs: frozenset[str] | None = None
    iss_parameter_supported: bool = False
    lifetime: float = 3600.0


def discovery_call(issuer: str) -> Call:
    """Ask for the metadata of ``issuer``, less one slash at its end (Discovery 1.0, 4.1; D-2)."""
    return Call("GET", issuer.removesuffix("/") + _WELL_KNOWN, max_redirects=3)


def read_discovery_reply(issuer: str, reply: Reply, *, allow_loopback_http: bool) -> Metadata:
    """Accept the metadata of exactly ``issuer`` (Discovery 1.0, 4.2, 4.3; D-3, D-4, D-5, D-7, A22, A24).

    Unknown members are ignored.
    Raises :class:`IssuerMismatch` if the document speaks for somebody else, compared byte for byte, and
    :class:`DiscoveryFailed` for everything else that is wrong with it.
    """
    if reply.status != 200:
        raise DiscoveryFailed(
            f"The provider answered status {reply.status} where its metadata should be.",
            action="Check that the issuer in the settings is right, then try again.",
            detail="discovery.status",
        )
    try:
        document = json_object(reply)
    except ReplyUnusable as unusable:
        raise DiscoveryFailed(
            f"The provider's metadata cannot be read: {unusable.fault}.",
            detail="discovery.format",
        ) from None
    named = document.get("issuer")
    if not isinstance(named, str):
        raise _unusable("issuer", "is missing or not a text")
    if named != issuer:
        raise IssuerMismatch(_difference(issuer, named), detail="discovery.issuer")

    def required(member: str) -> str:
        url = document.get(member)
        if not isinstance(url, str) or not url:
            raise _unusable(member, "is missing or not a text")
        if "#" in url or not is_secure_url(url, allow_loopback_http=allow_loopback_http):
            raise _unusable(member, "is not an https URL")
        return url

    def optional(member: str) -> str | None:
        return None if document.get(member) is None else required(member)

    return Metadata(
        issuer=issuer,
        authorization_endpoint=required("authorization_endpoint"),
        token_endpoint=required("token_endpoint"),
        jwks_uri=required("jwks_uri"),
        userinfo_endpoint=required("userinfo_endpoint"),
        revocation_endpoint=optional("revocation_endpoint"),
        end_session_endpoint=optional("end_session_endpoint"),
        device_authorization_endpoint=optional("device_authorization_endpoint"),
        token_endpoint_auth_methods=_set(document, "token_endpoint_auth_methods_supported"),
        token_endpoint_auth_signing_algs=_set(document, "token_endpoint_auth_signing_alg_values_supported"),
        code_challenge_methods=_set(document, "code_challenge_methods_supported"),
        scopes_supported=_set(document, "scopes_supported"),
        grant_types=_set(document, "grant_types_supported"),
        dpop_signing_algs=_set(document, "dpop_signing_alg_values_supported"),
        iss_parameter_supported=_flag(document, "authorization_response_iss_parameter_supported"),
        lifetime=cache_lifetime(reply.headers),
    )


def check_pkce(metadata: Metadata) -> None:
    """Refuse a provider that lists its PKCE methods without ``S256``; a missing list is fine (D-11).

    Raises :class:`DiscoveryFailed`.
    """
    if metadata.code_challenge_methods is not None and "S256" not in metadata.code_challenge_methods:
        raise DiscoveryFailed(
            "The provider does not support PKCE with S256, and without it no sign-in is started.",
            action="Ask your administrator to enable PKCE (S256) at the provider.",
            detail="discovery.pkce",
        )


def is_secure_url(url: str, *, allow_loopback_http: bool) -> bool:
    """Say whether ``url`` is absolute ``https``, or, if allowed, ``http`` on a loopback host (D-7).

    User names, blanks, control characters, backslashes and anything outside ASCII make a URL insecure,
    because two parsers may read them as two different hosts.
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or port == 0 or "@" in parts.netloc:
        return False
    if parts.scheme == "https":
        return True
    return parts.scheme == "http" and allow_loopback_http and _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _set(document: dict[str, Any], member: str) -> frozenset[str] | None:
    """Read a list member, which is a set whatever its order (D-4)."""
    value = document.get(member)
    if value is None:
        return None
    listed = texts(value)
    if listed is None:
        raise _unusable(member, "is not a list of texts")
    return frozenset(listed)


def _flag(document: dict[str, Any], member: str) -> bool:
    value = document.get(member)
    if value is not None and not isinstance(value, bool):
        raise _unusable(member, "is neither true nor false")
    return value is True


def _unusable(member: str, fault: str) -> DiscoveryFailed:
    return DiscoveryFailed(
        f"The provider's metadata cannot be used: {member} {fault}.",
        detail=f"discovery.{member}",
    )


def _difference(configured: str, named: str) -> str:
    """Say what differs without quoting the peer (A22)."""
    if configured.rstrip("/") == named.rstrip("/"):
        fault = "they differ in the slash at the end"
    elif "{" in named:
        fault = "the provider's contains a placeholder, so it stands for many tenants and not for yours"
    elif configured.partition("://")[2] == named.partition("://")[2]:
        fault = "one begins with http and the other with https"
    elif configured.lower() == named.lower():
        fault = "they differ in upper and lower case"
    else:
        fault = "they are different names"
    return f"The issuer in the settings, {configured}, is not the one in the provider's metadata: {fault}."

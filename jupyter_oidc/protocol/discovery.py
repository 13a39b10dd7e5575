"""Provider metadata: the provider's endpoints and the features that it advertises (Discovery 1.0).

The issuer and the endpoints of every sign-in are judged strictly, and one fault there refuses the whole document.
Any other member that cannot be used counts as absent, and its name is remembered (ADR 0028).
This module refuses to guess: an endpoint that the document does not name does not exist (H-3),
unless the settings name it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import DiscoveryFailed, IssuerMismatch
from jupyter_oidc.protocol.json_value import texts
from jupyter_oidc.protocol.message import Call, Document, ReplyUnusable, tolerant_object
from jupyter_oidc.protocol.reply_header import cache_lifetime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.protocol.message import Reply

_T = TypeVar("_T")
_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_TWICE: Final = sentence("is there twice")


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata of one provider, after every check (Discovery 1.0, 3).

    Absent list members are ``None``: nothing was advertised, which is not the same as "nothing is supported".
    ``unusable`` are members that are present but count as absent, each with its fault.
    ``lifetime`` is in seconds.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    revocation_endpoint: str | None = None
    end_session_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    pushed_authorization_request_endpoint: str | None = None
    registration_endpoint: str | None = None
    requires_pushed_requests: bool = False
    token_endpoint_auth_methods: frozenset[str] | None = None
    token_endpoint_auth_signing_algs: frozenset[str] | None = None
    code_challenge_methods: frozenset[str] | None = None
    scopes_supported: frozenset[str] | None = None
    grant_types: frozenset[str] | None = None
    dpop_signing_algs: frozenset[str] | None = None
    response_types: frozenset[str] | None = None
    response_modes: frozenset[str] | None = None
    prompt_values: frozenset[str] | None = None
    id_token_signing_algs: frozenset[str] | None = None
    userinfo_signing_algs: frozenset[str] | None = None
    requires_signed_requests: bool = False
    certificate_bound_tokens: bool = False
    iss_parameter_supported: bool = False
    unusable: tuple[tuple[str, str], ...] = ()
    lifetime: float = 3600.0


def discovery_call(issuer: str, metadata_url: str | None = None) -> Call:
    """Build the call for the metadata of ``issuer``, less one slash at its end (Discovery 1.0, 4.1; D-2).

    ``metadata_url`` is their address, if the settings name one; the document has to name its issuer all the same.
    """
    return Call("GET", metadata_url or issuer.removesuffix("/") + _WELL_KNOWN, max_redirects=3, endpoint="metadata")


def read_discovery_reply(
    issuer: str,
    reply: Reply,
    *,
    allow_loopback_http: bool,
    endpoints: Mapping[str, str] = MappingProxyType({}),
    mutual_tls: bool = False,
) -> Metadata:
    """Accept the metadata of exactly ``issuer`` (Discovery 1.0, 4.2, 4.3; D-3, D-4, D-5, D-7, A22, A24).

    ``endpoints`` from the settings take the place of the document's and are judged by the same rules; so do those that
    the document names for ``mutual_tls`` (``mtls_endpoint_aliases``; RFC 8705, 5), unless the settings name them.
    Unknown members are ignored, and so are optional members that cannot be used.
    Raises :class:`IssuerMismatch` if the document names another issuer, compared byte for byte, and
    :class:`DiscoveryFailed` for any other fault.
    """
    if reply.status != 200:
        raise DiscoveryFailed(
            sentence("The provider answered status {status} where its metadata should be.", status=reply.status),
            action=N_("Check that the issuer in the settings is right, then try again."),
            detail="discovery.status",
        )
    try:
        document = tolerant_object(reply)
    except ReplyUnusable as unusable:
        raise DiscoveryFailed(
            sentence("The provider's metadata cannot be read: {fault}.", fault=unusable.fault),
            detail="discovery.format",
        ) from None
    instead = {**(_aliases(document) if mutual_tls else {}), **endpoints}
    document = Document({**document.members, **instead}, document.doubled.difference(instead))
    read = _Reading(document, allow_loopback_http=allow_loopback_http)
    named = document.members.get("issuer")
    if not isinstance(named, str):
        raise _refused("issuer", _TWICE if "issuer" in document.doubled else sentence("is missing or not a text"))
    if named != issuer:
        raise IssuerMismatch(_difference(issuer, named), detail="discovery.issuer")
    return Metadata(
        issuer=issuer,
        authorization_endpoint=read.required("authorization_endpoint"),
        token_endpoint=read.required("token_endpoint"),
        jwks_uri=read.required("jwks_uri"),
        userinfo_endpoint=read.if_there("userinfo_endpoint"),
        revocation_endpoint=read.endpoint("revocation_endpoint"),
        end_session_endpoint=read.endpoint("end_session_endpoint"),
        device_authorization_endpoint=read.endpoint("device_authorization_endpoint"),
        pushed_authorization_request_endpoint=read.endpoint("pushed_authorization_request_endpoint"),
        registration_endpoint=read.rarely_used("registration_endpoint"),
        requires_pushed_requests=read.flag("require_pushed_authorization_requests"),
        token_endpoint_auth_methods=read.listed("token_endpoint_auth_methods_supported"),
        token_endpoint_auth_signing_algs=read.listed("token_endpoint_auth_signing_alg_values_supported"),
        code_challenge_methods=read.listed("code_challenge_methods_supported"),
        scopes_supported=read.listed("scopes_supported"),
        grant_types=read.listed("grant_types_supported"),
        dpop_signing_algs=read.listed("dpop_signing_alg_values_supported"),
        response_types=read.listed("response_types_supported"),
        response_modes=read.listed("response_modes_supported"),
        prompt_values=read.listed("prompt_values_supported"),
        id_token_signing_algs=read.listed("id_token_signing_alg_values_supported"),
        userinfo_signing_algs=read.listed("userinfo_signing_alg_values_supported"),
        requires_signed_requests=read.flag("require_signed_request_object"),
        certificate_bound_tokens=read.flag("tls_client_certificate_bound_access_tokens"),
        iss_parameter_supported=read.flag("authorization_response_iss_parameter_supported"),
        unusable=tuple(read.unusable.items()),
        lifetime=cache_lifetime(reply.headers),
    )


_CALLED_BY_US: Final = (
    "token_endpoint",
    "pushed_authorization_request_endpoint",
    "userinfo_endpoint",
    "revocation_endpoint",
    "device_authorization_endpoint",
)
"""The endpoints that have an alias for clients with certificates; a browser is sent to none of them."""


def _aliases(document: Document) -> dict[str, object]:
    """Return the aliases that replace the document's endpoints, to be judged by the same rules."""
    value = document.members.get("mtls_endpoint_aliases")
    if not isinstance(value, dict):
        return {}
    return {name: value[name] for name in _CALLED_BY_US if value.get(name) not in (None, "")}


def is_secure_url(url: str, *, allow_loopback_http: bool) -> bool:
    """Return whether ``url`` is absolute ``https``, or, if allowed, ``http`` on a loopback host (D-7).

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


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads a document member by member; ``unusable`` collects those that are present but count as absent."""

    document: Document
    allow_loopback_http: bool
    unusable: dict[str, str] = field(default_factory=dict)

    def required(self, member: str) -> str:
        """Return an endpoint without which no sign-in is possible; raises :class:`DiscoveryFailed`."""
        value, fault = self._endpoint(member)
        if value is None:
            raise _refused(member, fault or sentence("is missing"))
        return value

    def if_there(self, member: str) -> str | None:
        """Return an endpoint that every sign-in uses if it is present.

        Raises :class:`DiscoveryFailed` if it is unusable.
        """
        return None if self._is_blank(member) else self.required(member)

    def endpoint(self, member: str) -> str | None:
        """Return an optional endpoint; ``None`` if it is absent or unusable."""
        value, fault = self._endpoint(member)
        return self._told(member, value, fault)

    def rarely_used(self, member: str) -> str | None:
        """Return an endpoint that no sign-in uses; an unusable one is not worth a remark."""
        value, _ = self._endpoint(member)
        return value

    def listed(self, member: str) -> frozenset[str] | None:
        """Return a list member as a set, since its order has no meaning (D-4)."""
        value = self.document.members.get(member)
        words = None if value is None else texts(value)
        fault = None if value is None or words is not None else sentence("is not a list of texts")
        return self._told(member, None if words is None else frozenset(words), fault)

    def flag(self, member: str) -> bool:
        """Return whether ``member`` is the JSON value ``true``."""
        value = self.document.members.get(member)
        fault = None if value is None or isinstance(value, bool) else sentence("is neither true nor false")
        return self._told(member, value is True, fault)

    def _is_blank(self, member: str) -> bool:
        return member not in self.document.doubled and self.document.members.get(member) in (None, "")

    def _endpoint(self, member: str) -> tuple[str | None, str | None]:
        value = self.document.members.get(member)
        if member in self.document.doubled:
            return None, _TWICE
        if value is None:
            return None, None
        if not isinstance(value, str) or not value:
            return None, sentence("is not a text")
        if "#" in value or not is_secure_url(value, allow_loopback_http=self.allow_loopback_http):
            return None, sentence("is not an https URL")
        return value, None

    def _told(self, member: str, value: _T, fault: str | None) -> _T:
        if member in self.document.doubled:
            fault = _TWICE
        if fault is not None:
            self.unusable[member] = fault
        return value


def check_offered(metadata: Metadata, member: str) -> None:
    """Raise :class:`DiscoveryFailed` if ``member``, which is needed now, is present but unusable."""
    fault = dict(metadata.unusable).get(member)
    if fault is not None:
        raise _refused(member, fault)


def _refused(member: str, fault: str) -> DiscoveryFailed:
    return DiscoveryFailed(
        sentence("The provider's metadata cannot be used: {member} {fault}.", member=member, fault=fault),
        detail=f"discovery.{member}",
    )


def _difference(configured: str, named: str) -> str:
    """Describe the difference of two issuers without quoting the provider's (A22)."""
    if configured.rstrip("/") == named.rstrip("/"):
        template = N_(
            "The issuer in the settings, {configured}, is not the one in the provider's metadata: they "
            "differ in the slash at the end."
        )
    elif "{" in named:
        template = N_(
            "The issuer in the settings, {configured}, is not the one in the provider's metadata: the "
            "provider's contains a placeholder, so it stands for many tenants and not for yours."
        )
    elif configured.partition("://")[2] == named.partition("://")[2]:
        template = N_(
            "The issuer in the settings, {configured}, is not the one in the provider's metadata: one "
            "begins with http and the other with https."
        )
    elif configured.lower() == named.lower():
        template = N_(
            "The issuer in the settings, {configured}, is not the one in the provider's metadata: they "
            "differ in upper and lower case."
        )
    else:
        template = N_(
            "The issuer in the settings, {configured}, is not the one in the provider's metadata: they "
            "are different names."
        )
    return sentence(template, configured=configured)

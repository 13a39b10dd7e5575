"""Maps a TLS failure to the caller's problem: the host, the issuer, the fault, and who can help (C35, H-1)."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from jupyter_oidc.adapters.network.client_certificate import CERTIFICATE
from jupyter_oidc.adapters.network.network_route import of_peer
from jupyter_oidc.language import N_, Sentence, sentence
from jupyter_oidc.problems import TlsUntrusted

if TYPE_CHECKING:
    from jupyter_oidc.adapters.network.network_route import NetworkRoute, Peer

_EXPIRED_CODES: Final = frozenset({10, 0x800B0101, -67818})
_NOT_YET_VALID_CODES: Final = frozenset({9, -67819})
_OTHER_HOST_CODES: Final = frozenset({62, 64, 0x800B010F, -67602})
"""The codes of OpenSSL, Windows and macOS for a certificate of another host."""


_CLIENT_CERTIFICATE_ALERTS: Final = frozenset(
    {
        *("TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_BAD_CERTIFICATE"),
        *("SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_CERTIFICATE_REVOKED", "SSLV3_ALERT_CERTIFICATE_UNKNOWN"),
        *("SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "SSLV3_ALERT_HANDSHAKE_FAILURE"),
    }
)
"""Alerts of a server that wants a client certificate, or another one (RFC 8446, 6.2); older servers send the last."""


Fault = Literal["old", "none", "cipher", "weak"]
"""Why there is no TLS: the peer's version is too old, it speaks none, no common cipher, or its key is too weak."""

_FAULTS: Final[dict[str, Fault]] = {
    **dict.fromkeys(("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "WRONG_SSL_VERSION"), "old"),
    **dict.fromkeys(("VERSION_TOO_LOW", "UNSAFE_LEGACY_RENEGOTIATION_DISABLED"), "old"),
    **dict.fromkeys(("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"), "none"),
    **dict.fromkeys(("HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNKNOWN_PROTOCOL"), "none"),
    **dict.fromkeys(("NO_SHARED_CIPHER", "NO_CIPHERS_AVAILABLE", "TLSV1_ALERT_INSUFFICIENT_SECURITY"), "cipher"),
    **dict.fromkeys(("EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK", "DH_KEY_TOO_SMALL"), "weak"),
}
"""The fault for each reason of OpenSSL; its versions have different reasons for an answer that is no TLS."""

_TOO_WEAK_CODES: Final = frozenset({66, 67, 68})
"""OpenSSL's codes for a certificate with a weak key, or of an authority with a weak key or signature."""


def handshake_fault(error: BaseException) -> Fault | None:
    """Return why ``error`` prevented a TLS connection; ``None`` if a certificate was at fault."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError) and not isinstance(seen, ssl.SSLCertVerificationError):
            fault = _FAULTS.get(getattr(seen, "reason", None) or "")
            if fault is not None:
                return fault
        seen = seen.__cause__ or seen.__context__
    return None


def tls_unavailable(url: str, peer: Peer, fault: Fault) -> TlsUntrusted:
    """Return the problem for a TLS ``fault`` of the host of ``url``; nothing was sent to it."""
    host = urlsplit(url).hostname
    message, action = {
        "old": (
            sentence("{host} speaks only a TLS that is older than 1.2, which is no longer safe.", host=host),
            of_peer(
                peer,
                N_("Ask the owner of the provider to switch TLS 1.2 or 1.3 on there."),
                N_("Ask the owner of the API to switch TLS 1.2 or 1.3 on there."),
            ),
        ),
        "none": (
            sentence("{host} does not answer in TLS at that port; most likely it is plain HTTP.", host=host),
            of_peer(
                peer,
                N_("Ask your administrator to check the port of the provider, and its owner to switch https on there."),
                N_("Ask your administrator to check the port of the API, and its owner to switch https on there."),
            ),
        ),
        "cipher": (
            sentence("{host} and this machine have no cipher in common that is safe.", host=host),
            of_peer(
                peer,
                N_("Ask the owner of the provider to allow the ciphers of today's TLS."),
                N_("Ask the owner of the API to allow the ciphers of today's TLS."),
            ),
        ),
        "weak": (
            sentence("{host} presents a key that is too weak to be trusted.", host=host),
            of_peer(
                peer,
                N_("Ask the owner of the provider for a certificate with a key of today's length."),
                N_("Ask the owner of the API for a certificate with a key of today's length."),
            ),
        ),
    }[fault]
    return TlsUntrusted(message, action=action, detail=f"tls.{fault}")


def rejects_client_certificate(error: BaseException) -> bool:
    """Return whether the server refused our client certificate, or the lack of one, and so caused ``error``.

    A server of TLS 1.2 refuses a handshake without a common cipher with the same alert; how far the handshake came
    tells the two apart.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError) and getattr(seen, "reason", None) in _CLIENT_CERTIFICATE_ALERTS:
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def client_certificate_required(network_route: NetworkRoute) -> TlsUntrusted:
    """Return the problem for a peer of ``network_route`` that demands a client certificate, or another one."""
    if network_route.client_certificate is None:
        return TlsUntrusted(
            of_peer(
                network_route.peer,
                N_("The provider does not let this server in; most likely it asks for a client certificate."),
                N_("The API does not let this server in; most likely it asks for a client certificate."),
            ),
            action=of_peer(
                network_route.peer,
                N_("Ask your administrator to set client_certificate of the provider."),
                N_("Ask your administrator to set client_certificate of the API."),
            ),
            detail=CERTIFICATE,
        )
    return TlsUntrusted(
        of_peer(
            network_route.peer,
            N_("The provider does not take the client certificate of this server."),
            N_("The API does not take the client certificate of this server."),
        ),
        action=of_peer(
            network_route.peer,
            N_("Ask your administrator whether client_certificate of the provider has expired or is registered."),
            N_("Ask your administrator whether client_certificate of the API has expired or is registered."),
        ),
        detail=CERTIFICATE,
    )


def verification_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """Return the failed certificate verification that caused ``error``, or ``None``."""
    found: ssl.SSLCertVerificationError | None = None
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            found = seen  # NOTE: the innermost; aiohttp's own error is one as well, without the reason
        seen = seen.__cause__ or seen.__context__
    return found


def certificate_untrusted(error: BaseException, url: str, peer: Peer, issuer: str | None) -> TlsUntrusted:
    """Return the problem for the certificate that the host of ``url`` presented; ``issuer`` is the name it gives."""
    refused = verification_error(error)
    code = getattr(refused, "verify_code", None)
    named: dict[str, object] = {"host": urlsplit(url).hostname, **({"issuer": issuer} if issuer else {})}
    if code in _EXPIRED_CODES:
        return TlsUntrusted(
            Sentence(
                N_("The certificate that {host} presents, issued by '{issuer}', has expired.")
                if issuer
                else N_("The certificate that {host} presents has expired."),
                named,
            ),
            action=of_peer(
                peer,
                N_("Ask the owner of the provider to renew it. If it works elsewhere, set this machine's clock."),
                N_("Ask the owner of the API to renew it. If it works elsewhere, set this machine's clock."),
            ),
        )
    if code in _NOT_YET_VALID_CODES:
        return TlsUntrusted(
            Sentence(
                N_("The certificate that {host} presents, issued by '{issuer}', is not valid yet.")
                if issuer
                else N_("The certificate that {host} presents is not valid yet."),
                named,
            ),
            action=of_peer(
                peer,
                N_("Set this machine's clock. If it is right, ask the owner of the provider."),
                N_("Set this machine's clock. If it is right, ask the owner of the API."),
            ),
        )
    if code in _OTHER_HOST_CODES:
        return TlsUntrusted(
            Sentence(
                N_("The certificate that {host} presents, issued by '{issuer}', is for another host.")
                if issuer
                else N_("The certificate that {host} presents is for another host."),
                named,
            ),
            action=of_peer(
                peer,
                N_(
                    "Ask your administrator to check the address of the provider, and its owner to check the "
                    "certificate."
                ),
                N_("Ask your administrator to check the address of the API, and its owner to check the certificate."),
            ),
        )
    if code in _TOO_WEAK_CODES:
        return TlsUntrusted(
            Sentence(
                N_(
                    "The certificate that {host} presents, issued by '{issuer}', has a key or a signature that "
                    "is too weak to be trusted."
                )
                if issuer
                else N_(
                    "The certificate that {host} presents has a key or a signature that is too weak to be trusted."
                ),
                named,
            ),
            action=of_peer(
                peer,
                N_("Ask the owner of the provider for a certificate with a key of today's length."),
                N_("Ask the owner of the API for a certificate with a key of today's length."),
            ),
            detail="tls.weak",
        )
    return TlsUntrusted(
        Sentence(
            N_("The certificate that {host} presents is issued by '{issuer}', whom this machine does not trust.")
            if issuer
            else N_("The certificate that {host} presents is not trusted on this machine."),
            named,
        ),
        action=of_peer(
            peer,
            N_(
                "If that is your company's certificate authority, ask your administrator to add it to the "
                "trust store, or to name its file in ca_bundle of the provider. If nobody knows it, somebody "
                "on the way may want to listen."
            ),
            N_(
                "If that is your company's certificate authority, ask your administrator to add it to the "
                "trust store, or to name its file in ca_bundle of the API. If nobody knows it, somebody on "
                "the way may want to listen."
            ),
        ),
    )

"""Maps a TLS failure to the problem that the caller receives: which host, whose certificate, what is wrong with it, and who can help (C35, H-1)."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from jupyter_oidc.adapters.network.client_certificate import CERTIFICATE
from jupyter_oidc.errors import TlsUntrusted

if TYPE_CHECKING:
    from jupyter_oidc.adapters.network.network_route import NetworkRoute, Peer

_EXPIRED_CODES: Final = frozenset({10, 0x800B0101, -67818})
_NOT_YET_VALID_CODES: Final = frozenset({9, -67819})
_OTHER_HOST_CODES: Final = frozenset({62, 64, 0x800B010F, -67602})
"""What OpenSSL, Windows and macOS answer."""


_CLIENT_CERTIFICATE_ALERTS: Final = frozenset(
    {
        *("TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_BAD_CERTIFICATE"),
        *("SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_CERTIFICATE_REVOKED", "SSLV3_ALERT_CERTIFICATE_UNKNOWN"),
        *("SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "SSLV3_ALERT_HANDSHAKE_FAILURE"),
    }
)
"""Alerts of a server that wants a client certificate, or another one (RFC 8446, 6.2); the last one is older servers'."""


Fault = Literal["old", "none", "cipher", "weak"]
"""Why there is no TLS: the peer's is too old, there is none, nothing in common, or a key too weak."""

_FAULTS: Final[dict[str, Fault]] = {
    **dict.fromkeys(("UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "WRONG_SSL_VERSION"), "old"),
    **dict.fromkeys(("VERSION_TOO_LOW", "UNSAFE_LEGACY_RENEGOTIATION_DISABLED"), "old"),
    **dict.fromkeys(("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"), "none"),
    **dict.fromkeys(("HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNKNOWN_PROTOCOL"), "none"),
    **dict.fromkeys(("NO_SHARED_CIPHER", "NO_CIPHERS_AVAILABLE", "TLSV1_ALERT_INSUFFICIENT_SECURITY"), "cipher"),
    **dict.fromkeys(("EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK", "DH_KEY_TOO_SMALL"), "weak"),
}
"""By what OpenSSL calls them; an older one calls an answer that is no TLS by other names than a newer one."""

_TOO_WEAK_CODES: Final = frozenset({66, 67, 68})
"""What OpenSSL answers to a certificate with such a key, or of an authority with such a key or signature."""


def handshake_fault(error: BaseException) -> Fault | None:
    """Return why ``error`` says that no TLS connection came about, if it is none of the certificates' faults."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError) and not isinstance(seen, ssl.SSLCertVerificationError):
            fault = _FAULTS.get(getattr(seen, "reason", None) or "")
            if fault is not None:
                return fault
        seen = seen.__cause__ or seen.__context__
    return None


def tls_unavailable(url: str, peer: Peer, fault: Fault) -> TlsUntrusted:
    """Return the sentences about a ``fault`` of the host of ``url``; nothing was sent to it."""
    host = urlsplit(url).hostname
    message, action = {
        "old": (
            f"{host} speaks only a TLS that is older than 1.2, which is no longer safe.",
            f"Ask the owner of the {peer} to switch TLS 1.2 or 1.3 on there.",
        ),
        "none": (
            f"{host} does not answer in TLS at that port; most likely it is plain HTTP.",
            f"Ask your administrator to check the port of the {peer}, and its owner to switch https on there.",
        ),
        "cipher": (
            f"{host} and this machine have no cipher in common that is safe.",
            f"Ask the owner of the {peer} to allow the ciphers of today's TLS.",
        ),
        "weak": (
            f"{host} presents a key that is too weak to be trusted.",
            f"Ask the owner of the {peer} for a certificate with a key of today's length.",
        ),
    }[fault]
    return TlsUntrusted(message, action=action, detail=f"tls.{fault}")


def rejects_client_certificate(error: BaseException) -> bool:
    """Return whether ``error`` was caused by a server that does not take our certificate, or that there is none.

    A server of TLS 1.2 refuses a handshake without a common cipher in the same way; how far that came tells them apart.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError) and getattr(seen, "reason", None) in _CLIENT_CERTIFICATE_ALERTS:
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def client_certificate_required(network_route: NetworkRoute) -> TlsUntrusted:
    """Return what it means that the peer of ``network_route`` does not let us in without another certificate."""
    if network_route.client_certificate is None:
        return TlsUntrusted(
            f"The {network_route.peer} does not let this server in; most likely it asks for a client certificate.",
            action=f"Ask your administrator to set client_certificate of the {network_route.peer}.",
            detail=CERTIFICATE,
        )
    return TlsUntrusted(
        f"The {network_route.peer} does not take the client certificate of this server.",
        action=f"Ask your administrator whether client_certificate of the {network_route.peer} has expired or is registered.",
        detail=CERTIFICATE,
    )


def verification_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """Return what ``error`` was caused by, if that is a certificate that could not be verified."""
    found: ssl.SSLCertVerificationError | None = None
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            found = seen  # NOTE: the innermost; aiohttp's own is one as well, and does not know why
        seen = seen.__cause__ or seen.__context__
    return found


def certificate_untrusted(error: BaseException, url: str, peer: Peer, issuer: str | None) -> TlsUntrusted:
    """Return the sentences about the certificate that the host of ``url`` presented, ``issuer`` being what it says."""
    refused = verification_error(error)
    code = getattr(refused, "verify_code", None)
    certificate = f"The certificate that {urlsplit(url).hostname} presents"
    issued = f", issued by '{issuer}'," if issuer else ""
    if code in _EXPIRED_CODES:
        return TlsUntrusted(
            f"{certificate}{issued} has expired.",
            action=f"Ask the owner of the {peer} to renew it. If it works elsewhere, set this machine's clock.",
        )
    if code in _NOT_YET_VALID_CODES:
        return TlsUntrusted(
            f"{certificate}{issued} is not valid yet.",
            action=f"Set this machine's clock. If it is right, ask the owner of the {peer}.",
        )
    if code in _OTHER_HOST_CODES:
        return TlsUntrusted(
            f"{certificate}{issued} is for another host.",
            action=f"Ask your administrator to check the address of the {peer}, and its owner to check the certificate.",
        )
    if code in _TOO_WEAK_CODES:
        return TlsUntrusted(
            f"{certificate}{issued} has a key or a signature that is too weak to be trusted.",
            action=f"Ask the owner of the {peer} for a certificate with a key of today's length.",
            detail="tls.weak",
        )
    return TlsUntrusted(
        f"{certificate} is issued by '{issuer}', whom this machine does not trust."
        if issuer
        else f"{certificate} is not trusted on this machine.",
        action=(
            "If that is your company's certificate authority, ask your administrator to add it to the trust store, or "
            f"to name its file in ca_bundle of the {peer}. If nobody knows it, somebody on the way may want to listen."
        ),
    )

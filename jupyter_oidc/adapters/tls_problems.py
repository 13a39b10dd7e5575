"""What a caller hears when TLS fails: which host, whose certificate, what is wrong with it, and who can help (C35, H-1)."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from jupyter_oidc.adapters.client_certificate import CERTIFICATE
from jupyter_oidc.errors import TlsUntrusted

if TYPE_CHECKING:
    from jupyter_oidc.adapters.outlet import Outlet, Peer

_EXPIRED: Final = frozenset({10, 0x800B0101, -67818})
_NOT_YET: Final = frozenset({9, -67819})
_OTHER_HOST: Final = frozenset({62, 64, 0x800B010F, -67602})
"""What OpenSSL, Windows and macOS answer."""


_REFUSALS: Final = frozenset(
    {
        *("TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_BAD_CERTIFICATE"),
        *("SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_CERTIFICATE_REVOKED", "SSLV3_ALERT_CERTIFICATE_UNKNOWN"),
        *("SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "SSLV3_ALERT_HANDSHAKE_FAILURE"),
    }
)
"""Alerts of a server that wants a client certificate, or another one (RFC 8446, 6.2); the last one is older servers'."""


def is_refusal_of_ours(error: BaseException) -> bool:
    """Return whether ``error`` was caused by a server that does not take our certificate, or that there is none."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError) and getattr(seen, "reason", None) in _REFUSALS:
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def unwelcome(outlet: Outlet) -> TlsUntrusted:
    """Return what it means that the peer of ``outlet`` does not let us in without another certificate."""
    if outlet.client_certificate is None:
        return TlsUntrusted(
            f"The {outlet.peer} does not let this server in; most likely it asks for a client certificate.",
            action=f"Ask your administrator to set client_certificate of the {outlet.peer}.",
            detail=CERTIFICATE,
        )
    return TlsUntrusted(
        f"The {outlet.peer} does not take the client certificate of this server.",
        action=f"Ask your administrator whether client_certificate of the {outlet.peer} has expired or is registered.",
        detail=CERTIFICATE,
    )


def refused_certificate(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """Return what ``error`` was caused by, if that is a certificate that could not be verified."""
    found: ssl.SSLCertVerificationError | None = None
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            found = seen  # NOTE: the innermost; aiohttp's own is one as well, and does not know why
        seen = seen.__cause__ or seen.__context__
    return found


def untrusted(error: BaseException, url: str, peer: Peer, issuer: str | None) -> TlsUntrusted:
    """Return the sentences about the certificate that the host of ``url`` presented, ``issuer`` being what it says."""
    refused = refused_certificate(error)
    code = getattr(refused, "verify_code", None)
    certificate = f"The certificate that {urlsplit(url).hostname} presents"
    issued = f", issued by '{issuer}'," if issuer else ""
    if code in _EXPIRED:
        return TlsUntrusted(
            f"{certificate}{issued} has expired.",
            action=f"Ask the owner of the {peer} to renew it. If it works elsewhere, set this machine's clock.",
        )
    if code in _NOT_YET:
        return TlsUntrusted(
            f"{certificate}{issued} is not valid yet.",
            action=f"Set this machine's clock. If it is right, ask the owner of the {peer}.",
        )
    if code in _OTHER_HOST:
        return TlsUntrusted(
            f"{certificate}{issued} is for another host.",
            action=f"Ask your administrator to check the address of the {peer}, and its owner to check the certificate.",
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

"""Classifies why a call to a Jupyter server got no answer, by the connection's error; callers write the messages.

The command line uses it, too. It refuses to repeat the other side's text.
"""

from __future__ import annotations

import errno
import socket
import ssl
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

ConnectionFailure = Literal[
    "nobody listens",
    "no such host",
    "no TLS",
    "wants a certificate",
    "refuses our certificate",
    "wrong name",
    "unknown issuer",
    "out of date",
    "not trusted",
    "silent",
]
"""``not trusted`` is a certificate with another fault, ``silent`` an error without a cause."""

_WRONG_NAME_CODES: Final = frozenset({62, 64})
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH of OpenSSL."""

_UNKNOWN_ISSUER_CODES: Final = frozenset({2, 18, 19, 20, 21})
"""OpenSSL's codes: no issuer, self-signed, self-signed in the chain, no local issuer, no first signature."""

_VALIDITY_CODES: Final = frozenset({9, 10})
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""

_NOBODY_LISTENS_ERRNOS: Final = frozenset({errno.ECONNREFUSED, errno.ENOENT, errno.EHOSTUNREACH, errno.ENETUNREACH})

_CERTIFICATE_WANTED_REASONS: Final = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "PEER_DID_NOT_RETURN")
_CERTIFICATE_REFUSED_REASONS: Final = (
    "ALERT_UNKNOWN_CA",
    "ALERT_BAD_CERTIFICATE",
    "CERTIFICATE_UNKNOWN",
    "CERTIFICATE_EXPIRED",
)
_NO_TLS_REASONS: Final = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNEXPECTED_EOF")


def connection_failure(error: BaseException) -> ConnectionFailure:
    """Return the reason of the failed call that raised ``error``."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate_failure(getattr(cause, "verify_code", 0))
        if isinstance(cause, ssl.SSLError):
            return _tls_failure(cause.reason or "")
        if isinstance(cause, socket.gaierror):
            return "no such host"
        if isinstance(cause, OSError) and cause.errno in _NOBODY_LISTENS_ERRNOS:
            return "nobody listens"
    return "silent"


def _certificate_failure(code: int) -> ConnectionFailure:
    if code in _WRONG_NAME_CODES:
        return "wrong name"
    if code in _UNKNOWN_ISSUER_CODES:
        return "unknown issuer"
    return "out of date" if code in _VALIDITY_CODES else "not trusted"


def _tls_failure(reason: str) -> ConnectionFailure:
    named: tuple[tuple[ConnectionFailure, tuple[str, ...]], ...] = (
        ("wants a certificate", _CERTIFICATE_WANTED_REASONS),
        ("refuses our certificate", _CERTIFICATE_REFUSED_REASONS),
        ("no TLS", _NO_TLS_REASONS),
    )
    return next((why for why, reasons in named if any(word in reason for word in reasons)), "silent")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and its causes, including those of a group of attempts."""
    waiting, seen = [error], set[int]()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += getattr(cause, "exceptions", ())
        waiting += [one for one in (cause.__cause__, cause.__context__) if one is not None]

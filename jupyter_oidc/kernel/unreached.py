"""Why a call to a Jupyter server got no answer, told apart by what the connection reported; the words are the callers'.

Used by the command line too. Refuses to repeat what the other side wrote.
"""

from __future__ import annotations

import errno
import socket
import ssl
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Why = Literal[
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
"""``not trusted`` is a certificate with another flaw, ``silent`` everything that says nothing."""

_NAMES: Final = frozenset({62, 64})
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH of OpenSSL."""

_ISSUERS: Final = frozenset({2, 18, 19, 20, 21})
"""Of OpenSSL: no certificate of the issuer, self-signed, self-signed in the chain, no local issuer, no first signature."""

_TIMES: Final = frozenset({9, 10})
"""X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""

_GONE: Final = frozenset({errno.ECONNREFUSED, errno.ENOENT, errno.EHOSTUNREACH, errno.ENETUNREACH})

_DEMANDS: Final = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "PEER_DID_NOT_RETURN")
_REFUSES: Final = ("ALERT_UNKNOWN_CA", "ALERT_BAD_CERTIFICATE", "CERTIFICATE_UNKNOWN", "CERTIFICATE_EXPIRED")
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNEXPECTED_EOF")


def why_unreached(error: BaseException) -> Why:
    """Return why the call failed that raised ``error``."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _of_certificate(getattr(cause, "verify_code", 0))
        if isinstance(cause, ssl.SSLError):
            return _of_tls(cause.reason or "")
        if isinstance(cause, socket.gaierror):
            return "no such host"
        if isinstance(cause, OSError) and cause.errno in _GONE:
            return "nobody listens"
    return "silent"


def _of_certificate(code: int) -> Why:
    if code in _NAMES:
        return "wrong name"
    if code in _ISSUERS:
        return "unknown issuer"
    return "out of date" if code in _TIMES else "not trusted"


def _of_tls(reason: str) -> Why:
    named: tuple[tuple[Why, tuple[str, ...]], ...] = (
        ("wants a certificate", _DEMANDS),
        ("refuses our certificate", _REFUSES),
        ("no TLS", _NO_TLS),
    )
    return next((why for why, words in named if any(word in reason for word in words)), "silent")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield ``error`` and what led to it, those of a group of attempts included."""
    waiting, seen = [error], set[int]()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        waiting += getattr(cause, "exceptions", ())
        waiting += [one for one in (cause.__cause__, cause.__context__) if one is not None]

"""TLS to a server whose certificate is known: only that certificate is accepted, with any name and issuer.

That proves more than a name and an issuer, so the name is not checked; the certificate's validity and purpose are.
The command line uses this, too.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from pathlib import Path

_PEM_BEGIN, _PEM_END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


class _PinnedConnection:
    """Completes a handshake by comparing the certificate; mixed into both of Python's TLS connections."""

    def do_handshake(self, *arguments: Any) -> None:
        super().do_handshake(*arguments)  # type: ignore[misc]
        connection = cast("ssl.SSLSocket", self)
        if connection.getpeercert(binary_form=True) != cast("PinnedContext", connection.context).certificate:
            raise ssl.SSLCertVerificationError("the server shows another certificate than its own")


class _Socket(_PinnedConnection, ssl.SSLSocket):
    """The TLS socket of synchronous clients."""


class _Object(_PinnedConnection, ssl.SSLObject):
    """The TLS object of event loops."""


class PinnedContext(ssl.SSLContext):
    """Trusts the first certificate in a PEM file and no other.

    The file is checked for each connection, since a server may get a new certificate.
    Made by :func:`pinned`.
    """

    sslsocket_class = _Socket
    sslobject_class = _Object
    certificate: bytes | None = None
    file: Path
    loaded_state: tuple[int, int] = (0, 0)

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """Check the file for a new certificate, then wrap as every context does."""
        self._reload_certificate()
        return super().wrap_socket(*arguments, **options)

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Check the file for a new certificate, then wrap as every context does."""
        self._reload_certificate()
        return super().wrap_bio(*arguments, **options)

    def _reload_certificate(self) -> None:
        with suppress(OSError, ValueError):  # NOTE: while another process writes the file, the known certificate counts
            self.load_certificate()

    def load_certificate(self) -> None:
        """Load the certificate in the file; raises ``OSError`` or ``ValueError`` if none can be read."""
        found = self.file.stat()
        if self.loaded_state == (found.st_mtime_ns, found.st_size):
            return
        text = self.file.read_text(encoding="utf-8", errors="replace")
        begin, end = text.find(_PEM_BEGIN), text.find(_PEM_END)
        if not 0 <= begin < end:
            raise ValueError
        certificate = ssl.PEM_cert_to_DER_cert(text[begin : end + len(_PEM_END)])
        self.load_verify_locations(cadata=certificate)
        self.certificate = certificate
        self.loaded_state = (found.st_mtime_ns, found.st_size)


def pinned(file: Path) -> PinnedContext:
    """Return a context that trusts only the first certificate in ``file``; raises ``OSError`` or ``ValueError``."""
    context = PinnedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.file = file
    context.load_certificate()
    return context

"""The certificate authorities that the operating system trusts, without reading them for every connection.

Where OpenSSL takes them from one file, truststore reads that file anew for each connection: more than a hundred
certificates, on the event loop's thread, which blocks the whole server meanwhile.
Here it is read once, and again when it has changed, so that an authority that is installed today needs no restart.
(A connection pool trusts a removed one for as long as the pool lives, as with truststore: OpenSSL forgets none.)
Everything else is truststore's: macOS and Windows are asked at every handshake, a folder is looked into by OpenSSL.
"""

from __future__ import annotations

import os
import ssl
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.compat.truststore import inner_context

if TYPE_CHECKING:
    from collections.abc import Mapping

_ASKED_AT_EACH_HANDSHAKE: Final = ("darwin", "win32")

AUTHORITY_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

_Stamp = tuple[str, int, int, int, int]


@cache
def system_context() -> Any:
    """Return the class of contexts that trust what the system trusts; truststore is imported at the first call."""
    import truststore

    if sys.platform in _ASKED_AT_EACH_HANDSHAKE:
        return truststore.SSLContext

    class SystemContext(truststore.SSLContext):
        """Lets truststore read the system's authorities when they are not those that it has read already."""

        _read: _Stamp | None = None
        readings = 0
        """How often truststore has read the system's authorities for this context."""

        def wrap_bio(
            self,
            incoming: ssl.MemoryBIO,
            outgoing: ssl.MemoryBIO,
            server_side: bool = False,  # noqa: FBT001, FBT002 - as in ssl
            server_hostname: str | None = None,
            session: ssl.SSLSession | None = None,
        ) -> ssl.SSLObject:
            """Begin TLS; see ``ssl.SSLContext.wrap_bio``."""
            stamp = _stamp()
            # NOTE: truststore refuses a connection without a name where the name has to be checked; OpenSSL would not.
            known = server_hostname and stamp is not None and stamp == self._read
            begin = inner_context(self).wrap_bio if known else super().wrap_bio
            began: ssl.SSLObject = begin(incoming, outgoing, server_side, server_hostname, session)
            if not known:
                self.readings += 1
                self._read = stamp if stamp is not None and self._can_read(stamp) else None
            return began

        def _can_read(self, stamp: _Stamp) -> bool:
            # NOTE: OpenSSL says nothing when it cannot open the file of the system; it does when it is told the name.
            try:
                inner_context(self).load_verify_locations(cafile=stamp[0])
            except OSError:
                return False
            return True

    return SystemContext


def authorities_in(environment: Mapping[str, str]) -> tuple[tuple[str, bool, bool], ...]:
    """Return the variables that name authorities: each with whether it counts here, and whether its file can be read.

    OpenSSL heeds two of them where the system's authorities are files; the others are read by other programs alone.
    """
    heeded = () if sys.platform in _ASKED_AT_EACH_HANDSHAKE else ("SSL_CERT_FILE", "SSL_CERT_DIR")
    named = [(name, environment[name]) for name in AUTHORITY_VARIABLES if environment.get(name)]
    return tuple((name, name in heeded, os.access(value, os.R_OK)) for name, value in named)


def _stamp() -> _Stamp | None:
    """Return the path and state of the file that OpenSSL takes the authorities from; ``None`` if it is no file."""
    path = ssl.get_default_verify_paths().cafile
    try:
        state = Path(path).stat() if path else None
    except OSError:
        return None
    return (path, state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino) if path and state else None

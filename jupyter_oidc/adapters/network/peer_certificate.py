"""Finds out who issued a refused certificate, so that the error message can name the authority (C35).

When a verification fails, Python's ``ssl`` does not say which certificate was presented; when a handshake is refused,
it does not say how far the handshake came.
So a second connection is made to look at the certificate only: its handshake is not verified, and it is closed as soon
as the certificate is there.
It carries the handshake and nothing else: no request, no token, no client certificate; a proxy receives the same
``CONNECT`` as for a real call.
The result is a name in an error message and decides nothing: an attacker who forges it gains a wrong name there.
This is the only place that makes a context without verification, and ``tests/laws/test_verification_stays_on.py``
holds that.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from jupyter_oidc.adapters.network.public_address import is_public
from jupyter_oidc.secret_access import reveal

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.adapters.network.forward_proxy import ForwardProxy

LOOKUP_TIMEOUT_SECONDS: Final = 3.0
"""Seconds for the whole lookup; a caller waits no longer for a name."""

CACHE_SECONDS: Final = 60.0
"""Seconds for which an answer is kept, so that a loop of refused calls causes one lookup a minute."""

_MAX_NAME_CHARACTERS: Final = 64
_MAX_RESPONSE_HEAD_BYTES: Final = 16_384
_MAX_CACHED: Final = 100
_ALLOWED_CHARACTERS: Final = frozenset(" .,-_'&()")

_CacheKey = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class _PeerCertificate:
    """The certificate's issuer, and whether a cipher was agreed on; ``None`` where the lookup did not find out."""

    issuer: str | None = None
    has_common_cipher: bool | None = None


_UNKNOWN: Final = _PeerCertificate()


class PeerCertificates:
    """Looks up certificates, caches each answer for a minute, and shares one lookup among simultaneous callers."""

    def __init__(self) -> None:
        self._lookups: dict[_CacheKey, tuple[float, asyncio.Future[_PeerCertificate]]] = {}

    async def issuer(self, url: str, proxy: ForwardProxy | None, *, public_only: bool) -> str | None:
        """Return the issuer's name of the certificate at ``url``, or ``None`` if it cannot be found out in time.

        With ``public_only`` no other address is looked at, as for a call (C34).
        """
        return (await self._lookup(url, proxy, public_only=public_only)).issuer

    async def has_common_cipher(self, url: str, proxy: ForwardProxy | None, *, public_only: bool) -> bool | None:
        """Return whether the peer at ``url`` and this machine have a cipher in common; ``None`` if that is unknown."""
        return (await self._lookup(url, proxy, public_only=public_only)).has_common_cipher

    async def _lookup(self, url: str, proxy: ForwardProxy | None, *, public_only: bool) -> _PeerCertificate:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
        lookup = self._start_lookup(host, port, proxy, public_only=public_only)
        await asyncio.wait({lookup}, timeout=LOOKUP_TIMEOUT_SECONDS)
        return lookup.result() if lookup.done() and not lookup.cancelled() else _UNKNOWN

    def _start_lookup(
        self, host: str, port: int, proxy: ForwardProxy | None, *, public_only: bool
    ) -> asyncio.Future[_PeerCertificate]:
        loop = asyncio.get_running_loop()
        now = loop.time()
        key = (host, port, proxy.url if proxy else "")
        known = self._lookups.get(key)
        if known is not None and (now < known[0] or not known[1].done()):
            return known[1]
        if len(self._lookups) >= _MAX_CACHED:
            self._lookups.clear()
        lookup = loop.run_in_executor(
            None, _inspect, host, port, proxy, is_public if public_only else _any_address, loop.time
        )
        self._lookups[key] = (now + CACHE_SECONDS, lookup)
        return lookup


def _any_address(_: str) -> bool:
    return True


def _inspect(
    host: str, port: int, proxy: ForwardProxy | None, is_allowed: Callable[[str], bool], clock: Callable[[], float]
) -> _PeerCertificate:
    """Look up the certificate, in a thread; any fault gives an empty result."""
    deadline = clock() + LOOKUP_TIMEOUT_SECONDS

    def seconds_left() -> float:
        return max(0.01, deadline - clock())

    try:
        connection = (
            _connect_through_proxy(proxy, host, port, seconds_left)
            if proxy
            else _connect(host, port, is_allowed, seconds_left)
        )
        with closing(connection):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            connection.settimeout(seconds_left())
            with context.wrap_socket(connection, server_hostname=host, do_handshake_on_connect=False) as tls_connection:
                try:
                    tls_connection.do_handshake()
                except ssl.SSLError:
                    return _PeerCertificate(has_common_cipher=tls_connection.cipher() is not None)
                return _PeerCertificate(
                    issuer_name(tls_connection.getpeercert(binary_form=True) or b""), has_common_cipher=True
                )
    except Exception:  # noqa: BLE001 - the peer is refused already; a failed lookup adds nothing to report
        return _UNKNOWN


def _connect(
    host: str, port: int, is_allowed: Callable[[str], bool], seconds_left: Callable[[], float]
) -> socket.socket:
    found = [entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    address = next(str(one) for one in found if is_allowed(str(one)))
    return socket.create_connection((address, port), timeout=seconds_left())


def _connect_through_proxy(
    proxy: ForwardProxy, host: str, port: int, seconds_left: Callable[[], float]
) -> socket.socket:
    target = f"{f'[{host}]' if ':' in host else host}:{port}"
    authorization = proxy.authorization()
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if authorization is not None:
        lines.append(f"Proxy-Authorization: {reveal(authorization)}")
    connection = socket.create_connection((proxy.host, proxy.port), timeout=seconds_left())
    try:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        head = b""
        while b"\r\n\r\n" not in head:
            connection.settimeout(seconds_left())
            piece = connection.recv(1)  # NOTE: what comes after the head belongs to TLS
            if not piece or len(head) > _MAX_RESPONSE_HEAD_BYTES:
                raise ConnectionError
            head += piece
        if head.split(b" ", 2)[1:2] != [b"200"]:
            raise ConnectionError
    except BaseException:
        connection.close()
        raise
    return connection


def issuer_name(der: bytes) -> str | None:
    """Return who issued the certificate ``der``: organisation and common name, as harmless text.

    Raises ``ValueError`` if that is no certificate.
    """
    from cryptography import x509

    name = x509.load_der_x509_certificate(der).issuer
    parts: list[str] = []
    for kind in (x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME):
        found = as_plain_name("".join(str(one.value) for one in name.get_attributes_for_oid(kind)[:1]))
        if found and found not in parts:
            parts.append(found)
    return ", ".join(parts) or None


def as_plain_name(text: str) -> str:
    """Return ``text`` without anything that could be more than a name: no markup, address, line break or direction."""
    kept = "".join(
        char if char.isalnum() or char in _ALLOWED_CHARACTERS else " " for char in text[: 4 * _MAX_NAME_CHARACTERS]
    )
    return " ".join(kept.split())[:_MAX_NAME_CHARACTERS].strip()

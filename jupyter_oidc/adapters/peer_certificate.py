"""Finds out who issued a certificate that was refused, so that a person learns whom to trust, or whom to ask (C35).

When a verification fails, Python's ``ssl`` does not say what was presented; when a handshake is refused, not how far it
came.
So a second connection is made, to look and for nothing else: its handshake is not verified, and it is closed as soon as
the certificate is there.
Nothing is sent on it but the handshake: no request, no token, no certificate of ours; to a proxy, what a real call
would have told it.
What comes of it is a name in a sentence, and decides nothing: a liar can choose that name, and gains a wrong one in an
error message.
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

from jupyter_oidc.adapters.public_address import is_public
from jupyter_oidc.secret_access import reveal

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_oidc.adapters.forward_proxy import ForwardProxy

PATIENCE: Final = 3.0
"""Seconds for the whole look; a caller waits no longer for a name."""

KEPT: Final = 60.0
"""Seconds for which an answer is kept, so that a loop of refused calls looks once a minute."""

_LONGEST_NAME: Final = 64
_LONGEST_HEAD: Final = 16_384
_MOST_KEPT: Final = 100
_HARMLESS: Final = frozenset(" .,-_'&()")

_Key = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class _Seen:
    """Who issued the certificate, and whether a cipher was agreed on; ``None`` for what did not show."""

    issuer: str | None = None
    agreed: bool | None = None


_NOTHING: Final = _Seen()


class PresentedCertificates:
    """Looks, remembers for a minute, and looks once where many ask at the same time."""

    def __init__(self) -> None:
        self._looks: dict[_Key, tuple[float, asyncio.Future[_Seen]]] = {}

    async def issuer(self, url: str, proxy: ForwardProxy | None, *, public_only: bool) -> str | None:
        """Return the issuer's name of the certificate at ``url``, or ``None`` if it cannot be found out in time.

        With ``public_only`` no other address is looked at, as for a call (C34).
        """
        return (await self._seen(url, proxy, public_only=public_only)).issuer

    async def agrees(self, url: str, proxy: ForwardProxy | None, *, public_only: bool) -> bool | None:
        """Return whether the peer at ``url`` and this machine have a cipher in common; ``None`` if that does not show."""
        return (await self._seen(url, proxy, public_only=public_only)).agreed

    async def _seen(self, url: str, proxy: ForwardProxy | None, *, public_only: bool) -> _Seen:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
        look = self._look(host, port, proxy, public_only=public_only)
        await asyncio.wait({look}, timeout=PATIENCE)
        return look.result() if look.done() and not look.cancelled() else _NOTHING

    def _look(self, host: str, port: int, proxy: ForwardProxy | None, *, public_only: bool) -> asyncio.Future[_Seen]:
        loop = asyncio.get_running_loop()
        now = loop.time()
        key = (host, port, proxy.url if proxy else "")
        known = self._looks.get(key)
        if known is not None and (now < known[0] or not known[1].done()):
            return known[1]
        if len(self._looks) >= _MOST_KEPT:
            self._looks.clear()
        look = loop.run_in_executor(
            None, _looked, host, port, proxy, is_public if public_only else _anything, loop.time
        )
        self._looks[key] = (now + KEPT, look)
        return look


def _anything(_: str) -> bool:
    return True


def _looked(
    host: str, port: int, proxy: ForwardProxy | None, admits: Callable[[str], bool], clock: Callable[[], float]
) -> _Seen:
    """Look, in a thread; every fault means that there is nothing to say."""
    until = clock() + PATIENCE

    def left() -> float:
        return max(0.01, until - clock())

    try:
        plug = _through(proxy, host, port, left) if proxy else _directly(host, port, admits, left)
        with closing(plug):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            plug.settimeout(left())
            with context.wrap_socket(plug, server_hostname=host, do_handshake_on_connect=False) as seen:
                try:
                    seen.do_handshake()
                except ssl.SSLError:
                    return _Seen(agreed=seen.cipher() is not None)
                return _Seen(issuer_name(seen.getpeercert(binary_form=True) or b""), agreed=True)
    except Exception:  # noqa: BLE001 - whatever goes wrong with a peer that is refused already, nobody needs to know
        return _NOTHING


def _directly(host: str, port: int, admits: Callable[[str], bool], left: Callable[[], float]) -> socket.socket:
    found = [entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    address = next(str(one) for one in found if admits(str(one)))
    return socket.create_connection((address, port), timeout=left())


def _through(proxy: ForwardProxy, host: str, port: int, left: Callable[[], float]) -> socket.socket:
    target = f"{f'[{host}]' if ':' in host else host}:{port}"
    authorization = proxy.authorization()
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if authorization is not None:
        lines.append(f"Proxy-Authorization: {reveal(authorization)}")
    plug = socket.create_connection((proxy.host, proxy.port), timeout=left())
    try:
        plug.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        head = b""
        while b"\r\n\r\n" not in head:
            plug.settimeout(left())
            piece = plug.recv(1)  # NOTE: what comes after the head belongs to TLS
            if not piece or len(head) > _LONGEST_HEAD:
                raise ConnectionError
            head += piece
        if head.split(b" ", 2)[1:2] != [b"200"]:
            raise ConnectionError
    except BaseException:
        plug.close()
        raise
    return plug


def issuer_name(der: bytes) -> str | None:
    """Return who issued the certificate ``der``: organisation and common name, as harmless text.

    Raises ``ValueError`` if that is no certificate.
    """
    from cryptography import x509

    name = x509.load_der_x509_certificate(der).issuer
    parts: list[str] = []
    for kind in (x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME):
        found = harmless("".join(str(one.value) for one in name.get_attributes_for_oid(kind)[:1]))
        if found and found not in parts:
            parts.append(found)
    return ", ".join(parts) or None


def harmless(text: str) -> str:
    """Return ``text`` without anything that could be more than a name: no markup, address, line break or direction."""
    kept = "".join(char if char.isalnum() or char in _HARMLESS else " " for char in text[: 4 * _LONGEST_NAME])
    return " ".join(kept.split())[:_LONGEST_NAME].strip()

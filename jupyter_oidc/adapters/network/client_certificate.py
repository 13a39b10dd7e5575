"""The client certificate that this server presents where a destination asks for one (mutual TLS).

The certificate is a PEM file; its key stands in the same file, or is named by a reference.
OpenSSL takes keys from files only, so a key from the environment or from a keyring is put into one for a moment,
encrypted with a password that exists nowhere else.
An error message names the setting and its fault; it says nothing about a key, not even that its password is wrong.
"""

from __future__ import annotations

import base64
import hashlib
import os
import ssl
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.adapters.network.system_store import system_context
from jupyter_oidc.adapters.storage.secret_refs import resolve
from jupyter_oidc.entropy import SystemEntropy
from jupyter_oidc.language import Sentence, sentence
from jupyter_oidc.problems import ConfigurationInvalid
from jupyter_oidc.secret import Secret
from jupyter_oidc.secret_access import reveal, reveal_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_oidc.settings import SecretRef

CERTIFICATE: Final = "client_certificate"
KEY: Final = "client_certificate_key"
PASSWORD: Final = "client_certificate_password"

_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"

_FileStamps = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Names the certificate's file and, if they stand elsewhere, its key and the key's password."""

    path: str
    key: SecretRef | None = None
    password: SecretRef | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The paths of the files that hold the certificate and its key."""
        return (self.path, self.key.name) if self.key is not None and self.key.scheme == "file" else (self.path,)

    @property
    def needs_no_prompt(self) -> bool:
        """Whether certificate, key and password can be read without a keyring, which may prompt the user first."""
        return all(one is None or one.scheme != "keyring" for one in (self.key, self.password))


class UnusableCertificate(Exception):
    """A client certificate cannot be used; ``key`` is the setting to correct, ``problem`` describes its fault."""

    def __init__(self, key: str, problem: Sentence) -> None:
        self.key = key
        self.problem = problem
        super().__init__(f"{key} {problem}")


class _PasswordMissing(Exception):
    """OpenSSL asks for a password, and the settings name none."""


def load(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    """Present ``certificate`` on connections that ``context`` opens from now on.

    Waits for the disk, and for the keyring if the settings name it, so it must not run on the event loop's thread.
    Raises :class:`UnusableCertificate`, and the errors of :func:`resolve`.
    """
    _check_certificate(certificate.path)
    password = resolve(certificate.password, what=sentence("password"), key=PASSWORD) if certificate.password else None
    where = CERTIFICATE if certificate.key is None else KEY

    def get_password() -> bytes:
        if password is None:
            raise _PasswordMissing
        return reveal_bytes(password)

    try:
        if certificate.key is None or certificate.key.scheme == "file":
            keyfile = str(Path(certificate.key.name).expanduser()) if certificate.key else None
            context.load_cert_chain(certificate.path, keyfile, password=get_password)
        else:
            with _temporary_key_file(resolve(certificate.key, what=sentence("key"), key=KEY), password) as (
                keyfile,
                file_password,
            ):
                context.load_cert_chain(certificate.path, keyfile, password=lambda: reveal(file_password))
    except _PasswordMissing:
        raise UnusableCertificate(PASSWORD, sentence("is missing, and the private key needs it")) from None
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise UnusableCertificate(where, sentence("names a private key of another certificate")) from None
        raise UnusableCertificate(
            where, sentence("names no private key that can be read; is its password right?")
        ) from None
    except (OSError, ValueError, RuntimeError, TypeError):  # a file that is not there, a password of the wrong kind
        raise UnusableCertificate(where, sentence("names a file that does not exist or cannot be read")) from None


def thumbprint(certificate: ClientCertificate) -> str:
    """Return the SHA-256 thumbprint of the certificate in the file, as ``x5t#S256`` has it (RFC 8705, 3.1).

    Raises :class:`ConfigurationInvalid` if it cannot be read.
    """
    try:
        _check_certificate(certificate.path)
        pem = Path(certificate.path).read_text(encoding="ascii", errors="replace")
        begin = pem.index(_BEGIN.decode())
        der = ssl.PEM_cert_to_DER_cert(pem[begin : pem.index(_END, begin) + len(_END)])
    except UnusableCertificate as trouble:
        raise ConfigurationInvalid(
            sentence("{key} {problem}.", key=trouble.key, problem=trouble.problem), detail=trouble.key
        ) from None
    except (OSError, ValueError):
        raise ConfigurationInvalid(
            sentence("{certificate} names a file without a certificate.", certificate=CERTIFICATE), detail=CERTIFICATE
        ) from None
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode("ascii")


def _check_certificate(path: str) -> None:
    try:
        with Path(path).open("rb") as file:
            found = _BEGIN in file.read(1_000_000)
    except (OSError, ValueError):
        raise UnusableCertificate(CERTIFICATE, sentence("names a file that does not exist or cannot be read")) from None
    if not found:
        raise UnusableCertificate(CERTIFICATE, sentence("names a file without a certificate"))


@contextmanager
def _temporary_key_file(key: Secret, password: Secret | None) -> Iterator[tuple[str, Secret]]:
    """Yield the path of a file with ``key``, for as long as the block lasts, and the password that it has there."""
    from cryptography.hazmat.primitives import serialization

    file_password = Secret(SystemEntropy().token(256))
    try:
        opened: Any = serialization.load_pem_private_key(
            reveal_bytes(key), reveal_bytes(password) if password else None
        )
        encrypted = opened.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(reveal_bytes(file_password)),
        )
    except TypeError:  # a key with a password, or a password without need
        problem = (
            sentence("is not needed, because the private key has none")
            if password
            else sentence("is missing, and the key needs it")
        )
        raise UnusableCertificate(PASSWORD, problem) from None
    except Exception:  # noqa: BLE001 - the library's message may quote the key, so it is dropped
        raise UnusableCertificate(
            KEY, sentence("names no private key that can be read; is its password right?")
        ) from None
    descriptor, path = tempfile.mkstemp(prefix="jupyter_oidc-")  # NOTE: 0600, and deleted before any connection
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(encrypted)
        yield path, file_password
    finally:
        with suppress(OSError):
            Path(path).unlink()


@cache
def client_certificate_context() -> Any:
    """Return the class of contexts that present a certificate, and trust what the system trusts."""

    class ClientCertificateContext(system_context()):  # type: ignore[misc]  # NOTE: it depends on the platform
        """Reads the certificate again when a connection is opened and its files have changed.

        A pair that does not fit together, perhaps because it is being replaced, leaves the one before in use.
        """

        thumbprint: str | None
        """The thumbprint of the certificate in use, even if the file holds another one by now.

        ``None`` if the file was replaced while it was read.
        """

        def present(self, certificate: ClientCertificate) -> None:
            """Present ``certificate``; raises as :func:`load` does."""
            self._certificate = certificate
            self._file_stamps = _file_stamps(certificate)
            self._load()

        def wrap_bio(self, *parts: Any, **named: Any) -> ssl.SSLObject:
            """Begin TLS; see ``ssl.SSLContext.wrap_bio``."""
            self._reload_if_changed()
            began: ssl.SSLObject = super().wrap_bio(*parts, **named)
            return began

        def _reload_if_changed(self) -> None:
            now = _file_stamps(self._certificate)
            if now == self._file_stamps or not self._certificate.needs_no_prompt:
                return
            self._file_stamps = now
            with suppress(UnusableCertificate, ConfigurationInvalid):
                load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), self._certificate)
                self._load()

        def _load(self) -> None:
            before = _current_thumbprint(self._certificate)
            load(self, self._certificate)
            self.thumbprint = before if before == _current_thumbprint(self._certificate) else None

    return ClientCertificateContext


def _current_thumbprint(certificate: ClientCertificate) -> str | None:
    with suppress(ConfigurationInvalid):
        return thumbprint(certificate)
    return None


def _file_stamps(certificate: ClientCertificate) -> _FileStamps:
    found: list[tuple[int, int]] = []
    for path in certificate.files:
        try:
            state = Path(path).expanduser().stat()
        except (OSError, ValueError, RuntimeError):
            found.append((0, 0))
        else:
            found.append((state.st_mtime_ns, state.st_size))
    return tuple(found)

"""A certificate authority that no machine trusts by itself, and the certificates that it gives to servers."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

if TYPE_CHECKING:
    from pathlib import Path

Names = x509.SubjectAlternativeName
LOOPBACK: Names = Names([x509.IPAddress(ip_address("127.0.0.1"))])
SOMEBODY_ELSE: Names = Names([x509.DNSName("other.example.com")])


@dataclass(frozen=True)
class Authority:
    """Writes into ``folder``; ``bundle`` is the file that makes a client trust it."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    name: str = "Test authority"

    @classmethod
    def in_folder(cls, folder: Path, name: str = "Test authority") -> Authority:
        """Make a new authority of that name."""
        key = ec.generate_private_key(ec.SECP256R1())
        rights = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            _builder(name, name, days=1)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(rights, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, SHA256())
        )
        return cls(folder, key, certificate, name)

    @property
    def bundle(self) -> str:
        """The path of the authority's own certificate."""
        path = self.folder / "authority.pem"
        path.write_bytes(self.pem)
        return str(path)

    @property
    def pem(self) -> bytes:
        """The authority's own certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    def server(self, names: Names = LOOPBACK, *, days: int = 1) -> ssl.SSLContext:
        """Return certificate and key of a server with these ``names``; a certificate for -1 days has expired."""
        certificate, key = self.issued("Server", names, days=days)
        path = self.folder / "server.pem"
        path.write_bytes(certificate + key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def issued(
        self, subject: str, names: Names = LOOPBACK, *, days: int = 1, password: bytes = b""
    ) -> tuple[bytes, bytes]:
        """Return a certificate for ``subject`` and its key, both PEM; the key is encrypted if there is a password."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = (
            _builder(subject, self.name, days=days)
            .public_key(key.public_key())
            .add_extension(names, critical=False)
            .add_extension(issuer, critical=False)
            .sign(self.key, SHA256())
        )
        hidden = BestAvailableEncryption(password) if password else NoEncryption()
        return (
            certificate.public_bytes(Encoding.PEM),
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden),
        )


def _builder(subject: str, issuer: str, *, days: int) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=days))
    )

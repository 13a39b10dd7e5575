"""A self-signed certificate for loopback names, made for one test run."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """Paths of the certificate and of its private key, both PEM; ``for_other_names``: it does not name loopback."""

    certfile: Path
    keyfile: Path
    for_other_names: bool = False


def self_signed(folder: Path) -> Certificate:
    """Write a certificate for ``localhost``, ``127.0.0.1`` and ``::1`` into ``folder``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.timezone.utc)
    names = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.IPAddress(ipaddress.ip_address("::1")),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _written(Certificate(folder / "certificate.pem", folder / "key.pem"), [certificate], key)


def of_a_company(folder: Path, names: list[str], *, with_chain: bool = True, days: int = 2) -> Certificate:
    """Write a certificate of an authority that this machine does not know, for ``names`` (none: without the extension).

    ``days`` is how long it is good for, counted from yesterday.
    """
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _issued("Example Company CA", "Example Company CA", authority_key, authority_key, [], ca=True)
    certificate = _issued("jupyter.example.com", "Example Company CA", key, authority_key, names, ca=False, days=days)
    chain = [certificate, authority] if with_chain else [certificate]
    made = Certificate(folder / "company.pem", folder / "company-key.pem", for_other_names=True)
    return _written(made, chain, key)


def _issued(
    name: str, issuer: str, key: Any, signer: Any, names: list[str], *, ca: bool, days: int = 2
) -> x509.Certificate:
    begin = dt.datetime.now(dt.timezone.utc) - dt.timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        named = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
        builder = builder.add_extension(named, critical=False)
    return builder.sign(signer, hashes.SHA256())


def _written(made: Certificate, chain: list[x509.Certificate], key: Any) -> Certificate:
    made.certfile.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain))
    made.keyfile.touch(mode=0o600)
    made.keyfile.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made

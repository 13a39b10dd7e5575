"""Checks the files that the settings name, so that a broken one is found at the start and not at the first call (G-5).

:mod:`jupyter_oidc.settings` is pure and opens no file; its result is completed here.
Certificates are public and are read here; a file with a private key is judged in
:mod:`jupyter_oidc.adapters.network.client_certificate`, and no error quotes its content.
"""

from __future__ import annotations

import ssl
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jupyter_oidc.language import Sentence, sentence
from jupyter_oidc.problems import ConfigurationInvalid
from jupyter_oidc.settings import Finding, Settings
from jupyter_oidc.settings.api_description import FILE_PREFIX, MAX_DOCUMENT_BYTES
from jupyter_oidc.settings.network import CERTIFICATE_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jupyter_oidc.settings import Api, Provider

_MAX_BUNDLE_CHARACTERS: Final = 10_000_000
"""Characters, one byte each: the bundles of operating systems have a few hundred thousand."""

_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"


def check_referenced_files(read: Settings | list[Finding]) -> Settings | list[Finding]:
    """Return ``read``, or findings about the files that it names."""
    if not isinstance(read, Settings):
        return read
    return list(_findings(read)) or read


def _findings(settings: Settings) -> Iterator[Finding]:
    for provider in settings.providers:
        at = f"providers.{provider.name}"
        if provider.ca_bundle:
            yield from _bundle_findings(f"{at}.ca_bundle", provider.ca_bundle)
        yield from _client_certificate_findings(at, provider)
        for api in provider.apis:
            if any(getattr(api, key) != getattr(provider, key) for key in CERTIFICATE_KEYS):
                yield from _client_certificate_findings(f"{at}.apis.{api.name}", api)
            if api.ca_bundle and api.ca_bundle != provider.ca_bundle:
                yield from _bundle_findings(f"{at}.apis.{api.name}.ca_bundle", api.ca_bundle)
            if api.openapi and api.openapi.startswith(FILE_PREFIX):
                yield from _document_findings(f"{at}.apis.{api.name}.openapi", api.openapi.removeprefix(FILE_PREFIX))


def _document_findings(key: str, path: str) -> Iterator[Finding]:
    """Say what is wrong with a file as such; its content is read when a caller asks for it, and may change."""
    try:
        found = Path(path).expanduser().stat()
    except (OSError, ValueError, RuntimeError):  # RuntimeError: there is no such home directory
        yield Finding(
            key, sentence("names a file that does not exist"), sentence("Name a file with an OpenAPI document.")
        )
        return
    if not stat.S_ISREG(found.st_mode):
        yield Finding(
            key, sentence("names something that is no file"), sentence("Name a file with an OpenAPI document.")
        )
    elif found.st_size > MAX_DOCUMENT_BYTES:
        yield Finding(key, sentence("names a file of more than 5 MB"), sentence("Name a smaller OpenAPI document."))


def _bundle_findings(key: str, path: str) -> Iterator[Finding]:
    problem = bundle_problem(path)
    if problem:
        yield Finding(key, problem, sentence("Name a readable file with PEM certificates, one after the other."))


def _client_certificate_findings(at: str, destination: Provider | Api) -> Iterator[Finding]:
    if destination.client_certificate is None:
        return
    # NOTE: here, because few settings name a certificate, and every start of a server would load this.
    from jupyter_oidc.adapters.network.client_certificate import UnusableCertificate, load
    from jupyter_oidc.adapters.network.network_route import client_certificate_of

    certificate = client_certificate_of(destination)
    if certificate is None or not certificate.needs_no_prompt:
        return  # NOTE: a keyring may prompt the user, and a start must not wait for that
    try:
        load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate)
    except UnusableCertificate as trouble:
        yield Finding(
            f"{at}.{trouble.key}", trouble.problem, sentence("Name a PEM certificate and the private key for it.")
        )
    except ConfigurationInvalid as trouble:
        yield Finding(
            f"{at}.{trouble.detail}", sentence("leads to nothing"), sentence("Name a file that holds the password.")
        )


def bundle_problem(path: str) -> Sentence | None:
    """Return the fault of the certificate authorities in ``path``, or ``None``; every one has to be sound.

    The libraries would skip one that they cannot read, and no message would say why it is not trusted.
    """
    try:
        with Path(path).open(encoding="ascii", errors="replace") as file:
            text = file.read(_MAX_BUNDLE_CHARACTERS + 1)
    except (OSError, ValueError) as error:
        return (
            sentence("names a file that does not exist")
            if isinstance(error, FileNotFoundError)
            else sentence("cannot be read")
        )
    if len(text) > _MAX_BUNDLE_CHARACTERS:
        return sentence("names a file that is too large for certificates")
    _, *blocks = text.split(_BEGIN)
    if not blocks:
        return sentence("names a file without a certificate")
    for number, block in enumerate(blocks, 1):
        if not _is_certificate(_BEGIN + block):
            return sentence("names a file whose certificate number {number} is broken", number=number)
    return None


def _is_certificate(text: str) -> bool:
    body, ended, _ = text.partition(_END)
    if not ended:
        return False
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=body + ended)
    except (OSError, ValueError):  # NOTE: ssl.SSLError is an OSError
        return False
    return True

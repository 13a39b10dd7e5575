"""Which certificates a kernel's connection to its own server trusts."""

from __future__ import annotations

import ssl

import pytest

from jupyter_oidc.kernel.find import Server
from jupyter_oidc.kernel.tls import trusted


@pytest.mark.parametrize("url", ["http://localhost:8888/", "http://jupyter.example.com/base/"])
def test_a_server_without_tls_is_trusted_with_no_certificate_and_verification_stays_on(url: str) -> None:
    """To load what the machine trusts would only take time."""
    context = trusted(Server(url))
    assert context.cert_store_stats() == {"x509": 0, "crl": 0, "x509_ca": 0}
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_server_with_tls_whose_certificate_is_not_known_is_judged_as_this_machine_judges() -> None:
    machine = ssl.create_default_context()
    assert trusted(Server("https://jupyter.example.com/")).cert_store_stats() == machine.cert_store_stats()

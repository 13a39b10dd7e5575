"""The FAPI 2.0 Security Profile at a certified provider that enforces it: sign in, call, refresh, sign out."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.interop.person import at_work
from tests.support.certificate import Certificate, self_signed
from tests.support.certified_provider import CertifiedProvider, Dress, ProviderDocument
from tests.support.guarded_api import CertificateGuard, KeyGuard, register_with, thumbprint
from tests.support.signing_key import SigningKey, base64url
from tests.support.upstream import Upstream

ITEMS = "jupyter-oidc/api/orders/items"
CELL = "import jupyter_oidc as oidc\nprint(oidc.api('orders').get('items').status_code)"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """The certificate that every server of these tests shows: Jupyter, the provider and the API."""
    return self_signed(tmp_path_factory.mktemp("here"))


@pytest.fixture(scope="module")
def provider(here: Certificate) -> Iterator[CertifiedProvider]:
    tls = here.certfile.read_text(encoding="ascii"), here.keyfile.read_text(encoding="ascii")
    with CertifiedProvider(ProviderDocument(strict=True, tls=tls, dpop_nonces=True)) as provider:
        register_with(provider)
        yield provider


def settings(here: Certificate, upstream: Upstream, **changes: Any) -> dict[str, Any]:
    """Settings besides the usual: the profile, and the authorities that this machine trusts."""
    orders = {"base_url": upstream.url, "methods": ["GET"], "allow_private_network": True}
    return {
        "profile": "fapi2",
        "ca_bundle": str(here.certfile),
        "allow_insecure_loopback": False,
        "apis": {"orders": orders},
        **changes,
    }


def serving(here: Certificate, asks_for: Path | None = None) -> ssl.SSLContext:
    """How the API speaks TLS; with ``asks_for`` it lets clients show that certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(here.certfile, here.keyfile)
    if asks_for is not None:
        context.load_verify_locations(asks_for)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def trusting(here: Certificate) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(here.certfile))


def there_and_back(person: Any) -> None:
    """The whole journey, with a call by a kernel."""
    started = person.begin()
    page = person.browser.open(person.start_url(started), stop_at=person.provider.issuer)
    assert sorted(httpx.URL(page.headers["location"]).params) == ["client_id", "request_uri"]
    person.sign_in()
    assert person.summary()["state"] == "active", person.process.log[-4000:]
    assert person.jupyter.get(ITEMS).status_code == 200
    assert person.post("refresh").json()["state"] == "active"
    (kernel,) = person.run(CELL)
    assert kernel.text.strip() == "200"
    assert person.post("sign-out").json()["revoked"] == "done"
    assert person.summary()["state"] == "signed-out"


@pytest.mark.parametrize("key", [SigningKey.rsa("client-1"), SigningKey.ec("client-1")], ids=["RSA", "EC"])
def test_a_client_that_signs_with_tokens_that_are_bound_to_a_key(
    tmp_path: Path, here: Certificate, provider: CertifiedProvider, key: SigningKey
) -> None:
    """FAPI 2.0 Security Profile, 5.3.3, 5.4: PAR, private_key_jwt (PS256, ES256), DPoP with nonces, iss, PS256."""
    pem = tmp_path / "client.pem"
    pem.write_bytes(key.private_pem())
    guard = KeyGuard(provider, tls=trusting(here))
    public = {name: value for name, value in key.public_jwk().items() if name != "alg"}
    client: dict[str, Any] = {
        "auth_method": "private_key_jwt",
        "more": {
            "jwks": {"keys": [public]},
            "dpop_bound_access_tokens": True,
            "id_token_signed_response_alg": "PS256",
        },
    }
    signing = {"client_assertion_key": f"file:{pem}", "client_assertion_key_id": "client-1"}
    with Upstream(judge=guard, tls=serving(here)) as upstream:
        changes = settings(here, upstream, **signing)
        with at_work(tmp_path, provider, upstream, changes=changes, client=client, certificate=here) as person:
            there_and_back(person)
    assert {seen.scheme for seen in upstream.seen} == {"DPoP"}
    assert len(set(guard.keys)) == 1


def test_a_client_that_is_known_by_its_certificate_with_tokens_that_are_bound_to_it(
    tmp_path: Path, here: Certificate, provider: CertifiedProvider
) -> None:
    """RFC 8705, 2.2, 3, 5: at the endpoints that ask for it, and at an API that compares it with the token's."""
    (tmp_path / "mine").mkdir()
    mine = self_signed(tmp_path / "mine")
    der = ssl.PEM_cert_to_DER_cert(mine.certfile.read_text(encoding="ascii"))
    client: dict[str, Any] = {
        "auth_method": "self_signed_tls_client_auth",
        "more": {
            "jwks": {"keys": [jwk_of(der)]},
            "tls_client_certificate_bound_access_tokens": True,
            "id_token_signed_response_alg": "PS256",
        },
    }
    guard = CertificateGuard(provider, trusting(here))
    with Upstream(judge=guard, tls=serving(here, mine.certfile)) as upstream:
        changes = settings(
            here,
            upstream,
            token_endpoint_auth_method="self_signed_tls_client_auth",
            tls_client_certificate_bound_access_tokens=True,
            client_certificate=str(mine.certfile),
            client_certificate_key=f"file:{mine.keyfile}",
        )
        with at_work(tmp_path, provider, upstream, changes=changes, client=client, certificate=here) as person:
            there_and_back(person)
            token = provider.issued("access_token")[-1]
            stolen = httpx.get(
                f"{upstream.url}items",
                headers={"Authorization": f"Bearer {token}"},
                trust_env=False,
                verify=trusting(here),
            )
            assert stolen.status_code == 401
    assert set(guard.shown) == {thumbprint(der)}


def jwk_of(der: bytes) -> dict[str, Any]:
    """Return the certificate as a client registers it (RFC 8705, 2.2.2)."""
    public = x509.load_der_x509_certificate(der).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    point = public.public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": base64url(point.x.to_bytes(32, "big")),
        "y": base64url(point.y.to_bytes(32, "big")),
        "x5c": [base64.b64encode(der).decode()],
    }


def test_a_provider_that_does_not_ask_for_what_the_profile_does_is_found_before_a_page_opens(
    tmp_path: Path, here: Certificate
) -> None:
    """FAPI 2.0 Security Profile, 5.3.2.2: it names itself in its answers, or no sign-in begins there."""
    key = SigningKey.ec("client-1")
    pem = tmp_path / "client.pem"
    pem.write_bytes(key.private_pem())
    tls = here.certfile.read_text(encoding="ascii"), here.keyfile.read_text(encoding="ascii")
    dress = Dress(metadata_without=("authorization_response_iss_parameter_supported",))
    with (
        CertifiedProvider(ProviderDocument(strict=True, tls=tls, dress=dress)) as lax,
        Upstream(tls=serving(here)) as upstream,
    ):
        changes = settings(here, upstream, client_assertion_key=f"file:{pem}")
        client: dict[str, Any] = {"auth_method": "private_key_jwt", "more": {"jwks": {"keys": [key.public_jwk()]}}}
        with at_work(tmp_path, lax, upstream, changes=changes, client=client, certificate=here) as person:
            reply = person.jupyter.post("jupyter-oidc/providers/corp/sign-in", json={})
            assert (reply.status_code, reply.json()["code"]) == (502, "discovery_failed")
            assert "names itself in its answers" in reply.json()["message"]

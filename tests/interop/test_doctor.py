"""``jupyter oidc doctor`` at a certified provider, healthy and with one thing wrong at a time.

The line of the faulty part names the fault and the person who can fix it; the other lines stay fine.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from jupyter_oidc import contract
from tests.support.certificate import self_signed
from tests.support.certified_provider import CertifiedProvider, Dress, ProviderDocument, RegisteredClient
from tests.support.command import Command, Said
from tests.support.loop_thread import ServedInThread
from tests.support.upstream import Upstream

CALLBACK = "https://jupyter.example.com/jupyter-oidc/providers/corp/callback"
KEY = "A" * 43
FINE = [
    "settings",
    "encrypted file",
    "lock folder",
    "egress proxy",
    "certificates",
    "discovery",
    "issuer",
    "clock",
    "keys",
    "client authentication",
    "PKCE",
    "scopes",
    "refresh token",
    "sign-out",
    "way to sign in",
    "registration",
    "redirect URI",
    "host name",
    "client secret",
    "API orders",
    "audience of orders",
]
OWN_AUTHORITIES = dict.fromkeys(("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), "")
"""Remove this machine's own variables, which would be diagnosed otherwise."""

NOT_KNOWN = {"host name", "audience of orders"}
"""Lines that only a running server, or a session, could show."""


@pytest.fixture(scope="module")
def provider() -> Iterator[CertifiedProvider]:
    client = RegisteredClient("jupyter", (CALLBACK,))
    with CertifiedProvider(ProviderDocument(clients=(client,))) as provider:
        yield provider


@pytest.fixture(scope="module")
def api() -> Iterator[Upstream]:
    with Upstream() as api:
        yield api


def settings(issuer: str, api: Upstream, **changes: Any) -> dict[str, Any]:
    return {
        "storage": "encrypted-file",
        "providers": {
            "corp": {
                "issuer": issuer,
                "client_id": "jupyter",
                "scopes": ["openid", "offline_access"],
                "redirect_uri": CALLBACK,
                "allow_insecure_loopback": True,
                "apis": {"orders": {"base_url": api.url}},
                **changes,
            }
        },
    }


def command(folder: Path, document: dict[str, Any], **environment: str) -> Command:
    return Command(folder, document, {"JUPYTER_OIDC_STORAGE_KEY": KEY, **OWN_AUTHORITIES, **environment})


def diagnosis(said: Said) -> dict[str, dict[str, Any]]:
    """The checks by name, as the contract has them."""
    told = contract.check("diagnostics.reply", said.json())
    assert told["ok"] is (said.code == 0)
    assert all(one["action"] and one["who"] for one in told["checks"] if one["status"] != "ok")
    return {one["name"]: one for one in told["checks"]}


def only(checks: dict[str, dict[str, Any]], name: str, status: str = "problem") -> dict[str, Any]:
    """The one check that is not fine."""
    others = [one["name"] for one in checks.values() if one["status"] != "ok" and one["name"] not in NOT_KNOWN]
    assert others == [name]
    assert checks[name]["status"] == status
    return checks[name]


def test_a_healthy_set_up_is_fine_in_every_line(tmp_path: Path, provider: CertifiedProvider, api: Upstream) -> None:
    """G-6, A30, Q9.10: metadata, keys, the values to register, and the registration; an unknown line fails nothing."""
    said = command(tmp_path, settings(provider.issuer, api)).run("doctor", "--json")
    checks = diagnosis(said)
    expected = [(name, "unknown" if name in NOT_KNOWN else "ok") for name in FINE]
    assert [(name, check["status"]) for name, check in checks.items()] == expected
    assert said.code == 0
    assert checks["redirect URI"]["message"].endswith(f"to the letter: {CALLBACK}")
    assert KEY not in said.out + said.err


def test_the_healthy_text_is_one_line_each_and_a_sum(
    tmp_path: Path, provider: CertifiedProvider, api: Upstream
) -> None:
    said = command(tmp_path, settings(provider.issuer, api)).run("doctor")
    lines = said.out.strip().splitlines()
    assert (said.code, lines[0], lines[-1]) == (0, "This server", "2 not known from here, 19 seen as they should be.")
    assert "  \N{CHECK MARK} issuer: The provider calls itself what the settings call it." in lines
    assert said.err == "", "progress is for a terminal"


def test_a_provider_that_is_down(tmp_path: Path, provider: CertifiedProvider, api: Upstream) -> None:
    provider.down()
    try:
        said = command(tmp_path, settings(provider.issuer, api)).run("doctor", "--json")
    finally:
        provider.up()
    check = only(diagnosis(said), "discovery")
    assert check["message"] == "The provider cannot be reached at the moment."
    assert check["action"].startswith("Check that the issuer's host is right and that this machine may reach it")


def test_a_provider_that_answers_with_trouble_is_not_blamed_on_the_network(
    tmp_path: Path, provider: CertifiedProvider, api: Upstream
) -> None:
    provider.down("unavailable")
    try:
        said = command(tmp_path, settings(provider.issuer, api)).run("doctor", "--json")
    finally:
        provider.up()
    check = only(diagnosis(said), "discovery")
    assert (check["message"], check["who"]) == ("The provider answers status 503.", "provider")


def test_a_wrong_issuer(tmp_path: Path, provider: CertifiedProvider, api: Upstream) -> None:
    """A22: both issuers are named, and their difference."""
    said = command(tmp_path, settings(provider.issuer + "/", api)).run("doctor", "--json")
    check = only(diagnosis(said), "issuer")
    assert "they differ in the slash at the end" in check["message"]
    assert check["who"] == "administrator"


def test_a_wrong_redirect_uri(tmp_path: Path, provider: CertifiedProvider, api: Upstream) -> None:
    """A30: the provider knows another address; the one to register is named to the letter."""
    wanted = "https://other.example.com/jupyter-oidc/providers/corp/callback"
    said = command(tmp_path, settings(provider.issuer, api, redirect_uri=wanted)).run("doctor", "--json")
    check = only(diagnosis(said), "registration")
    assert check["message"] == (
        "The authorization endpoint refused the request with status 400, and did not say why in a way that can be relied on."
    )
    assert f"not registered to the letter: {wanted} " in check["action"]
    assert said.code == 1


def test_a_provider_is_not_asked_about_the_client_where_nobody_wants_that(
    tmp_path: Path, provider: CertifiedProvider, api: Upstream
) -> None:
    """G-6: metadata and keys, and nothing else."""
    said = command(tmp_path, settings(provider.issuer, api, client_id="nobody")).run(
        "doctor", "--json", "--no-registration"
    )
    assert said.code == 0
    assert "registration" not in diagnosis(said)


def test_a_clock_that_is_four_minutes_off(tmp_path: Path, api: Upstream) -> None:
    """A21: it still works, and from five minutes on it does not."""
    client = RegisteredClient("jupyter", (CALLBACK,))
    with CertifiedProvider(ProviderDocument(clients=(client,), dress=Dress(seconds_ahead=240))) as provider:
        said = command(tmp_path, settings(provider.issuer, api)).run("doctor", "--json")
    check = only(diagnosis(said), "clock", "warning")
    assert check["message"].startswith("The clock of this machine is 4 minutes behind the provider's.")
    assert said.code == 0


def test_a_certificate_of_an_unknown_authority(tmp_path: Path, api: Upstream) -> None:
    """H-1: named, with the way to trust it; there is no way to look away."""
    certificate = self_signed(tmp_path)

    async def metadata(_: web.Request) -> web.Response:
        return web.json_response({})

    application = web.Application()
    application.router.add_get("/.well-known/openid-configuration", metadata)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate.certfile, certificate.keyfile)
    with ServedInThread(application, tls=tls) as server:
        said = command(tmp_path, settings(f"https://127.0.0.1:{server.port}", api)).run("doctor", "--json")
    check = only(diagnosis(said), "discovery")
    assert "does not trust" in check["message"]
    assert "ca_bundle" in check["action"]


def test_a_bundle_of_authorities_that_is_not_there(tmp_path: Path, provider: CertifiedProvider, api: Upstream) -> None:
    said = command(tmp_path, settings(provider.issuer, api, ca_bundle="/nowhere/ca.pem")).run("doctor", "--json")
    check = diagnosis(said)["settings"]
    assert (check["status"], "ca_bundle" in check["message"]) == ("problem", True)


@pytest.mark.parametrize(("storage", "status", "code"), [("keyring", "problem", 1), ("auto", "warning", 0)])
def test_a_keyring_that_is_missing(
    tmp_path: Path, provider: CertifiedProvider, api: Upstream, storage: str, status: str, code: int
) -> None:
    document = {**settings(provider.issuer, api), "storage": storage}
    said = Command(tmp_path, document, OWN_AUTHORITIES).run("doctor", "--json")
    check = only(diagnosis(said), "keyring", status)
    assert "does not keep secrets safely" in check["message"]
    assert said.code == code


def test_an_api_that_is_down(tmp_path: Path, provider: CertifiedProvider) -> None:
    with Upstream() as gone:
        document = settings(provider.issuer, gone)
    check = only(diagnosis(command(tmp_path, document).run("doctor", "--json")), "API orders")
    assert check["message"] == "The API cannot be reached."


def test_a_secret_that_is_not_where_the_settings_say(
    tmp_path: Path, provider: CertifiedProvider, api: Upstream
) -> None:
    changes = {"client_secret": "env:NOT_THERE", "token_endpoint_auth_method": "client_secret_basic"}
    said = command(tmp_path, settings(provider.issuer, api, **changes)).run("doctor", "--json")
    message = only(diagnosis(said), "client secret")["message"]
    assert message == "The client secret (env) is empty or does not exist.", (
        "safe to paste: names are the machine's own"
    )


def test_mistakes_in_the_settings_are_the_diagnosis(tmp_path: Path) -> None:
    """D8: all of them, classed, and without a value."""
    broken = {"issuer": "http://id.example.com", "client_secret": "hunter2-hunter2"}
    said = command(tmp_path, {"providers": {"corp": broken}}).run("doctor")
    assert said.code == 1
    assert "providers.corp.issuer is not https (unsafe)." in said.out
    assert "providers.corp.client_id is missing (missing)." in said.out
    assert "providers.corp.client_secret is not a reference" in said.out
    assert "hunter2" not in said.out + said.err


def test_a_file_that_is_not_json_is_named(tmp_path: Path) -> None:
    made = command(tmp_path, {})
    (tmp_path / "config" / "jupyter_server_config.d").mkdir()
    (tmp_path / "config" / "jupyter_server_config.d" / "corp.json").write_text("{", encoding="utf-8")
    said = made.run("doctor")
    assert (said.code, "corp.json is not JSON (malformed)." in said.out) == (1, True)


def test_a_provider_that_never_answers_is_waited_for_eighteen_seconds(tmp_path: Path, api: Upstream) -> None:
    """The diagnosis ends by itself, and names the parts that it could not look at."""

    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(600)
        return web.Response()

    application = web.Application()
    application.router.add_get("/{path:.*}", hang)
    with ServedInThread(application) as server:
        document = settings(f"http://127.0.0.1:{server.port}", api, http_timeout=60)
        began = time.monotonic()
        said = command(tmp_path, document).run("doctor", "--json")
        assert time.monotonic() - began < 60, "not as long as a request may take"
    check = diagnosis(said)["provider"]
    assert (check["status"], "longer than 18 seconds" in check["message"]) == ("unknown", True)


@pytest.mark.parametrize("strategy", ["auto", "device"])
def test_with_no_server_running_nothing_is_guessed_and_nothing_fails(
    tmp_path: Path, provider: CertifiedProvider, api: Upstream, strategy: str
) -> None:
    """Q9.10: without a redirect URI one was made up, sent, refused, and told as broken."""
    made = settings(provider.issuer, api, redirect_strategy=strategy)
    del made["providers"]["corp"]["redirect_uri"]
    said = command(tmp_path, made).run("doctor", "--json")
    checks = diagnosis(said)
    assert checks["registration"]["status"] == "unknown"
    assert said.code == 0, [one["name"] for one in checks.values() if one["status"] == "problem"]


def test_the_helper_alone_beside_the_whole_package_is_found(
    tmp_path: Path, provider: CertifiedProvider, api: Upstream
) -> None:
    """Both wheels bring the same modules, so that an update of one overwrites the other."""
    described = tmp_path / "elsewhere" / "jupyter_oidc_client-0.0.9.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: jupyter_oidc_client\nVersion: 0.0.9\n")
    said = command(tmp_path, settings(provider.issuer, api), PYTHONPATH=str(described.parent)).run("doctor")
    assert said.code == 1
    assert "jupyter_oidc_client 0.0.9 are both installed in this environment, and each has overwritten" in said.out
    assert "pip uninstall jupyter_oidc_client jupyter_oidc, then pip install jupyter_oidc." in said.out

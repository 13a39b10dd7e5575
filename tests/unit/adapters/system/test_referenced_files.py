"""The server looks at the files that the settings name before the first call (G-5, H-1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.adapters.system.referenced_files import bundle_problem, check_referenced_files
from jupyter_oidc.settings import Finding, Settings, read_settings
from tests.support.authority import Authority

CORP = {"issuer": "https://id.example.com", "client_id": "jupyter"}
ORDERS = {"base_url": "https://api.example.com/"}


def found(**more: Any) -> list[str]:
    read = check_referenced_files(read_settings({"corp": {**CORP, **more}}))
    return [] if isinstance(read, Settings) else [str(finding) for finding in read]


def test_a_bundle_may_hold_several_authorities(tmp_path: Path) -> None:
    """G-4: What differs between providers is a setting."""
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(b"".join(b"# one\n" + Authority.in_folder(tmp_path, f"Root {n}").pem for n in range(3)))
    assert found(ca_bundle=str(bundle), apis={"orders": ORDERS}) == []


def test_a_broken_bundle_is_found_at_the_start_and_named_by_its_key(tmp_path: Path) -> None:
    """G-5: the mistake is the API's, not the provider's, because that is the entry to change."""
    path = str(tmp_path / "nowhere.pem")
    (finding,) = found(apis={"orders": {**ORDERS, "ca_bundle": path}})
    assert finding.startswith("providers.corp.apis.orders.ca_bundle: names a file that does not exist. Name a")


def test_a_bundle_that_apis_take_from_their_provider_is_found_once(tmp_path: Path) -> None:
    assert len(found(ca_bundle=str(tmp_path / "nowhere.pem"), apis={"orders": ORDERS})) == 1


def test_a_certificate_that_apis_take_from_their_provider_is_found_once(tmp_path: Path) -> None:
    """RFC 8705, 3: access tokens are bound to the certificate."""
    bound = {"client_certificate": str(tmp_path / "nowhere.pem"), "tls_client_certificate_bound_access_tokens": True}
    (finding,) = found(**bound, apis={"orders": ORDERS})
    assert finding.startswith("providers.corp.client_certificate: names a file that does not exist")


def test_one_broken_certificate_among_sound_ones_is_found(tmp_path: Path) -> None:
    """G-5: OpenSSL alone would trust the rest and report nothing."""
    sound = Authority.in_folder(tmp_path).pem
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(sound + sound.replace(b"MII", b"MIJ", 1) + sound)
    assert bundle_problem(str(bundle)) == "names a file whose certificate number 2 is broken"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "names a file without a certificate"),
        (b"no certificate", "names a file without a certificate"),
        (b"\xff\xfe\x00\x01", "names a file without a certificate"),
        (b"-----BEGIN CERTIFICATE-----\n", "names a file whose certificate number 1 is broken"),
        (b"x" * 10_000_001, "names a file that is too large for certificates"),
    ],
    ids=["empty", "text", "binary", "cut off", "huge"],
)
def test_what_is_no_bundle_is_found(tmp_path: Path, content: bytes, problem: str) -> None:
    """G-5: Mistakes in settings are found without the provider."""
    path = tmp_path / "bundle.pem"
    path.write_bytes(content)
    assert bundle_problem(str(path)) == problem


def test_a_folder_is_no_bundle(tmp_path: Path) -> None:
    assert bundle_problem(str(tmp_path)) == "cannot be read"


def test_mistakes_in_the_settings_come_first(tmp_path: Path) -> None:
    mistakes = [Finding("providers", "is not a mapping", "Write {name: {settings}}.")]
    assert check_referenced_files(mistakes) is mistakes

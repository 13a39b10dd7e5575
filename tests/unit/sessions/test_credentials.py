"""A registration's credentials follow what is stored, and a key is read once (T-7, B8)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_oidc.compose import diagnostic_context
from jupyter_oidc.problems import ConfigurationInvalid
from jupyter_oidc.sessions.credentials import Credentials
from jupyter_oidc.settings import Provider, SecretRef, Settings
from tests.support.signing_key import SigningKey
from tests.unit.sessions.fake_environment import SETTINGS


def composed(provider: Provider) -> Credentials:
    return diagnostic_context(Settings((provider,)), (), environment={}).credentials(provider)


def test_a_new_key_in_the_file_is_used_without_a_restart_and_an_old_one_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    reference = SecretRef("file", str(file))
    credentials = composed(
        replace(SETTINGS, token_endpoint_auth_method="private_key_jwt", client_assertion_key=reference)
    )
    with pytest.raises(ConfigurationInvalid, match="does not exist"):
        credentials.client()
    file.write_text("rubbish")
    with pytest.raises(ConfigurationInvalid, match="cannot be read"):
        credentials.client()
    file.write_bytes(SigningKey.ec("k").private_pem())
    first = credentials.signer()
    assert credentials.signer() is first
    assert credentials.client().assertion_alg == "ES256"
    file.write_bytes(SigningKey.rsa("k").private_pem())
    assert credentials.client().assertion_alg == "RS256"


def test_a_file_with_a_new_client_secret_needs_no_restart(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    reference = SecretRef("file", str(file))
    credentials = composed(replace(SETTINGS, token_endpoint_auth_method="client_secret_post", client_secret=reference))
    told = []
    for secret in ("one", "two"):
        file.write_text(secret)
        told.append(credentials.client().client_secret)
    assert told[0] != told[1]

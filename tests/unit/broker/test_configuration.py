"""The settings file of a broker: every mistake at once, and nobody else may write it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from jupyter_oidc.broker.configuration import BrokerConfiguration, database_of, keys_of, read_configuration
from jupyter_oidc.problems import ConfigurationInvalid, StorageUnavailable
from jupyter_oidc.secret import Secret
from jupyter_oidc.settings import Finding
from jupyter_oidc.settings.broker import BrokerSettings
from tests.unit.adapters.storage.database.replicas import ONE

pytestmark = pytest.mark.skipif(os.name != "posix", reason="owners of files are those of POSIX")

PROVIDERS: dict[str, Any] = {
    "corp": {
        "issuer": "https://id.example.com",
        "client_id": "jupyter",
        "client_secret": "env:CLIENT_SECRET",
        "token_endpoint_auth_method": "client_secret_basic",
        "apis": {"orders": {"base_url": "https://api.example.com/"}},
    }
}


def written(folder: Path, document: Any) -> str:
    file = folder / "broker.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return str(file)


def read(folder: Path, document: Any) -> BrokerConfiguration | list[str]:
    read = read_configuration(written(folder, document), None, {})
    return [finding.key for finding in read] if isinstance(read, list) else read


def test_a_file_with_providers_is_enough(tmp_path: Path) -> None:
    found = read(tmp_path, {"JupyterOIDC": {"providers": PROVIDERS, "default_provider": "corp", "audit_person": True}})
    assert isinstance(found, BrokerConfiguration)
    assert [one.name for one in found.settings.providers] == ["corp"]
    assert (found.default_provider, found.audit_person) == ("corp", True)
    assert found.broker == BrokerSettings(None, None, None, None, 15.0, close_process=True)
    assert (found.path, found.place) == ("/run/jupyter-oidc/broker.sock", None)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        {
            "JupyterOIDC": {"providers": {"corp": {"issuer": "http://x"}}, "storage": "memory", "audit_person": "yes"},
            "JupyterOIDCBroker": {
                "listen": "0.0.0.0:80",
                "database": "postgresql://u:p@h/d",
                "key": "abc",
                "drain_seconds": -1,
                "close_process": "no",
                "colour": 1,
            },
        },
    )
    assert isinstance(found, list)
    assert {key for key in found if not key.startswith("providers")} == {
        "JupyterOIDC.storage",
        "JupyterOIDC.audit_person",
        *(
            f"JupyterOIDCBroker.{key}"
            for key in ("listen", "database", "key", "drain_seconds", "close_process", "colour")
        ),
    }
    assert any(key.startswith("providers.corp") for key in found)


@pytest.mark.parametrize("section", ["JupyterOIDC", "JupyterOIDCBroker"])
def test_a_secret_in_the_place_of_a_key_is_refused_and_not_repeated(tmp_path: Path, section: str) -> None:
    secret = "correct-horse-7"
    found = read_configuration(
        written(tmp_path, {section: {"providers" if section == "JupyterOIDC" else "key": None, secret: 1}}), None, {}
    )
    assert isinstance(found, list)
    assert f"{section}.(entry 2)" in [finding.key for finding in found]
    assert not any(secret in str(finding.text) for finding in found)


def test_a_password_or_a_key_in_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    secret = "correct-horse"
    for broker in (
        {"database": f"postgresql://u:{secret}@h/d"},
        {"database": f"postgresql://h/d?password={secret}"},
        {"database": secret},
        {"key": secret},
    ):
        found = read_configuration(written(tmp_path, {"JupyterOIDCBroker": broker}), None, {})
        assert isinstance(found, list)
        assert len(found) == 1
        assert secret not in str(found[0].text)


@pytest.mark.parametrize(
    "document",
    ["", "[]", "{", {"JupyterOIDC": []}, {"JupyterOIDCBroker": "x"}, {"JupyterOIDC": {"default_provider": "other"}}],
)
def test_what_is_no_settings_file_is_refused(tmp_path: Path, document: Any) -> None:
    assert isinstance(read(tmp_path, document), list)


def test_a_file_that_another_user_could_change_is_refused(tmp_path: Path) -> None:
    path, user = written(tmp_path, {"JupyterOIDC": {"providers": PROVIDERS}}), os.getuid()
    Path(path).chmod(0o644)
    safe = read_configuration(path, user, {})
    Path(path).chmod(0o664)
    by_group = read_configuration(path, user, {})
    assert isinstance(by_group, list)
    assert "can be changed by other users" in by_group[0].problem
    assert isinstance(safe, BrokerConfiguration) or "folder above" in safe[0].problem  # NOTE: as the folders here are
    assert isinstance(read_configuration(path, user + 1, {}), list), "it belongs to another user than the broker's"


def test_where_sessions_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def of(database: Any) -> Path | Secret:
        found = read(tmp_path, {"JupyterOIDCBroker": {} if database is None else {"database": database}})
        assert isinstance(found, BrokerConfiguration), found
        return database_of(found.broker, {"STATE_DIRECTORY": "/var/lib/jupyter-oidc:/other"})

    assert of(None) == Path("/var/lib/jupyter-oidc/sessions.sqlite")
    assert of("sqlite:/srv/s.sqlite") == Path("/srv/s.sqlite")
    assert of("postgresql://u@h/d") == Secret("postgresql://u@h/d")
    monkeypatch.setenv("DATABASE", "postgresql://u:p@h/d")
    assert of("env:DATABASE") == Secret("postgresql://u:p@h/d")
    with pytest.raises(ConfigurationInvalid):
        of("file:/no/such")


def test_no_database_is_made_where_a_command_happens_to_run(tmp_path: Path) -> None:
    """An administrator may stand in a folder of a user, with a link of that name in it."""
    found = read(tmp_path, {"JupyterOIDCBroker": {}})
    assert isinstance(found, BrokerConfiguration)
    with pytest.raises(ConfigurationInvalid, match="name no database"):
        database_of(found.broker, {})


def test_a_client_without_a_secret_needs_a_word_of_its_own(tmp_path: Path) -> None:
    """Code of a user, whose server is the redirect URI, would redeem codes of its own."""
    public = {
        "corp": {name: value for name, value in PROVIDERS["corp"].items() if name in ("issuer", "client_id", "apis")}
    }
    assert read(tmp_path, {"JupyterOIDC": {"providers": public}}) == ["JupyterOIDC.providers.corp.client_secret"]
    allowed = {"JupyterOIDC": {"providers": public}, "JupyterOIDCBroker": {"allow_public_clients": True}}
    assert isinstance(read(tmp_path, allowed), BrokerConfiguration)


def test_where_the_keys_come_from(tmp_path: Path) -> None:
    def keys(**said: str) -> list[str]:
        found = read(tmp_path, {"JupyterOIDCBroker": said})
        assert isinstance(found, BrokerConfiguration)
        return [key.name for key in keys_of(found.broker, environment)]

    environment = {"JUPYTER_OIDC_STORAGE_KEY": ONE}
    by_variable = keys()
    file = tmp_path / "key"
    file.write_text(ONE, encoding="utf-8")
    assert (by_variable, "JUPYTER_OIDC_STORAGE_KEY" in environment) == (keys(key=f"file:{file}"), False)
    with pytest.raises(StorageUnavailable):
        keys()


def test_a_host_that_all_users_share_has_to_be_allowed(tmp_path: Path) -> None:
    """A page of one user can act in the browser of another there; with hosts of their own it cannot."""
    hub = {
        "JUPYTERHUB_SERVICE_NAME": "oidc",
        "JUPYTERHUB_SERVICE_PREFIX": "/services/oidc/",
        "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:10101",
        "JUPYTERHUB_API_URL": "http://127.0.0.1:8081/hub/api",
        "JUPYTERHUB_API_TOKEN": "t",
        "JUPYTERHUB_PUBLIC_URL": "https://hub.example.com/services/oidc/",
    }

    def read_at(environment: dict[str, str], **broker: bool) -> BrokerConfiguration | list[Finding]:
        document = {"JupyterOIDC": {"providers": PROVIDERS}, "JupyterOIDCBroker": broker}
        return read_configuration(written(tmp_path, document), None, environment)

    refused = read_at(hub)
    assert isinstance(refused, list)
    assert [finding.key for finding in refused] == ["JupyterOIDCBroker.allow_shared_host"]
    assert isinstance(read_at(hub, allow_shared_host=True), BrokerConfiguration)
    public_url = "https://oidc--service.hub.example.com/services/oidc/"
    own = {**hub, "JUPYTERHUB_HOST": "https://hub.example.com", "JUPYTERHUB_PUBLIC_URL": public_url}
    placed = read_at(own)
    assert isinstance(placed, BrokerConfiguration)
    assert (placed.place is not None and placed.place.user_domain, placed.settings.providers[0].redirect_uri) == (
        "hub.example.com",
        f"{public_url}jupyter-oidc/providers/corp/callback",
    )
    elsewhere = read_at({**own, "JUPYTERHUB_PUBLIC_URL": hub["JUPYTERHUB_PUBLIC_URL"]})
    assert isinstance(elsewhere, list), "the Hub's own host is not the service's"

"""Reads the settings file of a broker, which only root and the broker's own user may be able to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.adapters.storage.secret_refs import resolve
from jupyter_oidc.adapters.storage.storage_key import keys_in, take_storage_key
from jupyter_oidc.adapters.system.json_file import read_json_object
from jupyter_oidc.adapters.system.ownership import Owners, is_system_file
from jupyter_oidc.adapters.system.referenced_files import check_referenced_files
from jupyter_oidc.broker.hub_place import HubPlace, place_in, with_callbacks
from jupyter_oidc.language import N_, sentence
from jupyter_oidc.problems import ConfigurationInvalid
from jupyter_oidc.secret import Secret
from jupyter_oidc.settings import Finding, Settings, read_settings
from jupyter_oidc.settings.broker import (
    BROKER_SECTION,
    DEFAULT_LISTEN,
    SQLITE,
    BrokerSettings,
    read_broker_settings,
    socket_path,
    unknown_key,
)

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from jupyter_oidc.adapters.storage.storage_key import StorageKey
    from jupyter_oidc.settings import SecretRef

SECTION: Final = "JupyterOIDC"
DEFAULT_FILE: Final = "/etc/jupyter-oidc/broker.json"
_OF_A_BROKER: Final = ("providers", "default_provider", "audit_person")
_DATABASE_NAME: Final = "sessions.sqlite"


@dataclass(frozen=True, slots=True)
class BrokerConfiguration:
    """The settings of a broker, and of the providers and APIs for all its accounts; ``place`` is that of a Hub's service."""

    broker: BrokerSettings
    settings: Settings
    default_provider: str | None
    audit_person: bool
    place: HubPlace | None = None

    @property
    def path(self) -> str:
        """The path of the Unix socket, for a broker that is no service of a Hub."""
        return socket_path(self.broker.listen or DEFAULT_LISTEN) or ""


_CONFIDENTIAL: Final = N_(
    "Register a confidential client and name its secret or key: with a public one, code of a user can get tokens from the "
    "provider without the broker. Or set allow_public_clients in JupyterOIDCBroker."
)


_SHARED_HOST: Final = N_("is not set, and the servers of all users share one host with the broker")
_OWN_HOSTS: Final = N_(
    "Give users hosts of their own (c.JupyterHub.subdomain_host) and set JUPYTERHUB_HOST. If all users trust each other, "
    "set allow_shared_host in JupyterOIDCBroker instead."
)


def read_configuration(
    path: str, user: int | None, environment: Mapping[str, str] | None
) -> BrokerConfiguration | list[Finding]:
    """Return the configuration in the file at ``path`` for a broker of the ``user`` number, or every mistake in it.

    The ``environment`` tells a service of JupyterHub where it is; without it, that is left open.

    A file that another user could change is refused: who writes it gets every account's tokens.
    """
    document = read_json_object(path)
    if isinstance(document, str):
        return [Finding(f"file {path}", document, N_("Write a JSON object, and let the broker's user read it."))]
    if user is not None and not is_system_file(path, Owners(user, frozenset({0, user}))):
        return [
            Finding(
                f"file {path}",
                N_("can be changed by other users, itself or through a folder above it"),
                N_(
                    "Let it and every folder above it belong to root or to the broker's user, and to nobody else to write."
                ),
            )
        ]
    section = document.get(SECTION, {})
    if not isinstance(section, Mapping):
        return [Finding(SECTION, N_("is not a mapping"), N_('Write {"providers": {...}}.'))]
    findings = [unknown_key(SECTION, key, number) for number, key in enumerate(section, 1) if key not in _OF_A_BROKER]
    broker = read_broker_settings(document.get(BROKER_SECTION, {}))
    settings = check_referenced_files(read_settings(section.get("providers", {})))
    person, default = section.get("audit_person", False), section.get("default_provider")
    if not isinstance(person, bool):
        findings.append(
            Finding(f"{SECTION}.audit_person", N_("is not true or false"), N_("Write true or false without quotes."))
        )
    if isinstance(broker, list) or isinstance(settings, list) or findings:
        return [
            *findings,
            *(broker if isinstance(broker, list) else ()),
            *(settings if isinstance(settings, list) else ()),
        ]
    if not broker.allow_public_clients:
        findings = [
            Finding(
                f"{SECTION}.providers.{one.name}.client_secret",
                N_("is missing, so that the client is a public one"),
                _CONFIDENTIAL,
            )
            for one in settings.providers
            if one.token_endpoint_auth_method == "none"
        ]
        if findings:
            return findings
    if default is not None and default not in [one.name for one in settings.providers]:
        return [
            Finding(f"{SECTION}.default_provider", N_("is not the name of a provider"), N_("Write one of the names."))
        ]
    plain = BrokerConfiguration(broker, settings, default, person)
    return plain if environment is None else _placed(plain, environment)


def _placed(plain: BrokerConfiguration, environment: Mapping[str, str]) -> BrokerConfiguration | list[Finding]:
    """Return the configuration with its place at the Hub, if it has one there."""
    place = place_in(plain.broker, environment)
    if place is None or isinstance(place, list):
        return plain if place is None else place
    placed = with_callbacks(plain.settings, place)
    if isinstance(placed, list):
        return placed
    if not (place.has_user_hosts or plain.broker.allow_shared_host):
        return [Finding(f"{BROKER_SECTION}.allow_shared_host", _SHARED_HOST, _OWN_HOSTS)]
    return replace(plain, settings=placed, place=place)


def keys_of(broker: BrokerSettings, environment: MutableMapping[str, str]) -> tuple[StorageKey, ...]:
    """Return the keys that seal what is stored; raises ``StorageUnavailable`` or ``ConfigurationInvalid``."""
    usual = take_storage_key(environment)
    return keys_in(usual if broker.key is None else _resolved(broker.key, "key"))


def database_of(broker: BrokerSettings, environment: Mapping[str, str]) -> Path | Secret:
    """Return the file of an SQLite database, or the address of a PostgreSQL one.

    Raises ``ConfigurationInvalid`` for a reference that names nothing, and if no place is named.
    """
    said: Any = broker.database
    if said is None:
        folder = environment.get("STATE_DIRECTORY", "").partition(":")[0]
        if not folder:  # NOTE: never where the command happens to run
            raise ConfigurationInvalid(
                N_("The settings name no database, and there is no STATE_DIRECTORY for one."),
                action=N_("Write 'sqlite:/PATH' as database in the settings of the broker, or run it as a service."),
                detail="broker.database",
            )
        return Path(folder) / _DATABASE_NAME
    if isinstance(said, str):
        return Path(said[len(SQLITE) :]) if said.startswith(SQLITE) else Secret(said)
    return _resolved(said, "database")


def _resolved(reference: SecretRef, key: str) -> Secret:
    return resolve(reference, what=sentence("setting of the broker"), key=key)

"""The settings of a broker itself: where it listens, and where and by which key the sessions are stored.

They stand in the section ``JupyterOIDCBroker`` of its settings file, beside the section ``JupyterOIDC`` with the
providers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from jupyter_oidc.language import N_
from jupyter_oidc.settings.fields import REFERENCE_PATTERN, Flag, Own, Seconds, Setting
from jupyter_oidc.settings.finding import Finding
from jupyter_oidc.settings.key_reader import KEY, display_name
from jupyter_oidc.settings.model import SecretRef
from jupyter_oidc.settings.redirect_uri import LOOPBACK_HOSTS

BROKER_SECTION: Final = "JupyterOIDCBroker"
SQLITE: Final = "sqlite:"
UNIX: Final = "unix:"
DEFAULT_LISTEN: Final = "unix:/run/jupyter-oidc/broker.sock"
_POSTGRESQL: Final = ("postgresql://", "postgres://")
_MAX_DRAIN_SECONDS: Final = 600.0
MAX_GRANT_HOURS: Final = 720.0
"""Hours for which a job may call without its person: thirty days."""

_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?\Z")
"""Host and port of an address, without a user; browsers read other characters in different ways."""

_UNPLAIN: Final = frozenset("?#\\ ")

BROKER_SETTINGS: Final = (
    Setting(
        key="listen",
        field=None,
        shape=Own({"type": "string", "pattern": "^(unix:/|http://)"}),
        default=None,
        meaning="where the broker is reached: `unix:/PATH`, a socket for the Jupyter servers of this machine, which one "
        "that systemd hands over replaces; or `http://HOST:PORT`, as a service of JupyterHub, behind the Hub's proxy",
        unset="the address in JupyterHub's variable `JUPYTERHUB_SERVICE_URL`, else `unix:/run/jupyter-oidc/broker.sock`",
    ),
    Setting(
        key="public_url",
        field=None,
        shape=Own({"type": "string", "pattern": "^https?://"}),
        default=None,
        meaning="for a service of JupyterHub: the address of the service in a browser, as "
        "`https://hub.example.com/services/oidc/`; the redirect URI of every provider is below it",
        unset="what JupyterHub says in `JUPYTERHUB_PUBLIC_URL`",
    ),
    Setting(
        key="database",
        field=None,
        shape=Own({"type": "string", "pattern": f"^(sqlite:/|postgres(ql)?://)|{REFERENCE_PATTERN}"}),
        default=None,
        meaning="where sessions are stored: `sqlite:/PATH`, or `postgresql://USER@HOST/NAME`; an address with a password is "
        "a reference, `file:PATH` or `env:NAME`",
        unset="`sessions.sqlite` in the folder that systemd's `STATE_DIRECTORY` names",
    ),
    Setting(
        key="key",
        field=None,
        shape=Own({"type": "string", "pattern": REFERENCE_PATTERN}),
        default=None,
        meaning="a reference to the keys that seal what is stored, `file:PATH` or `env:NAME`: 32 bytes in base64url each, "
        "the newest first",
        unset="the variable `JUPYTER_OIDC_STORAGE_KEY`, a descriptor, or the credential `jupyter_oidc_storage_key` of systemd",
    ),
    Setting(
        key="allow_public_clients",
        field=None,
        shape=Flag(),
        default=False,
        meaning="accept providers where the client has no secret: code of a user, whose server the redirect URI leads to, can "
        "then get tokens of its own from the provider, so that the wall holds none out of its reach",
    ),
    Setting(
        key="allow_shared_host",
        field=None,
        shape=Flag(),
        default=False,
        meaning="for a service of JupyterHub: serve although the servers of all users share one host with the broker; a page "
        "of one user can then act in the browser of another, and get that person's identity at a provider into its own "
        "account",
    ),
    Setting(
        key="close_process",
        field=None,
        shape=Flag(),
        default=True,
        meaning="on Linux: close the broker's memory to other processes of its user, and leave no core file",
    ),
    Setting(
        key="max_grant_hours",
        field=None,
        shape=Seconds(0.0, MAX_GRANT_HOURS),
        default=MAX_GRANT_HOURS,
        meaning="hours that a worker grant lasts at most, 720 by default; with 0, notebooks make none",
    ),
    Setting(
        key="drain_seconds",
        field=None,
        shape=Seconds(0.0, _MAX_DRAIN_SECONDS),
        default=15.0,
        meaning="seconds that calls under way have to end when the broker stops",
    ),
)
"""Every key of the section."""


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Where a broker listens and stores; what is ``None`` is told by its environment.

    ``database`` is an address without a password, or a reference to one with it; ``None`` is the usual file.
    """

    listen: str | None
    public_url: str | None
    database: str | SecretRef | None
    key: SecretRef | None
    drain_seconds: float
    max_grant_hours: float = MAX_GRANT_HOURS
    close_process: bool = True
    allow_public_clients: bool = False
    allow_shared_host: bool = False


def socket_path(address: object) -> str | None:
    """Return the path of the Unix socket in ``address``; ``None`` for anything that is no address of a broker."""
    path = address[len(UNIX) :] if isinstance(address, str) and address.startswith(UNIX) else ""
    return path if path.startswith("/") and path.isprintable() else None


class BrokerAddress(NamedTuple):
    """Where a broker is reached: the ``path`` of its Unix socket, or none; and its ``url``, with a slash at the end."""

    path: str | None
    url: str

    @property
    def text(self) -> str:
        """The address for a person to read."""
        return self.path or self.url


def broker_address(address: object) -> BrokerAddress | None:
    """Return the place that ``address`` names; ``None`` for anything that is no address of a broker.

    Plain http leads to this machine only: the server sends the broker a token of the Hub's.
    """
    path = socket_path(address)
    if path is not None:
        return BrokerAddress(path, "http://broker/")  # NOTE: the host is for the head alone
    url = web_address(address)
    if url is None:
        return None
    parts = urlsplit(url)
    return BrokerAddress(None, url) if parts.scheme == "https" or parts.hostname in LOOPBACK_HOSTS else None


def web_address(address: object) -> str | None:
    """Return ``address`` with a slash at its end if it is that of a folder of a web server, else ``None``."""
    text = address if isinstance(address, str) and address.isascii() and address.isprintable() else ""
    try:
        parts = urlsplit(text)
        known = parts.scheme in ("http", "https") and _HOST.match(parts.netloc) is not None and parts.port != 0
    except ValueError:
        return None
    return f"{text.rstrip('/')}/" if known and _UNPLAIN.isdisjoint(text) else None


def host_and_port(listen: str) -> tuple[str, int] | None:
    """Return host and port in ``listen``; ``None`` if it is not ``http://HOST:PORT``."""
    url = web_address(listen)
    parts = urlsplit(url or "")
    if parts.scheme != "http" or parts.path != "/" or parts.hostname is None or parts.port is None:
        return None
    return parts.hostname, parts.port


def unknown_key(section: str, key: object, number: int) -> Finding:
    """Return the finding about the ``key`` that a broker does not have, the entry with that ``number`` in ``section``."""
    return Finding(f"{section}.{display_name(key, number, KEY)}", N_("is no setting of a broker"), N_("Remove it."))


def read_broker_settings(section: object) -> BrokerSettings | list[Finding]:
    """Read the ``section``; return every mistake if there is one."""
    if not isinstance(section, Mapping):
        return [Finding(BROKER_SECTION, N_("is not a mapping"), N_('Write {"listen": "unix:/PATH"}.'))]
    findings: list[Finding] = []
    said: dict[str, Any] = {one.key: one.default for one in BROKER_SETTINGS}
    for number, (key, value) in enumerate(section.items(), 1):
        if key in said:
            said[key] = value
        else:
            findings.append(unknown_key(BROKER_SECTION, key, number))
    listen, drain = said["listen"], said["drain_seconds"]
    if listen is not None and socket_path(listen) is None and not (isinstance(listen, str) and host_and_port(listen)):
        instead = N_("Write 'unix:' and the whole path of the socket, or 'http://HOST:PORT' under JupyterHub.")
        findings.append(_finding("listen", N_("is no place to listen at"), instead))
    public_url = web_address(said["public_url"])
    if said["public_url"] is not None and public_url is None:
        instead = N_("Write the address of the service in a browser, as 'https://hub.example.com/services/oidc/'.")
        findings.append(_finding("public_url", N_("is no address of a web server"), instead))
    if not _is_number(drain, _MAX_DRAIN_SECONDS):
        findings.append(_finding("drain_seconds", N_("is no number of seconds"), N_("Write a number from 0 to 600.")))
        drain = 0.0
    hours = said["max_grant_hours"]
    if not _is_number(hours, MAX_GRANT_HOURS):
        findings.append(_finding("max_grant_hours", N_("is no number of hours"), N_("Write a number from 0 to 720.")))
        hours = 0.0
    findings += [
        _finding(flag, N_("is not true or false"), N_("Write true or false without quotes."))
        for flag in ("allow_public_clients", "allow_shared_host", "close_process")
        if not isinstance(said[flag], bool)
    ]
    database = _database(said["database"], findings)
    key = _reference(said["key"])
    if said["key"] is not None and key is None:
        findings.append(_finding("key", N_("is not a reference (its value is not shown here)"), _REFERENCE))
    return findings or BrokerSettings(
        listen,
        public_url,
        database,
        key,
        float(drain),
        float(hours),
        close_process=said["close_process"] is True,
        allow_public_clients=said["allow_public_clients"] is True,
        allow_shared_host=said["allow_shared_host"] is True,
    )


def _is_number(value: object, most: float) -> bool:
    return not isinstance(value, bool) and isinstance(value, (int, float)) and 0 <= value <= most


_REFERENCE: Final = N_("Write 'file:PATH' or 'env:NAME'; a secret never stands in the settings.")


def _database(value: object, findings: list[Finding]) -> str | SecretRef | None:
    reference = _reference(value)
    if value is None or reference is not None:
        return reference
    text = value if isinstance(value, str) else ""
    if text.startswith(f"{SQLITE}/") and text.isprintable():
        return text
    try:
        has_password = urlsplit(text).password is not None
    except ValueError:
        has_password = True
    if text.startswith(_POSTGRESQL) and not has_password and "password" not in text.partition("?")[2].lower():
        return text
    instead = N_("Write 'sqlite:/PATH', 'postgresql://USER@HOST/NAME', or a reference to an address with a password.")
    findings.append(_finding("database", N_("is no address of a database (its value is not shown here)"), instead))
    return None


def _reference(value: object) -> SecretRef | None:
    scheme, _, name = value.partition(":") if isinstance(value, str) else ("", "", "")
    if scheme == "env" and name.isidentifier():
        return SecretRef("env", name)
    return SecretRef("file", name) if scheme == "file" and name.isprintable() and name else None


def _finding(key: str, problem: str, instead: str) -> Finding:
    return Finding(f"{BROKER_SECTION}.{key}", problem, instead)

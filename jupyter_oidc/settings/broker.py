"""The settings of a broker itself: where it listens, and where and by which key the sessions are stored.

They stand in the section ``JupyterOIDCBroker`` of its settings file, beside the section ``JupyterOIDC`` with the
providers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from jupyter_oidc.language import N_
from jupyter_oidc.settings.fields import REFERENCE_PATTERN, Flag, Own, Seconds, Setting
from jupyter_oidc.settings.finding import Finding
from jupyter_oidc.settings.key_reader import KEY, display_name
from jupyter_oidc.settings.model import SecretRef

BROKER_SECTION: Final = "JupyterOIDCBroker"
SQLITE: Final = "sqlite:"
UNIX: Final = "unix:"
_POSTGRESQL: Final = ("postgresql://", "postgres://")
_MAX_DRAIN_SECONDS: Final = 600.0

BROKER_SETTINGS: Final = (
    Setting(
        key="listen",
        field=None,
        shape=Own({"type": "string", "pattern": "^unix:/"}),
        default="unix:/run/jupyter-oidc/broker.sock",
        meaning="the Unix socket at which Jupyter servers of this machine reach the broker; a socket that systemd hands "
        "over takes its place",
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
        key="close_process",
        field=None,
        shape=Flag(),
        default=True,
        meaning="on Linux: close the broker's memory to other processes of its user, and leave no core file",
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
    """Where a broker listens and stores; ``path`` is that of its Unix socket.

    ``database`` is an address without a password, or a reference to one with it; ``None`` is the usual file.
    """

    path: str
    database: str | SecretRef | None
    key: SecretRef | None
    drain_seconds: float
    close_process: bool = True
    allow_public_clients: bool = False


def socket_path(address: object) -> str | None:
    """Return the path of the Unix socket in ``address``; ``None`` for anything that is no address of a broker."""
    path = address[len(UNIX) :] if isinstance(address, str) and address.startswith(UNIX) else ""
    return path if path.startswith("/") and path.isprintable() else None


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
    path = socket_path(listen)
    if path is None:
        findings.append(
            _finding("listen", N_("is no Unix socket"), N_("Write 'unix:' and the whole path of the socket."))
        )
    if isinstance(drain, bool) or not isinstance(drain, (int, float)) or not 0 <= drain <= _MAX_DRAIN_SECONDS:
        findings.append(_finding("drain_seconds", N_("is no number of seconds"), N_("Write a number from 0 to 600.")))
        drain = 0.0
    findings += [
        _finding(flag, N_("is not true or false"), N_("Write true or false without quotes."))
        for flag in ("allow_public_clients", "close_process")
        if not isinstance(said[flag], bool)
    ]
    database = _database(said["database"], findings)
    key = _reference(said["key"])
    if said["key"] is not None and key is None:
        findings.append(_finding("key", N_("is not a reference (its value is not shown here)"), _REFERENCE))
    return findings or BrokerSettings(
        path or "",
        database,
        key,
        float(drain),
        close_process=said["close_process"] is True,
        allow_public_clients=said["allow_public_clients"] is True,
    )


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

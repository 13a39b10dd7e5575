"""The keys of the section ``JupyterOIDC`` beside the providers, which have tables of their own (ADR 44)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from jupyter_oidc.contract.storage import RequestedStorage
from jupyter_oidc.settings.fields import NAME_PATTERN, Choice, Flag, Own, Setting, either

if TYPE_CHECKING:
    from collections.abc import Mapping

SECTION_SETTINGS: Final = (
    Setting(
        key="providers",
        field=None,
        shape=Own(
            {
                "type": "object",
                "propertyNames": {"pattern": NAME_PATTERN},
                "additionalProperties": {"$ref": "#/$defs/provider"},
            },
        ),
        default={},
        meaning="`{name: {settings}}`, in the order in which they are shown; client secrets are references, never values",
    ),
    Setting(
        key="default_provider",
        field=None,
        shape=Own({"type": "string", "pattern": NAME_PATTERN}),
        default=None,
        meaning="the provider that a notebook means where it names none, if there are several",
        unset="a notebook has to name one",
    ),
    Setting(
        key="broker",
        field=None,
        shape=Own({"type": "string", "pattern": "^(unix:/|https?://)"}),
        default=None,
        meaning="the address of a [broker](../how-to/put-tokens-behind-a-wall.md) that holds the sessions: "
        "`unix:/run/jupyter-oidc/broker.sock`, or that of a service of JupyterHub, "
        "`https://hub.example.com/services/oidc/`; its settings count then, and those of providers and storage here do not",
        unset="sessions are held by this server",
    ),
    Setting(
        key="storage",
        field=None,
        shape=Choice(get_args(RequestedStorage)),
        default="auto",
        meaning=f"where refresh tokens are kept: {either(get_args(RequestedStorage))}",
    ),
    Setting(
        key="keyring_backend",
        field=None,
        shape=Own({"type": "string", "pattern": r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+$"}),
        default=None,
        meaning="the class `module.Class` of a keyring backend to use in place of the operating system's own stores; "
        "keyring's own configuration (`keyringrc.cfg`, `PYTHON_KEYRING_BACKEND`) is not read",
        page="; see below",
    ),
    Setting(
        key="storage_folder",
        field=None,
        shape=Own({"type": "string", "minLength": 1}),
        default=None,
        meaning="the whole path of the folder for the encrypted file and the lock; for a home where every file can be "
        "written by others, as on network shares (CIFS, SMB), name one on the machine's own disk that only this "
        "user can write to",
        unset="`jupyter_oidc` in Jupyter's data folder",
    ),
    Setting(
        key="settings_sources",
        field=None,
        shape=Choice(("all", "system")),
        default="all",
        meaning="which settings count: `all`, or `system` for those in files that this user cannot change; under a Hub "
        "only such a file can say otherwise",
        unset='`"all"`; under a Hub `"system"`',
        page="; see [who may say what](#who-may-say-what)",
    ),
    Setting(
        key="reload",
        field=None,
        shape=Flag(),
        default=True,
        meaning="whether changed files are taken into account while the server runs",
    ),
    Setting(
        key="close_process",
        field=None,
        shape=Flag(),
        default=True,
        meaning="on Linux: close the server's memory to other processes of the same user; switch it off to attach a "
        "debugger or profiler",
        page="; see the [threat model](../explanation/threat-model.md)",
    ),
    Setting(
        key="allow_remote_kernels",
        field=None,
        shape=Flag(),
        default=False,
        meaning="accept kernels that run on another machine; by default a kernel's connection key and its grants are good "
        "at this machine only",
    ),
    Setting(
        key="worker_grants",
        field=None,
        shape=Flag(),
        default=True,
        meaning="let notebooks make grants for workers (`oidc.delegate()`): a part of what the session may do, for 24 hours "
        "at most",
        page="; see [use it from workers](../how-to/use-from-workers.md)",
    ),
    Setting(
        key="allow_remote_workers",
        field=None,
        shape=Flag(),
        default=False,
        meaning="accept worker grants from other machines; by default they are good at this machine only",
    ),
    Setting(
        key="grant_kernels_of_others",
        field=None,
        shape=Flag(),
        default=False,
        meaning="under JupyterHub: let kernels that somebody else than the server's owner started or connected to call "
        "APIs as the owner",
    ),
    Setting(
        key="audit_person",
        field=None,
        shape=Flag(),
        default=False,
        meaning="name in each call event who is signed in for the API, by the provider's subject",
        page="; see [audit and monitoring](../how-to/audit-and-monitoring.md)",
    ),
)

SECTION_KEYS: Final[Mapping[str, Setting]] = {one.key: one for one in SECTION_SETTINGS}
"""The same by their keys."""

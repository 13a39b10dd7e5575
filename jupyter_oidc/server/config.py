"""Merges the configuration from Python and JSON files, the command line and ``*.d`` folders.

Jupyter itself reads ``jupyter_server_config.d/*.json`` only to learn which extensions are on; a provider's settings
file belongs there all the same, so its ``JupyterOIDC`` section is read here.
Files that this user cannot change (*system* files) decide: a provider in one of them is taken whole from there, and
a user's file cannot add to it, replace it or remove it (ADR 30).
JSON files can be read again while the server runs; a Python file is a program and is run when the server starts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from jupyter_oidc.adapters.system.ownership import Owners, is_system_file
from jupyter_oidc.adapters.system.referenced_files import check_referenced_files
from jupyter_oidc.language import N_, sentence
from jupyter_oidc.server.settings_file import FILE_NAME, SECTION, SettingsFile, section_of
from jupyter_oidc.settings import Finding, Settings, read_settings
from jupyter_oidc.settings.broker import broker_address
from jupyter_oidc.settings.fields import NAME_PATTERN, Flag, camel_case
from jupyter_oidc.settings.section import SECTION_KEYS

STORAGE_KEYS: Final = ("storage", "keyring_backend", "storage_folder")
"""The settings of the storage of sessions; they change with the next start of the server."""

SWITCH_DEFAULTS: Final[Mapping[str, bool]] = {
    key: setting.default is True
    for key, setting in SECTION_KEYS.items()
    if isinstance(setting.shape, Flag) and key != "reload"
}
"""The switches that the server reads once at its start, with their defaults."""

TRAITS: Final = tuple(SECTION_KEYS)
"""The names that the section may hold."""

_SNAKE: Final = {camel_case(name): name for name in STORAGE_KEYS}

HUB_VARIABLES: Final = ("JUPYTERHUB_API_TOKEN", "JUPYTERHUB_SERVICE_PREFIX")
"""Environment variables each of which shows that the server belongs to a Hub."""

Sources = Literal["all", "system"]


def is_under_hub(environment: Mapping[str, str]) -> bool:
    """Return whether the server with this ``environment`` belongs to a Hub."""
    return any(name in environment for name in HUB_VARIABLES)


_DEFAULTS: Final[Mapping[str, Any]] = {
    key: SECTION_KEYS[key].default for key in ("default_provider", "broker", *STORAGE_KEYS, "reload", *SWITCH_DEFAULTS)
}
_ONLY_SYSTEM: Final = sentence(
    "settings count from system files only (settings_sources is 'system'); what stands on the command line or in files "
    "that this user can change does not"
)
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Configured:
    """The merged configuration.

    ``choices`` in the order of :data:`STORAGE_KEYS`, ``on`` the :data:`SWITCH_DEFAULTS` in force.
    ``system`` are the names of the providers in system files, and ``removed`` those that are removed explicitly
    (``"NAME": null``); ``notes`` name the ignored settings, and why.
    """

    providers: object
    choices: tuple[object, ...]
    sources: Sources
    reload: bool
    on: frozenset[str] = frozenset()
    default_provider: str | None = None
    broker: str | None = None
    system: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    def read(self, *, looks_at_files: bool = True) -> Reading | list[Finding]:
        """Return validated settings, or every mistake; ``looks_at_files`` also at the files that they name."""
        read = read_settings(self.providers, *self.choices)
        if isinstance(read, list) or self.findings:
            return [*self.findings, *(read if isinstance(read, list) else ())]
        duplicates = _duplicate_registrations(read, self.system)
        settings = replace(read, providers=tuple(one for one in read.providers if one.name not in duplicates))
        checked = check_referenced_files(settings) if looks_at_files else settings
        if isinstance(checked, list):
            return checked
        return Reading(checked, (*self.notes, *self._default_notes(settings)), duplicates)

    def _default_notes(self, settings: Settings) -> tuple[str, ...]:
        """Return the note that the default provider does not exist, if that is so."""
        if self.default_provider is None or self.default_provider in [one.name for one in settings.providers]:
            return ()
        return (
            sentence(
                "default_provider names {name}, and there is no provider of that name",
                name=_quoted(self.default_provider),
            ),
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """Valid settings; ``left_out`` are the names of refused providers, and ``notes`` the remarks about all of them."""

    settings: Settings
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def log_notes(self) -> tuple[str, ...]:
        """The lines for the log: the ignored settings, and why."""
        return *self.notes, *(
            sentence(
                "provider '{name}' is left out: it has the issuer and client_id of one in a system file", name=name
            )
            for name in self.left_out
        )


def settings_outside_files(own: Mapping[str, Any], files: Iterable[SettingsFile]) -> dict[str, Any]:
    """Return the part of ``own`` section of the configuration that is in no JSON file, and so cannot change.

    Jupyter has read the main JSON files itself and mixed them with Python files and the command line.
    """
    mains = [file.section for file in files if file.is_main]
    stays = {name: value for name, value in own.items() if all(main.get(name, _ABSENT) != value for main in mains)}
    above, below = stays.get("providers"), [main.get("providers") for main in mains]
    if isinstance(above, Mapping):
        known = [one for one in below if isinstance(one, Mapping)]
        stays["providers"] = {
            name: body for name, body in above.items() if all(one.get(name, _ABSENT) != body for one in known)
        }
    return stays


def merged_settings(
    own: Mapping[str, Any], files: Sequence[SettingsFile], environment: Mapping[str, str] | None = None
) -> Configured:
    """Merge ``files``, the least important first, and ``own``, the result of :func:`settings_outside_files`.

    Among files that the same people may write, a key of a more important file wins, and the others are kept; in a main
    file and in ``own``, a provider replaces one of the same name as a whole.
    """
    system = _layer([file for file in files if file.is_system])
    users = _with_own(_layer([file for file in files if not file.is_system]), own)
    sources, findings = _sources(system, users, environment or {})
    if sources == "system":
        reach = _Layer({}, frozenset(), {})
        notes: tuple[str, ...] = _ignored_user_notes(system, users)
    else:
        reach, notes = users, _overruled_notes(system, users)
    scalars = {**_DEFAULTS, **reach.scalars, **system.scalars}
    switches = {name: scalars[name] for name in ("reload", *SWITCH_DEFAULTS)}
    unclear = [name for name, said in switches.items() if not isinstance(said, bool)]
    instead = N_("Write True or False without quotes.")
    findings = (*findings, *(Finding(name, N_("is not true or false"), instead) for name in unclear))
    default_provider = scalars["default_provider"]
    if default_provider is not None and not _is_name(default_provider):
        findings = (
            *findings,
            Finding("default_provider", N_("is not the name of a provider"), N_("Write one of the names.")),
        )
        default_provider = None
    broker = scalars["broker"]
    if broker is not None and broker_address(broker) is None:
        instead = N_("Write 'unix:' and the whole path of the socket, or the https address of the Hub's service.")
        findings = (*findings, Finding("broker", N_("is not the address of a broker"), instead))
        broker = None
    names = frozenset(system.providers) if isinstance(system.providers, Mapping) else frozenset()
    return Configured(
        _merged_providers(system.providers, reach.providers),
        storage_choices(scalars),
        sources,
        reload=switches["reload"] is True,
        on=frozenset(name for name, usual in SWITCH_DEFAULTS.items() if (usual if name in unclear else switches[name])),
        default_provider=default_provider,
        broker=broker,
        system=names,
        removed=system.removed | (reach.removed - names),
        notes=notes,
        findings=findings,
    )


def storage_choices(section: Mapping[str, Any]) -> tuple[object, ...]:
    """Return the :data:`STORAGE_KEYS` of one section, in either spelling, with defaults for missing ones."""
    said = _in_snake_case(section)
    return tuple(said.get(name, _DEFAULTS.get(name)) for name in STORAGE_KEYS)


def _in_snake_case(section: Mapping[str, Any]) -> dict[str, Any]:
    return {_SNAKE.get(name, name): value for name, value in section.items()}


def system_programs(paths: Sequence[str], owners: Owners | None) -> tuple[list[SettingsFile], list[str]]:
    """Run the Python system files that name this extension, each alone; return their settings, and the faults.

    Jupyter has run them before and mixed the result with users' settings, so that the two cannot be told apart.
    """
    found, troubles = [], []
    for weight, folder in enumerate(reversed(paths)):
        path = Path(folder) / f"{FILE_NAME}.py"
        if not path.is_file() or not is_system_file(str(path), owners):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if SECTION not in text and "load_subconfig" not in text:
            continue
        config = python_config(path)
        if isinstance(config, Finding):
            troubles.append(f"{config.key}: {config.problem}")
        else:
            found.append(SettingsFile(str(path), (weight, False, ""), section_of(config), is_system=True))
    return found, troubles


def python_config(path: Path) -> Mapping[str, Any] | Finding:
    """Run the configuration file ``path`` alone and return its settings, or the reason why it cannot run."""
    from traitlets.config.loader import LazyConfigValue, PyFileConfigLoader

    key, instead = f"file {path}", N_("Correct it; Jupyter leaves out what such a file says.")
    try:
        config: Mapping[str, Any] = PyFileConfigLoader(path.name, path=str(path.parent)).load_config()
    except SyntaxError as error:
        return Finding(key, sentence("is not Python (line {line})", line=error.lineno), instead)
    except OSError:
        return Finding(key, N_("cannot be read, or what it reads cannot"), N_("Let the Jupyter server's user read it."))
    except Exception as error:  # noqa: BLE001 - a foreign program; the text of its error is not repeated
        return Finding(
            key, sentence("ends with an error when it is run ({error})", error=type(error).__name__), instead
        )
    # NOTE: c.JupyterOIDC.providers.update(...) is kept as a lazy change, until it is applied to a value.
    ours = {
        name: value.get_value({}) if isinstance(value, LazyConfigValue) else value
        for name, value in config.get(SECTION, {}).items()
    }
    return {**config, **({SECTION: ours} if SECTION in config else {})}


@dataclass(frozen=True, slots=True)
class _Layer:
    """The settings of files that the same people may write; ``scalars`` is everything but the providers."""

    providers: Any
    removed: frozenset[str]
    scalars: Mapping[str, Any]


def _layer(files: Iterable[SettingsFile]) -> _Layer:
    section: dict[str, Any] = {}
    removed: set[str] = set()
    for file in sorted(files, key=lambda file: file.rank):
        named, below = file.section.get("providers"), section.get("providers")
        if file.is_main and isinstance(named, Mapping) and isinstance(below, Mapping):
            section["providers"] = {name: body for name, body in below.items() if name not in named}
        _update(section, _in_snake_case(file.section))
        if isinstance(named, Mapping):
            removed = {*(removed - set(named)), *(name for name, body in named.items() if body is None)}
    providers = section.pop("providers", {})
    return _Layer(providers, frozenset(removed), section)


def _with_own(layer: _Layer, own: Mapping[str, Any]) -> _Layer:
    scalars = {**layer.scalars, **{name: value for name, value in own.items() if name != "providers"}}
    above = own.get("providers", {})
    if not isinstance(above, Mapping):
        return _Layer(above, layer.removed, scalars)
    if not isinstance(layer.providers, Mapping):
        return _Layer(above or layer.providers, layer.removed, scalars)
    gone = frozenset(name for name, body in above.items() if body is None)
    there = {name: body for name, body in {**layer.providers, **above}.items() if name not in gone}
    return _Layer(there, (layer.removed - set(above)) | gone, scalars)


def _update(target: dict[str, Any], new: Mapping[str, Any]) -> None:
    """Merge ``new`` into ``target``, mapping by mapping; ``None`` removes a key."""
    for key, value in new.items():
        if isinstance(value, Mapping):
            below = target.get(key)
            merged = dict(below) if isinstance(below, Mapping) else {}
            _update(merged, value)
            target[key] = merged
        elif value is None:
            target.pop(key, None)
        else:
            target[key] = value


def _merged_providers(system: Any, users: Any) -> object:
    if isinstance(system, Mapping) and isinstance(users, Mapping):
        return {**system, **{name: body for name, body in users.items() if name not in system}}
    return system if not isinstance(system, Mapping) or system else users


def _sources(system: _Layer, users: _Layer, environment: Mapping[str, str]) -> tuple[Sources, tuple[Finding, ...]]:
    """Return which sources count: by a system file, else ``system`` under a Hub, else by a user's file."""
    said = system.scalars.get("settings_sources")
    if said is None:
        said = "system" if is_under_hub(environment) else users.scalars.get("settings_sources", "all")
    if said == "all":
        return "all", ()
    if said == "system":
        return "system", ()
    instead = N_("Write 'all' or 'system'.")
    return "system", (Finding("settings_sources", N_("is not one of the allowed values"), instead),)


def _ignored_user_notes(system: _Layer, users: _Layer) -> tuple[str, ...]:
    said = sorted(users.providers) if isinstance(users.providers, Mapping) else []
    left_out = [name for name in said if not isinstance(system.providers, Mapping) or name not in system.providers]
    count = len(left_out) + sum(1 for name in users.scalars if name in TRAITS and name not in system.scalars)
    notes = _overruled_notes(system, users)
    if not count:
        return notes
    return _ONLY_SYSTEM, *notes


def _overruled_notes(system: _Layer, users: _Layer) -> tuple[str, ...]:
    if not isinstance(system.providers, Mapping) or not isinstance(users.providers, Mapping):
        return ()
    both = [name for name, body in users.providers.items() if name in system.providers]
    both = [name for name in both if users.providers[name] != system.providers[name]]
    both += sorted(users.removed & set(system.providers))
    return tuple(
        sentence(
            "provider {name} stands in a system file and is taken whole from there; what else is written about it does "
            "not count",
            name=_quoted(name),
        )
        for name in both
    )


def _duplicate_registrations(settings: Settings, system: frozenset[str]) -> tuple[str, ...]:
    """Return a user's providers with the registration of one in a system file: they would get the same tokens."""
    theirs = {(one.issuer, one.client_id) for one in settings.providers if one.name in system}
    return tuple(
        one.name for one in settings.providers if one.name not in system and (one.issuer, one.client_id) in theirs
    )


def _is_name(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(NAME_PATTERN, value) is not None


def _quoted(name: object) -> str:
    """Return a name for the log, without line breaks, and without a misplaced secret."""
    text = str(name)
    return (
        f"'{text}'"
        if text.isidentifier() or text.replace("-", "_").isidentifier()
        else sentence("(a name that is none)")
    )

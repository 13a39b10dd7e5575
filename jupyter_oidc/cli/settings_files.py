"""Reads the settings from the configuration files as the Jupyter server would."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from traitlets import Any as AnyTrait
from traitlets.config import Configurable

from jupyter_oidc.adapters.system.ownership import owners_here
from jupyter_oidc.cli.documents import Document, UnreadableFile, document_in
from jupyter_oidc.language import N_, Sentence, sentence
from jupyter_oidc.server.config import TRAITS, Reading, python_config, storage_choices
from jupyter_oidc.server.settings_file import SECTION, SettingsFile, section_of, settings_file, settings_files
from jupyter_oidc.server.settings_watch import SettingsSource
from jupyter_oidc.settings import Finding, Settings, read_settings
from jupyter_oidc.settings.broker import BrokerAddress, broker_address
from jupyter_oidc.settings.section import SECTION_KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from jupyter_oidc.cli.app import OidcApp

_PROGRAMS: Final = ("jupyter_config.py", "jupyter_server_config.py")
_PRINTABLE_KEY: Final = re.compile(r"[A-Za-z][A-Za-z_]{0,39}\Z")
"""The pattern of keys that messages may repeat; any other key could be a pasted secret."""


_HELD: Final = N_(
    "sessions are held by the broker at {path}, and what the settings here say of providers and storage does not count"
)

_Section: Final[Any] = type(
    SECTION,
    (Configurable,),
    {key: AnyTrait(setting.default).tag(config=True) for key, setting in SECTION_KEYS.items()},
)
"""Stands for the extension's section, so that traitlets reads it as the server does."""


@dataclass(frozen=True, slots=True)
class SettingsResult:
    """The settings in the files; ``settings`` is ``None`` if there are ``findings``.

    ``notes`` name settings that are ignored, and ``only_system`` says that only system files count.
    With a ``broker`` there are no providers here.
    """

    settings: Settings | None
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    only_system: bool = False
    broker: BrokerAddress | None = None

    @classmethod
    def of(cls, result: Settings | list[Finding]) -> SettingsResult:
        """Return ``result`` as one value."""
        return cls(result, ()) if isinstance(result, Settings) else cls(None, tuple(result))


def settings_of(app: OidcApp, *, looks_at_files: bool = False) -> SettingsResult:
    """Read the section of the configuration files that ``app`` has loaded, and the folders ``*.d`` beside them.

    With ``looks_at_files`` every file is also judged alone, including those that the settings name, as the server does
    when it starts; Python files are run once more for that.
    """
    paths, owners = app.config_file_paths, owners_here()
    files = settings_files(paths, owners)
    broken = list(_broken(files))
    if looks_at_files:
        broken += _of_files(files, _programs(paths, str(app.config_file)), app.config)
    if broken:
        return SettingsResult(None, tuple(dict.fromkeys(broken)))
    section = _Section(config=app.config)
    own: Mapping[str, Any] = {name: getattr(section, name) for name in TRAITS if name in app.config.get(SECTION, {})}
    said = SettingsSource(paths, own, owners).now()
    broker = None if said.broker is None or said.findings else broker_address(said.broker)
    if broker is not None:
        held = sentence(_HELD, path=broker.text)
        return SettingsResult(Settings(), (), (held,), said.sources == "system", broker)
    read, only_system = said.read(looks_at_files=looks_at_files), said.sources == "system"
    if isinstance(read, Reading):
        return SettingsResult(read.settings, (), read.log_notes, only_system)
    return SettingsResult(None, tuple(read), said.notes, only_system)


def read_alone(path: str) -> SettingsResult:
    """Read the settings in one file alone, which may be a Python file."""
    if path.endswith(".py"):
        said = python_config(Path(path))
        if isinstance(said, Finding):
            return SettingsResult(None, (said,))
        section = section_of(said)
        findings = [*_of_sections(path, list(said)), *_of_section(path, section)]
        document = Document(section.get("providers", {}), storage_choices(section))
    else:
        file = settings_file(path)
        findings = [*_of_sections(path, file.others), *_of_section(path, file.section)]
        try:
            document = document_in(Path(path), "corp")
        except UnreadableFile as unreadable:
            return SettingsResult(None, (unreadable.finding,))
    if findings:
        return SettingsResult(None, tuple(findings))
    return SettingsResult.of(read_settings(document.providers, *document.choices))


def _broken(files: Iterable[SettingsFile]) -> Iterator[Finding]:
    instead = sentence("Correct it; 'python -m json.tool FILE' says where.")
    for file in files:
        if file.trouble and file.trouble != "is empty":
            yield Finding(sentence("file {path}", path=_shown(file.path)), file.trouble, instead)


def _programs(paths: Sequence[str], named: str) -> list[Path]:
    there = [Path(folder) / name for folder in paths for name in _PROGRAMS]
    return [path for path in (*there, *([Path(named)] if named.endswith(".py") else ())) if path.is_file()]


def _of_files(files: Iterable[SettingsFile], programs: Iterable[Path], config: Mapping[str, Any]) -> Iterator[Finding]:
    """Judge each source alone; ``config`` is merged from all of them and the command line."""
    known: set[str] = set()
    for file in files:
        yield from _of_sections(file.path, file.others)
        yield from _of_section(file.path, file.section)
        known |= set(file.section)
    for path in programs:
        said = python_config(path)
        if isinstance(said, Finding):
            yield Finding(sentence("file {path}", path=_shown(str(path))), said.problem, said.instead, said.kind)
        else:
            yield from _of_sections(str(path), list(said))
            yield from _of_section(str(path), section_of(said))
            known |= set(section_of(said))
    yield from _of_section("", {key: None for key in config.get(SECTION, {}) if key not in known})


def _of_sections(path: str, names: Iterable[str]) -> Iterator[Finding]:
    """Report sections that are probably misspelt names of ours."""
    for name in names:
        plain = name.replace("_", "").replace("-", "").lower()
        if name != SECTION and difflib.SequenceMatcher(None, plain, SECTION.lower()).ratio() > 0.85:
            hint = sentence("Did you mean '{name}'?", name=SECTION)
            yield Finding(_at(path, _key(name)), sentence("is no section that anything reads"), hint)


def _of_section(path: str, section: Mapping[str, Any]) -> Iterator[Finding]:
    """Report unknown keys of our section."""
    from jupyter_oidc.server.extension import JupyterOIDC as Extension

    known = Extension.class_trait_names(config=True)
    for key in section:
        if key not in known:
            close = difflib.get_close_matches(str(key), TRAITS, n=1)
            hint = sentence("Did you mean '{name}'?", name=close[0]) if close else sentence("Remove it.")
            place = Sentence("{section}.{key}", {"section": SECTION, "key": _key(key)})
            yield Finding(_at(path, place), sentence("is not a known key"), hint)


def _at(path: str, key: str) -> str:
    return sentence("file {path}: {key}", path=_shown(path), key=key) if path else key


def _key(key: object) -> str:
    return key if isinstance(key, str) and _PRINTABLE_KEY.match(key) else sentence("(a key that is not shown)")


def _shown(path: str) -> str:
    """Return ``path`` without the name of the person whose home it is in, because users paste 'doctor' in public."""
    try:
        return f"~/{Path(path).relative_to(Path.home()).as_posix()}"
    except (ValueError, RuntimeError):
        return path

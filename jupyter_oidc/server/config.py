"""What is configured, wherever it is written: Python or JSON files, the command line, and ``*.d`` folders.

Jupyter itself reads ``jupyter_server_config.d/*.json`` only to learn which extensions are on; a provider's settings
file belongs there all the same, so its ``JupyterOIDC`` section is read here.
JSON files can be read again while the server runs; a Python file is a program and is run once, at the start.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jupyter_server.extension.config import ExtensionConfigManager

SECTION = "JupyterOIDC"
_FILE = "jupyter_server_config"

CHOICES = ("storage", "keyring_backend", "storage_folder")
"""What the section says beside the providers, and keeps until the server ends: where sessions are stored."""

_DEFAULTS = {"storage": "auto"}
_CAMEL = {"keyring_backend": "keyringBackend", "storage_folder": "storageFolder"}

Fingerprint = tuple[tuple[str, int, int], ...]


def configured(own: Mapping[str, Any], paths: Sequence[str]) -> tuple[object, ...]:
    """Return the providers and the :data:`CHOICES`: ``own`` section of the configuration, completed by the JSON files.

    ``paths`` are Jupyter's configuration folders, the most important first.
    What ``own`` says wins: a provider of the same name replaces the one from a file as a whole.
    """
    section = _section(paths)
    below, above = section.get("providers", {}), own.get("providers", {})
    providers = {**below, **above} if isinstance(below, Mapping) and isinstance(above, Mapping) else (above or below)
    return providers, *(own.get(name, _written(section, name)) for name in CHOICES)


def fixed(own: Mapping[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """Return what of ``own`` does not stand in a JSON file, and so stays until the server ends."""
    section = _section(paths)
    below, above = section.get("providers", {}), own.get("providers", {})
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        above = {name: body for name, body in above.items() if name not in below or below[name] != body}
    stays = {"providers": above} if above else {}
    return {**stays, **{name: own[name] for name in CHOICES if name in own and own[name] != _written(section, name)}}


def fingerprint(paths: Sequence[str]) -> Fingerprint:
    """Return name, time and size of every JSON file that may hold settings; equal means unchanged."""
    return tuple(
        (str(path), seen.st_mtime_ns, seen.st_size) for path, seen in ((path, path.stat()) for path in _files(paths))
    )


def unreadable(paths: Sequence[str]) -> list[str]:
    """Return the files that are not JSON now, perhaps because somebody is still writing them."""
    return [str(path) for path in _files(paths) if not _is_json(path)]


def _files(paths: Sequence[str]) -> Iterator[Path]:
    for folder in map(Path, paths):
        yield from sorted(
            path for path in (folder / f"{_FILE}.json", *(folder / f"{_FILE}.d").glob("*.json")) if path.is_file()
        )


def _is_json(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8")
        return not text or isinstance(json.loads(text), dict)
    except (OSError, ValueError, RecursionError):
        return False


def choices_in(section: Mapping[str, Any]) -> tuple[object, ...]:
    """Return the :data:`CHOICES` of one section, with the defaults of what it does not say."""
    return tuple(_written(section, name) for name in CHOICES)


def _written(section: Mapping[str, Any], name: str) -> Any:
    """Return what a JSON file says, in either spelling."""
    return section.get(name, section.get(_CAMEL.get(name, name), _DEFAULTS.get(name)))


def _section(paths: Sequence[str]) -> Mapping[str, Any]:
    manager: Any = ExtensionConfigManager(read_config_path=list(paths))
    found = manager.get(_FILE).get(SECTION, {})
    return found if isinstance(found, Mapping) else {"providers": found}

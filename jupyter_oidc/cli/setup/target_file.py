"""Chooses the file that gets the settings of a provider: the one that has them, else one of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_oidc.adapters.system.ownership import owners_here
from jupyter_oidc.cli.setup.obstacle import Obstacle
from jupyter_oidc.cli.setup.settings_document import SettingsDocument
from jupyter_oidc.language import _
from jupyter_oidc.server.settings_file import FILE_NAME, settings_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_oidc.settings import Settings


def target_document(name: str, wished: str, paths: Sequence[str], folder: Path, known: Settings) -> SettingsDocument:
    """Return the file to write; raises :class:`Obstacle` if the provider stands where no set-up can change it."""
    holder = _holder_of(name, paths)
    if wished:
        target = Path(wished).expanduser().absolute()
        if holder is not None and not _is_same(holder, target):
            raise Obstacle(
                _("The provider '{provider}' stands in {file}.", provider=name, file=holder),
                _("Leave --file out, or give another --name."),
            )
        return SettingsDocument.read(target)
    if holder is None and any(one.name == name for one in known.providers):
        raise Obstacle(
            _(
                "The provider '{provider}' stands in a Python file or on the command line, which no set-up can change.",
                provider=name,
            ),
            _("Give another --name, or remove it there."),
        )
    return SettingsDocument.read(holder or folder / f"{FILE_NAME}.d" / f"jupyter_oidc-{name}.json")


def is_read_by_jupyter(path: Path, paths: Sequence[str]) -> bool:
    """Return whether Jupyter's configuration folders are such that a server reads ``path``."""
    folders = {Path(folder).resolve() for folder in paths}
    if path.name == f"{FILE_NAME}.json":
        return path.parent.resolve() in folders
    return path.parent.name == f"{FILE_NAME}.d" and path.parent.parent.resolve() in folders


def _holder_of(name: str, paths: Sequence[str]) -> Path | None:
    """Return the most important JSON file with the provider."""
    holders = [
        Path(file.path)
        for file in settings_files(paths, owners_here())
        if isinstance(providers := file.section.get("providers"), dict) and isinstance(providers.get(name), dict)
    ]
    return holders[-1] if holders else None


def _is_same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()

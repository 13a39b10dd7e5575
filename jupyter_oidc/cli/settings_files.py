"""The settings as the Jupyter server would read them, from its configuration files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Any as AnyTrait
from traitlets.config import Configurable

from jupyter_oidc.adapters.named_files import with_files
from jupyter_oidc.server.config import CHOICES, SECTION, configured, unreadable
from jupyter_oidc.settings import Finding, Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_oidc.cli.app import OidcApp


class JupyterOIDC(Configurable):
    """Stands for the extension's section, so that traitlets reads it as the server does."""

    providers: Any = AnyTrait({}).tag(config=True)
    storage: Any = AnyTrait("auto").tag(config=True)
    keyring_backend: Any = AnyTrait(None).tag(config=True)
    storage_folder: Any = AnyTrait(None).tag(config=True)


@dataclass(frozen=True, slots=True)
class Read:
    """What the files say; ``settings`` is ``None`` if ``findings`` keep them from existing."""

    settings: Settings | None
    findings: tuple[Finding, ...]
    base_url: str = "/"

    @classmethod
    def of(cls, result: Settings | list[Finding]) -> Read:
        """Return ``result`` as one value."""
        return cls(result, ()) if isinstance(result, Settings) else cls(None, tuple(result))


def settings_of(app: OidcApp, *, looks_at_files: bool = False) -> Read:
    """Read the section of the configuration files that ``app`` has loaded, and the folders ``*.d`` beside them.

    With ``looks_at_files`` the files that the settings name are looked at, too, as the server does when it starts.
    """
    paths = app.config_file_paths
    broken = [
        Finding(f"file {_shown(path)}", "is not a JSON object", "Correct it; 'python -m json.tool FILE' says where.")
        for path in unreadable(paths)
    ]
    if broken:
        return Read(None, tuple(broken))
    section = JupyterOIDC(config=app.config)
    own: Mapping[str, Any] = {
        name: getattr(section, name) for name in ("providers", *CHOICES) if name in app.config.get(SECTION, {})
    }
    read = read_settings(*configured(own, paths))
    return Read.of(with_files(read) if looks_at_files else read)


def _shown(path: str) -> str:
    """Return ``path`` without the name of the person whose home it is in, because 'doctor' is pasted in public."""
    try:
        return f"~/{Path(path).relative_to(Path.home()).as_posix()}"
    except (ValueError, RuntimeError):
        return path

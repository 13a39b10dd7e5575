"""What is configured, wherever it is written: Python or JSON files, the command line, and ``*.d`` folders.

Jupyter itself reads ``jupyter_server_config.d/*.json`` only to learn which extensions are on; a provider's settings
file belongs there all the same, so its ``JupyterOIDC`` section is read here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_server.extension.config import ExtensionConfigManager

SECTION = "JupyterOIDC"


def configured(own: Mapping[str, Any], paths: Sequence[str]) -> tuple[object, object]:
    """Return ``(providers, storage)``: ``own`` section of the configuration, completed by the ``*.d`` folders.

    ``paths`` are Jupyter's configuration folders, the most important first.
    What ``own`` says wins: a provider of the same name replaces the one from a folder as a whole.
    """
    manager: Any = ExtensionConfigManager(read_config_path=list(paths))
    found = manager.get("jupyter_server_config").get(SECTION, {})
    section: Mapping[str, Any] = found if isinstance(found, Mapping) else {"providers": found}
    below, above = section.get("providers", {}), own.get("providers", {})
    providers = {**below, **above} if isinstance(below, Mapping) and isinstance(above, Mapping) else (above or below)
    return providers, own.get("storage", section.get("storage", "auto"))

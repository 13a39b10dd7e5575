"""What the command knows of this machine before it asks anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jupyter_oidc.settings import Settings


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Jupyter's folders and configuration, and the settings so far.

    ``paths`` are the configuration folders, ``folder`` is the user's own one. ``has_unicode`` says that the terminal
    shows marks.
    """

    paths: tuple[str, ...]
    folder: Path
    config: Mapping[str, Any]
    environment: Mapping[str, str]
    settings: Settings
    has_unicode: bool = True

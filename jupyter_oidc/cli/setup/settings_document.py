"""One JSON file of settings: the provider in it, what would change, and the writing, as a whole or not at all.

JSON has no comments, so none can be lost; the layout becomes two spaces a level, which the difference shows.
It refuses Python files, because they are programs, and a file that another process has changed meanwhile.
"""

from __future__ import annotations

import difflib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_oidc.cli.setup.obstacle import Obstacle
from jupyter_oidc.language import N_, _, told
from jupyter_oidc.server.settings_file import SECTION, settings_file

if TYPE_CHECKING:
    from collections.abc import Mapping

NEW_FILE_MODE: Final = 0o600
_CORRECT_JSON: Final = N_("Correct it ('python -m json.tool FILE' says where), or give another --file.")


@dataclass(frozen=True, slots=True)
class SettingsDocument:
    """The file at ``path`` as it was read: ``text`` is ``None`` if there is none yet."""

    path: Path
    text: str | None
    document: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> SettingsDocument:
        """Read ``path``; raises :class:`Obstacle` for what is no JSON file with settings."""
        if path.suffix != ".json":
            raise Obstacle(
                _("{file} is no JSON file: a set-up writes JSON, since Python files are programs.", file=path),
                _("Give a --file that ends with .json; Jupyter reads the folder jupyter_server_config.d."),
            )
        target = path.resolve() if path.is_symlink() else path
        found = settings_file(str(target))
        if found.trouble == "is gone":
            return cls(target, None, {})
        if found.trouble not in (None, "is empty"):
            trouble = told(found.trouble or "")
            raise Obstacle(_("{file} {trouble}.", file=path, trouble=trouble), told(_CORRECT_JSON))
        try:
            text = target.read_text(encoding="utf-8-sig")
        except (OSError, ValueError):
            raise Obstacle(_("{file} cannot be read.", file=path), told(_CORRECT_JSON)) from None
        document = json.loads(text) if text.strip() else {}
        providers = document.get(SECTION, {})
        providers = providers.get("providers", {}) if isinstance(providers, dict) else None
        if not isinstance(providers, dict):
            raise Obstacle(
                _("{file} holds settings that are no mapping.", file=path),
                _("Correct it: jupyter oidc config check."),
            )
        return cls(target, text, document)

    def provider(self, name: str) -> dict[str, Any]:
        """Return the provider's settings in this file; empty if there are none."""
        body = self.document.get(SECTION, {}).get("providers", {}).get(name)
        return body if isinstance(body, dict) else {}

    def with_provider(self, name: str, body: Mapping[str, Any]) -> str:
        """Return the text of the file with ``body`` as the settings of ``name``; everything else stays."""
        if self.text is not None and self.provider(name) == body:
            return self.text
        section = self.document.get(SECTION, {})
        providers = {**section.get("providers", {}), name: body}
        document = {**self.document, SECTION: {**section, "providers": providers}}
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def difference(self, text: str) -> str:
        """Return what ``text`` changes, as a unified difference; empty if it changes nothing."""
        name = str(self.path)
        before = (self.text or "").splitlines()
        return "\n".join(difflib.unified_diff(before, text.splitlines(), name, name, lineterm=""))

    def write(self, text: str) -> None:
        """Put ``text`` into the place of the file: whole, for this user only if it is new; raises :class:`Obstacle`."""
        if self._present_text() != self.text:
            raise Obstacle(
                _("{file} has changed while this ran, and was not written.", file=self.path), _("Run this again.")
            )
        draft = ""
        try:
            mode = NEW_FILE_MODE if self.text is None else self.path.stat().st_mode & 0o777
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # NOTE: its name does not end with .json, so that Jupyter does not read it.
            descriptor, draft = tempfile.mkstemp(dir=self.path.parent, prefix=".jupyter_oidc-")
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).chmod(mode)
            Path(draft).replace(self.path)
            draft = ""
        except OSError as error:
            reason = os.strerror(error.errno).lower() if error.errno else _("the system refuses it")
            raise Obstacle(
                _("{file} cannot be written: {reason}.", file=self.path, reason=reason),
                _("Give a --file in a folder that you can write to and Jupyter reads: jupyter --paths."),
            ) from None
        finally:
            if draft:
                Path(draft).unlink(missing_ok=True)

    def _present_text(self) -> str | None:
        try:
            return self.path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            return ""
